"""What the live picture knows: gathered from messages as they come, copied out for each drawing."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from samspel_sim.demo.inbox import Message

__all__ = ["KEPT_LINES", "Sample", "View", "Watch", "describe", "kind_of"]

KEPT_LINES = 40
KEPT_SAMPLES = 600


@dataclass(frozen=True, slots=True)
class Sample:
    """The battery at one moment of the play: what it does and what it should do, in W; `None`: nobody commands."""

    at_s: float
    battery_w: float
    target_w: float | None


@dataclass(frozen=True, slots=True)
class View:
    """A moment of the play."""

    scene: str = ""
    scenes_begun: int = 0
    readings: Mapping[str, float] = field(default_factory=dict)
    target_w: float | None = None
    phase: str = ""
    condition: str = "starting"
    why: tuple[str, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[tuple[str, str], ...] = ()
    samples: tuple[Sample, ...] = ()


class Watch:
    """Keeps a `View` current. `take` comes from the broker's thread, `scene` and `now` from others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._view = View()
        self._lines: deque[tuple[str, str]] = deque(maxlen=KEPT_LINES)
        self._samples: deque[Sample] = deque(maxlen=KEPT_SAMPLES)

    def now(self) -> View:
        """The view as it is."""
        with self._lock:
            return replace(self._view, lines=tuple(self._lines), samples=tuple(self._samples))

    def scene(self, text: str) -> None:
        """A new scene."""
        with self._lock:
            self._view = replace(self._view, scene=text, scenes_begun=self._view.scenes_begun + 1)
            self._lines.append(("scene", text))

    def take(self, message: Message, at_s: float) -> None:
        """A message, `at_s` seconds into the play."""
        line = describe(message)
        with self._lock:
            if line is not None:
                self._lines.append((kind_of(message), line))
            match message.leaf:
                case "telemetry":
                    self._take_readings(message.body, at_s)
                case "outcome":
                    self._take_target(message.body)
                case "status":
                    self._take_status(message.body)
                case "fault":
                    self._take_fault(message.body)

    def _take_readings(self, body: Mapping[str, Any], at_s: float) -> None:
        values = {
            name: float(reading["value"])
            for name, reading in body["readings"].items()
            if isinstance(reading.get("value"), int | float)
        }
        self._view = replace(self._view, readings={**self._view.readings, **values})
        if "battery_power_w" in values:
            self._samples.append(Sample(at_s, values["battery_power_w"], self._view.target_w))

    def _take_target(self, body: Mapping[str, Any]) -> None:
        """What was last written counts, until the status says that nobody commands any more."""
        if body.get("stage") == "written":
            self._view = replace(self._view, target_w=body.get("target_power_w", self._view.target_w))

    def _take_status(self, body: Mapping[str, Any]) -> None:
        phase = ", ".join(body.get("control", {}).values())
        self._view = replace(
            self._view,
            condition=body["condition"],
            why=tuple(body.get("why", ())),
            phase=phase,
            target_w=None if phase == "released" else self._view.target_w,
        )

    def _take_fault(self, body: Mapping[str, Any]) -> None:
        faults = {code: text for code, text in self._view.faults.items() if code != body["code"]}
        if body["state"] == "raised":
            faults[body["code"]] = f"{body['severity']}: {body['detail'].get('text', '')}"
        self._view = replace(self._view, faults=faults)


def describe(message: Message) -> str | None:
    """One line about an outcome or fault; nothing about the rest."""
    body = message.body
    if message.leaf == "fault":
        return f"fault {body['state']}: {body['code']} ({body['severity']})"
    if message.leaf != "outcome":
        return None
    word = body.get("stage") or body.get("deviation") or f"end {body.get('end')}"
    target_w = body.get("target_power_w")
    parts = (
        f"{body['command_id']}: {word}",
        "" if target_w is None else f"{target_w:.0f} W",
        (body.get("verification") or "").replace("_", " "),
        (body.get("reason") or "").replace("_", " "),
        body.get("text") or "",
    )
    return "  ".join(part for part in parts if part)


def kind_of(message: Message) -> str:
    """How a line should look: stage, deviation, end or fault."""
    if message.leaf == "fault":
        return "fault"
    return next((kind for kind in ("deviation", "end") if message.body.get(kind)), "stage")
