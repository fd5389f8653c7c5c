"""Control of one identified device: the map's sequences behind the contract's commands."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain

from samspel.contract.capability import Capabilities, Direction, Verify
from samspel.contract.driver import Mark, Wanted, WriteReport
from samspel.contract.errors import DeadlinePassed, DriverError, RegisterAbsent, RouteUnavailable, SequenceAbandoned
from samspel.contract.outcome import Verification
from samspel.contract.ports import Clock, Priority
from samspel.driver.bank import Bank
from samspel.driver.marks import Marks
from samspel.driver.release import GiveBack
from samspel.driver.rest import Rest
from samspel.driver.sequence import SequenceRun, climb_down
from samspel.driver.turns import Ticket, Turns, Urgency
from samspel.driver.units import value_of
from samspel.driver.values import Resolver
from samspel.registers.model import RegisterMap, Rung, Step

__all__ = ["Commander"]

_PRIORITIES = {
    Urgency.SET_POINT: Priority.SET_POINT,
    Urgency.RELEASE: Priority.RELEASE,
    Urgency.STOP: Priority.STOP,
}

SLEEPING = {"battery_state": "sleep", "inverter_state": "standby"}
"""States in which a device is woken before it is commanded; the first signal that the map has decides."""

STATE_MAX_AGE_S = 60.0


@dataclass(kw_only=True)
class Commander:
    """Runs sequences on one device. `written` are the marks of everything sent since the last good release, `standing`
    the newest raw value of ours in each register, this process's or an earlier one's; `held` what the last stop has
    written, as long as nothing else has; `stopped`: nothing was commanded since the last stop; `constants` are the
    site's, from the nameplate.
    """

    bank: Bank
    clock: Clock
    turns: Turns
    capabilities: Capabilities
    constants: Mapping[str, float] = field(default_factory=dict)
    written: Marks = field(default_factory=Marks)
    standing: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    stopped: bool = False
    rest: Rest = field(init=False)

    def __post_init__(self) -> None:
        self.rest = Rest(clock=self.clock)

    @property
    def map(self) -> RegisterMap:
        """The map in use."""
        return self.bank.map

    # --- plans ---

    def plan(self, power_w: float) -> Mark:
        """What a command of this power may write, without looking at the device, and what stands beside that: of a
        power the other way, long ago, no younger mark may speak.
        """
        direction = Direction.of(power_w)
        if direction is Direction.ZERO:
            steps = _all_steps(self.map.zero)
        else:
            sequences = self.map.sequences
            steps = (*sequences["wake"], *sequences["reverse"], *sequences[direction.value])
        marks = Marks().plan(self.map, steps, abs(power_w))
        for name, raw in self.standing.items():
            if not marks.names(name):
                marks.add(name, raw)
        return marks.json()

    def standing_marks(self) -> Marks:
        """What a zero or a stop may have left, whoever lost the journal of it."""
        return Marks().plan(self.map, (*_all_steps(self.map.zero), *_all_steps(self.map.stop)), 0.0)

    def rest_s(self, power_w: float, previous_w: float | None) -> float:
        """How long zero is to be held before a command of this power: a reversal's dwell, or what is left of it. A map
        without a reverse sequence leaves that to the device.
        """
        direction = Direction.of(power_w)
        route = self.capabilities.route(direction)
        if route is None or direction is Direction.ZERO or not self.map.sequences["reverse"]:
            return 0.0
        before = self.rest.moved or (Direction.of(previous_w) if previous_w else None)
        if self.rest.since is None:
            return route.reversal_dwell_s if previous_w and before is not direction else 0.0
        return self.rest.left_s(direction, route.reversal_dwell_s, before)

    # --- commands ---

    async def set_power(
        self,
        power_w: float,
        not_after: float,
        snapshot: Mapping[str, int],
        previous_w: float | None,
        wanted: Wanted | None = None,
    ) -> WriteReport:
        """The direction's sequence, after waking and reversing where that is due; 0 W walks the zero ladder."""
        if not math.isfinite(power_w):
            raise DriverError(f"a power is a finite number of watts; found {power_w}. Nothing was written")
        self._check_permitted(Direction.of(power_w))
        async with self.turns.turn(Urgency.SET_POINT) as ticket:
            self.held.clear()
            call = self._call(ticket, snapshot, target_w=abs(power_w), not_after=not_after)
            await self._ready(call, power_w)
            if wanted is not None and not wanted():
                raise SequenceAbandoned("a newer set-point came while the device woke; this one was not written")
            self.stopped = False
            rung = await self._move(call, power_w, previous_w)
            return call.report(power_w, rung, because=self._unproved(Direction.of(power_w)))

    async def keep_alive(self, power_w: float, not_after: float, snapshot: Mapping[str, int]) -> None:
        """Feed the device's timer, or say the running command again without wearing persistent registers. Never after
        a stop: what ran before it is not to be said again.
        """
        async with self.turns.turn(Urgency.SET_POINT) as ticket:
            if self.stopped and power_w:
                raise SequenceAbandoned("a stop has been carried out since; the power before it is not fed")
            call = self._call(ticket, snapshot, target_w=abs(power_w), not_after=not_after)
            if not self.map.feed_repeats:
                await call.run.run(self.map.sequences["feed"])
                return
            call.run.sparing = True
            await self._drive(call, power_w)

    async def stop(self, snapshot: Mapping[str, int]) -> WriteReport:
        """Walk the stop ladder, whatever state the device is in."""
        async with self.turns.turn(Urgency.STOP) as ticket:
            self.bank.forget()
            self.stopped = True
            call = self._call(ticket, snapshot)
            rung = await climb_down(call.run, self.map.stop)
            self.held = dict(call.run.expected) if self.bank.read_back else {}
            self.rest.begins()
            return call.report(0.0, rung, because=self._unproved(Direction.ZERO))

    async def release(self, snapshot: Mapping[str, int], marks: Marks) -> WriteReport:
        """Give everything back and prove it."""
        async with self.turns.turn(Urgency.RELEASE) as ticket:
            self.bank.forget()
            call = self._call(ticket, snapshot)
            ours = Marks()
            ours.update(marks)
            ours.update(self.written)
            if ours:
                ours.update(self.standing_marks())
            give_back = GiveBack(run=call.run, clock=self.clock, snapshot=snapshot, marks=ours)
            await give_back(self.map.sequences["release"], self.map.owned)
            self.written.clear()
            self.standing.clear()
            self.held.clear()
            self.stopped = False
            self.rest.forget()
            return WriteReport(
                mark=call.sent.json(),
                verification=Verification.READ_BACK if self.bank.read_back else Verification.SKIPPED,
                skipped_because="; ".join(filter(None, [self._unread, _left_text(give_back.left)])),
            )

    async def check_requirements(self) -> None:
        """The take sequence, which writes nothing. Raises RequirementFailed."""
        async with self.turns.turn(Urgency.SET_POINT) as ticket:
            await self._call(ticket, {}).run.run(self.map.sequences["take"])

    # --- inside ---

    @property
    def _unread(self) -> str:
        return "" if self.bank.read_back else "on this path a register may read as before after a write that landed"

    def _unproved(self, direction: Direction) -> str:
        """Why a read-back would prove nothing; the battery's own power does (`Verify.EFFECT`)."""
        route = self.capabilities.route(direction)
        by_effect = route is not None and route.verify is Verify.EFFECT
        return self._unread or ("this route is proved by the battery's own power" if by_effect else "")

    def _check_permitted(self, direction: Direction) -> None:
        if self.capabilities.read_only_because:
            raise RouteUnavailable(f"read only: {self.capabilities.read_only_because}")
        if self.capabilities.route(direction) is None:
            raise RouteUnavailable(f"no permitted route: {direction.value}")

    async def _ready(self, call: _Call, power_w: float) -> None:
        """Awake, where something is to move."""
        if power_w and await self._asleep(call):
            await call.run.run(self.map.sequences["wake"])

    async def _move(self, call: _Call, power_w: float, previous_w: float | None) -> str | None:
        if previous_w is not None and previous_w * power_w < 0:
            await self._reverse(call, Direction.of(previous_w))
        if power_w:
            await self._dwell(call, Direction.of(power_w))
        return await self._drive(call, power_w)

    async def _drive(self, call: _Call, power_w: float) -> str | None:
        direction = Direction.of(power_w)
        if direction is Direction.ZERO:
            rung = await climb_down(call.run, self.map.zero)
            self.rest.begins()
            return rung
        self.rest.moves(direction)
        await call.run.run(self.map.sequences[direction.value])
        return None

    async def _reverse(self, call: _Call, before: Direction) -> None:
        """To zero first, where the map says how; else the device sees to it."""
        steps = self.map.sequences["reverse"]
        if not steps:
            return
        if self.rest.since is None:
            self.rest.moves(before)
        await call.run.run(steps)
        self.rest.begins()

    async def _dwell(self, call: _Call, direction: Direction) -> None:
        """Rest before a reversal, by way of a commanded zero too, but not beyond the deadline: the next command goes on
        with the same rest. A map without a reverse sequence leaves the dwell to the device.
        """
        route = self.capabilities.route(direction)
        if route is None or not self.map.sequences["reverse"]:
            return
        left_s = self.rest.left_s(direction, route.reversal_dwell_s)
        may_wait_s = math.inf if call.run.not_after is None else max(0.0, call.run.not_after - self.clock.monotonic())
        if left_s:
            await call.ticket.sleep(min(left_s, may_wait_s))
        if left_s > may_wait_s:
            raise DeadlinePassed(f"the battery rests for another {left_s - may_wait_s:.0f} s before it may reverse")

    async def _asleep(self, call: _Call) -> bool:
        if not self.map.sequences["wake"]:
            return False
        signal = next((name for name in SLEEPING if self.map.signal(name) is not None), "")
        for row in self.map.carriers(signal):
            try:
                reading = self.bank.recent(row.name, STATE_MAX_AGE_S, call.run.priority)
                return value_of(row, await call.ticket.unless_withdrawn(reading)) == SLEEPING[signal]
            except RegisterAbsent:
                if self.map.stand_in(row.name) is None:
                    raise
        return False

    def _call(
        self,
        ticket: Ticket,
        snapshot: Mapping[str, int],
        *,
        target_w: float = 0.0,
        not_after: float | None = None,
    ) -> _Call:
        priority = _PRIORITIES[ticket.urgency]
        values = Resolver(
            bank=self.bank,
            clock=self.clock,
            ticket=ticket,
            priority=priority,
            target_w=target_w,
            snapshot=snapshot,
            constants=self.constants,
        )
        sent = Marks()
        run = SequenceRun(
            bank=self.bank,
            clock=self.clock,
            values=values,
            priority=priority,
            on_write=self._noting(sent),
            not_after=not_after,
        )
        return _Call(ticket=ticket, run=run, sent=sent)

    def _noting(self, sent: Marks) -> Callable[[str, int], None]:
        def note(name: str, raw: int) -> None:
            sent.add(name, raw)
            self.written.add(name, raw)
            self.standing[name] = raw
            self.held.pop(name, None)

        return note


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One command on its way: its ticket, its run and what it has sent."""

    ticket: Ticket
    run: SequenceRun
    sent: Marks

    def report(self, power_w: float, rung: str | None, *, because: str) -> WriteReport:
        """What came of it. The power is the one that really stands in the registers, in the sign that was asked.

        `because` says why reading back would prove nothing, where that is so.
        """
        proved = self.run.verified and not because
        written_w = self.run.power_w if self.run.power_w is not None and power_w else abs(power_w)
        return WriteReport(
            mark=self.sent.json(),
            power_w=-written_w if power_w < 0 else written_w,
            verification=Verification.READ_BACK if proved else Verification.SKIPPED,
            rung=rung,
            skipped_because="" if proved else because or "the sequence has nothing that can be read back",
        )


def _all_steps(ladder: tuple[Rung, ...]) -> tuple[Step, ...]:
    return tuple(chain.from_iterable(rung.steps for rung in ladder))


def _left_text(left: list[str]) -> str:
    return f"changed by somebody else and left alone: {', '.join(left)}" if left else ""
