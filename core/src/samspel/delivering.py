"""What one device's delivery says of its commands: `delivery/` judges, here it is fed and becomes outcomes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypedDict

from samspel.contract.capability import Authority, Capabilities, Direction, Route, Verify
from samspel.contract.driver import Json
from samspel.contract.outcome import Deviation, Evidence, Stage, Verification
from samspel.contract.ports import Clock
from samspel.contract.telemetry import Reading
from samspel.control.events import Say
from samspel.control.state import Action, State
from samspel.delivery.judge import AT_LEAST, Judged, Sight, idle, judge
from samspel.delivery.latency import NO_SAMPLE, Latencies, Sample, answered
from samspel.delivery.tracker import Delivery, Tolerance, evidence, follow
from samspel.delivery.verdict import Verdict

__all__ = ["Delivering", "Told", "route_of"]


class Told(TypedDict):
    """What an outcome carries besides its `Say`."""

    evidence: tuple[Evidence | None, Evidence | None]
    in_tolerance_pct: float | None
    energy_wh: float | None


@dataclass(frozen=True, slots=True)
class _Ports:
    clock: Clock
    say: Callable[[Say], None]
    is_ours: Callable[[State], Awaitable[bool]]
    keep: Callable[[Mapping[str, Json]], None]


class Delivering:
    """Follows the newest command. `is_ours` looks whether the control block is still as we left it, `keep` stores what
    was learned. A deviation is said once for each command that stands in it, and ends silently.
    """

    def __init__(
        self,
        clock: Clock,
        say: Callable[[Say], None],
        is_ours: Callable[[State], Awaitable[bool]],
        keep: Callable[[Mapping[str, Json]], None],
        learned: Mapping[str, Json] | None,
    ) -> None:
        self._ports = _Ports(clock, say, is_ours, keep)
        self.latencies = Latencies.from_json(learned or {})
        self.command_id: str | None = None
        self._delivery: Delivery | None = None
        self._wrote_at = self._lost_at = float("-inf")
        self._judged, self._sample = Judged(), NO_SAMPLE
        self._standing: tuple[Verdict, ...] = ()
        self._told = self.latencies.learned()

    def wrote(self) -> None:
        """A write of power has just come to its end."""
        self._wrote_at = self._ports.clock.monotonic()

    def begin(self, command_id: str, readings: Mapping[str, Reading]) -> None:
        """This command is the one that the battery follows from now on; the same one again has been written anew."""
        now = self._ports.clock.monotonic()
        if command_id == self.command_id:
            self._judged, self._sample = idle(readings), self._sample.ended()
        else:
            self._judged = replace(self._judged, episode=frozenset())
        self.command_id, self._delivery = command_id, Delivery(before=evidence(readings, now), written_at=now)
        self._standing = ()

    def told(self, say: Say, readings: Mapping[str, Reading]) -> Told:
        """The evidence for an outcome; with a command's end its story ends here too."""
        if say.deviation is Deviation.LOST_LINK:
            self._lost_at = self._ports.clock.monotonic()
        ended = say.end is not None
        tracked = self._delivery if ended and say.command_id == self.command_id else None
        after = evidence(readings, self._ports.clock.monotonic()) if say.stage is None else None
        if tracked is not None:
            self._delivery = self.command_id = None
        return Told(
            evidence=(tracked.before if tracked else None, after),
            in_tolerance_pct=tracked.in_tolerance_pct if tracked else None,
            energy_wh=tracked.energy_wh if tracked else None,
        )

    def news(self) -> bool:
        """Whether a learned latency has moved by a tenth since this was last asked: worth a new birth message."""
        learned, told = self.latencies.learned(), self._told
        moved = [name for name, seconds in learned.items() if abs(seconds - told.get(name, 0.0)) > 0.1 * seconds]
        if moved:
            self._told = learned
        return bool(moved)

    @property
    def strays(self) -> bool:
        """Whether the battery has left a target that it followed: to repeat the command would hide who did that."""
        return self._judged.strayed > 0

    # --- with every reading ---

    async def observe(self, readings: Mapping[str, Reading], state: State, *, waiting: str | None) -> None:
        """Judge what is seen now. `waiting`: a command whose power is not on the wire yet; it cannot be delivered, but
        the battery follows what is. While something is being written nobody can say which power stands.
        """
        if state.written_w is None or self.command_id is None:
            # Also while it rests at zero between two commands: what comes is a step.
            self._judged, self._sample = idle(readings), NO_SAMPLE
            return
        if state.action in (Action.FOLLOW, Action.HALT, Action.GIVE_BACK, Action.TAKE):
            return
        if waiting != self.command_id:
            self._follow(readings, state, state.written_w)
        self._learn(readings, state, state.written_w)
        await self._judge(readings, state, state.written_w)

    def _follow(self, readings: Mapping[str, Reading], state: State, written_w: float) -> None:
        before, command_id = self._delivery, self.command_id
        if before is None or command_id is None:
            return
        self._delivery = follow(before, written_w, readings.get("battery_power_w"), Tolerance())
        if self._delivery.delivered and not before.delivered:
            route = route_of(state.capabilities, written_w)
            if route is not None and route.verify is Verify.EFFECT:
                self._ports.say(Say(command_id=command_id, stage=Stage.VERIFIED, verification=Verification.EFFECT))
            self._ports.say(Say(command_id=command_id, stage=Stage.DELIVERED, target_power_w=written_w))

    async def _judge(self, readings: Mapping[str, Reading], state: State, written_w: float) -> None:
        sight = self._sight(readings, state, written_w)
        before, story = self._judged, self._story
        self._judged, found = judge(before, sight)
        if not all(verdict.only_slow for verdict in found):
            self._sample = self._sample.ended()
        doubtful = any(verdict.suspects_another for verdict in found) or self._judged.strayed == AT_LEAST
        if doubtful:
            is_ours = await self._ports.is_ours(state)
            if story != self._story:
                return  # What was seen was seen of a command that has ended, or has been written anew, meanwhile.
            if not is_ours:
                self._judged = before  # Control finds out who; what it then does begins a new story.
                return
        if not self._judged.episode:
            self._standing = ()
        for verdict in found:
            self._tell(verdict, written_w)

    @property
    def _story(self) -> tuple[str | None, float | None]:
        """Of which command, and since which of its writes, what is seen now tells."""
        return self.command_id, None if self._delivery is None else self._delivery.written_at

    def _tell(self, verdict: Verdict, written_w: float) -> None:
        if self.command_id is None or verdict in self._standing:
            return
        self._standing = (*self._standing, verdict)
        self._ports.say(
            Say(
                command_id=self.command_id,
                deviation=verdict.deviation,
                reason=verdict.reason,
                text=verdict.text,
                target_power_w=written_w,
            )
        )

    def _sight(self, readings: Mapping[str, Reading], state: State, written_w: float) -> Sight:
        route = route_of(state.capabilities, written_w)
        way = Direction.of(written_w)
        patience = self.latencies.patience(way, route.latency_s, route.ramp) if route else self.latencies.patience(way)
        sight = Sight(
            now=self._ports.clock.monotonic(),
            target_w=written_w,
            aimed_at=self._wrote_at,
            patience=patience,
            readings=readings,
        )
        return sight if route is None else _with_route(sight, route)

    # --- learning ---

    def _learn(self, readings: Mapping[str, Reading], state: State, written_w: float) -> None:
        """Only a route that is to be followed exactly tells how long the battery takes."""
        route, reading = route_of(state.capabilities, written_w), readings.get("battery_power_w")
        battery_w = _usable(readings, "battery_power_w")
        if reading is None or battery_w is None or (route is not None and route.authority is not Authority.EXACT):
            return
        if self._sample.target_w != written_w:
            self._sample = self._begun(Sample(self._wrote_at, self._battery_before(battery_w), written_w), route)
        sample = self._sample.ended() if self._sample.at <= self._lost_at else self._sample
        declared_s = route.latency_s if route else None
        self._sample, answer = answered(sample, reading.monotonic_s, battery_w, declared_s)
        if answer is not None:
            self.latencies = self.latencies.add(Direction.of(written_w), answer)
            self._ports.keep(self.latencies.to_json())

    @staticmethod
    def _begun(sample: Sample, route: Route | None) -> Sample:
        """A rest before a reversal is no latency; nobody can tell the two apart in one answer."""
        rests = route is not None and route.reversal_dwell_s > 0
        return sample.ended() if rests and sample.reverses else sample

    def _battery_before(self, battery_w: float) -> float:
        return battery_w if self._judged.seen is None else self._judged.seen.power_w


def route_of(capabilities: Capabilities | None, power_w: float) -> Route | None:
    """The route that a power takes, where the device is known."""
    return None if capabilities is None else capabilities.route(Direction.of(power_w))


def _with_route(sight: Sight, route: Route) -> Sight:
    return replace(
        sight,
        authority=route.authority,
        reversal_dwell_s=route.reversal_dwell_s,
        wake_s=route.wake_s,
        fine_w=max(sight.fine_w, route.granularity_w, _dead_w(route, sight.target_w)),
    )


def _dead_w(route: Route, target_w: float) -> float:
    """What a target in the route's dead zone may come out as: any power in it, on either side of zero."""
    return route.dead_zone_w + abs(target_w) if abs(target_w) <= route.dead_zone_w else 0.0


def _usable(readings: Mapping[str, Reading], signal: str) -> float | None:
    reading = readings.get(signal)
    return None if reading is None else reading.usable()
