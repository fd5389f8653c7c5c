"""What somebody wants of a twin, in its options or by ``POST /set``, checked. OptionError says what would do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from samspel_sim.behaviour import LinkTraits, OptionError

LONGEST_S, MOST_CLIENTS = 3600.0, 1000

Setters = Mapping[str, Callable[[object], None]]
"""What takes the value of each key of ``POST /set``."""


def one_of(what: str, name: str, known: Collection[str], *, whose: str = "") -> str:
    """The name, which has to be a known one. ``whose``: words that say of what it would be one."""
    if name not in known:
        asked = f"{name!r} {whose}".rstrip()
        raise OptionError(f"no {what} {asked}; there are {', '.join(known)}")
    return name


def link(usual: LinkTraits, settings: dict[str, float | str]) -> LinkTraits:
    """The usual link with what the settings say of it, which is taken out of them."""

    def seconds(key: str, otherwise: float) -> float:
        return number(key, settings.pop(key, otherwise), 0.0, LONGEST_S)

    return replace(
        usual,
        clients=int(number("clients", settings.pop("clients", usual.clients), 1, MOST_CLIENTS)),
        connect_wait_s=seconds("connect_wait_s", usual.connect_wait_s),
        pace_s=seconds("pace_s", usual.pace_s),
        answer_s=seconds("answer_s", usual.answer_s),
    )


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


def whole(key: str, value: object) -> int:
    """The value, which has to be a whole number; whether there can be so many is the caller's to say."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not float(value).is_integer():
        raise OptionError(f"{key} wants a whole number, not {value!r}")
    return int(value)
