"""Core, driver or map broken in one place each: every callable breaks it for one test, and is mended by it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from samspel.admission import gate as admission
from samspel.contract.admitted import Admitted
from samspel.contract.command import Rank, Release
from samspel.contract.driver import WriteReport
from samspel.contract.errors import SamspelError
from samspel.contract.outcome import End, Stage, Verification
from samspel.contract.ports import Priority
from samspel.control import commands, machine, saving
from samspel.control.state import Phase
from samspel.driver.map_driver import MapDriver
from samspel.driver.rest import Rest
from samspel.outlet import Outlet
from samspel.shaping.filter import Shaped
from samspel.shaping.limits import BatteryLimits, ContractLimits
from samspel_contract.link import MemoryLink

Patch = Callable[[Any], None]
"""Takes pytest's monkeypatch."""

SOMEBODY_ELSES = 207


def writes_where_nothing_is_declared(patch: Any) -> None:
    async def set_power(self: MapDriver, *arguments: Any) -> Any:
        report = await sound(self, *arguments)
        if isinstance(self._link, MemoryLink):  # the rig that finds out what a second master writes
            return report
        with suppress(SamspelError):
            await self._link.write(SOMEBODY_ELSES, (1,), function=6, priority=Priority.SET_POINT)
        return report

    sound = MapDriver.set_power
    patch.setattr(MapDriver, "set_power", set_power)


def knows_no_contract(patch: Any) -> None:
    patch.setattr(ContractLimits, "apply", lambda self, state, target_w, context: _unshaped(state, target_w))


def knows_no_battery(patch: Any) -> None:
    patch.setattr(BatteryLimits, "apply", lambda self, state, target_w, context: _unshaped(state, target_w))


def _unshaped(state: Any, target_w: float) -> Any:
    return Shaped(state, target_w)


def takes_any_age(patch: Any) -> None:
    """A command that was over on arrival is taken for one of this moment."""
    patch.setattr(admission, "age_s", lambda command, **known: 0.0)


def obeys_anybody(patch: Any) -> None:
    """A command for another site is followed here."""
    sound = admission.Admission._standing

    def standing(self: Any, *arguments: Any) -> Any:
        verdict = sound(self, *arguments)
        return None if verdict is not None and verdict.reason == "address" else verdict

    patch.setattr(admission.Admission, "_standing", standing)


def knows_no_rank(patch: Any) -> None:
    """Whoever may speak at all speaks with the highest rank."""
    sound = admission.Admission.judge

    def judge(self: Any, *arguments: Any, **known: Any) -> Any:
        verdict = sound(self, *arguments, **known)
        return replace(verdict, rank=Rank.LOCAL_SAFETY) if isinstance(verdict, Admitted) else verdict

    patch.setattr(admission.Admission, "judge", judge)


def knows_no_epoch(patch: Any) -> None:
    """A dispatcher that has lost its lease may still give the battery back."""
    sound = admission.Admission._order

    def order(self: Any, command: Any, *arguments: Any) -> Any:
        return None if isinstance(command, Release) else sound(self, command, *arguments)

    patch.setattr(admission.Admission, "_order", order)


def lets_anybody_end_a_stop(patch: Any) -> None:
    """It need not be named, and by no higher rank."""
    patch.setattr(commands, "_stop_stands_against", lambda *arguments: None)


def refuses_and_obeys(patch: Any) -> None:
    """One in three of those whom it follows is told that it is refused."""
    sound, number = Outlet.outcome, [0]

    def outcome(self: Any, device: str, say: Any, **known: Any) -> None:
        number[0] += say.stage is Stage.ACCEPTED
        if say.stage is Stage.ACCEPTED and number[0] % 3 == 0:
            say = replace(say, stage=None, end=End.REFUSED)
        sound(self, device, say, **known)

    patch.setattr(Outlet, "outcome", outcome)


def stops_in_name_only(patch: Any) -> None:
    """It says that it has stopped, and writes nothing."""

    async def stop(self: Any, *arguments: Any) -> Any:
        return WriteReport(mark={}, verification=Verification.SKIPPED)

    patch.setattr(MapDriver, "stop", stop)


def forgets_stops(patch: Any) -> None:
    """After a restart, a stop is no more."""
    sound = saving.load

    def load(*arguments: Any) -> Any:
        state = sound(*arguments)
        return state if state.stop is None else replace(state, stop=None, phase=Phase.RELEASED)

    patch.setattr(saving, "load", load)


def never_gives_back(patch: Any) -> None:
    """What has expired is ended, and the device kept."""

    def expire(turn: Any) -> None:
        lease = turn.state.lease
        if lease is not None and turn.now >= lease.ends_at:
            turn.end_lease(End.COMPLETED)

    patch.setattr(machine, "_expire_lease", expire)


def swallows_ends(patch: Any) -> None:
    """One end in three is never said."""
    sound, number = Outlet.outcome, [0]

    def outcome(self: Any, device: str, say: Any, **known: Any) -> None:
        number[0] += say.end is not None
        if say.end is None or number[0] % 3:
            sound(self, device, say, **known)

    patch.setattr(Outlet, "outcome", outcome)


def ends_twice(patch: Any) -> None:
    sound = Outlet.outcome

    def outcome(self: Any, device: str, say: Any, **known: Any) -> None:
        sound(self, device, say, **known)
        if say.end is not None:
            sound(self, device, say, **known)

    patch.setattr(Outlet, "outcome", outcome)


def never_rests(patch: Any) -> None:
    """Neither control nor the driver holds a reversal at zero."""
    patch.setattr(MapDriver, "rest_s", lambda *arguments: 0.0)
    patch.setattr(Rest, "left_s", lambda *arguments, **known: 0.0)
