"""Two masters at one battery: we stand back, and we never give back what was not there."""

from __future__ import annotations

import pytest
from samspel.contract.capability import Deadman

from samspel_contract.capabilities import Capability
from samspel_contract.case import DriverCase, needs, safety, simulated
from samspel_contract.site import Site
from samspel_contract.stranger import stranger_registers

POWER_W = 1500.0
STRANGER_W = 1230.0
PERIOD_S = 5.0
REPEATED_S = 15.0
"""A stop is looked after at least so often."""


def _raws(site: Site, names: dict[str, int]) -> dict[str, int]:
    """What these registers hold now."""
    bank = site.twin.behaviour.banks[site.twin.behaviour.unit]
    return {name: bank.raw(name) for name in names}


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@simulated
async def test_site_leaves_a_foreign_battery_alone(driver_case: DriverCase) -> None:
    """A battery that somebody else commands when the edge starts gets no write from us; set-points are refused as
    foreign, the fault stands, and when the other has gone it clears and we can command.

    If this fails: a register that every command changes must be among the owned ones, with a neutral value.
    """
    registers = await stranger_registers(driver_case.target, STRANGER_W)
    async with driver_case.site() as site:
        before = _raws(site, registers)
        site.twin.misbehave("second_master", period_s=PERIOD_S, registers=registers)
        await site.wait(2 * PERIOD_S)
        life = await site.begin()
        await site.until(lambda: life.phase == "foreign", 60, "control sees the other master")
        refused = await site.send("set_power", power_w=-POWER_W)
        await site.outcome(refused, end="refused", reason="foreign")
        await site.wait(120)
        assert life.wire.written == []
        assert site.faults("control.foreign_master") == ["raised"]
        site.twin.misbehave("second_master", on=False)
        site.twin.set({"registers": before})
        await site.until(lambda: site.faults("control.foreign_master") == ["raised", "cleared"], 120, "cleared")
        await site.followed(-POWER_W)


@needs(Capability.CHARGE, Capability.DISCHARGE)
@safety
@simulated
async def test_site_does_not_fight_a_second_master(driver_case: DriverCase) -> None:
    """When somebody else writes our registers while we control, the set-point ends as interrupted with the deviation
    overridden, the fault is raised, and we write nothing more.

    If this fails: owned registers whose change nobody would notice are not owned.
    """
    registers = await stranger_registers(driver_case.target, STRANGER_W)
    async with driver_case.site() as site:
        life = await site.settled()
        command = await site.followed(-POWER_W)
        site.twin.misbehave("second_master", period_s=PERIOD_S, registers=registers)
        await site.outcome(command, deviation="overridden", reason="foreign", within_s=120)
        await site.outcome(command, end="interrupted", reason="foreign")
        assert site.faults("control.foreign_master") == ["raised"]
        ours = len(life.wire.written)
        await site.wait(120)
        assert life.wire.written[ours:] == []
        assert life.phase == "foreign"


@needs(Capability.HELD_ZERO, Capability.CHARGE)
@safety
@simulated
async def test_site_stop_overrules_a_second_master(driver_case: DriverCase) -> None:
    """A stop in force is asserted again when somebody else commands the battery; the fault says so, unless the stop is
    repeated anyway for a device with a timer.

    If this fails: look at what the stop sequence leaves as the other wrote it.
    """
    registers = await stranger_registers(driver_case.target, -STRANGER_W)
    async with driver_case.site() as site:
        life = await site.settled()
        stop = await site.send("stop")
        await site.outcome(stop, stage="verified")
        site.twin.set({"registers": registers})
        await site.wait(REPEATED_S + driver_case.target.declaration.stop_s)
        if site.route(0.0).deadman is Deadman.NONE:
            assert site.faults("control.foreign_master") == ["raised"]
        assert site.at_rest, f"{site.battery_w:.0f} W"
        assert life.phase == "stopped"


@needs(Capability.CHARGE, Capability.HELD_ZERO)
@safety
@pytest.mark.parametrize("stranger_w", [-STRANGER_W, 0.0], ids=["charging", "held"])
@simulated
async def test_site_never_restores_what_a_stranger_left(driver_case: DriverCase, stranger_w: float) -> None:
    """Somebody else takes the battery right before our set-point comes. Whatever becomes of that, our release leaves
    the battery to its own logic and not in the other's command.

    If this fails: a snapshot of a control block that was not at its default must not be given back.
    """
    registers = await stranger_registers(driver_case.target, stranger_w)
    async with driver_case.site() as site:
        await site.settled()
        await site.wait(30)
        own_logic_w = site.battery_w
        site.twin.set({"registers": registers})
        command = await site.send("set_power", power_w=-POWER_W)
        await site.wait(60)
        release = await site.send("release")
        await site.outcome(release, end="completed")
        assert len(site.ends(command)) == 1, site.story()
        await site.wait(60)
        assert abs(site.battery_w - own_logic_w) < POWER_W / 2, f"{site.battery_w:.0f} W, not {own_logic_w:.0f} W"
        assert site.life.phase == "released"
