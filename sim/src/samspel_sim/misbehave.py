"""The closed list of misbehaviours, and which of them are on.

Each has a name, parameters with defaults, and one sentence that says what the outside then sees.
*Link* misbehaviours are the engine's and work for every brand; *device* misbehaviours are carried out
by the brand's behaviour, which names those that it knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Parameters = dict[str, Any]


class UnknownMisbehaviourError(ValueError):
    """A name or a parameter that is not on the list; the message says what is."""


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """One entry of the list. ``momentary`` ones happen once and are never "on"."""

    name: str
    meaning: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    link: bool = False
    momentary: bool = False


_LIST = (
    # What the link does: for every brand.
    Misbehaviour("busy", "answers exception 6 to this share (0..1) of requests", {"share": 1.0}, link=True),
    Misbehaviour("slow", "answers every request this much later", {"seconds": 1.0}, link=True),
    Misbehaviour("mute", "takes requests and answers none; the port stays open", link=True),
    Misbehaviour("reset", "resets open connections now, and every later one at its first request", link=True),
    Misbehaviour(
        "half_open",
        "forgets its connections without a word: they stay open and dead for good, new ones too while it lasts",
        link=True,
    ),
    Misbehaviour("refuse_connections", "closes every new connection at once", link=True),
    Misbehaviour("refuse_writes", "answers writes with this exception code", {"code": 4}, link=True),
    Misbehaviour("wrong_echo", "acknowledges a write with another value (or count) than was written", link=True),
    Misbehaviour("answer_unit", "answers under another unit id than was asked", {"unit": 0}, link=True),
    Misbehaviour(
        "forget", "acknowledges writes to these registers and keeps the old value", {"registers": []}, link=True
    ),
    Misbehaviour("stuck", "measurements freeze; control registers still echo", link=True),
    Misbehaviour(
        "second_master",
        "somebody else writes these registers (raw) every so often",
        {"period_s": 20.0, "registers": {}},
        link=True,
    ),
    # What the device does: for the brands that know it.
    Misbehaviour("ignore_setpoint", "stores the power command and does not follow it"),
    Misbehaviour("clamp", "follows no power command beyond this many watts", {"watts": 1000.0}),
    Misbehaviour("reverse", "follows power commands with the sign turned round"),
    Misbehaviour("meter_offline", "the grid meter is gone, with all that the device does then"),
    Misbehaviour("sleep", "the battery sleeps: no power, and its settings may read as unknown"),
    Misbehaviour(
        "night", "no light on the panels; `silent`: the device sleeps too, with its port open", {"silent": True}
    ),
    Misbehaviour("battery_fault", "the battery reports a fault and gives no power"),
    Misbehaviour("calibration", "a state-of-health calibration runs the battery by itself", {"watts": -1500.0}),
    Misbehaviour("other_serial", "another device answers at this address", {"serial": "SIM999999999"}),
    Misbehaviour("reboot", "restarts: connections drop, volatile registers are lost", momentary=True),
    Misbehaviour("firmware", "restarts with another firmware", {"version": ""}, momentary=True),
)

CATALOGUE: Mapping[str, Misbehaviour] = {entry.name: entry for entry in _LIST}


class Misbehaviours:
    """Those that are on, with their parameters."""

    def __init__(self, device: Iterable[str] = ()) -> None:
        """``device``: the device misbehaviours that this twin carries out."""
        wanted = set(device)
        if unknown := wanted - set(CATALOGUE):
            raise UnknownMisbehaviourError(f"not in the list of misbehaviours: {sorted(unknown)}")
        self._known = {name: entry for name, entry in CATALOGUE.items() if entry.link or name in wanted}
        self._on: dict[str, Parameters] = {}

    def check(self, name: str, parameters: Mapping[str, object]) -> Misbehaviour:
        """The entry called ``name``; UnknownMisbehaviourError for a name or parameter that it has not."""
        if name not in self._known:
            raise UnknownMisbehaviourError(f"no misbehaviour {name!r}; there are {', '.join(sorted(self._known))}")
        entry = self._known[name]
        for key, value in parameters.items():
            _check_parameter(entry, key, value)
        return entry

    def set(self, name: str, on: bool, parameters: Mapping[str, object]) -> None:
        """Switch one on (with defaults for what is not given) or off."""
        entry = self.check(name, parameters)
        if on:
            self._on[name] = {**entry.parameters, **parameters}
        else:
            self._on.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return name in self._on

    def get(self, name: str) -> Parameters | None:
        """Parameters of one that is on, else None."""
        return self._on.get(name)

    def on(self) -> dict[str, Parameters]:
        """All that are on."""
        return {name: dict(parameters) for name, parameters in self._on.items()}

    # -- what a device makes of those that are on ----------------------------------------------

    @property
    def silent(self) -> bool:
        """True in a night that the device sleeps through too."""
        night = self.get("night")
        return night is not None and bool(night["silent"])

    @property
    def battery_out(self) -> bool:
        """True while the battery gives and takes no power."""
        return "sleep" in self or "battery_fault" in self

    @property
    def calibration_w(self) -> float | None:
        """What a calibration runs the battery at; None while there is none."""
        calibration = self.get("calibration")
        return None if calibration is None else float(calibration["watts"])

    def followed_w(self, commanded_w: float) -> float:
        """What becomes of a power command."""
        clamp = self.get("clamp")
        most_w = float("inf") if clamp is None else abs(float(clamp["watts"]))
        sign = -1 if "reverse" in self else 1
        return sign * max(-most_w, min(most_w, commanded_w))

    def shown_serial(self, own: str) -> str:
        """The serial that the device gives: its own, unless another one answers in its place."""
        other = self.get("other_serial")
        return own if other is None else str(other["serial"])


def _check_parameter(entry: Misbehaviour, key: str, value: object) -> None:
    if key not in entry.parameters:
        known = ", ".join(entry.parameters) or "no parameters"
        raise UnknownMisbehaviourError(f"{entry.name} has no parameter {key!r}; it takes {known}")
    default = entry.parameters[key]
    if not _same_kind(value, default):
        raise UnknownMisbehaviourError(f"{entry.name}.{key} takes a value like {default!r}, not {value!r}")


def _same_kind(value: object, default: object) -> bool:
    if isinstance(default, int | float) and not isinstance(default, bool):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, type(default))
