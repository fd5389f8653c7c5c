"""Properties of the whole path below admission: control, every filter, gate and a device, over arbitrary sequences of
commands, clocks and link faults in simulated time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import looptime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samspel.clock import LoopClock
from samspel.contract.admitted import Admitted
from samspel.contract.capability import Capabilities, Deadman, Direction, WriteLife
from samspel.contract.command import OnExpiry, Rank, Release, SetPower, Stop
from samspel.contract.driver import ControlReading, ControlState, Identity, WriteReport
from samspel.contract.errors import NoAnswer, SequenceAbandoned
from samspel.contract.outcome import Verification
from samspel.contract.telemetry import Quality, Reading
from samspel.control.state import Policy
from samspel.device import Device, DeviceLimits
from samspel.outlet import Outlet
from samspel.shaping.chain import Chain
from samspel.shaping.filter import Shaped
from samspel.shaping.fuse import Fuse
from samspel.shaping.gate import Gate
from samspel.shaping.guarded import TowardZero
from samspel.shaping.inverter import AcLimit, ExportLimit
from samspel.shaping.limits import BatteryLimits, ContractLimits
from samspel.shaping.slew import Slew
from samspel.shaping.wear import WearBudget
from samspel.store.memory import MemoryStore

from ..routes import route  # noqa: TID252 - the tests of every station share it

GATE, SPACING_S, TICK_S, POLL_S = Gate(delta_w=60, time_s=20), 5.0, 1.0, 2.0
ANSWER_S, NOW_S = 0.2, 0.05
DWELL_S = 7.0
CAPABILITIES = Capabilities(
    routes=tuple(
        route(
            direction,
            deadman=Deadman.TIMEOUT,
            write_life=WriteLife.PERSISTENT,
            spacing_s=SPACING_S,
            feed_s=4.0,
        )
        for direction in Direction
    )
)


class Moody:
    """A third party's filter that would like anything at all, by the second."""

    name, hard = "moody", False

    def initial(self):
        return None

    def apply(self, state, target_w, context):
        wishes = (target_w, 2 * target_w, -target_w, float("nan"), target_w / 2)
        return Shaped(state, wishes[int(context.now / 30) % len(wishes)])


def chain(budget: int) -> Chain:
    return Chain(
        [
            ContractLimits(charge_w=4000, discharge_w=4000),
            Slew(w_per_s=2000),
            TowardZero(Moody()),
            GATE,
            WearBudget(writes_per_day=budget),
            BatteryLimits(soc_min_pct=10, soc_max_pct=90),
            AcLimit(limit_w=6000),
            Fuse(rating_a=25),
            ExportLimit(limit_w=3000),
        ]
    )


@dataclass(frozen=True)
class Sent:
    """What a device was asked to do: when, what, and until when it might have been sent."""

    at: float
    what: str
    power_w: float = 0.0
    not_after: float = float("inf")


@dataclass
class FakeDriver:
    """A device that takes its time, and whose cable may be out."""

    clock: LoopClock
    log: list[Sent] = field(default_factory=list)
    alive: bool = True
    power_w: float = 0.0
    house_a: float = 5.0
    persistent_writes: int = 0
    stops: int = 0
    ours: bool = False
    moved_w: float = 0.0
    still_at: float | None = None

    async def _ask(self, what: str, power_w: float = 0.0, not_after: float = float("inf")) -> None:
        """A write: refused without a cable, abandoned when a stop comes meanwhile."""
        stops = self.stops
        if not self.alive:
            raise NoAnswer("the cable is out")
        self.log.append(Sent(self.clock.monotonic(), what, power_w, not_after))
        self.persistent_writes += what != "feed"
        await asyncio.sleep(ANSWER_S)
        if stops != self.stops:
            raise SequenceAbandoned("a stop took over")
        if not self.alive:
            raise NoAnswer("the cable went out")
        self.power_w, self.ours = (self.power_w, self.ours) if what == "feed" else (power_w, what != "release")

    async def identify(self):
        return Identity(brand="b", model="m", serial="s")

    def capabilities(self):
        return CAPABILITIES

    def versions(self):
        return {}

    def rest_s(self, power_w, previous_w):
        """A reversal rests; the time at zero counts from when it was told so."""
        if power_w * self.moved_w >= 0:
            return 0.0
        return DWELL_S if self.still_at is None else max(0.0, self.still_at + DWELL_S - self.clock.monotonic())

    def _moves(self, power_w):
        if power_w:
            self.moved_w, self.still_at = power_w, None
        elif self.still_at is None:
            self.still_at = self.clock.monotonic()

    def plan(self, power_w):
        return {"w": power_w}

    async def take(self):
        if not self.alive:
            raise NoAnswer("the cable is out")
        return {"before": 1}

    async def read_control(self, marks, snapshot):
        if not self.alive:
            raise NoAnswer("the cable is out")
        state = ControlState.OURS if self.ours else ControlState.DEFAULT
        return ControlReading(state=state, fingerprint=str(self.ours))

    async def read(self, groups):
        if not self.alive:
            raise NoAnswer("the cable is out")
        wall, now = self.clock.wall(), self.clock.monotonic()
        share_a = self.power_w / 690
        values = {"battery_power_w": self.power_w, "soc_pct": 50.0, "pv_power_w": 1000.0, "grid_power_w": 1000.0}
        values |= {f"grid_current_l{phase}_a": self.house_a - share_a for phase in (1, 2, 3)}
        return {name: Reading(value, "", wall, now, Quality.GOOD) for name, value in values.items()}

    async def set_power(self, power_w, not_after, snapshot, previous_w):
        await self._ask("write", power_w, not_after)
        self._moves(power_w)
        return WriteReport(mark=self.plan(power_w), power_w=power_w, verification=Verification.READ_BACK)

    async def keep_alive(self, power_w, not_after, snapshot):
        await self._ask("feed", power_w, not_after)

    async def stop(self, snapshot):
        self.stops += 1
        await self._ask("stop")
        self._moves(0.0)
        return WriteReport(mark=self.plan(0.0), verification=Verification.READ_BACK)

    async def release(self, snapshot, marks):
        await self._ask("release")
        self.moved_w, self.still_at = 0.0, None
        return WriteReport(mark={}, verification=Verification.READ_BACK)


class Rig:
    """The path, and a journal of what was wanted of it."""

    def __init__(self, budget: int) -> None:
        self.clock = LoopClock()
        self.driver = FakeDriver(self.clock)
        store = MemoryStore()
        limits = DeviceLimits(charge_w=4000, discharge_w=4000, soc_min_pct=10, soc_max_pct=90)
        outlet = Outlet("home", "run-1", store.outbox, self.clock)
        self.device = Device("battery", self.driver, chain(budget), outlet, store.journal, self.clock, Policy(), limits)
        self.device.rest = self._rest_and_note(self.device.rest)
        self.shaped: list[tuple[float, float, float | None]] = []
        self.deadlines: list[float] = []
        self.stops: list[float] = []
        self.ended: list[float] = []
        self.ups: list[float] = []
        self.cuts: list[float] = []
        self.logged: dict[float, int] = {}
        self.seq = 0

    def _rest_and_note(self, rest):
        def noting(shaped, state):
            result, rest_s = rest(shaped, state)
            self.shaped.append((self.clock.monotonic(), result.target_w, state.written_w))
            return result, rest_s

        return noting

    def _submit(self, command, deadline=float("inf")):
        now = self.clock.monotonic()
        self.device.controller.submit(Admitted(command, Rank.DISPATCHER, now, now, deadline, 0.0))

    def _envelope(self):
        self.seq += 1
        return {
            "id": f"c-{self.seq}",
            "issuer": "fleet",
            "epoch": 1,
            "seq": self.seq,
            "issued_at": self.clock.wall(),
            "target": "home/battery",
            "ttl_s": 60.0,
        }

    async def act(self, what, value):
        now, driver = self.clock.monotonic(), self.driver
        match what:
            case "power":
                power_w, ttl_s = value
                self.deadlines.append(now + ttl_s)
                envelope = self._envelope() | {"ttl_s": ttl_s}
                self._submit(SetPower(**envelope, power_w=power_w, on_expiry=OnExpiry.RELEASE), now + ttl_s)
            case "stop":
                self.stops.append(now)
                self.logged[now] = len(driver.log)
                self._submit(Stop(**self._envelope()))
            case "release":
                self.ended.append(now)
                self._submit(Release(**self._envelope()))
            case "cut" if driver.alive:
                driver.alive = False
                self.cuts.append(now)
                self.device.link_down()
            case "mend" if not driver.alive:
                driver.alive = True
                self.ups.append(now)
                self.logged[now] = len(driver.log)
                await self.device.link_up()
            case "clock":
                self.clock.wall_offset_s += value
            case "house":
                driver.house_a = value

    async def poll(self):
        while True:
            await asyncio.sleep(POLL_S)
            if self.driver.alive:
                await self.device.poll(("fast",))


async def play(steps, budget):
    rig = Rig(budget)
    tasks = [asyncio.create_task(rig.device.controller.run()), asyncio.create_task(rig.poll())]
    await rig.device.link_up()
    for wait_s, (what, value) in steps:
        await asyncio.sleep(wait_s)
        await rig.act(what, value)
    await asyncio.sleep(1.5 * GATE.time_s)
    rig.headroom = rig.device.headroom()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return rig


def run(steps, budget=10_000):
    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0, noop_cycles=1)) as runner:
        return runner.run(play(steps, budget))


POWERS = st.one_of(st.sampled_from([0, 1000, 1040, 1100, -2000]), st.integers(-6000, 6000)).map(float)
ACTS = st.one_of(
    *[st.tuples(st.just("power"), st.tuples(POWERS, st.sampled_from([3.0, 30.0, 120.0])))] * 4,
    st.tuples(st.sampled_from(["stop", "release", "cut", "mend", "mend"]), st.none()),
    st.tuples(st.just("clock"), st.sampled_from([-86400.0, 3600.0, 86400.0])),
    st.tuples(st.just("house"), st.floats(-30, 30)),
)
STEPS = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.7, 3.0, 12.0]), ACTS), max_size=14)
relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(STEPS, st.sampled_from([3, 10_000]))
def test_a_stop_is_the_first_write_on_a_usable_link(steps, budget):
    """Whatever the filters, the gate, the spent budget and the clock say: at once, and before anything else."""
    rig = run(steps, budget)
    for asked_at in rig.stops:
        down_at = max((at for at in rig.cuts if at <= asked_at), default=-1.0)
        up_at = next((at for at in rig.ups if at > asked_at), None)
        is_down = down_at >= max((at for at in rig.ups if at <= asked_at), default=0.0)
        if is_down and up_at is None:
            continue
        from_s = up_at if is_down else asked_at
        first = next(iter(rig.driver.log[rig.logged[from_s] :]), None)
        overtaken = any(asked_at <= at <= from_s + NOW_S for at in (*rig.ended, *rig.cuts))
        if not overtaken:
            assert first is not None
            assert first.what == "stop"
            assert first.at <= from_s + NOW_S


@relaxed
@given(STEPS)
def test_after_a_stop_nothing_moves_the_battery_until_it_is_ended(steps):
    rig = run(steps)
    for asked_at in rig.stops:
        until = next((at for at in rig.ended if at >= asked_at), float("inf"))
        moves = [one for one in rig.driver.log if asked_at < one.at < until and one.what == "write"]
        assert moves == []


@relaxed
@given(STEPS)
def test_nothing_past_its_deadline_is_written(steps):
    rig = run(steps)
    for one in rig.driver.log:
        assert one.at <= one.not_after
        if one.what == "write" or (one.what == "feed" and one.power_w):
            assert one.not_after in rig.deadlines, "each carries its command's own; a feed of zero may be a stop's"


@relaxed
@given(STEPS)
def test_what_is_written_is_what_was_shaped(steps):
    """Never a power that the filters had not just said, or that is more than the contract allows."""
    rig = run(steps)
    said = [(at, target_w) for at, target_w, _ in rig.shaped]
    for one in rig.driver.log:
        if one.what == "write":
            assert abs(one.power_w) <= 4000
            assert any(target_w == one.power_w and 0 <= one.at - at <= NOW_S for at, target_w in said)


@relaxed
@given(STEPS)
def test_the_wire_keeps_to_the_shaped_target(steps):
    """While the link is up: after the gate's time without a write there is no difference, after the spacing no large
    one. A target that keeps moving is written again and again.
    """
    rig = run(steps)
    since: dict[str, float | None] = {"small": None, "large": None}
    before_w: float | None = None
    for at, target_w, written_w in rig.shaped:
        if written_w != before_w:
            since, before_w = dict.fromkeys(since), written_w
        troubled = any(at - 3 * TICK_S <= one <= at for one in (*rig.cuts, *rig.ups, *rig.stops, *rig.ended))
        off_w = 0.0 if written_w is None or troubled else abs(target_w - written_w)
        for kind, least_w, most_s in (("small", 1.0, GATE.time_s), ("large", GATE.delta_w, SPACING_S)):
            since[kind] = None if off_w < least_w else at if since[kind] is None else since[kind]
            assert since[kind] is None or at - since[kind] <= most_s + 2 * TICK_S


@relaxed
@given(STEPS)
def test_no_reversal_without_its_rest(steps):
    """From the write of zero to the first write of the other direction; a release in between gives the battery back."""
    rig = run(steps)
    moved_w, still_at = 0.0, None
    for one in rig.driver.log:
        if one.what == "release":
            moved_w, still_at = 0.0, None
        elif one.what == "stop" or (one.what == "write" and not one.power_w):
            still_at = one.at if still_at is None else still_at
        elif one.what == "write":
            if one.power_w * moved_w < 0:
                assert still_at is not None
                assert one.at - still_at >= DWELL_S
            moved_w, still_at = one.power_w, None


@pytest.mark.parametrize("budget", [2, 10_000])
def test_a_spent_budget_is_zero_then_no_take_and_stops_go_on(budget):
    """Acting and not acting, over the whole path."""
    steps = [(1.0, ("power", (1000.0, 30.0))), (8.0, ("power", (2000.0, 30.0))), (8.0, ("power", (3000.0, 5.0)))]
    steps += [(20.0, ("power", (1000.0, 30.0))), (5.0, ("stop", None))]
    rig = run(steps, budget)
    done = [(one.what, one.power_w) for one in rig.driver.log if one.what != "feed"]
    spent = rig.headroom
    faults = [fault.code.value for fault in rig.device.faults.standing]
    if budget == 2:
        assert ("write", 0.0) in done
        assert ("write", 3000.0) not in done
        after = done[done.index(("write", 0.0)) + 1 :]
        assert after == [("release", 0.0), ("stop", 0.0)], "no take, so nothing else is written"
        assert (spent.charge_w, spent.discharge_w, spent.writes_left) == (0.0, 0.0, 0)
        assert "write_budget" in spent.why
        assert faults == ["control.write_budget"]
    else:
        assert ("write", 3000.0) in done
        assert spent.writes_left == budget - rig.driver.persistent_writes
        assert faults == []
