"""Recordings of real devices: what their registers held, and what was true at that moment.

model = "ACME-5"
firmware = "1.4"
path = "lan"
source = "own plant, 2026-11-02, meter at the grid point"

[words.input]                     # by table; words from an address on
100 = [0xFFFF, 0xFA24]

[true]
signals = { battery_power_w = 1500, battery_state = "running" }
within = { battery_power_w = 30 } # in the signal's unit; default: two steps of its register
faults = ["grid.overvoltage"]     # every fault that stood then; left out: not noted
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Literal

from samspel.clock import LoopClock
from samspel.contract.errors import ConfigError, RegisterAbsent
from samspel.contract.fault import FaultCode
from samspel.contract.ports import Priority, Table
from samspel.contract.signals import SIGNALS
from samspel.contract.telemetry import Quality, Reading
from samspel.driver.documents import Doc, read_document
from samspel.driver.manifest import Manifest
from samspel.registers.model import Register

from samspel_contract.target import Target
from samspel_contract.words import shown_words

__all__ = ["Capture", "contradictions", "read_capture"]

NO_SUCH_ADDRESS = 2
STEPS = 2.0


class TrueDoc(Doc):
    """`[true]`."""

    signals: dict[str, float | int | str]
    within: dict[str, float | int] | None = None
    faults: list[str] | None = None


class CaptureDoc(Doc):
    """A whole file."""

    model: str
    firmware: str
    path: str
    source: str
    words: dict[str, dict[str, list[int]]]
    true: TrueDoc


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One recording. `words` by table and address; `faults` is None where nobody noted them."""

    name: str
    model: str
    firmware: str
    path: str
    words: Mapping[tuple[Table, int], int]
    signals: Mapping[str, float | str]
    within: Mapping[str, float]
    faults: frozenset[FaultCode] | None


def read_capture(path: Traversable, manifest: Manifest) -> Capture:
    """One file. Raises ConfigError for words that are none, a signal, fault or path that does not exist."""
    document = read_document(path, CaptureDoc)
    if problems := list(_problems(document, manifest)):
        raise ConfigError("\n".join(f"{path.name}: {problem}" for problem in problems))
    faults = document.true.faults
    return Capture(
        name=path.name,
        model=document.model,
        firmware=document.firmware,
        path=document.path,
        words={
            (Table(table), int(start, 0) + offset): word
            for table, runs in document.words.items()
            for start, run in runs.items()
            for offset, word in enumerate(run)
        },
        signals=document.true.signals,
        within=document.true.within or {},
        faults=None if faults is None else frozenset(map(FaultCode, faults)),
    )


def _problems(document: CaptureDoc, manifest: Manifest) -> Iterator[str]:
    if not document.source.strip():
        yield "source: says nothing; who measured this, where and when?"
    if document.path not in manifest.paths:
        yield f"path: found {document.path!r}, driver.toml has {', '.join(manifest.paths)}"
    if unknown := sorted(set(document.words) - set(Table)):
        yield f"[words] {', '.join(unknown)}: unknown table; allowed: {', '.join(Table)}"
    runs = [(start, run) for table in document.words.values() for start, run in table.items()]
    if strange := [start for start, run in runs if not start.isdigit() or not all(0 <= word <= 0xFFFF for word in run)]:
        yield f"[words] {', '.join(strange)}: an address, and words of 16 bits"
    if not document.true.signals:
        yield "[true] signals: names none, so nothing would be proved"
    if unknown := sorted(set(document.true.signals) - set(SIGNALS)):
        yield f"[true] signals: {', '.join(unknown)}: not a signal of the contract"
    if unknown := sorted(set(document.true.faults or ()) - set(FaultCode)):
        yield f"[true] faults: {', '.join(unknown)}: not a code of the closed list"


async def contradictions(target: Target, capture: Capture) -> list[str]:
    """What the driver reads out of the recorded words otherwise than it was, one sentence each."""
    driver = target.driver(RecordedLink(capture, target.manifest), LoopClock())
    await driver.identify()
    readings = await driver.read()
    rows = {row.signal: row for row in target.map_for(capture.model, capture.firmware).registers.values() if row.signal}
    found = [
        text
        for name, true in capture.signals.items()
        if (text := _contradiction(name, true, readings.get(name), rows.get(name), capture.within.get(name)))
    ]
    if capture.faults is not None:
        codes = {fault.code for fault in await driver.read_faults()}
        if codes != capture.faults:
            found.append(f"faults: read {sorted(codes)}, true were {sorted(capture.faults)}")
    return found


def _contradiction(
    name: str, true: float | str, reading: Reading | None, row: Register | None, within: float | None
) -> str:
    if reading is None or row is None:
        return f"{name}: the map does not read it"
    if reading.quality is not Quality.GOOD:
        return f"{name}: is {reading.quality}, true was {true}"
    if isinstance(true, str) or not isinstance(reading.value, int | float):
        return "" if reading.value == true else f"{name}: read {reading.value}, true was {true}"
    allowed = STEPS * row.scale if within is None else within
    close = math.isclose(reading.value, true, rel_tol=0, abs_tol=allowed)
    return "" if close else f"{name}: read {reading.value:g}, true was {true:g} (within {allowed:g})"


class RecordedLink:
    """A `BusLink` that answers with recorded words. Who answers is taken from the head of the recording."""

    def __init__(self, capture: Capture, manifest: Manifest) -> None:
        self._words = {**dict(_identity(capture, manifest)), **capture.words}

    async def read(
        self, table: Table, address: int, count: int, *, priority: Priority, not_after: float | None = None
    ) -> tuple[int, ...]:
        """The recorded words. Raises RegisterAbsent where one of them was not recorded."""
        del priority, not_after
        wanted = [(table, at) for at in range(address, address + count)]
        if not self._words.keys() >= set(wanted):
            raise RegisterAbsent(f"{table} {address}..{address + count - 1} was not recorded", code=NO_SUCH_ADDRESS)
        return tuple(self._words[place] for place in wanted)

    async def write(
        self,
        address: int,
        words: Sequence[int],
        *,
        function: Literal[6, 16],
        priority: Priority,
        not_after: float | None = None,
    ) -> None:
        """Never: a recording cannot be commanded."""
        raise AssertionError(f"{list(words)} written at {address} of a recording ({function}, {priority}, {not_after})")

    async def exchange(
        self, function: int, payload: bytes, *, priority: Priority, not_after: float | None = None
    ) -> bytes:
        """Never: a recording knows registers alone."""
        raise AssertionError(f"function {function} with {payload.hex()} of a recording ({priority}, {not_after})")


def _identity(capture: Capture, manifest: Manifest) -> Iterator[tuple[tuple[Table, int], int]]:
    """Words of the identity rows that a head can state."""
    stated = {"model": capture.model, "firmware": capture.firmware, "serial": "RECORDED"}
    for name, row in manifest.identity.rows.items():
        if name in stated:
            text = stated[name].removeprefix(manifest.identity.prefixes.get(name, ""))
            for offset, word in enumerate(shown_words(row, text)):
                yield (row.table, row.address + offset), word
