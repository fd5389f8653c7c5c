"""The thin asynchronous shell of the machine: events in, effects run, the journal in between.

One driver action runs at a time; a stop or release starts at once and the driver abandons what ran before it. The
journal is written before the effects of a turn run; a follow may begin earlier, but writes nothing to the device
before. There is one exception that is a promise: a stop never waits longer than `STOP_JOURNAL_WAIT_S` for the disk,
neither for its own turn's nor for that of the turn before it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol

from samspel.contract.admitted import Admitted
from samspel.contract.command import Command, SetPower, Stop
from samspel.contract.driver import ControlReading, Mark, Snapshot, WriteReport
from samspel.contract.errors import DriverError, SamspelError, SequenceAbandoned, StoreError
from samspel.contract.fault import FaultCode, Severity
from samspel.contract.outcome import End
from samspel.contract.ports import Clock, JournalPort
from samspel.control.events import (
    Alarm,
    Clear,
    Effect,
    Event,
    Failed,
    Follow,
    Followed,
    GaveBack,
    GiveBack,
    Halt,
    Halted,
    Intended,
    Look,
    Looked,
    ResetShaping,
    Say,
    Take,
    Tick,
    Took,
)
from samspel.control.machine import step
from samspel.control.saving import Saving, already_saved
from samspel.control.state import Action, Phase, Policy, State

__all__ = ["Actions", "Controller", "Reports"]

STOP_JOURNAL_WAIT_S = 0.05
JOURNAL_WAIT_S = 5.0
"""A disk that takes longer counts as one that refuses."""

HALT_WAIT_S = 3.0
"""Goodbye has five seconds for everything."""

INBOX_LIMIT = 256

logger = logging.getLogger("samspel.control")

DriverEffect = Look | Take | Follow | Halt | GiveBack

_ACTION_OF: dict[type, Action] = {
    Look: Action.LOOK,
    Take: Action.TAKE,
    Follow: Action.FOLLOW,
    Halt: Action.HALT,
    GiveBack: Action.GIVE_BACK,
}


class Actions(Protocol):
    """What the stations below do for control. Each may raise a SamspelError."""

    async def look(self, state: State) -> tuple[ControlReading, Snapshot | None]:
        """Read the control block; with a snapshot when it is at its default."""
        ...

    async def take(self) -> Snapshot:
        """Make the snapshot."""
        ...

    async def follow(self, order: Follow, state: State) -> Followed:
        """Shape and write."""
        ...

    async def halt(self, state: State, *, feed: bool) -> WriteReport:
        """Run the stop sequence; with `feed`, only keep the device's timer going."""
        ...

    async def give_back(self, order: GiveBack, state: State) -> WriteReport:
        """Run the release."""
        ...


@dataclass(frozen=True, slots=True)
class Reports:
    """Where the upward effects go; none of them may block or raise."""

    say: Callable[[Say], None]
    alarm: Callable[[Alarm], None]
    clear: Callable[[Clear], None]
    reset_shaping: Callable[[], None]


@dataclass(slots=True)
class _Letter:
    event: Event
    then: Callable[[], None] | None = None

    @property
    def is_stop(self) -> bool:
        return isinstance(self.event, Admitted) and isinstance(self.event.command, Stop)


class Controller:
    """Control of one device. `submit` from the event loop; `run` is its task."""

    def __init__(
        self,
        device: str,
        actions: Actions,
        reports: Reports,
        journal: JournalPort,
        clock: Clock,
        policy: Policy,
        tick_s: float = 1.0,
    ) -> None:
        self.device = device
        self._actions, self._reports = actions, reports
        self._clock, self._policy, self._tick_s = clock, policy, tick_s
        self._saving = Saving(device, journal, clock, lambda: self.state)
        self.state = self._found = self._saving.load()
        self._inbox: deque[_Letter] = deque()
        self._wake = asyncio.Event()
        self._stop_came: asyncio.Future[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._savings: set[asyncio.Future[None]] = set()
        self._hanging: asyncio.Future[None] | None = None
        self._halting: asyncio.Task[None] | None = None
        self.on_turn: Callable[[], object] = lambda: None
        """Called after each tick that was handled: a sign of life."""

    # --- events in ---

    def submit(self, event: Event, then: Callable[[], None] | None = None) -> None:
        """Queue an event; `then` is called once it is decided and journaled. A stop goes before all but stops."""
        letter = _Letter(event, then)
        if letter.is_stop:
            self._inbox.insert(sum(1 for _ in takewhile(lambda other: other.is_stop, self._inbox)), letter)
            if self._stop_came is not None and not self._stop_came.done():
                self._stop_came.set_result(None)
        else:
            self._inbox.append(letter)
        if len(self._inbox) > INBOX_LIMIT:
            self._drop_oldest_set_point()
        self._wake.set()

    def _drop_oldest_set_point(self) -> None:
        for letter in self._inbox:
            if isinstance(letter.event, Admitted) and isinstance(letter.event.command, SetPower):
                self._inbox.remove(letter)
                say = Say(command_id=letter.event.command.id, end=End.SUPERSEDED, reason="inbox", text="inbox full")
                self._reports.say(say)
                if letter.then is not None:
                    letter.then()
                return

    async def run(self) -> None:
        """Handle events for ever, and tick; neither starves the other. Begun again after a defect, it first takes note
        of an action that was decided and then never begun: else nothing would ever follow it.
        """
        if self.state.action is not None and not self._tasks:
            lost = DriverError("internal error: it was never begun")
            self._inbox.appendleft(_Letter(Failed(self.state.action_id, self.state.action, lost)))
        next_tick = self._clock.monotonic()
        while True:
            if self._inbox:
                await self._deliver(self._inbox.popleft())
            left_s = next_tick - self._clock.monotonic()
            if left_s <= 0 or not (self._inbox or await self._something_comes(left_s)):
                next_tick = self._clock.monotonic() + self._tick_s
                await self.handle(Tick())
                self.on_turn()

    async def _deliver(self, letter: _Letter) -> None:
        """Handle it, and say so once it is on disk; for a stop that may be later than its first write."""
        then, saving = letter.then, await self.handle(letter.event)
        if then is not None and saving.done():
            then()
        elif then is not None:
            saving.add_done_callback(lambda _: then())

    async def _something_comes(self, within_s: float) -> bool:
        self._wake.clear()
        try:
            async with asyncio.timeout(within_s):
                return await self._wake.wait()
        except TimeoutError:
            return False

    async def handle(self, event: Event) -> asyncio.Future[None]:
        """One turn: step, journal, effects. Returns the saving, which a stop, or a hanging disk, leaves unfinished.

        A follow may start before the journal is written, because it writes nothing before `intend`, whose turn brings
        this one's to disk as well: one commit for a set-point and its mark. Not so where a snapshot must be kept first.
        """
        before = self.state
        after, asked = step(before, event, self._clock.monotonic(), self._policy)
        self.state, effects = after, list(asked)
        if after.phase is not before.phase:
            logger.info("phase", extra={"device": self.device, "phase": after.phase.value})
        if after.snapshot is before.snapshot:
            effects = self._start_follow(effects)
        saving = self._save(before, after)
        stopping = any(isinstance(effect, Halt) for effect in effects)
        if stopping:
            await asyncio.wait({saving}, timeout=STOP_JOURNAL_WAIT_S)
        else:
            give_up_at = self._clock.monotonic() + self._patience_s()
            while not await self._saved_or_stopped(saving, give_up_at):
                effects = list(self._report(effects))
                await self._deliver(self._inbox.popleft())
            if (error := self._why_unsaved(saving)) is not None:
                effects += self._without_disk(before, after, error)
        for effect in effects:  # First: whatever goes wrong in telling it, a stop begins.
            if isinstance(effect, DriverEffect):
                self._start(effect)
        self._report(effects)
        if isinstance(event, Tick) and self._saving.unsynced:
            self._keep(self._saving.sync())
        return saving

    async def intend(self, order: Follow, mark: Mark) -> None:
        """Journal what is about to be written; called by `Actions.follow` before its first write.

        Raises SequenceAbandoned when it is no longer wanted, before the disk was at it or after.
        """
        self.check(order)
        await self.handle(Intended(mark))
        self.check(order)

    def wants(self, order: Follow) -> bool:
        """Whether this is still what control asks for: nothing took over, and no newer set-point came."""
        lease = self.state.lease
        return order.action_id == self.state.action_id and lease is not None and order.command_id == lease.command_id

    def check(self, order: Follow) -> None:
        """Before anything is written after a wait. Raises SequenceAbandoned when it is no longer wanted."""
        if not self.wants(order):
            raise SequenceAbandoned("something took over before the first write")

    # --- journal ---

    def _save(self, before: State, after: State) -> asyncio.Future[None]:
        return self._keep(self._saving.save(before, after)) if self._saving.needs(before, after) else already_saved()

    def _keep(self, work: Coroutine[None, None, None]) -> asyncio.Future[None]:
        keeping = asyncio.get_running_loop().create_task(work)
        self._savings.add(keeping)
        keeping.add_done_callback(self._savings.discard)
        keeping.add_done_callback(self._log_failure)
        return keeping

    @property
    def disk_hangs(self) -> bool:
        """Whether a journal write that was given up is still under way."""
        return self._hanging is not None and not self._hanging.done()

    def _patience_s(self) -> float:
        """While the disk hangs, nobody waits for it twice."""
        return STOP_JOURNAL_WAIT_S if self.disk_hangs else JOURNAL_WAIT_S

    async def _saved_or_stopped(self, saving: asyncio.Future[None], give_up_at: float) -> bool:
        """True once it is saved, or not worth waiting any longer; False when a stop waits in the inbox."""
        while not saving.done():
            if self._inbox and self._inbox[0].is_stop:
                return False
            if self._stop_came is None or self._stop_came.done():  # Two turns may wait; both have to hear of it.
                self._stop_came = asyncio.get_running_loop().create_future()
            either, left_s = {saving, self._stop_came}, max(give_up_at - self._clock.monotonic(), 0.0)
            if not (await asyncio.wait(either, timeout=left_s, return_when=asyncio.FIRST_COMPLETED))[0]:
                return True
        return True

    def _log_failure(self, saving: asyncio.Future[None]) -> None:
        error = None if saving.cancelled() else saving.exception()
        if error is not None:
            logger.error("journal", extra={"device": self.device, "error": repr(error)})
            self._reports.alarm(Alarm(FaultCode.SITE_STORE, Severity.MAJOR, str(error)))

    def _why_unsaved(self, saving: asyncio.Future[None]) -> StoreError | None:
        """Whatever goes wrong with the disk must not end control itself."""
        if not saving.done():
            self._hanging = saving
            return StoreError("the disk does not answer; what must be on it first is refused")
        error = saving.exception()
        return error if isinstance(error, StoreError) or error is None else StoreError(f"internal error: {error!r}")

    def _without_disk(self, before: State, after: State, error: StoreError) -> Sequence[Effect]:
        """A full disk refuses take, never stop or release: what was held before goes on in memory.

        The refusal takes over from the first write, which therefore never begins.
        """
        self._reports.alarm(Alarm(FaultCode.SITE_STORE, Severity.MAJOR, str(error)))
        if before.snapshot is not None or after.snapshot is None:
            return ()
        failed = Failed(after.action_id, Action.TAKE, error)
        self.state, refusal = step(self.state, failed, self._clock.monotonic(), self._policy)
        return refusal

    # --- effects out ---

    def _report(self, effects: Sequence[Effect]) -> list[DriverEffect]:
        """Send up what goes up; returns what is left for the driver."""
        waiting: list[DriverEffect] = []
        for effect in effects:
            match effect:
                case Say():
                    self._reports.say(effect)
                case Alarm():
                    self._reports.alarm(effect)
                case Clear():
                    self._reports.clear(effect)
                case ResetShaping():
                    self._reports.reset_shaping()
                case _:
                    waiting.append(effect)
        return waiting

    def _start_follow(self, effects: Sequence[Effect]) -> list[Effect]:
        """Start it if there is one; returns the others."""
        for effect in effects:
            if isinstance(effect, Follow):
                self._start(effect)
        return [effect for effect in effects if not isinstance(effect, Follow)]

    def _start(self, effect: DriverEffect) -> None:
        task = asyncio.get_running_loop().create_task(self._perform(effect))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if isinstance(effect, Halt):
            self._halting = task

    async def _perform(self, effect: DriverEffect) -> None:
        """Run one action and report its end; whatever goes wrong becomes an event, never a dead task."""
        if effect.action_id != self.state.action_id or self.state.action is None:
            return  # Something took over before it could begin.
        try:
            event: Event = await self._act(effect)
        except SamspelError as error:
            event = Failed(effect.action_id, _ACTION_OF[type(effect)], error)
            logger.warning("action failed", extra={"device": self.device, "action": event.action, "error": str(error)})
        except Exception as error:
            # A defect of ours must not leave the battery forced with nobody at the wheel.
            logger.exception("defect in an action", extra={"device": self.device})
            event = Failed(effect.action_id, _ACTION_OF[type(effect)], DriverError(f"internal error: {error!r}"))
        self.submit(event)

    async def _act(self, effect: DriverEffect) -> Event:
        match effect:
            case Look():
                reading, snapshot = await self._actions.look(self.state)
                return Looked(effect.action_id, reading, snapshot)
            case Take():
                return Took(effect.action_id, await self._actions.take())
            case Follow():
                return await self._actions.follow(effect, self.state)
            case Halt():
                report = await self._actions.halt(self.state, feed=effect.feed)
                return Halted(effect.action_id, report, fed=effect.feed)
            case GiveBack():
                return GaveBack(effect.action_id, await self._actions.give_back(effect, self.state))

    async def hand_over(self) -> None:
        """SIGTERM: end what runs, a stop once it is written, and leave the journal as the successor needs it."""
        halting = self._tasks & {self._halting}
        for task in self._tasks - halting:
            task.cancel()
        if halting:
            await asyncio.wait(halting, timeout=HALT_WAIT_S)
        for task in tuple(self._tasks):
            task.cancel()
        await self._saving.leave()

    def has(self, command: Command) -> bool:
        """Whether this is what is being carried out, or what an earlier process left: its end is said, too."""
        return self.state.carries_out(command) or self._found.carries_out(command)

    @property
    def holds(self) -> bool:
        """Whether the device is, or may be, under our control."""
        return self.state.phase not in (Phase.RELEASED, Phase.FOREIGN)
