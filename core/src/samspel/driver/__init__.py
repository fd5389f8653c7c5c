"""The generic map-driven driver: a brand is its manifest, maps and tables; everything that runs is here (station ⑤)."""
