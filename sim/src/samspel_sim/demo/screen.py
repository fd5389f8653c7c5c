"""Who looks on: a person at a terminal, a log, or a program."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from samspel_sim.demo.inbox import Message
from samspel_sim.demo.picture import Picture
from samspel_sim.demo.play import SCENES
from samspel_sim.demo.record import Expectation
from samspel_sim.demo.view import Watch, describe

__all__ = ["JsonScreen", "LineScreen", "LiveScreen", "Screen", "choose_screen"]

TELEMETRY_S = 5.0


class Screen(Protocol):
    """Shows the play as it goes. `message` comes from another thread than the rest."""

    def scene(self, text: str) -> None:
        """A new scene."""
        ...

    def message(self, message: Message) -> None:
        """Something came back from the site."""
        ...

    def summary(self, results: Sequence[Expectation]) -> None:
        """The end."""
        ...

    def close(self) -> None:
        """Put the terminal back."""
        ...


def choose_screen(console: Console, *, as_json: bool) -> Screen:
    """The one that fits who looks on."""
    if as_json:
        return JsonScreen()
    return LiveScreen(console) if console.is_terminal and not console.is_dumb_terminal else LineScreen(console)


class LineScreen:
    """For a terminal that cannot be redrawn, or a log: one line an event."""

    def __init__(self, console: Console) -> None:
        self._console, self._began, self._shown = console, time.monotonic(), 0.0

    def scene(self, text: str) -> None:
        """A heading."""
        self._print(f"── {text}")

    def message(self, message: Message) -> None:
        """Outcomes and faults; telemetry every few seconds."""
        line = describe(message) or self._telemetry(message)
        if line is not None:
            self._print(f"   {line}")

    def _telemetry(self, message: Message) -> str | None:
        readings = message.body["readings"] if message.leaf == "telemetry" else {}
        if "battery_power_w" not in readings or time.monotonic() - self._shown < TELEMETRY_S:
            return None
        self._shown = time.monotonic()
        return f"battery {readings['battery_power_w'].get('value')} W, {readings.get('soc_pct', {}).get('value')} %"

    def summary(self, results: Sequence[Expectation]) -> None:
        """The table."""
        print_summary(self._console, results)

    def close(self) -> None:
        """Nothing to put back."""

    def _print(self, text: str) -> None:
        self._console.print(f"{time.monotonic() - self._began:6.1f} s {text}", soft_wrap=True)


class LiveScreen:
    """For a person at a terminal."""

    def __init__(self, console: Console) -> None:
        self._console, self._began = console, time.monotonic()
        self._watch = Watch()
        picture = Picture(self._watch.now, self._elapsed_s, SCENES)
        self._live = Live(picture, console=console, refresh_per_second=4, screen=True)
        self._live.start()

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def scene(self, text: str) -> None:
        """In the title, and among the lines."""
        self._watch.scene(text)

    def message(self, message: Message) -> None:
        """Remembered; the next drawing shows it."""
        self._watch.take(message, self._elapsed_s())

    def summary(self, results: Sequence[Expectation]) -> None:
        """The table, left on the terminal."""
        self.close()
        print_summary(self._console, results)

    def close(self) -> None:
        """Stop redrawing."""
        self._live.stop()


class JsonScreen:
    """For programs: a line of JSON for each scene, outcome and fault, and the summary. `at_s`: since the start."""

    def __init__(self) -> None:
        self._began, self._lock = time.monotonic(), threading.Lock()

    def scene(self, text: str) -> None:
        """{"scene": …}."""
        self._print({"scene": text})

    def message(self, message: Message) -> None:
        """{"outcome": …} or {"fault": …}."""
        if message.leaf in ("outcome", "fault"):
            self._print({message.leaf: message.body})

    def summary(self, results: Sequence[Expectation]) -> None:
        """{"summary": [...], "ok": …}."""
        rows = [{"scene": one.scene, "expected": one.text, "met": one.met, "seen": one.seen} for one in results]
        self._print({"summary": rows, "ok": all(one.met for one in results)})

    def close(self) -> None:
        """Nothing to put back."""

    def _print(self, document: Mapping[str, Any]) -> None:
        with self._lock:
            at_s = round(time.monotonic() - self._began, 3)
            sys.stdout.write(json.dumps({"at_s": at_s, **document}) + "\n")
            sys.stdout.flush()


def print_summary(console: Console, results: Sequence[Expectation]) -> None:
    """What was expected, whether it came, what was seen; a list where a table would not fit."""
    for scene in dict.fromkeys(one.scene for one in results):
        console.print(Text(scene, style="bold"))
        console.print(_scene_table([one for one in results if one.scene == scene]))
    met = sum(one.met for one in results)
    style = "bold green" if met == len(results) else "bold red"
    console.print(Text(f"{met} of {len(results)} expectations met", style=style))


def _scene_table(results: Sequence[Expectation]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=2)
    table.add_column(ratio=3, overflow="fold")
    table.add_column(ratio=3, overflow="fold")
    for one in results:
        table.add_row(Text("ok" if one.met else "NO", style="green" if one.met else "bold red"), one.text, one.seen)
    return table
