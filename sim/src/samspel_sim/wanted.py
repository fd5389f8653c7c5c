"""What somebody wants of a twin by ``POST /set``, checked. OptionError says what would do."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from samspel_sim.behaviour import OptionError

Setters = Mapping[str, Callable[[object], None]]
"""What takes the value of each key."""


def apply(setters: Setters, key: str, value: object) -> bool:
    """Give the value to the key's setter; False where there is none."""
    if key not in setters:
        return False
    setters[key](value)
    return True


def flag(key: str, value: object) -> bool:
    """The value, which has to be true or false."""
    if not isinstance(value, bool):
        raise OptionError(f"{key} wants true or false, not {value!r}")
    return value


def number(key: str, value: object, low: float, high: float) -> float:
    """The value, which has to be a number from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise OptionError(f"{key} wants a number in {low}..{high}, not {value!r}")
    return float(value)
