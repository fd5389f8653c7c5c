"""What a process was started for by a guard, handed over in one variable of the environment.

Imported by both sides: standard library only, and of that the light part.
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping
from enum import StrEnum
from typing import NamedTuple

__all__ = ["HOLDS", "Duty", "Role", "announce", "take_duty"]

VARIABLE = "SAMSPEL_GUARD"

HOLDS = 10
"""Exit code of a rescuer that has left a device under our control, as the decision table said."""


class Role(StrEnum):
    """The edge itself, or the short-lived one that looks after what a dead edge left."""

    EDGE = "edge"
    RESCUER = "rescuer"


class Duty(NamedTuple):
    """`line` is our end of the socket to the guard. A rescuer that holds something stays for at least `stay_s`."""

    role: Role
    stay_s: float
    line: socket.socket


def announce(role: Role, stay_s: float, line: int) -> dict[str, str]:
    """The environment of the process to be started; `line` is the number of its inherited socket."""
    return {**os.environ, VARIABLE: f"{role.value} {stay_s:g} {line}"}


def take_duty(environment: MutableMapping[str, str]) -> Duty | None:
    """Our duty, once: the variable is gone afterwards, so that nothing we start takes it for its own."""
    words = environment.pop(VARIABLE, "").split()
    if not words:
        return None
    role, stay_s, line = words
    end = socket.socket(fileno=int(line))
    end.set_inheritable(False)
    return Duty(Role(role), float(stay_s), end)
