"""The whole path below admission in simulated time: control, filters, the gate and a device that takes its time."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

import looptime
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
DWELL_S, HOLD_S = 7.0, 15.0
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

    async def read_faults(self):
        if not self.alive:
            raise NoAnswer("the cable is out")
        return []

    async def set_power(self, power_w, not_after, snapshot, previous_w, wanted=None):
        await self._ask("write", power_w, not_after)
        self._moves(power_w)
        return WriteReport(mark=self.plan(power_w), power_w=power_w, verification=Verification.READ_BACK)

    async def wake(self, seconds, wanted):
        """As a driver has it that has to wake its device first."""
        await asyncio.sleep(seconds)
        if not wanted():
            raise SequenceAbandoned("a newer set-point came")

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

    def __init__(self, chain: Chain) -> None:
        self.clock = LoopClock()
        self.driver = FakeDriver(self.clock)
        store = MemoryStore()
        self.outbox = store.outbox
        limits = DeviceLimits(charge_w=4000, discharge_w=4000, soc_min_pct=10, soc_max_pct=90)
        outlet = Outlet("home", "run-1", store.outbox, self.clock)
        self.outlet = outlet
        self.device = Device("battery", self.driver, chain, outlet, store.journal, self.clock, Policy(), limits)
        self.device.rest = self._rest_and_note(self.device.rest)
        self.shaped: list[tuple[float, float, float | None]] = []
        self.deadlines: list[float] = []
        self.asked: list[tuple[float, float]] = []
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
                self.asked.append((now, now + ttl_s))
                envelope = self._envelope() | {"ttl_s": ttl_s}
                on_expiry = OnExpiry.RELEASE if self.seq % 2 else OnExpiry.HOLD_THEN_RELEASE
                self._submit(SetPower(**envelope, power_w=power_w, hold_s=HOLD_S, on_expiry=on_expiry), now + ttl_s)
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

    def outcomes(self, command):
        """What was published about a command, in order."""
        self.outlet.flush()
        rows = [row.message for row, _ in self.outbox.rows()]
        said = [json.loads(one.payload) for one in rows if one.topic.endswith("/outcome")]
        return [one for one in said if one["command_id"] == command]

    async def poll(self):
        while True:
            await asyncio.sleep(POLL_S)
            if self.driver.alive:
                await self.device.poll(("fast",))


async def play(steps, budget):
    rig = Rig(chain(budget))
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
