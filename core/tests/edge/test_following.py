"""Between control and driver: a changed power waits for the route's spacing, and effect proves what cannot be read."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from samspel.contract.capability import Capabilities, Direction, Verify
from samspel.contract.driver import WriteReport
from samspel.contract.outcome import Stage, Verification
from samspel.contract.telemetry import Quality, Reading
from samspel.control.events import Follow, Say
from samspel.control.state import Policy, State
from samspel.device import Device, DeviceLimits
from samspel.outlet import Outlet
from samspel.shaping.chain import Chain, Result
from samspel.store.memory import MemoryJournal

from ..routes import route  # noqa: TID252 - the tests of every station share it
from .kit import DEVICE, SITE, Clock, Outbox

ROUTE = route(spacing_s=30.0, feed_s=20.0)
LIMITS = DeviceLimits(charge_w=1, discharge_w=1, soc_min_pct=10, soc_max_pct=90)


class Driver:
    def __init__(self) -> None:
        self.calls: list[tuple[str, float]] = []
        self.battery_w, self.clock = 0.0, Clock()

    def plan(self, power_w):
        return {"w": power_w}

    async def set_power(self, power_w, not_after, snapshot, previous_w, wanted=None):
        self.calls.append(("write", power_w))
        return WriteReport(mark={}, power_w=power_w, verification=Verification.SKIPPED, skipped_because="stale")

    def rest_s(self, power_w, previous_w):
        return 0.0

    async def keep_alive(self, power_w, not_after, snapshot):
        self.calls.append(("feed", power_w))

    async def read(self, groups):
        return {"battery_power_w": Reading(self.battery_w, "W", self.clock.wall(), self.clock.now, Quality.GOOD)}


@pytest.fixture
def site():
    driver, outbox = Driver(), Outbox()
    clock = driver.clock
    device = Device(
        DEVICE, driver, Chain([]), Outlet(SITE, "run-1", outbox, clock), MemoryJournal(), clock, Policy(), LIMITS
    )

    device.controller.check = lambda order: None  # There is no control here that something could take over.

    async def follow(power_w, command="c-1", *, force=False):
        """One tick, as `pipeline.DevicePath` and control have it."""
        order = Follow(1, command, power_w, clock.now + 60, force=force)
        action = device.gate(Result(power_w, power_w, ()), order, device.controller.state)
        if action == "feed":
            await device.feed(power_w, order, device.controller.state)
            state(fed_at=clock.now)
        if action == "write":
            report = await device.write(power_w, order, device.controller.state)
            state(written_w=report.power_w, fed_at=clock.now)
        return action

    def state(**changes):
        device.controller.state = replace(device.controller.state, **changes)

    async def look(battery_w):
        clock.now += 1
        driver.battery_w = battery_w
        await device.poll(("fast",))

    def use(route):
        zero = replace(route, direction=Direction.ZERO)
        device.controller.state = State(capabilities=Capabilities(routes=(route, zero)))

    def said(command):
        device._outlet.flush()
        return outbox.said(command)

    use(ROUTE)
    return SimpleNamespace(
        said=said, device=device, driver=driver, outbox=outbox, clock=clock, follow=follow, look=look, use=use
    )


async def test_a_changed_power_waits_for_the_spacing_and_comes_at_the_first_tick_after_it(site):
    await site.follow(1000, "c-1")
    ticks = []
    for _ in range(40):
        site.clock.now += 1
        ticks.append(await site.follow(2000, "c-2"))
    assert ticks.index("write") == 29
    assert site.driver.calls == [("write", 1000), ("feed", 1000), ("write", 2000)], "until then the old one is fed"


async def test_zero_a_stop_of_waiting_and_force_come_at_once(site):
    await site.follow(1000, "c-1")
    site.clock.now += 1
    assert await site.follow(-500, "c-2") == "write"
    assert await site.follow(0, "c-3") == "write"
    assert await site.follow(2000, "c-4") == "suppress", "from zero it is a change of power like another"
    assert await site.follow(2000, "c-4", force=True) == "write"


async def test_what_comes_late_is_said_and_only_then_judged(site):
    await site.follow(1000, "c-1")
    site.clock.now += 1
    assert await site.follow(2000, "c-2") == "suppress"
    site.device._say(Say(command_id="c-2", stage=Stage.WRITE_SUPPRESSED, target_power_w=1000))
    await site.look(1000)
    assert site.said("c-2") == ["write_suppressed"], "the battery follows the command before"
    site.clock.now += 30
    assert await site.follow(2000, "c-2") == "write"
    site.device._say(Say(command_id="c-2", stage=Stage.WRITTEN, target_power_w=2000))
    await site.look(1000)
    await site.look(2000)
    assert site.said("c-2")[2:] == ["delivered"]


async def test_a_route_without_read_back_is_verified_by_effect_when_it_is_delivered(site):
    site.use(replace(ROUTE, verify=Verify.EFFECT))
    await site.follow(1000)
    site.device._say(Say(command_id="c-1", stage=Stage.WRITTEN, target_power_w=1000))
    site.device._say(Say(command_id="c-1", stage=Stage.VERIFIED, verification=Verification.SKIPPED, text="stale"))
    await site.look(300)
    assert site.said("c-1") == ["written", "verified"]
    await site.look(1000)
    await site.look(1000)
    assert site.said("c-1") == ["written", "verified", "verified", "delivered"]
    proofs = [one.get("verification") for one in site.outbox.documents("outcome")]
    assert proofs == [None, "skipped", "effect", None]


async def test_a_route_that_reads_back_is_not_proved_twice(site):
    await site.follow(1000)
    site.device._say(Say(command_id="c-1", stage=Stage.WRITTEN, target_power_w=1000))
    await site.look(1000)
    assert site.said("c-1") == ["written", "delivered"]
