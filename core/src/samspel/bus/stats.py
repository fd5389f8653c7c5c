"""What happened on an endpoint since it was made."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BusStats"]


@dataclass(slots=True)
class BusStats:
    """Counts, only ever rising."""

    requests: int = 0
    """Sent to the device, repetitions included."""
    answers: int = 0
    """Good ones."""
    timeouts: int = 0
    """Sent, and nothing came back."""
    bad_answers: int = 0
    busy: int = 0
    refused: int = 0
    """Exception answers other than busy."""
    expired: int = 0
    """Requests whose deadline came before they could be sent."""
    shed: int = 0
    """Telemetry requests dropped in favour of newer or more urgent ones."""
    connects: int = 0
    """Connections that stood."""
    failed_connects: int = 0
