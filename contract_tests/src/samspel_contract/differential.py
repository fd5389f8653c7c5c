"""The differential: one scenario on several drivers, and nobody above can tell which of them it was.

What may differ, and because of which capability, is data: `differences.toml`.
"""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from samspel.plugins.metadata import DRIVERS, TWINS, offers

from samspel_contract.capabilities import Capability, signals_of
from samspel_contract.scenario import Step, Transcript, play
from samspel_contract.simulated import SimulatedLoop
from samspel_contract.target import Target, installed, loose

__all__ = [
    "REFERENCE",
    "Allowed",
    "Difference",
    "allowed_differences",
    "compare",
    "dumped",
    "loaded",
    "main",
    "reference",
    "transcript",
    "transcripts",
]

REFERENCE = "reference.json"
"""The good toy's transcript, beside this file: what a run with one driver is compared with."""

COMPARED = tuple(one.name for one in fields(Step) if one.name not in ("step", "direction"))


@dataclass(frozen=True, slots=True)
class Allowed:
    """One row of the closed table. `words`: only what begins with one of these may be there more or less often."""

    field: str
    capability: str
    reason: str
    words: tuple[str, ...] = ()

    def covers(self, odd: str) -> bool:
        """Whether this row is about such a word."""
        return not self.words or odd.split(maxsplit=1)[0] in self.words


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two transcripts differ. `allowed_by` names the capability that explains it, `reason` how; else empty."""

    where: str
    reference: str
    found: str
    allowed_by: str = ""
    reason: str = ""

    def __str__(self) -> str:
        """A line for people."""
        why = f"allowed by {self.allowed_by}: {self.reason}" if self.allowed_by else "NOT EXPLAINED"
        return f"{self.where}: {self.reference or 'nothing'} | {self.found or 'nothing'} ({why})"


@cache
def allowed_differences() -> tuple[Allowed, ...]:
    """The closed table."""
    document = tomllib.loads((files("samspel_contract") / "differences.toml").read_text(encoding="utf-8"))
    return tuple(Allowed(**{**row, "words": tuple(row.get("words", ()))}) for row in document["allowed"])


# --- transcripts ----------------------------------------------------------------------------------------------------


def transcript(target: Target) -> Transcript:
    """The scenario on one driver, in simulated time. Not inside a running loop."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(play(target))


def transcripts(drivers: Sequence[str] = ()) -> dict[str, Transcript]:
    """Of these installed drivers (none: of every one that has a twin), each way of control once, by name.

    Raises PluginError or ConfigError for a driver that cannot be loaded.
    """
    found = {}
    for name in drivers or _installed():
        for target in installed(name).leads:
            control = target.variant.control
            found[f"{name}/{control}" if control else name] = transcript(target)
    return found


def _installed() -> list[str]:
    twins = {offer.name for offer in offers(TWINS) if not offer.disabled}
    return sorted(offer.name for offer in offers(DRIVERS) if offer.name in twins and not offer.disabled)


def dumped(one: Transcript) -> str:
    """As JSON, a line for each part."""
    return json.dumps(asdict(one), indent=1, ensure_ascii=False) + "\n"


def loaded(text: str) -> Transcript:
    """From JSON."""
    document = json.loads(text)
    return Transcript(document["record"], [Step(**step) for step in document["steps"]], document["telemetry"])


@cache
def reference() -> Transcript:
    """The committed transcript of the good toy."""
    return loaded((files("samspel_contract") / REFERENCE).read_text(encoding="utf-8"))


# --- differences ----------------------------------------------------------------------------------------------------


def compare(expected: Transcript, found: Transcript) -> list[Difference]:
    """Every difference, with what explains it where something does."""
    steps = zip(expected.steps, found.steps, strict=True)
    differences = [one for early, late in steps for one in _of_step(early, late, expected.record, found.record)]
    return differences + list(_of_telemetry(expected, found))


def _of_step(
    expected: Step, found: Step, record: Mapping[str, str], other_record: Mapping[str, str]
) -> Iterator[Difference]:
    for name in COMPARED:
        early, late = getattr(expected, name), getattr(found, name)
        if early == late:
            continue
        rows = [row for row in allowed_differences() if row.field == name]
        keys = {row: f"{expected.direction}.{row.capability}" for row in rows}
        differing = [row for row in rows if record.get(keys[row]) != other_record.get(keys[row])]
        needed = _covering(_odd(early, late), differing)
        by, why = ", ".join(keys[row] for row in needed), "; ".join(row.reason for row in needed)
        yield Difference(f"{expected.step}: {name}", _text(early), _text(late), by, why)


def _odd(early: str | list[str], late: str | list[str]) -> list[str]:
    """What only one of the two says, or says more often. Nothing explains the same words in another order."""
    if isinstance(early, str) or isinstance(late, str):
        return [_text(late) or _text(early)]
    first, second = Counter(early), Counter(late)
    return sorted(((first - second) + (second - first)).elements())


def _covering(odd: Sequence[str], rows: Sequence[Allowed]) -> list[Allowed]:
    """The rows that explain every odd word; none when one of them is left over."""
    found = [next((row for row in rows if row.covers(word)), None) for word in odd]
    return [] if None in found else list(dict.fromkeys(row for row in found if row is not None))


def _of_telemetry(expected: Transcript, found: Transcript) -> Iterator[Difference]:
    """A signal may be absent where its capability is declared as missing."""
    for capability in Capability:
        for name in signals_of(capability):
            early, late = expected.telemetry[name], found.telemetry[name]
            is_missing = "missing" in (expected.record[capability], found.record[capability])
            if early != late:
                by = (str(capability), "the driver declares that it is not there") if is_missing else ("", "")
                yield Difference(f"telemetry: {name}", early, late, *by)


def _text(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


# --- by hand --------------------------------------------------------------------------------------------------------


def main(
    drivers: Annotated[list[str] | None, typer.Argument(help="installed drivers; none: all")] = None,
    out: Annotated[Path | None, typer.Option(help="write the transcripts here, as JSON")] = None,
) -> None:
    """Play one scenario on several drivers and compare what went up. Exit code 1: a difference is not explained."""
    found = transcripts(drivers or ())
    unexplained = 0
    for name, one in found.items():
        differences = compare(reference(), one)
        unexplained += sum(not difference.allowed_by for difference in differences)
        typer.echo("\n  ".join([f"{name}: {len(differences)} differences from the reference", *map(str, differences)]))
    if out is not None:
        document = {name: asdict(one) for name, one in found.items()}
        out.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    raise typer.Exit(1 if unexplained else 0)


def renew() -> None:
    """Write the reference anew, from the good toy."""
    good = Path(str(files("samspel_contract")))
    toy = loose(good / "toys" / "good" / "driver.toml", "samspel_contract.toys.good.twin:twin")
    (good / REFERENCE).write_text(dumped(transcript(toy)), encoding="utf-8")


if __name__ == "__main__":
    renew()
