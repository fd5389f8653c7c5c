"""The live picture, laid out for the terminal that there is: nothing is wider or higher than that."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from samspel_sim.demo.chart import draw_chart
from samspel_sim.demo.view import View

__all__ = ["Picture"]

BAR_COLUMNS = 10
ROOMY = 16
"""From so many lines on a home's picture says everything."""
LEAST_CHART = 3
RESTING_W = 50.0
WHY = {"clock": "clock not synchronised", "store": "the disk refuses writes"}
STYLES = {
    "scene": "bold",
    "stage": "default",
    "deviation": "yellow",
    "end": "bright_black",
    "fault": "red",
}


class Picture:
    """Draws what each home's `look` shows, at `now` seconds into the play; several homes share the height."""

    def __init__(self, looks: Mapping[str, Callable[[], View]], now: Callable[[], float], scenes: int) -> None:
        self._looks, self._now, self._scenes = looks, now, scenes

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """At most as many lines as the terminal has, less one."""
        height = (options.height or console.height) - 1
        share = max(1, height // len(self._looks))
        for home, look in self._looks.items():
            for line in self._lines(home, look(), options.max_width, share):
                line.truncate(options.max_width, overflow="ellipsis")
                line.no_wrap = True
                yield line

    def _lines(self, home: str, view: View, width: int, height: int) -> list[Text]:
        if height < ROOMY:
            return self._few_lines(home, view, width, height)
        head = [self._title(home, view, width), Text(), *_values(view, width), _edge(view), *_faults(view), Text()]
        chart_rows = max(4, min(14, (height - len(head) - 1) * 6 // 10))
        chart = draw_chart(view.samples, self._now(), width, chart_rows)
        log_rows = max(0, height - len(head) - len(chart) - 1)
        log = [Text(f"   {text}" if kind != "scene" else f"── {text}", STYLES[kind]) for kind, text in view.lines]
        return [*head, *chart, Text(), *(log[-log_rows:] if log_rows else [])][:height]

    def _few_lines(self, home: str, view: View, width: int, height: int) -> list[Text]:
        """What matters most, and as much of the chart as fits."""
        head = [self._title(home, view, width), *_values(view, width)[:2], _edge(view).append_text(_faults(view)[0])]
        chart_rows = height - len(head)
        chart = draw_chart(view.samples, self._now(), width, chart_rows) if chart_rows >= LEAST_CHART else []
        return [*head, *chart][:height]

    def _title(self, home: str, view: View, width: int) -> Text:
        minutes, seconds = divmod(int(self._now()), 60)
        right = f"{view.scenes_begun}/{self._scenes}  {minutes}:{seconds:02}"
        left = Text(f" {home}: {view.scene}" if len(self._looks) > 1 else f" {view.scene}")
        left.truncate(width - len(right) - 3, overflow="ellipsis", pad=True)
        title = Text(style="bold reverse")
        return title.append_text(left).append(f"  {right} ")


def _values(view: View, width: int) -> list[Text]:
    cells = [
        ("battery", _battery(view)),
        ("target", _target(view.target_w)),
        ("charge", _charge(view)),
        ("grid", _directed(view.readings.get("grid_power_w"), "import", "export")),
        ("sun", _watts(view.readings.get("pv_power_w"))),
        ("inverter", _directed(view.readings.get("ac_power_w"), "gives", "draws")),
    ]
    column = (width - 1) // 2
    return [_pair(cells[at], cells[at + 1], column) for at in range(0, len(cells), 2)]


def _pair(left: tuple[str, str], right: tuple[str, str], column: int) -> Text:
    line = Text(" ")
    for name, value in (left, right):
        cell = Text(f"{name:<8} ", "bright_black").append(value, "bold default")
        cell.truncate(column - 1, pad=True)
        line.append_text(cell).append(" ")
    return line


def _edge(view: View) -> Text:
    line = Text(f" {'edge':<8} ", "bright_black")
    line.append(view.phase or view.condition, "bold default")
    if view.phase:
        line.append(f"  {view.condition}", "green" if view.condition == "online" else "yellow")
    reasons = ", ".join(_reason(word) for word in view.why)
    return line.append(f": {reasons}" if reasons else "", "default")


def _reason(word: str) -> str:
    kind, _, device = word.partition(":")
    return f"no link to the {device}" if kind == "device" else WHY.get(kind, word)


def _faults(view: View) -> list[Text]:
    """One line, whatever stands: the picture must not jump."""
    line = Text(f" {'faults':<8} ", "bright_black")
    if not view.faults:
        return [line.append("none", "default")]
    return [line.append("; ".join(f"{code} ({text})" for code, text in view.faults.items()), "bold red")]


def _battery(view: View) -> str:
    power_w = view.readings.get("battery_power_w")
    if power_w is not None and abs(power_w) < RESTING_W:
        return "at rest"
    return _directed(power_w, "discharging", "charging")


def _target(target_w: float | None) -> str:
    if target_w is None:
        return "its own logic"
    return "hold zero" if target_w == 0 else _directed(target_w, "discharge", "charge")


def _charge(view: View) -> str:
    soc_pct = view.readings.get("soc_pct")
    if soc_pct is None:
        return "-"
    filled = round(BAR_COLUMNS * soc_pct / 100)
    return f"{'█' * filled}{'░' * (BAR_COLUMNS - filled)} {soc_pct:.1f} %"


def _directed(power_w: float | None, positive: str, negative: str) -> str:
    if power_w is None:
        return "-"
    return f"{positive if power_w >= 0 else negative} {abs(power_w):,.0f} W"


def _watts(power_w: float | None) -> str:
    return "-" if power_w is None else f"{power_w:,.0f} W"
