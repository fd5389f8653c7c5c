"""The suite's own site: an edge dies where it is told to, a wire is cut, and what a disk held is found again."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from samspel_contract.edge import QUIET
from samspel_contract.noise import magnitudes, wearing
from samspel_contract.simulated import simulated
from samspel_contract.site import open_site
from samspel_contract.stranger import stranger_registers
from samspel_contract.target import loose

GOOD = Path(str(files("samspel_contract") / "toys" / "good"))
POWER_W = -1500.0


@pytest.fixture(scope="module")
def target():
    return loose(GOOD / "driver.toml", "samspel_contract.toys.good.twin:twin")


@simulated
async def test_an_edge_dies_before_the_write_that_it_is_told(target):
    async with open_site(target, rates=QUIET) as site:
        life = await site.settled()
        life.wire.die_before = 1
        await site.send("set_power", power_w=POWER_W)
        await site.until(life.wire.dead.is_set, 30)
        assert len(life.wire.written) == 1
        await site.wait(300)
        assert len(life.wire.written) == len(site.writes()) == 1


@simulated
async def test_what_dies_later_than_the_disk_was_read_is_not_on_it(target):
    async with open_site(target, rates=QUIET) as site:
        life = await site.settled()
        life.wire.die_before = 0
        await site.send("set_power", power_w=POWER_W)
        await site.until(life.wire.dead.is_set, 30)
        left = await life.kill()
        marks = left.journal.get("battery/control")["marks"]
        await life.store.journal.put("battery/control", {})
        assert left.journal.get("battery/control")["marks"] == marks != []


@simulated
async def test_a_killed_edge_says_nothing_more_and_its_will_is_heard(target):
    async with open_site(target) as site:
        life = await site.settled()
        await life.kill()
        heard = len(site.messages)
        await site.wait(300)
        assert len(site.messages) <= heard + 1
        assert site.messages[-1]["condition"] == "offline"


@simulated
async def test_a_cut_wire_is_noticed_and_mended(target):
    async with open_site(target) as site:
        life = await site.settled()
        life.wire.cut()
        await site.until(lambda: "raised" in site.faults("comms.device_lost"), 30)
        life.wire.mend()
        await site.until(lambda: "cleared" in site.faults("comms.device_lost"), 60)


@simulated
async def test_a_wire_is_cut_after_so_many_answers(target):
    async with open_site(target) as site:
        life = await site.settled()
        life.wire.answers_left = 1
        await site.until(lambda: life.wire.is_cut, 30)
        assert life.wire.answers_left == 0


@simulated
async def test_a_strangers_registers_are_those_of_a_whole_command(target):
    assert await stranger_registers(target, -1200.0) == {"charge_power": 1200, "mode": 1}


def test_what_wears_and_what_carries_the_power_is_read_from_the_map(target):
    assert [row.name for row in wearing(target)] == ["charge_most"]
    assert [row.name for row in magnitudes(target, "charge")] == ["charge_power"]
    assert [row.name for row in magnitudes(target, "discharge")] == ["discharge_power"]
