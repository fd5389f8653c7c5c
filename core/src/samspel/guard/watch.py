"""Watching the edge: what the guard decides, without processes or time of its own.

Unsafe condition: an edge that no longer turns its control loops (dead, stopped, blocked) while a command of ours
stands in a device. Limit: `silence_s` without a beat, `START_S` before the first one. Reaction: the edge is killed
first; then a rescuer opens the bus and acts by control's decision table. Recovery: a new edge, at once the first time,
then after growing pauses, during which a rescuer holds what is held. What outranks it: being told to end. Then the
edge hands over, and nothing is given back.

A beat is written by the control loops themselves (`pulse`), so that no other task can keep a stuck edge looking alive.
Each one that is heard is answered, by the loop that judges: so the edge knows whether it is watched (`lifeline`).
Silence is counted in the guard's own time (`silence`), and nobody is killed before one more look: a guard that was
itself stopped finds the beats that came meanwhile, or waits for the next.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple, Protocol

from samspel.guard.duty import HOLDS, Role
from samspel.guard.silence import LISTENING_S, Silence

__all__ = ["Child", "Guard", "Heard", "World"]

START_S = 60.0
"""From the start of a process to its first beat."""

FAREWELL_S = 10.0
"""An edge that is told to end hands over within five seconds; twice that on a busy machine."""

STEADY_S = 60.0
"""An edge that has lived so long begins anew with its pauses."""

PAUSE_FIRST_S, PAUSE_MAX_S = 1.0, 30.0

BAD_CONFIGURATION = 2
"""Exit code of a process that cannot run with this site.toml, or with what is installed."""

FAILED = 1


class Heard(Enum):
    """What came while we listened."""

    BEAT = auto()
    GONE = auto()
    TOLD = auto()
    NOTHING = auto()


class Child(Protocol):
    """A process under guard."""

    def listen(self, within_s: float) -> Heard:
        """Wait for a beat, for its end, or for our own; what has come already counts, even with no time left."""
        ...

    def answer(self) -> None:
        """Say that its beat was heard. Never waits; a child that is gone will be heard to be."""
        ...

    def tell(self, within_s: float) -> int:
        """Ask it to end, and kill it when it does not; its exit code, negative for a signal."""
        ...

    def kill(self) -> None:
        """Kill it, whatever it is doing. It is gone when this returns."""
        ...

    def gone(self) -> int:
        """The exit code of a child whose end has been heard."""
        ...


class World(Protocol):
    """What the guard needs from the machine."""

    def monotonic(self) -> float:
        """Seconds."""
        ...

    def pause(self, seconds: float) -> bool:
        """Let them pass; true, and at once, when we are told to end."""
        ...

    def spawn(self, role: Role, stay_s: float) -> Child:
        """Start one."""
        ...

    def report(self, event: str, *, is_trouble: bool, **values: object) -> None:
        """Log it. Never fails: a log that cannot be written is no reason to stop watching."""
        ...


class End(NamedTuple):
    """How a child ended. `code` is nothing for one that was killed for its silence."""

    code: int | None
    told: bool
    has_beaten: bool
    lived_s: float

    @property
    def is_bad_configuration(self) -> bool:
        """Whether starting it again would only repeat its sentence."""
        return self.code == BAD_CONFIGURATION and not self.has_beaten


class Guard:
    """One edge for as long as we live. `silence_s`: how long it may say nothing."""

    def __init__(self, world: World, silence_s: float) -> None:
        self._world, self._silence_s = world, silence_s
        self._failures = 0

    def run(self) -> int:
        """Until told to end, or until the edge says that it cannot run like this. The exit code."""
        while True:
            edge = self._attend(Role.EDGE)
            if edge.told:
                return _exit_code(edge)
            rescuer = self._rescue(self._pause_after(edge))
            if rescuer.told or (edge.is_bad_configuration and rescuer.code != HOLDS):
                return _exit_code(rescuer if rescuer.told else edge)

    def _rescue(self, pause_s: float) -> End:
        """A rescuer, and the rest of the pause."""
        began = self._world.monotonic()
        rescuer = self._attend(Role.RESCUER, stay_s=pause_s)
        left_s = pause_s - (self._world.monotonic() - began)
        if not rescuer.told and left_s > 0 and self._world.pause(left_s):
            return End(0, told=True, has_beaten=rescuer.has_beaten, lived_s=rescuer.lived_s)
        return rescuer

    def _pause_after(self, edge: End) -> float:
        self._failures = 1 if edge.has_beaten and edge.lived_s >= STEADY_S else self._failures + 1
        if self._failures == 1:
            return 0.0
        return min(PAUSE_FIRST_S * 2.0 ** min(self._failures - 2, 10), PAUSE_MAX_S)

    def _attend(self, role: Role, stay_s: float = 0.0) -> End:
        child = self._world.spawn(role, stay_s)
        began = self._world.monotonic()
        silence, has_beaten = Silence(began), False

        def end(code: int | None, *, told: bool = False) -> End:
            return End(code, told, has_beaten, self._world.monotonic() - began)

        while True:
            limit_s = self._silence_s if has_beaten else max(START_S, self._silence_s)
            is_over = silence.lasted_s >= limit_s
            match child.listen(0.0 if is_over else LISTENING_S):
                case Heard.BEAT:
                    has_beaten = True
                    silence.broken(self._world.monotonic())
                    child.answer()
                case Heard.TOLD:
                    return end(child.tell(FAREWELL_S), told=True)
                case Heard.GONE:
                    code = child.gone()
                    self._report_end(role, code)
                    return end(code)
                case Heard.NOTHING if is_over:
                    child.kill()
                    self._world.report(
                        "killed for its silence", is_trouble=True, role=role.value, silent_s=round(limit_s, 1)
                    )
                    return end(None)
                case Heard.NOTHING:
                    silence.goes_on(self._world.monotonic())

    def _report_end(self, role: Role, code: int) -> None:
        """An edge ends only when told; a rescuer ends when it is done."""
        if role is Role.EDGE or code not in (0, HOLDS):
            self._world.report("ended by itself", is_trouble=True, role=role.value, code=code)
        else:
            self._world.report("looked after", is_trouble=False, held=code == HOLDS)


def _exit_code(end: End) -> int:
    """A child that had to be killed has not handed over."""
    return FAILED if end.code is None or end.code < 0 else (0 if end.code == HOLDS else end.code)
