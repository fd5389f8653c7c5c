"""What a brand supplies to the engine, and what the engine hands to it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from samspel_sim.bank import Bank
from samspel_sim.framing import MODBUS_TCP, Framing
from samspel_sim.misbehave import Misbehaviours
from samspel_sim.physics import Home
from samspel_sim.registers import Register, Words


class OptionError(ValueError):
    """A model, firmware, path or value that this twin does not have; the message says which it has."""


class HangUp(Exception):
    """Raised while handling a request: the device closes the connection instead of answering."""


class Silence(Exception):
    """Raised while handling a request: the device does not answer."""


class Refused(Exception):
    """Raised before a read: the device answers it with this exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code}")
        self.code = code


class Ignored(Exception):
    """Raised while checking a write: the device acknowledges it and stores nothing."""


@dataclass(frozen=True, slots=True)
class TwinOptions:
    """What a user may choose; None means the twin's own default.

    ``settings`` are the brand's further options by name, for instance ``{"units": 2}``.
    """

    model: str | None = None
    firmware: str | None = None
    unit: int | None = None
    path: str | None = None
    soc_pct: float = 65.0
    seed: int = 1
    epoch_s: float = 0.0
    settings: Mapping[str, float | str] = field(default_factory=dict)


BURST = 4
"""Answers that may follow each other closely before a client is asking too fast."""


@dataclass(frozen=True, slots=True)
class LinkTraits:
    """How the device treats its connections.

    ``clients``: connections served at once; one more closes the oldest. ``connect_wait_s``: requests
    this soon after connecting are lost. ``pace_s``: a client that had its last `BURST` answers within
    so many times this gets exception 6. ``answer_s``: time to answer; ``holding_read_s``: shortest and longest time
    that a read of holding registers takes beyond that. ``refresh_s``: shortest and longest time between two
    updates of the measurements. ``pipelined``: False where a request that comes before the
    answer to the one before it is lost. ``framing``: how requests are wrapped.
    """

    clients: int = 1
    connect_wait_s: float = 0.0
    pace_s: float = 0.0
    answer_s: float = 0.0
    holding_read_s: tuple[float, float] = (0.0, 0.0)
    refresh_s: tuple[float, float] = (1.0, 1.0)
    pipelined: bool = True
    framing: Framing = MODBUS_TCP


@dataclass(slots=True)
class Login:
    """What the device remembers about one connection's permissions."""

    user: str | None = None
    challenge: bytes | None = None
    heartbeat_at_s: float = 0.0


class Behaviour(Protocol):
    """One device of a brand, without sockets and without a clock of its own."""

    brand: str
    model: str
    serial: str
    firmware: str
    unit: int
    home: Home
    misbehaviours: Misbehaviours

    @property
    def banks(self) -> Mapping[int, Bank]:
        """Stored words by unit id."""

    @property
    def link(self) -> LinkTraits:
        """How it treats connections."""

    def step(self, dt_s: float) -> None:
        """Advance control logic and physics."""

    def refresh(self) -> None:
        """Copy the present truth into the measuring registers.

        It is left out where nobody could read what it writes, so that nothing may be counted here.
        """

    def before_read(self, unit: int, addresses: range) -> None:
        """A chance to raise HangUp, Silence or Refused."""

    def check_write(self, unit: int, parts: Sequence[tuple[Register, Words]], login: Login, now_s: float) -> int:
        """0 to allow the write, else the exception code; raises Ignored to acknowledge it and keep the old value."""

    def written(self, unit: int, parts: Sequence[tuple[Register, Words]], login: Login, now_s: float) -> None:
        """The words are stored: act on them."""

    def other_function(self, unit: int, pdu: bytes, login: Login, now_s: float, rng: random.Random) -> bytes:
        """Answer a request that is no register function, at any unit; Silence where nobody would answer."""

    def restart(self, firmware: str | None) -> None:
        """Lose what is volatile; with ``firmware``, come back with that one. OptionError if unknown."""

    def state(self) -> dict[str, object]:
        """Brand's part of ``GET /state``: at least ``mode`` and ``registers``."""

    def apply(self, key: str, value: object) -> bool:
        """Take one brand-specific key of ``POST /set``; False if it is none. OptionError for a bad value."""
