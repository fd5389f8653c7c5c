"""The end of the play: what each home was expected to do and did, and whether all of them said the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from samspel_sim.demo.record import Expectation
from samspel_sim.demo.transcript import Difference, Line

__all__ = ["Summary", "print_summary"]


@dataclass(frozen=True, slots=True)
class Summary:
    """By home: the expectations and the transcript; and where the transcripts differ."""

    results: Mapping[str, Sequence[Expectation]]
    said: Mapping[str, Sequence[Line]]
    differences: Sequence[Difference]

    @property
    def ok(self) -> bool:
        """Whether everything was met, and whatever differs is explained."""
        return not self.unmet and not self.unexplained

    @property
    def unmet(self) -> int:
        """How many expectations were not met."""
        return sum(not one.met for results in self.results.values() for one in results)

    @property
    def unexplained(self) -> list[Difference]:
        """What no capability record explains."""
        return [one for one in self.differences if not one.because]

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "summary": [
                {"home": home, "scene": one.scene, "expected": one.text, "met": one.met, "seen": one.seen}
                for home, results in self.results.items()
                for one in results
            ],
            "transcript": {
                home: [{"command": line.command, "said": list(line.words)} for line in lines]
                for home, lines in self.said.items()
            },
            "differences": [
                {"command": one.command, "said": {home: list(words) for home, words in one.said.items()},
                 "because": one.because}
                for one in self.differences
            ],
            "ok": self.ok,
        }  # fmt: skip


def print_summary(console: Console, summary: Summary) -> None:
    """What was expected, whether it came, what was seen, and what the homes said to the same commands."""
    homes = list(summary.results)
    scenes = dict.fromkeys(one.scene for results in summary.results.values() for one in results)
    if len(homes) > 1:
        console.print(Text("marks: " + ", ".join(homes), style="bright_black"))
    for scene in scenes:
        console.print(Text(scene, style="bold"))
        console.print(_scene_table(summary, scene))
    if len(homes) > 1:
        _print_transcript(console, summary)
    total = sum(len(results) for results in summary.results.values())
    style = "bold green" if not summary.unmet else "bold red"
    console.print(Text(f"{total - summary.unmet} of {total} expectations met", style=style))


def _scene_table(summary: Summary, scene: str) -> Table:
    """One line for what is expected of every home, with a mark for each."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), expand=True)
    for _ in summary.results:
        table.add_column(width=2)
    table.add_column(ratio=3, overflow="fold")
    table.add_column(ratio=3, overflow="fold")
    for text in dict.fromkeys(
        one.text for results in summary.results.values() for one in results if one.scene == scene
    ):
        found = {home: _result(results, scene, text) for home, results in summary.results.items()}
        table.add_row(*map(_mark, found.values()), text, _seen(found))
    return table


def _result(results: Sequence[Expectation], scene: str, text: str) -> Expectation | None:
    return next((one for one in results if (one.scene, one.text) == (scene, text)), None)


def _mark(one: Expectation | None) -> Text:
    if one is None:
        return Text("-", style="bright_black")
    return Text("ok", style="green") if one.met else Text("NO", style="bold red")


def _seen(found: Mapping[str, Expectation | None]) -> str:
    """What was seen, once where it is the same; of what was not met, by whom."""
    unmet = [f"{home}: {one.seen}" for home, one in found.items() if one is not None and not one.met]
    if unmet and len(found) > 1:
        return "; ".join(unmet)
    return " / ".join(dict.fromkeys(one.seen for one in found.values() if one is not None))


def _print_transcript(console: Console, summary: Summary) -> None:
    """What all said alike, and where they did not."""
    console.print(Text("what the homes said to the same commands", style="bold"))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=16, overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    differing = {one.command: one for one in summary.differences}
    for line in next(iter(summary.said.values()), ()):
        if line.command not in differing:
            table.add_row(line.command, "all: " + ", ".join(line.words))
    for one in summary.differences:
        said = "; ".join(f"{home}: {', '.join(words) or 'nothing'}" for home, words in one.said.items())
        why = Text(f" ({one.because})", "green") if one.because else Text(" NOTHING EXPLAINS IT", "bold red")
        table.add_row(one.command, Text(said).append_text(why))
    console.print(table)
    style, verdict = ("green", "the brands cannot be told apart by what they say, but where their records differ")
    if summary.unexplained:
        style, verdict = ("bold red", f"{len(summary.unexplained)} differences that no record explains")
    elif not summary.differences:
        verdict = "the brands cannot be told apart by what they say"
    console.print(Text(verdict, style=style))
