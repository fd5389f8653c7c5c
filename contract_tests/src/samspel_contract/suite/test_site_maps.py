"""A corrected map in the box's configuration folder."""

from __future__ import annotations

import re
from pathlib import Path

from samspel_contract.capabilities import Capability
from samspel_contract.case import DriverCase, needs, once, safety, simulated
from samspel_contract.edge import DEVICE
from samspel_contract.site import Site

POWER_W = 1500.0
NEWER = "99999.0"
LOOKED_S = 60.0
"""Long enough for the folder to have been looked at."""


def _version(site: Site) -> str:
    """Of the map in use, as birth tells it."""
    return site.life.device.versions[f"{DEVICE}/map"].split()[1]


def _newer(driver_case: DriverCase, folder: Path) -> None:
    """The driver's own map with a higher version, where a site would put it."""
    target = driver_case.target
    text, count = re.subn(r'(?m)^version = "[^"]*"', f'version = "{NEWER}"', target.registers.text, count=1)
    assert count, "the map has no line that says its version"
    (folder / target.manifest.name).mkdir()
    (folder / target.manifest.name / "newer.toml").write_text(text, encoding="utf-8")


@needs(Capability.CHARGE)
@once
@safety
@simulated
async def test_site_changes_its_map_only_when_released(driver_case: DriverCase, tmp_path: Path) -> None:
    """A newer map in the folder waits, and says so, as long as the battery is commanded or stopped; it is in use as
    soon as control has been given back, and commands go on by it.

    If this fails: the map has to load from its text alone, and `version` has to be a line of its `[map]`.
    """
    async with driver_case.site(maps=tmp_path) as site:
        life = await site.settled()
        packaged = _version(site)
        await site.followed(-POWER_W)
        _newer(driver_case, tmp_path)
        await site.until(lambda: f"{DEVICE}/map_pending" in life.device.versions, LOOKED_S, "the newer map waits")
        stop = await site.send("stop")
        await site.outcome(stop, stage="verified")
        await site.wait(LOOKED_S)
        assert _version(site) == packaged
        await site.send("release")
        await site.given_back()
        await site.until(lambda: _version(site) == NEWER, LOOKED_S, "the newer map is in use")
        await site.followed(-POWER_W)
