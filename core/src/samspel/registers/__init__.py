"""Register maps: schema, loader, codecs, block planner and firmware overlays (station ⑥)."""
