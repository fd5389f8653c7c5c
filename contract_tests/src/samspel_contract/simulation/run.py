"""One run: a scenario, a device and a seed, from the first midnight until its end or its first violation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial

from samspel.control.state import Policy
from samspel.edge import Rates

from samspel_contract.simulated import SimulatedLoop
from samspel_contract.simulation.checks import all_checks
from samspel_contract.simulation.dispatch import ISSUERS, Dispatch
from samspel_contract.simulation.events import Heard
from samspel_contract.simulation.home import Home
from samspel_contract.simulation.household import DAY_S, House
from samspel_contract.simulation.outages import OUTAGES
from samspel_contract.simulation.plan import Outage, Plan
from samspel_contract.simulation.record import Record, Violation
from samspel_contract.site import Site, open_site
from samspel_contract.stranger import stranger_registers
from samspel_contract.target import Target

__all__ = ["Day", "Outcome", "simulate"]

HOUSE_S = 15.0
STRANGERS_W = -1200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One simulated day: how long it was, how long it took, and what had been counted by its end."""

    number: int
    simulated_s: float
    took_s: float
    commands: int
    soc_pct: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a run. `energy_wh` is by direction, at the battery and at the grid."""

    simulated_s: float
    took_s: float
    counts: Mapping[str, Mapping[str, int]]
    checked: Mapping[str, int]
    violations: tuple[Violation, ...]
    energy_wh: Mapping[str, float]
    transcript: str


@dataclass
class Run:
    """`until_s` simulated seconds. With `goes_on` a violation does not end it."""

    target: Target
    plan: Plan
    seed: int
    until_s: float
    on_day: Callable[[Day], None]
    goes_on: bool = False
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def __call__(self) -> Outcome:
        """Runs it."""
        began = time.monotonic()
        strange = await stranger_registers(self.target, STRANGERS_W)
        async with self._open() as site:
            home = Home(site, self.seed, strange)
            dispatch = Dispatch(home, self.plan.commands, home.rng("dispatch"))
            house = House(self.plan.household, home.rng("house"))
            self._begin(partial(self._live, home, house), dispatch.run)
            self._begin(*(partial(_disturb, home, name, rate) for name, rate in sorted(self.plan.outages.items())))
            await home.open()
            record = Record(all_checks(home.terms()), site.target.registers)
            await self._watch(home, dispatch, record)
            return _outcome(home, record, time.monotonic() - began)

    def _begin(self, *works: Callable[[], Awaitable[None]]) -> None:
        """Before the first process: what begins later would be taken for a part of it, and die with it."""
        for work in works:
            self._tasks.append(asyncio.ensure_future(work()))

    def _open(self) -> AbstractAsyncContextManager[Site]:
        plan = self.plan
        return open_site(
            self.target,
            rates=Rates(**plan.poll.model_dump()),
            policy=Policy(stop_hold_max_s=plan.site.stop_hold_max_s),
            most_w=plan.site.most_w,
            soc_pct=plan.site.soc_pct,
            seed=self.seed,
            step_s=plan.physics_s,
            ranks=ISSUERS,
        )

    async def _live(self, home: Home, house: House) -> None:
        """The household, for ever."""
        while True:
            house.step(self.plan.starts_at_h * 3600 + (home.now_s if home.ready.is_set() else 0.0), HOUSE_S)
            home.twin.set({"pv_power_w": house.pv_w, "load_power_w": house.load_w})
            await asyncio.sleep(HOUSE_S)

    async def _watch(self, home: Home, dispatch: Dispatch, record: Record) -> None:
        day, since = 1, time.monotonic()
        while home.now_s < self.until_s and (self.goes_on or not record.violations):
            await home.site.wait(self.plan.look_s)
            self._look(home, dispatch, record)
            if home.now_s >= min(day * DAY_S, self.until_s):
                self.on_day(_day(day, home, record, time.monotonic() - since))
                day, since = day + 1, time.monotonic()

    def _look(self, home: Home, dispatch: Dispatch, record: Record) -> None:
        """A task of ours that has died is a defect of ours, and must not look like a calm day."""
        for task in self._tasks:
            if task.done():
                task.result()
        for event in home.look():
            if isinstance(event, Heard):
                dispatch.hear(event)
            record.take(event)


async def _disturb(home: Home, name: str, rate: Outage) -> None:
    """One kind of disturbance, again and again, one after the other."""
    rng = home.rng(f"outage/{name}")
    await home.ready.wait()
    while rate.per_day > 0:
        await asyncio.sleep(rng.expovariate(rate.per_day / DAY_S))
        end = await OUTAGES[name](home)
        await asyncio.sleep(rng.uniform(*rate.seconds))
        if end is None:
            return  # This device does not know it.
        await end()


def _day(number: int, home: Home, record: Record, took_s: float) -> Day:
    commands = sum(record.counts.get("commands", {}).values())
    soc_pct = home.twin.behaviour.home.battery.soc_pct
    return Day(
        number=number,
        simulated_s=home.now_s - (number - 1) * DAY_S,
        took_s=took_s,
        commands=commands,
        soc_pct=soc_pct,
    )


def _outcome(home: Home, record: Record, took_s: float) -> Outcome:
    physics = home.twin.behaviour.home
    return Outcome(
        simulated_s=home.now_s,
        took_s=took_s,
        counts={group: dict(names) for group, names in sorted(record.counts.items())},
        checked=dict(record.checked),
        violations=tuple(record.violations),
        energy_wh={
            "charged": physics.battery.charged_wh,
            "discharged": physics.battery.discharged_wh,
            "imported": physics.counters.import_wh,
            "exported": physics.counters.export_wh,
            "from the sun": physics.counters.pv_wh,
        },
        transcript=record.transcript,
    )


def simulate(
    target: Target,
    plan: Plan,
    seed: int,
    *,
    until_s: float | None = None,
    on_day: Callable[[Day], None] = lambda _: None,
    goes_on: bool = False,
) -> Outcome:
    """Run a scenario on one device. It ends at its first violation, unless it `goes_on`."""
    whole_s = plan.days * DAY_S if until_s is None else until_s
    run = Run(target, plan, seed, whole_s, on_day, goes_on)
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(run())
