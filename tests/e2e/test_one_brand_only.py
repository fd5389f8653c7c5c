"""With every brand installed, a site of one brand imports no other: its memory and its faults are its own."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

BRANDS = sorted(entry.name for entry in entry_points(group="samspel.drivers"))

SITE = """
[site]
name = "home-0001"
[mqtt]
url = "mqtt://127.0.0.1:1"
[issuers]
dispatcher = ["fleet-a"]
[devices.battery]
driver = "{brand}"
url = "modbus-tcp://127.0.0.1:1?unit=1"
limits = {{ charge_w = 5000, discharge_w = 5000 }}
"""

BUILD = """
import asyncio, json, random, sys
from pathlib import Path
from samspel.assembly import build_edge, check_site
from samspel.clock import SystemClock
from samspel.config.load import load_site
from samspel.store.store import Store

async def build(folder):
    config = load_site(folder / "site.toml")
    check_site(config, SystemClock(), random.Random(1))
    store = Store.open(folder / "journal.sqlite", SystemClock())
    try:
        build_edge(config, store, SystemClock(), random.Random(1))
    finally:
        await store.close()

asyncio.run(build(Path(sys.argv[1])))
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules if name.startswith("samspel_")})))
"""


def test_there_is_more_than_one():
    assert len(BRANDS) >= 3


@pytest.mark.parametrize("brand", BRANDS)
def test_a_site_imports_its_own_brand_and_no_other(brand: str, tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(SITE.format(brand=brand))
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [f"samspel_{brand}"]
