"""A map file to a `RegisterMap`: parsed, its overlay applied, checked as a whole, every error reported at once."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from samspel.contract.errors import MapError
from samspel.registers.checks import Names, SequenceCheck, written_by
from samspel.registers.companions import resolve_companions
from samspel.registers.firmware import in_ranges, version_key
from samspel.registers.model import MAP_SCHEMA, Confidence, Limits, Register, RegisterMap, Rung, Sequence
from samspel.registers.problems import Place, Problems, listed
from samspel.registers.relations import check_relations, resolve_guards
from samspel.registers.rows import PlacedRow, build_register
from samspel.registers.schema import MapDoc, OverlayDoc, RangeDoc, SequencesDoc
from samspel.registers.steps import build_ladder, build_sequence
from samspel.registers.vocabulary import SEQUENCES
from samspel.wording import did_you_mean

__all__ = ["load_map", "load_variants"]


def load_map(
    source: Path | str,
    *,
    source_name: str = "",
    model: str = "",
    firmware: str = "",
    control: str = "",
    allow_low_confidence: frozenset[str] = frozenset(),
) -> RegisterMap:
    """Load a map from a file (a Path) or from TOML text (a str), for one model, firmware and way of control.

    Rows of low confidence keep their place but lose signal and polling, and no sequence may touch them, unless
    `allow_low_confidence` names them. `control` names one of `[controls]`; empty is the map's own. Raises MapError
    with one line for everything that is wrong; `source_name` is what those lines call the file (default: its path).
    Units are never converted: a row's scale has to give the signal's own unit, and the error says which scale would.
    """
    text, name = _read(source, source_name)
    return _load(text, name, model, firmware, control, allow_low_confidence)


@lru_cache(maxsize=16)
def _load(text: str, name: str, model: str, firmware: str, control: str, allowed: frozenset[str]) -> RegisterMap:
    """The same map for the same device; nothing in a map can be changed, so that one serves all who ask."""
    document = _parse(text, name)
    problems = Problems(name)
    _check_control(document, control, name)
    overlay = _overlay_for(document, model, firmware, problems)
    return _Build(document, overlay, control, problems, allowed).result(text)


def load_variants(source: Path | str, *, source_name: str = "") -> tuple[RegisterMap, ...]:
    """Load a map in every way: each control (the map's own first) without and with each overlay, everything switched
    on. This is the check of a whole file.
    """
    text, name = _read(source, source_name)
    document = _parse(text, name)
    everything = frozenset(document.registers).union(*(overlay.registers for overlay in document.overlays))
    ways = product(("", *document.controls), (None, *range(len(document.overlays))))
    return tuple(
        _Build(document, overlay, control, Problems(name), everything).result(text) for control, overlay in ways
    )


# --- the file ---


def _read(source: Path | str, source_name: str) -> tuple[str, str]:
    if isinstance(source, str):
        return source, source_name or "map text"
    name = source_name or str(source)
    try:
        return source.read_text(encoding="utf-8"), name
    except (OSError, UnicodeDecodeError) as error:
        raise MapError(f"{name}: cannot be read: {error}") from error


@lru_cache(maxsize=4)
def _parse(text: str, name: str) -> MapDoc:
    """What the file says; it is looked at for every device and way of control anew."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MapError(f"{name}: is not valid TOML: {error}") from error
    _check_schema(content, name)
    try:
        return MapDoc.model_validate(content)
    except ValidationError as error:
        problems = Problems(name)
        problems.add_schema(error)
        problems.raise_any()
        raise


def _check_schema(content: Mapping[str, Any], name: str) -> None:
    """Refuse another schema before its keys are misread."""
    head = content.get("map")
    found = head.get("schema") if isinstance(head, dict) else None
    if not isinstance(found, str) or found == MAP_SCHEMA:
        return
    newer = version_key(found) > version_key(MAP_SCHEMA)
    advice = "a newer samspel reads it" if newer else "bring the map up to date, or use an older samspel"
    raise MapError(f"{name}: [map] schema: found {found!r}, this samspel reads {MAP_SCHEMA!r}; {advice}")


# --- controls and overlays ---


def _check_control(document: MapDoc, control: str, name: str) -> None:
    if control and control not in document.controls:
        near = did_you_mean(control, document.controls)
        raise MapError(f"{name}: found control {control!r}, known: {listed(document.controls)}{near}")


def _overlay_for(document: MapDoc, model: str, firmware: str, problems: Problems) -> int | None:
    fitting = [number for number, overlay in enumerate(document.overlays) if _fits(overlay, model, firmware)]
    if len(fitting) > 1:
        numbers = " and ".join(str(number + 1) for number in fitting)
        problems.add(("overlays",), f"{numbers} both claim model {model!r}, firmware {firmware!r}; one may")
    return fitting[0] if fitting else None


def _fits(overlay: OverlayDoc, model: str, firmware: str) -> bool:
    models = overlay.models is None or any(fnmatchcase(model, pattern) for pattern in overlay.models)
    wanted = overlay.firmware
    return models and (wanted is None or in_ranges(firmware, [(wanted.low, wanted.high)]))


def _overlay_name(overlay: OverlayDoc) -> str:
    firmware = f"{overlay.firmware.low}..{overlay.firmware.high}" if overlay.firmware else "any firmware"
    return f"{', '.join(overlay.models or ['any model'])}: {firmware}"


# --- the map ---


@dataclass(frozen=True)
class _Build:
    """One map in the making: the file, the number of the overlay that applies, and the way of control."""

    document: MapDoc
    overlay: int | None
    control: str
    problems: Problems
    allowed: frozenset[str]

    def result(self, text: str) -> RegisterMap:
        self._check_ranges()
        limits = Limits(**self.document.limits.model_dump())
        registers = self._registers(limits)
        sequences, ladders = self._sequences()
        owned = self._check_sequences(registers, limits, sequences, ladders)
        self.problems.raise_any()
        head = self.document.map
        return RegisterMap(
            id=head.id,
            version=head.version,
            models=tuple(head.models),
            firmware=tuple((known.low, known.high) for known in head.firmware),
            registers=registers,
            limits=limits,
            sequences=sequences,
            zero=ladders["zero"],
            stop=ladders["stop"],
            feed_repeats=self._document_of("feed").feed == "repeat",
            owned=owned,
            digest=hashlib.sha256(text.encode()).hexdigest(),
            text=text,
            overlay=None if self.overlay is None else _overlay_name(self.document.overlays[self.overlay]),
            control=self.control,
            needs_guard=bool(self.control) and self.document.controls[self.control].needs_guard,
        )

    def _check_ranges(self) -> None:
        for place, known in self._ranges():
            if version_key(known.low) > version_key(known.high):
                self.problems.add(place, f"found {known.low!r} to {known.high!r}; the older one comes first")
        for number, overlay in enumerate(self.document.overlays):
            if overlay.models is None and overlay.firmware is None:
                self.problems.add(("overlays", number), "says neither models nor firmware, so it would always apply")

    def _ranges(self) -> Iterator[tuple[Place, RangeDoc]]:
        for number, known in enumerate(self.document.map.firmware):
            yield ("map", "firmware", number), known
        for number, overlay in enumerate(self.document.overlays):
            if overlay.firmware is not None:
                yield ("overlays", number, "firmware"), overlay.firmware

    # --- rows ---

    def _rows(self) -> dict[str, PlacedRow]:
        rows = {name: PlacedRow(("registers", name), doc) for name, doc in self.document.registers.items()}
        if self.overlay is not None:
            for name, doc in self.document.overlays[self.overlay].registers.items():
                rows[name] = PlacedRow(("overlays", self.overlay, "registers", name), doc)
        return rows

    def _registers(self, limits: Limits) -> dict[str, Register]:
        rows, defaults = self._rows(), self.document.defaults
        registers = {
            name: build_register(name, row, defaults, limits, self.problems, switched_on=name in self.allowed)
            for name, row in rows.items()
        }
        registers = resolve_guards(registers, rows, self._names(registers))
        registers = resolve_companions(registers, rows, self._names(registers))
        check_relations(registers, rows, self.problems)
        return registers

    def _names(self, registers: Mapping[str, Register]) -> Names:
        low = {name for name, row in registers.items() if row.confidence is Confidence.LOW}
        return Names(registers, frozenset(low - self.allowed), self.problems)

    # --- sequences ---

    def _place_of(self, name: str) -> Place:
        return (*self._home_of(name)[0], "sequences", name)

    def _document_of(self, name: str) -> SequencesDoc:
        return self._home_of(name)[1]

    def _home_of(self, name: str) -> tuple[Place, SequencesDoc]:
        """Where a sequence stands: in the control if that has it, else in the overlay, else in the map itself."""
        homes: list[tuple[Place, SequencesDoc]] = []
        if self.control:
            homes.append((("controls", self.control), self.document.controls[self.control].sequences))
        if self.overlay is not None:
            homes.append((("overlays", self.overlay), self.document.overlays[self.overlay].sequences))
        stated = (home for home in homes if getattr(home[1], name) is not None)
        return next(stated, ((), self.document.sequences))

    def _sequences(self) -> tuple[dict[str, Sequence], dict[str, tuple[Rung, ...]]]:
        sequences: dict[str, Sequence] = {}
        for name in SEQUENCES:
            docs = getattr(self._document_of(name), name)
            steps = docs if isinstance(docs, list) else []
            sequences[name] = build_sequence(steps, self._place_of(name), self.problems)
        ladders = {
            name: build_ladder(getattr(self._document_of(name), name) or [], self._place_of(name), self.problems)
            for name in ("zero", "stop")
        }
        return sequences, ladders

    def _check_sequences(
        self,
        registers: Mapping[str, Register],
        limits: Limits,
        sequences: Mapping[str, Sequence],
        ladders: Mapping[str, tuple[Rung, ...]],
    ) -> tuple[str, ...]:
        self._check_presence(sequences, ladders)
        check = SequenceCheck(self._names(registers), limits, self.problems)
        for name, steps in sequences.items():
            check.sequence(name, steps, self._place_of(name))
        for name, rungs in ladders.items():
            check.ladder(name, rungs, self._place_of(name))
        check.snapshots()
        rows = self._rows()
        owned = [name for name in registers if name in check.writers]
        for name in owned:
            check.duty(registers[name], rows[name].place)
            if rows[name].doc.life is None and registers[name].never_write is None:
                self.problems.add(
                    (*rows[name].place, "life"), "is missing: volatile or persistent; a sequence writes it"
                )
        return _release_order(owned, registers, sequences["release"])

    def _check_presence(self, sequences: Mapping[str, Sequence], ladders: Mapping[str, tuple[Rung, ...]]) -> None:
        for name in ("charge", "discharge"):
            if not any(written_by(sequences[name])):
                self.problems.add(("sequences", name), "is missing or writes nothing")
        for name in ("zero", "stop"):
            if not ladders[name]:
                self.problems.add(("sequences", name), "is missing or empty: at least one rung is needed")
        if self._document_of("release").release is None:
            self.problems.add(("sequences", "release"), "is missing")


def _release_order(owned: list[str], registers: Mapping[str, Register], release: Sequence) -> tuple[str, ...]:
    """Triggers that release's own steps leave alone, then parameters, then what those steps have written."""
    own = list(dict.fromkeys(name for name in written_by(release) if name in registers))
    others = [name for name in owned if name not in own]
    triggers = [name for name in others if registers[name].trigger]
    return (*triggers, *(name for name in others if name not in triggers), *own)
