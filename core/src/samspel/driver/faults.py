"""A brand's fault bits and states in the contract's words: the loader of `faults.toml`, and its use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.resources.abc import Traversable

from pydantic import Field

from samspel.contract.driver import ActiveFault
from samspel.contract.errors import MapError
from samspel.contract.fault import Effect, FaultCode, Severity
from samspel.driver.documents import Doc, read_document
from samspel.registers.model import Register

__all__ = ["FaultEntry", "FaultState", "FaultTable", "FaultWord", "load_faults"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultEntry:
    """What one bit or value means. `text` is for people and names no brand; `raw` is the device's own word."""

    code: FaultCode
    severity: Severity
    effect: Effect
    text: str
    raw: str = ""


@dataclass(frozen=True, slots=True)
class FaultWord:
    """A register of fault bits. A bit that is neither in `bits` nor in `ignored` is `vendor.unmapped`.

    `number`: it holds a fault's number instead, 0 for none, and any other is `vendor.unmapped`.
    """

    register: str
    bits: Mapping[int, FaultEntry]
    ignored: frozenset[int] = frozenset()
    number: bool = False

    def active(self, raw: int) -> list[ActiveFault]:
        """One fault for every bit that is set, or one for the number."""
        if self.number:
            return [_active(None, f"{self.register} = {raw}")] if raw else []
        standing = [bit for bit in range(raw.bit_length()) if raw >> bit & 1 and bit not in self.ignored]
        return [_active(self.bits.get(bit), f"{self.register} bit {bit}") for bit in standing]


@dataclass(frozen=True, slots=True)
class FaultState:
    """A register whose value names a condition. Unlisted values stand for none."""

    register: str
    values: Mapping[int, FaultEntry]

    def active(self, raw: int) -> list[ActiveFault]:
        """The fault of this value, if it has one."""
        entry = self.values.get(raw)
        return [] if entry is None else [_active(entry, f"{self.register} = {raw}")]


@dataclass(frozen=True, slots=True)
class FaultTable:
    """All of a brand's fault registers."""

    rows: tuple[FaultWord | FaultState, ...]

    @property
    def registers(self) -> tuple[str, ...]:
        """The registers to read, each once, in the order of the file."""
        return tuple(dict.fromkeys(row.register for row in self.rows))

    def active(self, raws: Mapping[str, int]) -> list[ActiveFault]:
        """Every condition that these raw values state; a register that is not there states none."""
        return [fault for row in self.rows if row.register in raws for fault in row.active(raws[row.register])]

    def extended(self, more: FaultTable) -> FaultTable:
        """This table, and what another one knows beyond it. No row of this one changes."""
        own = {row.register: row for row in self.rows}
        merged = [_merged(row, more) if isinstance(row, FaultWord) else row for row in self.rows]
        return FaultTable((*merged, *(row for row in more.rows if row.register not in own)))

    def check(self, registers: Mapping[str, Register], file: str) -> None:
        """Raises MapError for a register that the map lacks, or a bit that it has no room for."""
        for row in self.rows:
            if row.register not in registers:
                raise MapError(f"{file}: register {row.register!r} is not in the map")
            if isinstance(row, FaultWord):
                _check_bits(row, 16 * registers[row.register].count, file)


class EntryDoc(Doc):
    """`{ code, severity, effect, text, raw }`."""

    code: FaultCode = Field(strict=False)
    severity: Severity = Field(strict=False)
    effect: Effect = Field(strict=False)
    text: str = Field(min_length=1)
    raw: str = ""

    def entry(self) -> FaultEntry:
        """The same, frozen."""
        return FaultEntry(**self.model_dump())


class WordDoc(Doc):
    """`[[words]]`: every bit is in exactly one of `bits`, `ignored` and `unmapped` (published if it ever stands).

    With `number` the register holds the number of a fault that no document explains, and there are no bits.
    """

    register_name: str = Field(alias="register")
    source: str = Field(min_length=1)
    bits: dict[str, EntryDoc] = Field(default_factory=dict)
    ignored: list[int] = Field(default_factory=list)
    unmapped: list[int] = Field(default_factory=list)
    width: int = Field(default=16, ge=16, le=32)
    number: bool = False


class StateDoc(Doc):
    """`[[states]]`."""

    register_name: str = Field(alias="register")
    source: str = Field(min_length=1)
    values: dict[str, EntryDoc]


class FaultsDoc(Doc):
    """A whole file."""

    words: list[WordDoc] = Field(default_factory=list)
    states: list[StateDoc] = Field(default_factory=list)


def load_faults(path: Traversable) -> FaultTable:
    """The table of a `faults.toml`. Raises MapError."""
    document = read_document(path, FaultsDoc)
    words = [_word(word, path.name) for word in document.words]
    states = [
        FaultState(state.register_name, _numbered(state.values, path.name, state.register_name))
        for state in document.states
    ]
    return FaultTable((*words, *states))


def _word(document: WordDoc, file: str) -> FaultWord:
    if document.number:
        return _number(document, file)
    bits = _numbered(document.bits, file, document.register_name)
    listed = [*bits, *document.ignored, *document.unmapped]
    missing = sorted(set(range(document.width)) - set(listed))
    doubled = sorted({bit for bit in listed if listed.count(bit) > 1})
    strange = sorted(set(listed) - set(range(document.width)))
    if missing or doubled or strange:
        raise MapError(
            f"{file}: [words] {document.register_name}: each of the {document.width} bits belongs in exactly one of "
            f"bits, ignored, unmapped; missing: {missing}, twice: {doubled}, outside the word: {strange}"
        )
    return FaultWord(document.register_name, bits, frozenset(document.ignored))


def _number(document: WordDoc, file: str) -> FaultWord:
    if document.bits or document.ignored or document.unmapped:
        raise MapError(f"{file}: [words] {document.register_name}: a number has no bits; leave out number, or the bits")
    return FaultWord(document.register_name, {}, number=True)


def _numbered(entries: Mapping[str, EntryDoc], file: str, register: str) -> dict[int, FaultEntry]:
    try:
        return {int(key, 0): entry.entry() for key, entry in entries.items()}
    except ValueError as error:
        raise MapError(f"{file}: {register}: a key here is a number such as 3 or 0x0300: {error}") from error


def _merged(word: FaultWord, more: FaultTable) -> FaultWord:
    others = (row for row in more.rows if isinstance(row, FaultWord) and row.register == word.register)
    added = {bit: entry for row in others for bit, entry in row.bits.items() if bit not in word.ignored}
    return replace(word, bits={**added, **word.bits})


def _check_bits(row: FaultWord, width: int, file: str) -> None:
    outside: Iterable[int] = [bit for bit in (*row.bits, *row.ignored) if bit >= width]
    if outside:
        raise MapError(f"{file}: {row.register} has {width} bits, the table names {sorted(outside)}")


def _active(entry: FaultEntry | None, where: str) -> ActiveFault:
    if entry is None:
        return ActiveFault(
            code=FaultCode.VENDOR_UNMAPPED,
            severity=Severity.WARNING,
            effect=Effect.NONE,
            text="the device reports a condition that no document explains",
            raw=where,
        )
    return ActiveFault(
        code=entry.code,
        severity=entry.severity,
        effect=entry.effect,
        text=entry.text,
        raw=f"{where}: {entry.raw}" if entry.raw else where,
    )
