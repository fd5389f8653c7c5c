"""What happens in a simulation, as the invariants see it: one stream, in the order of simulated time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Disturbed", "Event", "Heard", "Looked", "Sent", "Terms", "Wrote"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for the whole run. Powers in W, charge in %; `declared` are register addresses.

    `grace_s`: how long everything has to be in order before a judgement about the battery is fair. `rest_between_s`:
    how long the battery rests before it reverses, 0 where that is the device's own affair.
    """

    most_w: float
    soc_min_pct: float
    soc_max_pct: float
    stop_s: float
    rest_w: float
    settle_s: float
    grace_s: float
    rest_between_s: float
    stop_hold_max_s: float
    declared: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A command was published. `legit`: an issuer, epoch, address and content that the site may follow.

    `until_s` is the last moment at which its power may stand (its life and its hold), infinite for one held until
    another comes; `deadline_s` the last at which it may be written for the first time. `again`: sent before, word for
    word. `rank`, `epoch`, `seq` and `ends_stop` as the payload and the site's list of issuers say; `has_nonce`: it
    echoes one of this site.
    """

    at_s: float
    command_id: str
    kind: str
    issuer: str
    legit: bool
    deadline_s: float
    until_s: float
    power_w: float | None = None
    again: bool = False
    rank: int = 0
    epoch: int = 1
    seq: int = 0
    ends_stop: str | None = None
    has_nonce: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrote:
    """A write reached the device. `names` are the map's rows at these addresses; `power_w` what it commands, if it
    carries a power. `phase` and `command_id` are control's own words at that moment.
    """

    at_s: float
    address: int
    words: tuple[int, ...]
    names: tuple[str, ...]
    power_w: float | None
    phase: str
    command_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A message left the site. `made_s`: when it was made, where it says so; else when it was heard."""

    at_s: float
    leaf: str
    message: Mapping[str, Any]
    made_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbed:
    """Something of the surroundings changed."""

    at_s: float
    what: str
    on: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """The truth at one moment. Powers in W, positive discharges.

    `calm_s`: for how long cable, device, process and disk have been in order. `heard_s`: for how long the broker has
    been there and everything that was to be said has been heard. `disturbed`: owned registers that are not as the
    household had them. `meddled`: somebody else has written registers since the household's were last known.
    """

    at_s: float
    battery_w: float
    soc_pct: float
    phase: str
    calm_s: float
    heard_s: float
    disturbed: tuple[str, ...]
    meddled: bool


Event = Sent | Wrote | Heard | Disturbed | Looked
