"""The judgement: one pass over one command, in the order address, authority, epoch, order, staleness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from samspel.admission.freshness import FreshnessRules, Nonces, Stale, age_s
from samspel.contract.admitted import Admitted
from samspel.contract.command import Command, Rank, Release, Stop
from samspel.contract.driver import Json

__all__ = ["Admission", "Admitted", "Duplicate", "Order", "Refused", "Rules", "Verdict"]

REMEMBERED_IDS = 256
REMEMBERED_STOPS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What this site's configuration says: its name, its devices, who may speak with which rank."""

    site: str
    devices: frozenset[str]
    ranks: Mapping[str, Rank]
    freshness: FreshnessRules = field(default_factory=FreshnessRules)


@dataclass(frozen=True, slots=True)
class Refused:
    """A command that may not act. `reason` is a closed word, `text` a sentence. `superseded`: newer ones came first."""

    command_id: str
    device: str
    reason: str
    text: str
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The same command again (a QoS 1 repetition): answered before, not acted on twice."""

    command_id: str
    device: str


Verdict = Admitted | Refused | Duplicate


@dataclass(frozen=True, slots=True)
class Order:
    """The newest (epoch, seq) of each issuer and the commands seen lately, per device. Kept in the journal.

    They are known by their whole identity: issuers may choose the same ids, and one that gives every stop the same must
    still be able to stop. Stops are remembered apart and longer: a retained one comes again at each connect.
    """

    newest: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    seen: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()

    def knows(self, command: Command) -> bool:
        """Whether this very command was admitted before."""
        return _key(command) in (self.stops if isinstance(command, Stop) else self.seen)

    def after(self, command: Command) -> Order:
        """The order once this command has been admitted. A late stop never moves it back."""
        last = self.newest.get(command.issuer, (-1, -1))
        newest = {**self.newest, command.issuer: max(last, (command.epoch, command.seq))}
        if isinstance(command, Stop):
            return replace(self, newest=newest, stops=(*self.stops, _key(command))[-REMEMBERED_STOPS:])
        return replace(self, newest=newest, seen=(*self.seen, _key(command))[-REMEMBERED_IDS:])

    def to_json(self) -> dict[str, Json]:
        """For the journal."""
        return {
            "newest": {name: list(pair) for name, pair in self.newest.items()},
            "seen": list(self.seen),
            "stops": list(self.stops),
        }

    @staticmethod
    def from_json(document: Mapping[str, Json]) -> Order:
        """From the journal; what is not of the expected form is an empty order."""
        newest = document.get("newest")
        pairs = newest.items() if isinstance(newest, dict) else ()
        return Order(
            newest={name: pair for name, value in pairs if (pair := _pair(value)) is not None},
            seen=_texts(document.get("seen")),
            stops=_texts(document.get("stops")),
        )


def _key(command: Command) -> str:
    return f"{command.issuer}/{command.epoch}/{command.seq}/{command.id}"


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


def _pair(value: Json) -> tuple[int, int] | None:
    match value:
        case [int(epoch), int(seq)]:
            return epoch, seq
        case _:
            return None


class Admission:
    """Judges commands for one site. Its memory is `order` (per device) and the published nonces."""

    def __init__(self, rules: Rules, orders: Mapping[str, Order] | None = None) -> None:
        self.rules = rules
        self.orders: dict[str, Order] = dict(orders or {})
        self.nonces = Nonces()

    def judge(
        self,
        command: Command,
        *,
        device: str,
        retained: bool,
        received_at: float,
        wall: datetime,
        synchronised: bool,
    ) -> Verdict:
        """Accept or refuse one command that arrived on `device`'s topic. Remembers what it accepts."""
        order = self.orders.get(device, Order())
        if order.knows(command):
            return Duplicate(command.id, device)
        refusal = self._standing(command, device, retained) or self._order(command, device, order)
        if refusal is not None:
            return refusal
        verdict = self._fresh(command, device, received_at, wall, synchronised)
        if isinstance(verdict, Admitted):
            self.orders[device] = order.after(command)
        return verdict

    def _standing(self, command: Command, device: str, retained: bool) -> Refused | None:
        """Address and authority. A stop is followed even when somebody retained it: its id stops repetitions."""
        expected = f"{self.rules.site}/{device}"
        if device not in self.rules.devices:
            known = ", ".join(sorted(self.rules.devices))
            return Refused(command.id, device, "address", f"this site has no device {device!r}; it has {known}")
        if command.target != expected:
            return Refused(
                command.id,
                device,
                "address",
                f"target is {command.target!r}, but it arrived for {expected!r}",
            )
        if command.issuer not in self.rules.ranks:
            return Refused(command.id, device, "issuer", f"issuer {command.issuer!r} is not configured at this site")
        if retained and not isinstance(command, Stop):
            return Refused(command.id, device, "retained", "commands must not be published with the retain flag")
        return None

    def _order(self, command: Command, device: str, order: Order) -> Refused | None:
        """Epoch and order among the issuer's own commands. A stop is never too old."""
        last = order.newest.get(command.issuer)
        if isinstance(command, Stop) or last is None:
            return None
        if command.epoch < last[0]:
            text = f"epoch {command.epoch} is over; {command.issuer!r} has spoken with epoch {last[0]}"
            return Refused(command.id, device, "epoch", text)
        if (command.epoch, command.seq) <= last:
            text = f"seq {command.seq} is not newer than {last[1]} of epoch {last[0]}"
            return Refused(command.id, device, "order", text, superseded=True)
        return None

    def _fresh(
        self, command: Command, device: str, received_at: float, wall: datetime, synchronised: bool
    ) -> Admitted | Refused:
        rank = self.rules.ranks[command.issuer]
        age = age_s(
            command,
            now=received_at,
            wall=wall,
            synchronised=synchronised,
            nonces=self.nonces,
            rules=self.rules.freshness,
        )
        if isinstance(command, Stop | Release):
            bounded = 0.0 if isinstance(age, Stale) else age
            return Admitted(command, rank, received_at, received_at, float("inf"), bounded)
        if isinstance(age, Stale):
            return Refused(command.id, device, age.reason, age.text)
        remaining = command.ttl_s - age
        if remaining <= 0:
            text = f"{age:.1f} s old on arrival; it was good for {command.ttl_s:g} s"
            return Refused(command.id, device, "stale", text)
        return Admitted(command, rank, received_at, received_at, received_at + remaining, age)
