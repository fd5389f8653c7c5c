"""Who looks on: a person at a terminal, a log, or a program."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live

from samspel_sim.demo.inbox import Message
from samspel_sim.demo.picture import Picture
from samspel_sim.demo.play import SCENES
from samspel_sim.demo.summary import Summary, print_summary
from samspel_sim.demo.view import Watch, describe

__all__ = ["JsonScreen", "LineScreen", "LiveScreen", "Screen", "choose_screen"]

TELEMETRY_S = 5.0


class Screen(Protocol):
    """Shows the homes as they go. `scene` and `message` come from other threads than the rest."""

    def scene(self, home: str, text: str) -> None:
        """A new scene of a home."""
        ...

    def message(self, home: str, message: Message) -> None:
        """Something came back from its site."""
        ...

    def summary(self, summary: Summary) -> None:
        """The end."""
        ...

    def close(self) -> None:
        """Put the terminal back."""
        ...


def choose_screen(console: Console, homes: Sequence[str], *, as_json: bool) -> Screen:
    """The one that fits who looks on."""
    if as_json:
        return JsonScreen()
    if console.is_terminal and not console.is_dumb_terminal:
        return LiveScreen(console, homes)
    return LineScreen(console, homes)


class LineScreen:
    """For a terminal that cannot be redrawn, or a log: one line an event."""

    def __init__(self, console: Console, homes: Sequence[str]) -> None:
        self._console, self._began = console, time.monotonic()
        self._width = max(map(len, homes))
        self._shown = dict.fromkeys(homes, 0.0)

    def scene(self, home: str, text: str) -> None:
        """A heading."""
        self._print(home, f"── {text}")

    def message(self, home: str, message: Message) -> None:
        """Outcomes and faults; telemetry every few seconds."""
        line = describe(message) or self._telemetry(home, message)
        if line is not None:
            self._print(home, f"   {line}")

    def _telemetry(self, home: str, message: Message) -> str | None:
        readings = message.body["readings"] if message.leaf == "telemetry" else {}
        if "battery_power_w" not in readings or time.monotonic() - self._shown[home] < TELEMETRY_S:
            return None
        self._shown[home] = time.monotonic()
        return f"battery {readings['battery_power_w'].get('value')} W, {readings.get('soc_pct', {}).get('value')} %"

    def summary(self, summary: Summary) -> None:
        """The tables."""
        print_summary(self._console, summary)

    def close(self) -> None:
        """Nothing to put back."""

    def _print(self, home: str, text: str) -> None:
        since_s = time.monotonic() - self._began
        self._console.print(f"{since_s:6.1f} s {home:<{self._width}} {text}", soft_wrap=True)


class LiveScreen:
    """For a person at a terminal."""

    def __init__(self, console: Console, homes: Sequence[str]) -> None:
        self._console, self._began = console, time.monotonic()
        self._watches = {home: Watch() for home in homes}
        looks: dict[str, Callable[[], Any]] = {home: watch.now for home, watch in self._watches.items()}
        self._live = Live(Picture(looks, self._elapsed_s, SCENES), console=console, refresh_per_second=4, screen=True)
        self._live.start()

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def scene(self, home: str, text: str) -> None:
        """In the title, and among the lines."""
        self._watches[home].scene(text)

    def message(self, home: str, message: Message) -> None:
        """Remembered; the next drawing shows it."""
        self._watches[home].take(message, self._elapsed_s())

    def summary(self, summary: Summary) -> None:
        """The tables, left on the terminal."""
        self.close()
        print_summary(self._console, summary)

    def close(self) -> None:
        """Stop redrawing."""
        self._live.stop()


class JsonScreen:
    """For programs: a line of JSON for each scene, outcome and fault, and the summary. `at_s`: since the start."""

    def __init__(self) -> None:
        self._began, self._lock = time.monotonic(), threading.Lock()

    def scene(self, home: str, text: str) -> None:
        """{"home": …, "scene": …}."""
        self._print({"home": home, "scene": text})

    def message(self, home: str, message: Message) -> None:
        """{"home": …, "outcome": …} or {"home": …, "fault": …}."""
        if message.leaf in ("outcome", "fault"):
            self._print({"home": home, message.leaf: message.body})

    def summary(self, summary: Summary) -> None:
        """{"summary": [...], "transcript": {...}, "differences": [...], "ok": …}."""
        self._print(summary.document())

    def close(self) -> None:
        """Nothing to put back."""

    def _print(self, document: Mapping[str, Any]) -> None:
        with self._lock:
            at_s = round(time.monotonic() - self._began, 3)
            sys.stdout.write(json.dumps({"at_s": at_s, **document}) + "\n")
            sys.stdout.flush()
