"""The thin asynchronous shell of the machine: events in, effects run, the journal in between.

One driver action runs at a time; a stop or release starts at once and the driver abandons what ran before it. The
journal is written before the effects of a turn run, with one exception that is a promise: a stop never waits longer
than `STOP_JOURNAL_WAIT_S` for the disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from samspel.contract.admitted import Admitted
from samspel.contract.command import SetPower, Stop
from samspel.contract.driver import ControlReading, Json, Mark, Snapshot, WriteReport
from samspel.contract.errors import DriverError, SamspelError, StoreError
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
from samspel.control.journal import Document, Documents, load, project
from samspel.control.machine import step
from samspel.control.state import Action, Phase, Policy, State

__all__ = ["Actions", "Controller", "Reports"]

STOP_JOURNAL_WAIT_S = 0.05
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

    async def follow(self, order: Follow, state: State) -> tuple[WriteReport | None, bool]:
        """Shape and write; (report, fed)."""
        ...

    async def halt(self, state: State) -> WriteReport:
        """Run the stop sequence."""
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
        self._actions, self._reports, self._journal = actions, reports, journal
        self._clock, self._policy, self._tick_s = clock, policy, tick_s
        self.state = load(self._read_documents(), clock)
        self._written: Document = {}
        self._inbox: deque[_Letter] = deque()
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    # --- events in ---

    def submit(self, event: Event, then: Callable[[], None] | None = None) -> None:
        """Queue an event; `then` is called once it is decided and journaled. A stop goes first."""
        letter = _Letter(event, then)
        if isinstance(event, Admitted) and isinstance(event.command, Stop):
            self._inbox.appendleft(letter)
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
        """Handle events for ever, and tick."""
        next_tick = self._clock.monotonic()
        while True:
            while self._inbox:
                letter = self._inbox.popleft()
                await self.handle(letter.event)
                if letter.then is not None:
                    letter.then()
            if self._clock.monotonic() >= next_tick:
                next_tick = self._clock.monotonic() + self._tick_s
                await self.handle(Tick())
                continue
            await self._wait(next_tick - self._clock.monotonic())

    async def _wait(self, seconds: float) -> None:
        self._wake.clear()
        if self._inbox:
            return
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                await self._wake.wait()
        except TimeoutError:
            return

    async def handle(self, event: Event) -> None:
        """One turn: step, journal, effects."""
        before = self.state
        self.state, effects = step(before, event, self._clock.monotonic(), self._policy)
        if self.state.phase is not before.phase:
            logger.info("phase", extra={"device": self.device, "phase": self.state.phase.value})
        stopping = any(isinstance(effect, Halt) for effect in effects)
        try:
            await self._save(before, stopping=stopping)
        except StoreError as error:
            effects = self._without_disk(before, effects, error)
        for effect in effects:
            self._run(effect)

    async def intend(self, mark: Mark) -> None:
        """Journal what is about to be written; called by `Actions.follow` before its first write."""
        await self.handle(Intended(mark))

    # --- journal ---

    def _read_documents(self) -> Documents:
        return Documents(
            control=self._journal.get(f"{self.device}/control"),
            snapshot=self._journal.get(f"{self.device}/snapshot"),
            baseline=self._journal.get(f"{self.device}/baseline"),
        )

    async def _save(self, before: State, *, stopping: bool) -> None:
        """Write what changed. A newly held snapshot is written first, and must survive loss of power."""
        if stopping:
            saving = asyncio.ensure_future(self._save_control())
            await asyncio.wait({saving}, timeout=STOP_JOURNAL_WAIT_S)
            saving.add_done_callback(self._log_failure)
            return
        if self.state.snapshot is not None and self.state.snapshot is not before.snapshot:
            await self._journal.put(f"{self.device}/snapshot", self.state.snapshot, durable=True)
        if self.state.baseline is not None and self.state.baseline != before.baseline:
            await self._journal.put(f"{self.device}/baseline", self.state.baseline)
        await self._save_control()

    async def _save_control(self) -> None:
        document = project(self.state, self._clock)
        if _without_times(document) != _without_times(self._written):
            await self._journal.put(f"{self.device}/control", document)
            self._written = document

    def _log_failure(self, saving: asyncio.Future[None]) -> None:
        error = None if saving.cancelled() else saving.exception()
        if error is not None:
            logger.error("journal", extra={"device": self.device, "error": str(error)})
            self._reports.alarm(Alarm(FaultCode.SITE_STORE, Severity.MAJOR, str(error)))

    def _without_disk(self, before: State, effects: tuple[Effect, ...], error: StoreError) -> tuple[Effect, ...]:
        """A full disk refuses take, never stop or release: what was held before goes on in memory."""
        self._reports.alarm(Alarm(FaultCode.SITE_STORE, Severity.MAJOR, str(error)))
        newly_held = before.snapshot is None and self.state.snapshot is not None
        if not newly_held:
            return effects
        failed = Failed(self.state.action_id, Action.TAKE, error)
        self.state, refusal = step(self.state, failed, self._clock.monotonic(), self._policy)
        return tuple(effect for effect in effects if not isinstance(effect, Follow)) + refusal

    # --- effects out ---

    def _run(self, effect: Effect) -> None:
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
                task = asyncio.get_running_loop().create_task(self._perform(effect))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _perform(self, effect: DriverEffect) -> None:
        """Run one action and report its end; whatever goes wrong becomes an event, never a dead task."""
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
                report, fed = await self._actions.follow(effect, self.state)
                return Followed(effect.action_id, report, fed)
            case Halt():
                return Halted(effect.action_id, await self._actions.halt(self.state))
            case GiveBack():
                return GaveBack(effect.action_id, await self._actions.give_back(effect, self.state))

    async def hand_over(self) -> None:
        """SIGTERM: stop acting and leave the journal as the successor needs it."""
        for task in tuple(self._tasks):
            task.cancel()
        await self._journal.put(f"{self.device}/control", project(self.state, self._clock))

    @property
    def holds(self) -> bool:
        """Whether the device is, or may be, under our control."""
        return self.state.phase not in (Phase.RELEASED, Phase.FOREIGN)


def _without_times(value: Json) -> Json:
    """The wall clock's share of a deadline changes at every turn; that alone is not worth a write."""
    if isinstance(value, dict):
        return {key: _without_times(inner) for key, inner in value.items() if key != "wall"}
    return value
