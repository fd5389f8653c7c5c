"""What a person sees: the scene, power and charge, stages and faults as they come, and the summary."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from samspel_sim.demo.dispatcher import Message
from samspel_sim.demo.play import Expectation

__all__ = ["JsonScreen", "LineScreen", "LiveScreen", "Screen"]

SPARK = "▁▂▃▄▅▆▇█"
KEPT_LINES = 14
KEPT_POWERS = 60


class Screen(Protocol):
    """Shows the play as it goes."""

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


def describe(message: Message) -> str | None:
    """One line about an outcome or fault; nothing about the rest."""
    if message["_leaf"] == "fault":
        return f"fault {message['state']}: {message['code']} ({message['severity']})"
    if message["_leaf"] != "outcome":
        return None
    word = message.get("stage") or message.get("deviation") or f"end {message.get('end')}"
    target = message.get("target_power_w")
    parts = (
        f"{message['command_id']}: {word}",
        "" if target is None else f"{target:.0f} W",
        message.get("verification", ""),
        message.get("reason", ""),
        message.get("text", ""),
    )
    return "  ".join(part for part in parts if part)


class LineScreen:
    """For a terminal that cannot be redrawn, or a log: one line an event."""

    def __init__(self, console: Console) -> None:
        self._console, self._began, self._shown = console, time.monotonic(), 0.0

    def scene(self, text: str) -> None:
        """A heading."""
        self._print(f"── {text}")

    def message(self, message: Message) -> None:
        """Outcomes and faults; telemetry every few seconds."""
        line = describe(message)
        if line is None and message["_leaf"] == "telemetry" and time.monotonic() - self._shown >= 5:
            readings = message["readings"]
            if "battery_power_w" in readings:
                self._shown = time.monotonic()
                power, soc = readings["battery_power_w"].get("value"), readings.get("soc_pct", {}).get("value")
                line = f"   battery {power} W, {soc} %"
        if line is not None:
            self._print(f"   {line}" if not line.startswith(" ") else line)

    def summary(self, results: Sequence[Expectation]) -> None:
        """The table."""
        self._console.print(summary_table(results))

    def close(self) -> None:
        """Nothing to put back."""

    def _print(self, text: str) -> None:
        self._console.print(f"{time.monotonic() - self._began:6.1f} s {text}", soft_wrap=True)


class LiveScreen:
    """For a person at a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._scene = ""
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._powers: deque[float] = deque(maxlen=KEPT_POWERS)
        self._readings: dict[str, object] = {}
        self._live = Live(self._picture(), console=console, refresh_per_second=4, transient=True)
        self._live.start()

    def scene(self, text: str) -> None:
        """A heading, above and among the lines."""
        self._scene = text
        self._lines.append(f"── {text}")
        self._live.update(self._picture())

    def message(self, message: Message) -> None:
        """Remember and redraw."""
        line = describe(message)
        if line is not None:
            self._lines.append(f"   {line}")
        if message["_leaf"] == "telemetry":
            self._take_readings(message)
        self._live.update(self._picture())

    def summary(self, results: Sequence[Expectation]) -> None:
        """The table, left on the terminal."""
        self.close()
        self._console.print(summary_table(results))

    def close(self) -> None:
        """Stop redrawing."""
        self._live.stop()

    def _take_readings(self, message: Message) -> None:
        for name, reading in message["readings"].items():
            self._readings[name] = reading.get("value")
        power = self._readings.get("battery_power_w")
        if isinstance(power, int | float) and "battery_power_w" in message["readings"]:
            self._powers.append(float(power))

    def _picture(self) -> Group:
        values = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for name, unit in (("battery_power_w", "W"), ("soc_pct", "%"), ("pv_power_w", "W"), ("grid_power_w", "W")):
            value = self._readings.get(name)
            shown = f"{value:,.0f} {unit}" if isinstance(value, int | float) else "-"
            values.add_row(name, Text(shown, justify="right"), sparkline(self._powers) if name.startswith("b") else "")
        lines = Text("\n".join(self._lines), overflow="ellipsis", no_wrap=True)
        return Group(Text(f"samspel demo: {self._scene}", style="bold"), values, Text(), lines)


class JsonScreen:
    """For programs: a line of JSON for each scene, outcome and fault, and the summary."""

    def scene(self, text: str) -> None:
        """{"scene": …}."""
        self._print({"scene": text})

    def message(self, message: Message) -> None:
        """{"outcome": …} or {"fault": …}."""
        if message["_leaf"] in ("outcome", "fault"):
            shown = {key: value for key, value in message.items() if not key.startswith("_")}
            self._print({message["_leaf"]: shown})

    def summary(self, results: Sequence[Expectation]) -> None:
        """{"summary": [...], "ok": …}."""
        rows = [{"scene": one.scene, "expected": one.text, "met": one.met, "seen": one.seen} for one in results]
        self._print({"summary": rows, "ok": all(one.met for one in results)})

    def close(self) -> None:
        """Nothing to put back."""

    def _print(self, document: dict[str, object]) -> None:
        print(json.dumps(document), flush=True)


def sparkline(powers: Sequence[float]) -> str:
    """The last powers as bars, lowest to highest."""
    if not powers:
        return ""
    low, high = min(powers), max(powers)
    span = max(high - low, 1.0)
    return "".join(SPARK[int((one - low) / span * (len(SPARK) - 1))] for one in powers)


def summary_table(results: Sequence[Expectation]) -> Table:
    """What was expected, whether it came, what was seen."""
    met = sum(one.met for one in results)
    table = Table(
        title=f"{met} of {len(results)} expectations met", title_justify="left", box=None, padding=(0, 2, 0, 0)
    )
    for column in ("", "expected", "seen"):
        table.add_column(column, overflow="fold")
    scene = ""
    for one in results:
        if one.scene != scene:
            scene = one.scene
            table.add_row("", Text(scene, style="bold"), "")
        table.add_row(Text("ok" if one.met else "NO", style="green" if one.met else "bold red"), one.text, one.seen)
    return table
