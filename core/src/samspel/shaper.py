"""Station ④ of one device: its chain, the gate at its wire, what its registers wear, and what is said of all that."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType

from samspel.contract.capability import Route
from samspel.contract.driver import Driver
from samspel.contract.errors import RequirementFailed
from samspel.contract.fault import Effect, FaultCode, Severity
from samspel.contract.outcome import Deviation
from samspel.contract.ports import Clock
from samspel.contract.telemetry import Reading
from samspel.control.events import Alarm, Clear, Follow, Say, said_rest
from samspel.control.shell import Reports
from samspel.control.state import State
from samspel.faults.service import bounded_w
from samspel.field_maps.keeper import ON_TRIAL, MapKeeper
from samspel.shaping.chain import Chain, Result
from samspel.shaping.filter import ShapingContext
from samspel.shaping.gate import Action
from samspel.shaping.wear import WearMeter
from samspel.shaping.wire import Change, Wire

__all__ = ["Shaper"]


class Shaper:
    """Stop and release never come here; they reset the chain."""

    def __init__(
        self, driver: Driver, chain: Chain, clock: Clock, wear: WearMeter, reports: Reports, maps: MapKeeper | None
    ) -> None:
        self._driver, self._chain, self._clock, self._reports, self._maps = driver, chain, clock, reports, maps
        self.wear = wear
        self.wire = Wire()
        self._said: tuple[str, tuple[str, ...]] = ("", ())
        self._short = ""

    def shape(
        self, order: Follow, state: State, readings: Mapping[str, Reading], effects: Collection[Effect]
    ) -> Result:
        """The power that may be written now; a limit that changes it is told. No filter can change the readings, and
        none comes after what a fault forbids.
        """
        context = ShapingContext(
            now=self._clock.monotonic(),
            written_w=state.written_w,
            readings=MappingProxyType(readings),
            worn=self.worn(),
        )
        shaped = self._on_trial(self._permitted(self._chain.shape(order.power_w, context), effects))
        self._say_clamps(shaped, order.command_id)
        return shaped

    def gate(self, shaped: Result, order: Follow, state: State, route: Route | None) -> Action:
        """Whether it is worth a write, and whether that may be now."""
        change = Change(
            command_id=order.command_id,
            target_w=shaped.target_w,
            written_w=state.written_w,
            force=order.force,
            limited=shaped.limited,
            fed_at=state.fed_at,
        )
        return self.wire.decide(change, self._chain.gate, route, self._clock.monotonic())

    def rest(self, shaped: Result, state: State) -> tuple[Result, float]:
        """Zero for as long as a reversal has to rest, and for how many seconds that still is. Asked anew at each tick:
        a newer set-point takes over, and what is written in the end is what is wanted and allowed then.
        """
        rest_s = self._driver.rest_s(shaped.target_w, state.written_w or state.moved_w)
        return (self._chain.hold_zero(shaped), rest_s) if rest_s else (shaped, 0.0)

    def say_own_rest(self, target_w: float, order: Follow, state: State, route: Route | None) -> None:
        """A reversal whose dwell is the device's own affair; whoever commands it learns it before, not after."""
        if route is not None and route.reversal_dwell_s and (state.written_w or 0.0) * target_w < 0:
            self._reports.say(said_rest(order.command_id, route.reversal_dwell_s))

    def wrote(self, target_w: float, order: Follow, stands_w: float, route: Route | None) -> None:
        """A write has ended. That the device takes less than was asked of it is told, once for each command."""
        self.wire.wrote(self._clock.monotonic(), target_w, stands_w)
        short_w = abs(target_w) - abs(stands_w)
        if short_w < max(1.0, route.granularity_w if route else 0.0) or self._short == order.command_id:
            return
        self._short = order.command_id
        text = f"the device takes no more than {abs(stands_w):.0f} W of the {abs(target_w):.0f} W asked for"
        say = Say(command_id=order.command_id, deviation=Deviation.CLAMPED, reason="device_limit", text=text)
        self._reports.say(replace(say, target_power_w=stands_w))

    @property
    def underway(self) -> str | None:
        """The command whose power is not on the wire yet: it waits for the route's spacing, or is slewed."""
        command_id, reasons = self._said
        return command_id if "slew" in reasons else self.wire.waiting

    def worn(self) -> int:
        """Today's writes of registers that wear; a spent budget is a fault."""
        worn = self.wear.note(self._driver.persistent_writes)
        if self.wear.spent:
            self._reports.alarm(Alarm(FaultCode.CONTROL_WRITE_BUDGET, Severity.MAJOR, self.wear.spent))
        else:
            self._reports.clear(Clear(FaultCode.CONTROL_WRITE_BUDGET))
        return worn

    def check_wear(self) -> None:
        """Before control is taken. Raises RequirementFailed when the budget is spent."""
        self.worn()
        if self.wear.spent:
            raise RequirementFailed(self.wear.spent)

    def _permitted(self, shaped: Result, effects: Collection[Effect]) -> Result:
        """0 W at once in a direction that a fault of the device forbids; said as such where a limit leaves 0 W, too."""
        if all(bounded_w(power_w, effects) == power_w for power_w in (shaped.wanted_w, shaped.target_w)):
            return shaped
        return self._chain.hold_zero(shaped.bounded(0.0, "fault", "a fault of the device forbids this direction"))

    def _on_trial(self, shaped: Result) -> Result:
        """A new map gets little power until the battery has shown that it means what it says."""
        trial_w = shaped.target_w if self._maps is None else self._maps.bound(shaped.target_w)
        return shaped if trial_w == shaped.target_w else shaped.bounded(trial_w, "map_trial", ON_TRIAL)

    def _say_clamps(self, shaped: Result, command_id: str) -> None:
        """One deviation for each new set of reasons, not one a tick."""
        reasons = tuple(note.reason for note in shaped.notes)
        if reasons and self._said != (command_id, reasons):
            self._reports.say(
                Say(
                    command_id=command_id,
                    deviation=Deviation.CLAMPED,
                    reason=reasons[-1],
                    text="; ".join(note.text for note in shaped.notes),
                    target_power_w=shaped.target_w,
                )
            )
        self._said = (command_id, reasons)
