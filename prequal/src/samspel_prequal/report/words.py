"""Requirements in the words and units of the pass/fail table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from samspel_prequal.evaluate.requirement import Requirement

__all__ = ["TITLES", "Unit", "limit_text", "margin_text", "power_text", "title", "unit_of", "value_text"]

# Number in the table, what it asks for, and its clause.
TITLES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "R1": ("Steady-state response, relative error", "TR 3.1.1, 3.1.2"),
        "R1b": ("Steady-state response together with FCR-N", "TR 3.6.1"),
        "R2": ("Power 7.5 s after the start of the ramp", "TR 3.1.2"),
        "R3": ("Energy until 7.5 s after the start of the ramp", "TR 3.1.2"),
        "hold": ("Least power from 7.5 s until the way back", "TR 3.1.2"),
        "R4": ("Excess energy after the turn of the frequency", "TR 3.1.2"),
        "R5a": ("Peak power of a static response", "TR 3.1.3"),
        "R5b": ("Static response after 2.5 s", "TR 3.1.3"),
        "R6": ("Static deactivation and recovery", "TR 3.1.3"),
        "R7": ("Fall of a static response", "TR 3.1.3"),
        "R8": ("Stability: distance of the Nyquist curve to -1", "TR 3.2, 3.3"),
        "R9": ("Performance: damping of disturbances", "TR 3.3"),
        "R10": ("Dynamic linearity: residual of the sines", "TR 3.4.1"),
        "R11": ("Linearity of steps: room to the envelope", "TR 3.4.2"),
        "R12": ("Endurance, or NEM and AEM of a limited reservoir", "TR 3.5"),
        "R13": ("Longest stay in the high-performance mode", "TR 3.1.2"),
        "K": ("Reduction factor, min(K_ss, K_dyn)", "TR eq. 3, 5"),
        "M-rate": ("Samples a second of the test logs", "TR 5.3"),
        "M-power-resolution": ("Resolution of power", "TR table 16"),
        "M-frequency-resolution": ("Resolution of frequency", "TR table 16"),
        "M-power-accuracy": ("Accuracy of power, of full power", "TR table 15"),
        "M-frequency-accuracy": ("Accuracy of frequency", "TR 4"),
        "M-clock": ("Clock synchronised to CET or UTC", "TR 5.3"),
        "1h": ("One hour of normal operation", "TR 5.4"),
    }
)


@dataclass(frozen=True, slots=True)
class Unit:
    """How a number is written: times `factor`, so many decimals, and the symbol."""

    symbol: str
    decimals: int = 3
    factor: float = 1.0

    def short(self, value: float, *, signed: bool = False) -> str:
        """The same without closing zeros: for limits, which are round numbers."""
        number, blank, symbol = self.write(value, signed=signed).partition(" ")
        return f"{number.rstrip('0').rstrip('.') if '.' in number else number}{blank}{symbol}"

    def write(self, value: float, *, signed: bool = False) -> str:
        """The number with its unit."""
        form = f"{'+' if signed else ''}z.{self.decimals}f"
        return f"{value * self.factor:{form}}{' ' if self.symbol else ''}{self.symbol}"


_PERCENT: Final = Unit("%", 2, 100.0)
_SHARE: Final = Unit("of ΔPt")
_SECONDS: Final = Unit("s", 2)
_PURE: Final = Unit("", 4)
_UNITS: Final[Mapping[str, Unit]] = MappingProxyType(
    {
        "R1": _PERCENT,
        "R1b": _PERCENT,
        "R2": _SHARE,
        "R3": Unit("s of ΔPt", 2),
        "hold": _SHARE,
        "R4": Unit("s of ΔPt", 2),
        "R5a": _SHARE,
        "R5b": _SHARE,
        "R6": _SECONDS,
        "R7": Unit("% a second", 2, 100.0),
        "R11": _SHARE,
        "R13": _SECONDS,
        "M-rate": Unit("Hz", 2),
        "M-power-resolution": Unit("W", 3),
        "M-frequency-resolution": Unit("mHz", 3, 1000.0),
        "M-power-accuracy": _PERCENT,
        "M-frequency-accuracy": Unit("mHz", 1, 1000.0),
        "1h": Unit("s", 0),
    }
)
_CEILINGS: Final = frozenset({"R4", "R5a", "R7", "R13", "M-power-accuracy", "M-frequency-accuracy"})
_BELOW: Final = frozenset({"R9", "R10"})  # which must not be reached
_SIGNED: Final = frozenset({"R1", "R1b"})


def title(name: str) -> str:
    """What a requirement asks for; its own name when it is new to this table."""
    return TITLES.get(name, (name, ""))[0]


def unit_of(name: str, requirement: Requirement) -> Unit:
    """The unit of a value. R12 counts wrong seconds of a limited reservoir, and a share of ΔPt of any other."""
    if name == "R12":
        return Unit("s wrong", 0) if "nem_wrong_s" in requirement.details else _SHARE
    return _UNITS.get(name, _PURE)


def value_text(name: str, requirement: Requirement) -> str:
    """The value, or a dash."""
    if requirement.value is None:
        return "-"
    return unit_of(name, requirement).write(requirement.value, signed=name in _SIGNED)


def limit_text(name: str, requirement: Requirement) -> str:
    """The limit with its side; both limits where there are two."""
    unit = unit_of(name, requirement)
    both = requirement.details.get("limits")
    if isinstance(both, Sequence) and not isinstance(both, str) and len(both) == 2:
        low, high = (float(end) for end in both if isinstance(end, int | float))
        return f"{unit.short(low, signed=True)} to {unit.short(high, signed=True)}"
    if requirement.limit is None:
        return "-"
    return f"{_side(name, requirement)} {unit.short(requirement.limit)}".strip()


def margin_text(name: str, requirement: Requirement) -> str:
    """What is left to the limit, negative beyond it."""
    if requirement.margin is None:
        return "-"
    return unit_of(name, requirement).write(requirement.margin, signed=True)


def power_text(power_w: float) -> str:
    """Watts in the unit that suits their size."""
    for factor, symbol in ((1e6, "MW"), (1e3, "kW")):
        if abs(power_w) >= factor:
            return f"{power_w / factor:.4g} {symbol}"
    return f"{power_w:.4g} W"


def _side(name: str, requirement: Requirement) -> str:
    """Whether the limit is a floor or a ceiling: from the margin's sense, and by name where there is none."""
    if name in _BELOW:
        return "<"
    ceiling = name in _CEILINGS or "nem_wrong_s" in requirement.details
    if requirement.value is not None and requirement.margin and requirement.limit is not None:
        above = requirement.value - requirement.limit
        ceiling = abs(above + requirement.margin) < abs(above - requirement.margin)
    elif requirement.value is None and not ceiling:
        return ""
    return "≤" if ceiling else "≥"
