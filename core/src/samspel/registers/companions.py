"""Rows whose meaning needs another row: that the other fits, and in which unit the value comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from samspel.contract.signals import SIGNALS, Positive
from samspel.registers.checks import Names
from samspel.registers.model import Register
from samspel.registers.problems import Place
from samspel.registers.raw import INTEGERS
from samspel.registers.rows import PlacedRow
from samspel.registers.vocabulary import product_unit

__all__ = ["resolve_companions"]


def resolve_companions(
    registers: Mapping[str, Register], rows: Mapping[str, PlacedRow], names: Names
) -> dict[str, Register]:
    """Give every row the unit of its value, and report companions and stand-ins that cannot be meant."""
    return {name: _resolved(register, rows[name].place, names) for name, register in registers.items()}


def _resolved(register: Register, place: Place, names: Names) -> Register:
    for key, text in _stand_in_problems(register, place, names):
        names.problems.add((*place, key), text)
    found = {name: _companion(register, name, place, names) for name in register.companions}
    companions = {name: row for name, row in found.items() if row is not None}
    if len(companions) < len(found):
        return register
    for key, text in _problems(register, companions):
        names.problems.add((*place, key), text)
    unit = _value_unit(register, companions)
    if register.signal is not None and register.companions and unit not in (None, SIGNALS[register.signal].unit):
        text = f"gives {unit!r}, but {register.signal} is in {SIGNALS[register.signal].unit!r}"
        names.problems.add((*place, _key_of(register)), text)
    return replace(register, value_unit=unit or register.unit)


def _companion(register: Register, name: str, place: Place, names: Names) -> Register | None:
    where = (*place, _key_of(register, name))
    row = names.register(name, where)
    if row is None:
        return None
    if not row.readable or row.companions or row is register:
        names.problems.add(where, f"{name} cannot be a companion: it must be readable and have no companion itself")
        return None
    return row


def _key_of(register: Register, name: str = "") -> str:
    """The key under which a companion is named; without a name, the one that decides the unit."""
    if register.times is not None and name in ("", register.times):
        return "times"
    if register.between is not None and name in ("", *register.between):
        return "between"
    return "sign_from"


def _problems(register: Register, companions: Mapping[str, Register]) -> Iterator[tuple[str, str]]:
    if register.companions and register.type not in INTEGERS:
        yield "type", f"found {register.type}; only a whole number can have a companion"
    if register.times is not None and register.between is not None:
        yield "between", "cannot stand beside times: a percentage of the way is no factor"
    yield from _factor_problems(register, companions)
    yield from _between_problems(register, companions)
    yield from _sign_problems(register, companions)


def _factor_problems(register: Register, companions: Mapping[str, Register]) -> Iterator[tuple[str, str]]:
    for key, names in (("times", (register.times,)), ("between", register.between or ())):
        for name in names:
            row = companions.get(name or "")
            if row is not None and (row.type not in INTEGERS or row.states):
                yield key, f"{name} does not read as a number"
    factor = companions.get(register.times or "")
    if factor is not None and product_unit(register.unit, factor.unit) is None:
        yield "times", f"{register.unit!r} times {factor.unit!r} ({factor.name}) gives no unit that is known here"


def _between_problems(register: Register, companions: Mapping[str, Register]) -> Iterator[tuple[str, str]]:
    if register.between is None:
        return
    if register.unit != "%":
        yield "unit", f"found {register.unit!r}; a row with between is the percentage of the way: '%'"
    low, high = (companions[name] for name in register.between)
    if low.unit != high.unit:
        yield "between", f"{low.name} is in {low.unit!r}, but {high.name} is in {high.unit!r}"


def _sign_problems(register: Register, companions: Mapping[str, Register]) -> Iterator[tuple[str, str]]:
    sign = register.sign_from
    if sign is None:
        return
    row = companions[sign.register]
    for bit in (sign.negative, sign.positive):
        if row.type not in INTEGERS or bit >= 16 * row.count:
            yield "sign_from", f"{row.name} is {row.type}, which has no bit {bit}"
    if sign.negative == sign.positive:
        yield "sign_from", f"found bit {sign.negative} for both directions"
    if register.signal is not None and SIGNALS[register.signal].positive is Positive.NONE:
        yield "sign_from", f"{register.signal} has no direction"


def _value_unit(register: Register, companions: Mapping[str, Register]) -> str | None:
    if register.times is not None:
        return product_unit(register.unit, companions[register.times].unit)
    if register.between is not None:
        return companions[register.between[0]].unit
    return register.unit


def _stand_in_problems(register: Register, place: Place, names: Names) -> Iterator[tuple[str, str]]:
    if register.instead_of is None:
        return
    first = names.register(register.instead_of, (*place, "instead_of"))
    if first is None:
        return
    if register.signal is None or first.signal != register.signal:
        yield "instead_of", f"{first.name} carries {first.signal or 'no signal'}, not {register.signal or 'a signal'}"
    if first.instead_of is not None:
        yield "instead_of", f"{first.name} stands in for {first.instead_of} itself; only one may"
    others = [row.name for row in names.registers.values() if row.instead_of == first.name and row is not register]
    if others:
        yield "instead_of", f"{others[0]} stands in for {first.name} already; only one may"
