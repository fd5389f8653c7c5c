"""The driver's map held against the twin's register table, address by address: two readings of one document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from samspel.registers.model import DataType, Register, WordOrder
from samspel_sim.registers import Register as TwinRegister

from samspel_contract.view import SPACES

__all__ = ["disagreements"]

UNITS = {"kW": ("W", 1000.0), "kWh": ("Wh", 1000.0), "kvar": ("var", 1000.0), "°C": ("degC", 1.0), "C": ("degC", 1.0)}
"""How the dossiers write what maps scale to the signals' units."""

KINDS = {DataType.BITS16: "u16", DataType.BITS32: "u32"}


def disagreements(rows: Iterable[Register], table: Sequence[TwinRegister]) -> list[str]:
    """One sentence for each row that the two describe differently; a row that the table lacks is one too."""
    by_address = {(row.space, row.address): row for row in table}
    found = []
    for row in rows:
        other = by_address.get((SPACES[row.table], row.address))
        if other is None:
            found.append(f"{row.name}: the twin's table has nothing at {row.table} {row.address}")
        else:
            found += [f"{row.name} ({row.address}, there {other.name}): {text}" for text in _differences(row, other)]
    return found


def _differences(row: Register, other: TwinRegister) -> Iterator[str]:
    if row.count != other.count:
        yield f"map has {row.count} words, table {other.count}"
        return
    if other.kind != "block" and KINDS.get(row.type, row.type.value) != other.kind:
        yield f"map has type {row.type}, table {other.kind}"
    if row.count > 1 and other.numeric and (row.word_order is WordOrder.LOW_FIRST) != other.low_word_first:
        yield f"map has {row.word_order}, table {'low' if other.low_word_first else 'high'} word first"
    yield from _scale(row, other)
    yield from _access(row, other)


def _scale(row: Register, other: TwinRegister) -> Iterator[str]:
    if not row.unit or not other.unit:
        return
    unit, factor = UNITS.get(other.unit, (other.unit, 1.0))
    own_unit, own_factor = UNITS.get(row.unit, (row.unit, 1.0))
    if own_unit != unit:
        yield f"map has unit {row.unit}, table {other.unit}"
    elif abs(row.scale * own_factor - other.scale * factor) > 1e-9 * abs(other.scale * factor):
        yield f"map has {row.scale:g} {row.unit} a step, table {other.scale:g} {other.unit}"


def _access(row: Register, other: TwinRegister) -> Iterator[str]:
    if row.readable and not other.readable:
        yield "map reads it, the table has it write-only"
    if row.write_function == 6 and not other.single_write:
        yield "map writes it with function 06, the table does not allow that"
    if row.write_function == 16 and not other.block_write:
        yield "map writes it with function 16, the table does not allow that"
