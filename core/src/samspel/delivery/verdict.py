"""What a battery that does not do as it was told is called, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from samspel.contract.outcome import Deviation
from samspel.contract.telemetry import Reading

__all__ = ["REST_W", "Case", "Verdict", "clamp_cause", "classify", "number", "out_of_service"]

REST_W = 100.0
"""A battery below this neither charges nor discharges: electronics, and what a regulator hunts by."""

COLD_C, HOT_C = 10.0, 45.0
"""A lithium battery is commonly allowed less: charging below the first, both ways above the second."""

SOC_MARGIN_PCT = 1.0
MOVED_SHARE = 0.25
"""Less of its way than this is no answer to a command."""

OWN_LOGIC_W = 150.0
"""A grid exchange below this, with the battery at work, is what a device's own regulation aims at."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One deviation: `reason` is a closed word for programs, `text` a sentence for people."""

    deviation: Deviation
    reason: str
    text: str

    @property
    def suspects_another(self) -> bool:
        """Whether the control block should be looked at before this is said: somebody else may command."""
        known = self.deviation is Deviation.CLAMPED and self.reason != "unknown"
        return not known and self.deviation not in (Deviation.SIDE_EFFECT, Deviation.DWELL)

    @property
    def only_slow(self) -> bool:
        """Whether the battery does what it was told, and is late: the answer that comes yet tells how late."""
        return self.deviation is Deviation.UNRESPONSIVE and self.reason == "slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A battery at `battery_w` where `target_w` was asked for; all in W, positive discharges.

    `from_w` is where it was when it was told. `held`: it has followed this target before. `moving`: it is on its way.
    """

    target_w: float
    battery_w: float
    from_w: float
    held: bool = False
    moving: bool = False
    readings: Mapping[str, Reading] = field(default_factory=dict)


def classify(case: Case) -> Verdict:
    """The name for what is seen. Causes that the device states come before what is inferred from power alone."""
    cause = clamp_cause(case.target_w, case.battery_w, case.readings) if _is_short(case) else None
    if cause is not None:
        return _clamped(case, *cause)
    if _is_reversed(case):
        return Verdict(Deviation.REVERSED, "sign", f"{_told(case)}: the same power the other way")
    if (state := out_of_service(case)) is not None:
        return Verdict(Deviation.UNRESPONSIVE, state, f"{_told(case)}: the battery reports {state}")
    if case.held:
        return _left(case)
    return _never_came(case)


def _left(case: Case) -> Verdict:
    """It followed, and does not any more."""
    if _is_short(case) and abs(case.battery_w) > REST_W:
        return _clamped(case, "unknown", "no limit that the device states explains it")
    if abs(case.battery_w) <= REST_W:
        return Verdict(Deviation.UNRESPONSIVE, "no_power", f"{_told(case)}: it followed, and stopped")
    return Verdict(Deviation.OVERRIDDEN, _who(case), f"{_told(case)}: it followed, and something else decides now")


def _never_came(case: Case) -> Verdict:
    """It has not followed yet."""
    way_w, done_w = case.target_w - case.from_w, case.battery_w - case.from_w
    share = done_w / way_w if way_w else 0.0
    if case.moving and 0 < share < 1:
        return Verdict(Deviation.UNRESPONSIVE, "slow", f"{_told(case)}: on its way, but later than it should be")
    if _is_short(case) and abs(case.battery_w) > REST_W and share >= MOVED_SHARE:
        return _clamped(case, "unknown", "no limit that the device states explains it")
    if abs(done_w) <= max(REST_W, 0.05 * abs(way_w)):
        return Verdict(Deviation.UNRESPONSIVE, "unchanged", f"{_told(case)}: nothing has changed")
    return Verdict(Deviation.UNRESPONSIVE, _who(case), f"{_told(case)}: that is no answer to the command")


def _is_short(case: Case) -> bool:
    """Less than was asked for, on the same side of zero (a battery at rest is on both)."""
    toward_w = case.battery_w if case.target_w > 0 else -case.battery_w
    return case.target_w != 0 and -REST_W <= toward_w < abs(case.target_w)


def _is_reversed(case: Case) -> bool:
    """As much the other way, more than a battery at rest, and not because it was there already, or because the house
    needs just that.
    """
    near_w = max(REST_W, 0.15 * abs(case.target_w))
    mirrored = abs(case.battery_w + case.target_w) <= near_w
    came = case.held or abs(case.from_w + case.target_w) > near_w
    other_way = case.battery_w * case.target_w < 0 and abs(case.battery_w) > REST_W
    return other_way and mirrored and came and not _serves_the_house(case)


def _serves_the_house(case: Case) -> bool:
    grid_w = number(case.readings, "grid_power_w")
    return grid_w is not None and abs(grid_w) <= OWN_LOGIC_W and abs(case.battery_w) > REST_W


def _who(case: Case) -> str:
    return "own_logic" if _serves_the_house(case) else "other"


def out_of_service(case: Case) -> str | None:
    """What the battery or the inverter says of itself while it gives nothing."""
    if abs(case.battery_w) > REST_W:
        return None
    out = {"battery_state": ("sleep", "offline", "fault"), "inverter_state": ("fault", "off", "standby")}
    for signal, states in out.items():
        reading = case.readings.get(signal)
        if reading is not None and reading.value in states:
            return str(reading.value)
    return None


def clamp_cause(target_w: float, battery_w: float, readings: Mapping[str, Reading]) -> tuple[str, str] | None:
    """Which stated limit explains less power than `target_w`: a word and a sentence; nothing where none does."""
    for explain in (_by_soc, _by_temperature, _by_live_limit, _by_ac_limit):
        if (found := explain(target_w, battery_w, readings)) is not None:
            return found
    return None


def _by_soc(target_w: float, battery_w: float, readings: Mapping[str, Reading]) -> tuple[str, str] | None:  # noqa: ARG001
    soc = number(readings, "soc_pct")
    floor, ceiling = number(readings, "soc_floor_pct"), number(readings, "soc_ceiling_pct")
    low, high = 0.0 if floor is None else floor, 100.0 if ceiling is None else ceiling
    if soc is None:
        return None
    if target_w > 0 and soc <= low + SOC_MARGIN_PCT:
        return "soc", f"state of charge {soc:.1f} % is at the device's floor of {low:g} %"
    if target_w < 0 and soc >= high - SOC_MARGIN_PCT:
        return "soc", f"state of charge {soc:.1f} % is at the device's ceiling of {high:g} %"
    return None


def _by_temperature(target_w: float, battery_w: float, readings: Mapping[str, Reading]) -> tuple[str, str] | None:  # noqa: ARG001
    celsius = number(readings, "battery_temperature_c")
    if celsius is None or (COLD_C <= celsius <= HOT_C) or (target_w > 0 and celsius < COLD_C):
        return None
    return "temperature", f"the battery is at {celsius:.0f} degrees Celsius"


def _by_live_limit(target_w: float, battery_w: float, readings: Mapping[str, Reading]) -> tuple[str, str] | None:
    limit_w = number(readings, "discharge_limit_w" if target_w > 0 else "charge_limit_w")
    if limit_w is None or limit_w >= abs(target_w) or abs(battery_w) > limit_w + max(REST_W, 0.1 * limit_w):
        return None
    return "live_limit", f"the battery allows {limit_w:.0f} W now"


def _by_ac_limit(target_w: float, battery_w: float, readings: Mapping[str, Reading]) -> tuple[str, str] | None:
    """Panels and battery share one inverter: what the panels take of it, the battery cannot give."""
    most_w, pv_w = number(readings, "max_ac_power_w"), number(readings, "pv_power_w")
    if most_w is None:
        most_w = number(readings, "rated_power_w")
    if most_w is None or pv_w is None or target_w <= 0 or pv_w < REST_W:
        return None
    if pv_w + target_w <= most_w or pv_w + battery_w < 0.9 * most_w:
        return None
    return "ac_limit", f"with {pv_w:.0f} W from the panels the inverter is at its {most_w:.0f} W"


def _clamped(case: Case, reason: str, why: str) -> Verdict:
    return Verdict(Deviation.CLAMPED, reason, f"{_told(case)}: {why}")


def _told(case: Case) -> str:
    return f"{case.battery_w:.0f} W where {case.target_w:.0f} W was asked for"


def number(readings: Mapping[str, Reading], signal: str) -> float | None:
    """The good value of a signal, or nothing."""
    reading = readings.get(signal)
    return None if reading is None else reading.usable()
