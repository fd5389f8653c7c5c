"""What rows must be to one another: one carrier a signal, guards that exist, addresses that do not collide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from samspel.registers.checks import Names
from samspel.registers.model import Register
from samspel.registers.problems import Place, Problems, listed
from samspel.registers.rows import PlacedRow
from samspel.registers.schema import GuardDoc
from samspel.registers.vocabulary import TARGET
from samspel.wording import did_you_mean

__all__ = ["check_relations", "resolve_guards"]


def resolve_guards(
    registers: Mapping[str, Register], rows: Mapping[str, PlacedRow], names: Names
) -> dict[str, Register]:
    """Give every row with `only_if` the raw number that its guard must hold."""
    return {name: _guarded(register, rows, names) for name, register in registers.items()}


def check_relations(registers: Mapping[str, Register], rows: Mapping[str, PlacedRow], problems: Problems) -> None:
    """Report signals carried twice, registers that overlap and names that mislead."""
    for name, text in (*_signal_clashes(registers), *_overlaps(registers), *_name_clashes(registers)):
        problems.add(rows[name].place, text)


def _guarded(register: Register, rows: Mapping[str, PlacedRow], names: Names) -> Register:
    row = rows[register.name]
    doc = row.doc.only_if
    if doc is None or register.name in names.off:
        return register
    place = (*row.place, "only_if")
    guard = names.register(doc.register_name, place)
    if guard is None:
        return register
    if not guard.readable or rows[guard.name].doc.only_if is not None:
        names.problems.add(place, f"{guard.name} cannot guard: it must be readable and have no guard of its own")
    raw = _guard_raw(guard, doc, place, names.problems)
    return register if raw is None else replace(register, only_if=(guard.name, raw))


def _guard_raw(guard: Register, doc: GuardDoc, place: Place, problems: Problems) -> int | None:
    if isinstance(doc.wanted, int):
        return doc.wanted
    raws = [raw for raw, word in guard.labels.items() if word == doc.wanted]
    if len(raws) == 1:
        return raws[0]
    words = guard.labels.values()
    near = did_you_mean(doc.wanted, words)
    problems.add((*place, "is"), f"found {doc.wanted!r}, expected one label of {guard.name}: {listed(words)}{near}")
    return None


def _signal_clashes(registers: Mapping[str, Register]) -> Iterator[tuple[str, str]]:
    carriers: dict[str, str] = {}
    for register in registers.values():
        if register.signal is None or register.instead_of is not None:
            continue
        first = carriers.setdefault(register.signal, register.name)
        if first != register.name:
            yield register.name, f"carries {register.signal}, which {first} carries already"


def _name_clashes(registers: Mapping[str, Register]) -> Iterator[tuple[str, str]]:
    for register in registers.values():
        if register.name == TARGET:
            yield register.name, f"{TARGET} is the command's own power; call the register something else"
        carriers = [row for row in registers.values() if row.signal == register.name]
        carrier = next((row for row in carriers if row.instead_of is None), None)
        if carrier is not None and register not in carriers:
            yield register.name, f"has the name of a signal that {carrier.name} carries"


def _overlaps(registers: Mapping[str, Register]) -> Iterator[tuple[str, str]]:
    """Two views of exactly the same words are meant; anything else is a slip of the pen."""
    rows = sorted(registers.values(), key=lambda row: (row.at or "", row.table, row.address, row.count))
    for number, row in enumerate(rows):
        for other in rows[number + 1 :]:
            if (other.at, other.table) != (row.at, row.table) or other.address >= row.address + row.count:
                break
            if (other.address, other.count) != (row.address, row.count):
                span = f"{row.address}..{row.address + row.count - 1}"
                yield other.name, f"starts at {other.address} inside {row.name} ({span}, {row.table})"
            elif row.on_release is not None and other.on_release is not None:
                yield other.name, f"has the address of {row.name}, and release would write both"
