"""A corrected map reaches a box that is in service: it waits, is tried, and is taken back when it was wrong.

Simulated time, the real control, driver and bus; the twin says what the battery really did.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from .simulated import Home, simulated_home

pytestmark = pytest.mark.looptime(noop_cycles=1)

PACKAGED = (files("samspel_huawei") / "maps" / "sun2000.toml").read_text(encoding="utf-8")
VERSION = 'version = "0.1.0"'
CORRECTED = (
    PACKAGED.replace(VERSION, 'version = "9.1"')
    .replace("phase_a_voltage = { address = 32069", "phase_a_voltage = { address = 32070", 1)
    .replace("phase_b_voltage = { address = 32070", "phase_b_voltage = { address = 32069", 1)
)
SLOWER = PACKAGED.replace(VERSION, 'version = "9.2"').replace("within_s = 2", "within_s = 3")
REVERSED = (
    PACKAGED.replace(VERSION, 'version = "9.3"')
    .replace(
        'labels = { 0 = "stop", 1 = "charge", 2 = "discharge" }',
        'labels = { 0 = "stop", 2 = "charge", 1 = "discharge" }',
    )
    .replace("forcible_charge_power = { address = 47247", "forcible_charge_power = { address = 47249")
    .replace("forcible_discharge_power = { address = 47249", "forcible_discharge_power = { address = 47247")
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "huawei"
    made.mkdir()
    return made


def versions(home: Home) -> dict[str, str]:
    """What the newest birth message says."""
    return next(one for one in reversed(home.messages) if one["_leaf"] == "birth")["versions"]


def in_use(home: Home) -> str:
    return versions(home)["battery/map"].split()[1]


async def test_it_waits_until_the_battery_is_given_back(folder):
    async with simulated_home(maps=folder.parent) as home:
        await home.settled()
        assert in_use(home) == "0.1.0"
        command = await home.send("set_power", power_w=3000.0, ttl_s=60.0, on_expiry="release")
        await home.outcome(command, stage="verified")
        (folder / "new.toml").write_text(CORRECTED, encoding="utf-8")
        await home.until(lambda: "battery/map_pending" in versions(home), 30)
        assert in_use(home) == "0.1.0"
        await home.outcome(command, end="completed")
        await home.until(lambda: in_use(home) == "9.1", 60)
        assert "battery/map_pending" not in versions(home)
        assert "battery/map_on_trial" not in versions(home), "what is only read needs no trial"
        assert home.faults("control.map_suspect") == []


async def test_a_new_control_part_is_on_trial_until_both_directions_are_proven(folder):
    (folder / "new.toml").write_text(SLOWER, encoding="utf-8")
    async with simulated_home(maps=folder.parent) as home:
        await home.settled()
        assert "until charge and discharge is proven" in versions(home)["battery/map_on_trial"]
        for power_w in (3000.0, -3000.0):
            command = await home.send("set_power", power_w=power_w, ttl_s=240.0, on_expiry="release")
            clamped = await home.outcome(command, deviation="clamped")
            assert clamped["reason"] == "map_trial"
            await home.until(lambda power_w=power_w: abs(home.battery_w - power_w / 3) < 100, 60)
            await home.until(lambda power_w=power_w: abs(home.battery_w - power_w) < 150, 120)
        await home.until(lambda: "battery/map_on_trial" not in versions(home), 60)
        assert in_use(home) == "9.2"


async def test_a_reversed_map_is_taken_back(folder):
    """What it moved was little; the map before it gives nothing back that it has not taken."""
    (folder / "new.toml").write_text(REVERSED, encoding="utf-8")
    async with simulated_home(maps=folder.parent) as home:
        await home.settled()
        home.before = home.registers()
        assert in_use(home) == "9.3"
        command = await home.send("set_power", power_w=3000.0, ttl_s=600.0)
        ended = await home.outcome(command, end="interrupted", within_s=300)
        assert ended["reason"] == "map_suspect"
        assert home.faults("control.map_suspect")[-1] == "raised"
        await home.until(lambda: in_use(home) == "0.1.0", 60)
        assert "failed its trial" in versions(home)["battery/map_refused"]
        assert home.registers() == home.before
        right = await home.send("set_power", power_w=3000.0, ttl_s=120.0)
        await home.outcome(right, stage="delivered", within_s=100)
        assert home.battery_w > 2500


async def test_a_restart_gives_back_by_the_map_that_took(folder):
    """kill -9 with a corrected map in force; when the edge comes back, the file is gone."""
    (folder / "new.toml").write_text(SLOWER, encoding="utf-8")
    async with simulated_home(maps=folder.parent) as home:
        await home.settled()
        home.before = home.registers()
        command = await home.send("set_power", power_w=-800.0, ttl_s=120.0, on_expiry="release")
        await home.outcome(command, stage="verified")
        left = await home.life.kill()
        (folder / "new.toml").unlink()
        await home.begin(left)
        await home.outcome(command, stage="accepted", reason="adopted")
        assert in_use(home) == "9.2"
        await home.outcome(command, end="completed")
        await home.until(lambda: in_use(home) == "0.1.0", 60)
        assert home.registers() == home.before


async def test_a_stop_does_not_wait_for_a_trial_and_keeps_the_map(folder):
    (folder / "new.toml").write_text(SLOWER, encoding="utf-8")
    async with simulated_home(maps=folder.parent) as home:
        await home.settled()
        command = await home.send("set_power", power_w=3000.0, ttl_s=600.0)
        await home.outcome(command, stage="verified")
        stop = await home.send("stop")
        await home.outcome(stop, stage="verified", within_s=20)
        (folder / "new.toml").unlink()
        await home.wait(60)
        assert in_use(home) == "9.2", "nothing changes while a stop is in force"
        assert abs(home.battery_w) < 50


async def test_a_bad_file_is_told_and_harms_nothing(folder):
    (folder / "new.toml").write_text(CORRECTED.replace("32080", "soon"), encoding="utf-8")
    async with simulated_home(maps=folder.parent) as home:
        await home.settled()
        assert in_use(home) == "0.1.0"
        assert "new.toml" in versions(home)["battery/map_refused"]
        assert home.faults("control.map_suspect") == ["raised"]
        (folder / "new.toml").unlink()
        await home.until(lambda: home.faults("control.map_suspect")[-1] == "cleared", 30)
