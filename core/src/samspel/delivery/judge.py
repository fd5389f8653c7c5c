"""Is what was commanded what happens? `judge(state, sight)` gives the next state and what is new to say.

Protection table (unsafe condition · limit · reaction · recovery · outranked by):
* battery power elsewhere than at its target · the route's latency, declared or learned, then the tolerance of its
  authority · a deviation, once an episode, and a look at the control block · silently, with the first reading in
  tolerance · nothing; it writes nothing itself

A battery may be anywhere between the targets that were in force during the last latency: a step has that long, and a
target that moves all the time is followed with that lag. Until twice the latency a quarter of the step is still open,
since the latency is to 90 % and what is read is some seconds old. A battery that has left its target has as long to
come back, so that no single reading, no cloud and no pulse of the household is an alarm.

The latency is that of the way: the farthest that the battery was from its targets since it was last at one. What is
left of the way gets shorter on a ramp, and with every new target; the time that it has does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from samspel.contract.capability import Authority
from samspel.contract.outcome import Deviation
from samspel.contract.telemetry import Reading
from samspel.delivery.latency import Patience
from samspel.delivery.side_effects import Before, ac_verdict, before_step, pv_verdict
from samspel.delivery.verdict import REST_W, Case, Verdict, classify, number, out_of_service

__all__ = ["AT_LEAST", "Judged", "Sight", "idle", "judge"]

OPEN_SHARE = 0.25
"""So much of a step may be missing until twice the latency."""

AT_LEAST = 2
"""Readings in a row that are away from a target which was followed, before anything is concluded."""

TRAIL_SHARE = 0.25
"""How much of a latency the readings go back that tell whether a battery is on its way."""

EARLY_SHARE = 0.05
"""A latency is over at most so much of it early: at the reading nearest to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is known at one moment. Powers in W, positive discharges; times in monotonic s.

    `target_w` is the power in force since `aimed_at`; `patience` the latency that the route has. `readings` are the
    newest of each signal. `fine_w` and `fine_share` are the tolerance, the larger of the two counts.
    """

    now: float
    target_w: float
    aimed_at: float
    patience: Patience
    readings: Mapping[str, Reading]
    authority: Authority = Authority.EXACT
    reversal_dwell_s: float = 0.0
    wake_s: float = 0.0
    fine_w: float = 100.0
    fine_share: float = 0.05


@dataclass(frozen=True, slots=True)
class Aim:
    """A target and since when it was in force."""

    at: float
    power_w: float


@dataclass(frozen=True, slots=True)
class Judged:
    """What is remembered from reading to reading. `from_w`: the battery when the newest step began, `step_at`.

    `held_at`: the last reading that was at its target; `seen`: the newest reading, in W and its time; `trail`: the last
    few. `episode` are the deviations said since. `before` is how things were when the step began, `prior` how
    they are for the next one, `weighed` whether the side effects of this one have been judged. `strayed`: so many
    readings in a row since the battery left a target that it had followed. `taken_at`: the first target, which took
    over from the device's own logic. `way_w`: the farthest that it was from its targets since it was last at one.
    `rested_at`: the newest reading up to which the whole trail was at rest; one that only passes zero has no such.
    """

    aims: tuple[Aim, ...] = ()
    taken_at: float = float("-inf")
    step_at: float = float("-inf")
    from_w: float = 0.0
    held_at: float = float("-inf")
    seen: Aim | None = None
    episode: frozenset[Deviation] = frozenset()
    weighed: bool = False
    prior: Before | None = None
    before: Before = field(default_factory=Before)
    strayed: int = 0
    trail: tuple[Aim, ...] = ()
    way_w: float = 0.0
    rested_at: float = float("-inf")

    @property
    def followed(self) -> bool:
        """Whether the battery has come to its target since the newest step."""
        return self.held_at > self.step_at


def judge(state: Judged, sight: Sight) -> tuple[Judged, tuple[Verdict, ...]]:
    """The state after what is seen now, and the deviations that begin with it."""
    state = _aimed(state, sight)
    reading = sight.readings.get("battery_power_w")
    battery_w = reading.usable() if reading is not None else None
    if reading is None or battery_w is None:
        return _unmeasured(state, sight)
    if reading.monotonic_s <= max(sight.aimed_at, state.seen.at if state.seen else sight.aimed_at):
        return state, ()
    if state.trail and all(abs(earlier.power_w) <= REST_W for earlier in state.trail):
        state = replace(state, rested_at=reading.monotonic_s)
    state, found = _power(state, sight, Aim(reading.monotonic_s, battery_w))
    state, aside = _side_effects(state, sight, reading.monotonic_s)
    seen = Aim(reading.monotonic_s, battery_w)
    since = seen.at - TRAIL_SHARE * _patience_s(state, sight)
    trail = (*(earlier for earlier in state.trail if earlier.at >= since), seen)
    return replace(state, seen=seen, trail=trail, prior=before_step(sight.readings)), (*found, *aside)


def idle(readings: Mapping[str, Reading]) -> Judged:
    """What to begin from while nothing is commanded: how things are before the first step."""
    reading = readings.get("battery_power_w")
    battery_w = reading.usable() if reading is not None else None
    seen = None if reading is None or battery_w is None else Aim(reading.monotonic_s, battery_w)
    return Judged(seen=seen, prior=before_step(readings))


# --- targets --------------------------------------------------------------------------------------------------------


def _aimed(state: Judged, sight: Sight) -> Judged:
    """Take note of a new target, and forget those that no reading can be late for any more."""
    if state.aims and state.aims[-1].power_w == sight.target_w:
        return state
    battery_w = _battery_before(state, sight)
    state = _farther(state, abs(sight.target_w - battery_w))
    old = state.aims or (Aim(float("-inf"), battery_w),)
    aims = _recent((*old, Aim(sight.aimed_at, sight.target_w)), sight.aimed_at - 2 * _patience_s(state, sight))
    is_step = not state.aims or abs(sight.target_w - old[-1].power_w) > _fine_w(sight, sight.target_w)
    state = state if state.aims else replace(state, taken_at=sight.aimed_at)
    if not is_step:
        return replace(state, aims=aims)
    return replace(
        state,
        aims=aims,
        step_at=sight.aimed_at,
        from_w=battery_w,
        weighed=False,
        before=state.prior or before_step(sight.readings),
        strayed=0,
    )


def _battery_before(state: Judged, sight: Sight) -> float:
    """Where the battery was when it was told; without any reading, where it was told to be."""
    if state.seen is not None:
        return state.seen.power_w
    measured = number(sight.readings, "battery_power_w")
    return sight.target_w if measured is None else measured


def _recent(aims: tuple[Aim, ...], since: float) -> tuple[Aim, ...]:
    """The aim in force at `since`, and all later ones."""
    earlier = sum(1 for aim in aims if aim.at <= since)
    return aims[max(earlier - 1, 0) :]


def _farther(state: Judged, away_w: float) -> Judged:
    return replace(state, way_w=max(state.way_w, away_w))


def _patience_s(state: Judged, sight: Sight) -> float:
    return sight.patience.for_way(state.way_w) + (sight.wake_s if state.before.slept else 0.0)


def _due_s(state: Judged, sight: Sight, at: float) -> float:
    """The patience with a reading at `at`: the one nearest to the end of the latency counts, not the one after it.
    Readings come in cycles, a little earlier or later, and one that comes a hair too early would cost another cycle.
    """
    latency_s = _patience_s(state, sight)
    cycle_s = at - max(state.seen.at if state.seen is not None else at, sight.aimed_at)
    return latency_s - min(max(cycle_s, 0.0) / 2, EARLY_SHARE * latency_s)


# --- power ----------------------------------------------------------------------------------------------------------


def _power(state: Judged, sight: Sight, seen: Aim) -> tuple[Judged, tuple[Verdict, ...]]:
    least_w, most_w = _span(sight, seen, state.aims[-1:])
    fine_w = _fine_w(sight, sight.target_w)
    if least_w - fine_w <= seen.power_w <= most_w + fine_w:
        return replace(state, held_at=seen.at, episode=frozenset(), strayed=0, way_w=0.0), ()
    state = _farther(state, abs(sight.target_w - seen.power_w))
    patience_s = _patience_s(state, sight)
    low_w, high_w = _span(sight, seen, _recent(state.aims, seen.at - _due_s(state, sight, seen.at)))
    oldest_w = [aim.power_w for aim in _recent(state.aims, seen.at - 2 * patience_s)]
    slack_w = fine_w + OPEN_SHARE * (max(oldest_w) - min(oldest_w))
    if state.followed and not least_w - slack_w <= seen.power_w <= most_w + slack_w:
        state = replace(state, strayed=state.strayed + 1)
    inside = low_w - slack_w <= seen.power_w <= high_w + slack_w
    case = _case(state, sight, seen)
    if not _says_so_itself(state, case) and (inside or _may_come_yet(state, sight, case, seen)):
        return state, ()
    verdict = _verdict(state, sight, case, seen.at)
    if verdict.deviation in state.episode:
        return state, ()
    return replace(state, episode=state.episode | {verdict.deviation}), (verdict,)


def _may_come_yet(state: Judged, sight: Sight, case: Case, seen: Aim) -> bool:
    """One reading alone proves nothing; a battery on its way back to a target has as long again; and until the first
    command takes hold, the device's own logic may still do anything with it. After its rest before it reverses it has
    its latency.
    """
    due_s, away_s = _due_s(state, sight, seen.at), seen.at - state.held_at
    if seen.at - state.taken_at < due_s or _has_just_rested(state, sight, case, seen.at):
        return True
    alone = state.seen is not None and state.held_at == state.seen.at
    on_its_way = state.strayed > 0 and case.moving and away_s < 2 * _patience_s(state, sight)
    return away_s < due_s or alone or on_its_way


def _says_so_itself(state: Judged, case: Case) -> bool:
    """What the battery reports of itself needs no patience, but two readings."""
    return state.strayed >= AT_LEAST and out_of_service(case) is not None


def _reverses(state: Judged, sight: Sight, at: float) -> bool:
    """Whether it has been told to reverse so recently that its rest, and its latency after that, are not over."""
    turned = sight.target_w * state.from_w < 0 and abs(state.from_w) > REST_W and not state.followed
    return turned and at < state.step_at + _patience_s(state, sight) + sight.reversal_dwell_s


def _has_just_rested(state: Judged, sight: Sight, case: Case, at: float) -> bool:
    """Whether it works in the new direction, and has left its rest less than its latency ago."""
    there = case.battery_w * sight.target_w > 0 and at < state.rested_at + _patience_s(state, sight)
    return there and state.rested_at > state.step_at and _reverses(state, sight, at)


def _verdict(state: Judged, sight: Sight, case: Case, at: float) -> Verdict:
    if abs(case.battery_w) <= REST_W and _reverses(state, sight, at):
        text = f"the battery rests before it reverses, up to {sight.reversal_dwell_s:g} s"
        return Verdict(Deviation.DWELL, "reversal", text)
    return classify(case)


def _case(state: Judged, sight: Sight, seen: Aim) -> Case:
    return Case(
        target_w=sight.target_w,
        battery_w=seen.power_w,
        from_w=state.from_w,
        held=state.followed,
        moving=_is_moving(state, sight, seen),
        readings=sight.readings,
    )


def _is_moving(state: Judged, sight: Sight, seen: Aim) -> bool:
    """Whether, at the pace of the last readings, it comes half of the way that is left within another latency."""
    if not state.trail:
        return False
    earlier, left_w = state.trail[0], abs(sight.target_w - seen.power_w)
    nearer_w = abs(sight.target_w - earlier.power_w) - left_w
    return nearer_w * _patience_s(state, sight) >= 0.5 * left_w * (seen.at - earlier.at)


def _span(sight: Sight, seen: Aim, aims: tuple[Aim, ...]) -> tuple[float, float]:
    """The powers that these targets allow, by the route's authority."""
    edges = [edge for aim in aims for edge in _allowed(sight, seen, aim.power_w)]
    return min(edges), max(edges)


def _allowed(sight: Sight, seen: Aim, target_w: float) -> tuple[float, float]:
    if sight.authority is Authority.EXACT:
        return target_w, target_w
    grid_w = number(sight.readings, "grid_power_w")
    if sight.authority is Authority.UPPER_BOUND or grid_w is None:
        return 0.0, target_w
    # What the house needs of the battery is what the battery gives and what the grid adds to it.
    needed_w = seen.power_w + grid_w
    return min(max(needed_w, min(target_w, 0.0)), max(target_w, 0.0)), target_w


def _fine_w(sight: Sight, target_w: float) -> float:
    """A household is followed with some lag: there twice as much is tolerated."""
    times = 2.0 if sight.authority is Authority.LOAD_FOLLOWING else 1.0
    return times * max(sight.fine_w, sight.fine_share * abs(target_w))


def _unmeasured(state: Judged, sight: Sight) -> tuple[Judged, tuple[Verdict, ...]]:
    """No good reading of the battery: whether it has ever come to its target nobody can say then.

    Where it had, nothing speaks against it; that it is not measured any more is said by the readings' own quality.
    """
    newest = state.seen.at if state.seen is not None else sight.aimed_at
    silent = sight.now - max(newest, sight.aimed_at) >= _patience_s(state, sight)
    if not silent or state.followed or Deviation.UNRESPONSIVE in state.episode:
        return state, ()
    text = f"no good reading of the battery's power for {sight.now - newest:.0f} s"
    return replace(state, episode=state.episode | {Deviation.UNRESPONSIVE}), (
        Verdict(Deviation.UNRESPONSIVE, "unmeasured", text),
    )


# --- side effects ---------------------------------------------------------------------------------------------------


def _side_effects(state: Judged, sight: Sight, at: float) -> tuple[Judged, tuple[Verdict, ...]]:
    """Judged once a step, when its latency has just passed: what comes later has other causes. So has what is seen of a
    battery that leaves its target just then: its readings and those around it are of different moments.
    """
    if at < state.step_at + _due_s(state, sight, at) or state.weighed:
        return state, ()
    if state.strayed:
        return replace(state, weighed=True), ()
    found = [one for one in (pv_verdict(state.before, sight.readings), ac_verdict(sight.readings)) if one is not None]
    return replace(state, weighed=True), tuple(found)
