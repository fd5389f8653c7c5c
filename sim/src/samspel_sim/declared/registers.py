"""The words of a declared device: made, shown, checked and forgotten."""

from __future__ import annotations

from collections.abc import Mapping

from samspel_sim.bank import Bank, Holes
from samspel_sim.declared.declaration import Declaration, Measurement, Model
from samspel_sim.declared.quantities import QUANTITIES, STATES, Moment
from samspel_sim.registers import Register, Space, Table, Words

__all__ = ["forget_volatile", "fresh_bank", "refusal", "show_faults", "show_measurements", "show_texts"]


def fresh_bank(declared: Declaration, model: Model) -> Bank:
    """Every register that this model has, with constants and defaults in them."""
    rows = [row for row in declared.rows if row.name not in model.absent]
    refused = {(space, first + at) for space in Space for first, count in declared.refused for at in range(count)}
    holes = Holes(refused=frozenset(refused))
    bank = Bank(Table(rows), gap=declared.gap, windows=declared.windows, holes=holes)
    for name, number in declared.constants.items():
        if name in bank.table:
            bank.put(name, number)
    for name, setting in declared.settings.items():
        if name in bank.table:
            bank.put(name, setting.default)
    return bank


def forget_volatile(declared: Declaration, bank: Bank) -> None:
    """As a restart does."""
    for name, setting in declared.settings.items():
        if setting.volatile and name in bank.table:
            bank.put(name, setting.default)


def refusal(declared: Declaration, bank: Bank, now: Moment, row: Register, words: Words) -> int:
    """0, or the exception code for a value that the setting does not take."""
    setting = declared.settings.get(row.name)
    if setting is None or not row.numeric:
        return 0
    raw = row.decode_raw(words)
    number = raw * row.scale
    low, high = (_bound(bank, now, bound) for bound in (setting.low, setting.high))
    listed = not setting.values or raw in setting.values
    fits = (low is None or number >= low - 1e-6) and (high is None or number <= high + 1e-6)
    return 0 if listed and fits else setting.refused


def _bound(bank: Bank, now: Moment, bound: float | str | None) -> float | None:
    if not isinstance(bound, str):
        return bound
    return bank.number(bound) if bound in bank.table else QUANTITIES[bound].of(now)


def show_texts(declared: Declaration, bank: Bank, shown: Mapping[str, str]) -> None:
    """Who it is."""
    for name, text in declared.texts.items():
        if name in bank.table:
            bank.put(name, text.format_map(shown))


def show_measurements(declared: Declaration, bank: Bank, now: Moment) -> None:
    """What is measured, at one moment; what comes from a meter that is gone reads as not available."""
    for measurement in declared.measurements:
        if measurement.register in bank.table:
            _show(bank, measurement, now)


def _show(bank: Bank, measurement: Measurement, now: Moment) -> None:
    name = measurement.register
    if measurement.codes is not None:
        words = STATES[measurement.shows][0](now)
        code = next((measurement.codes[word] for word in words if word in measurement.codes), None)
        if code is not None:
            bank.put(name, code)
        return
    quantity = QUANTITIES[measurement.shows]
    if quantity.metered and not now.meter_online:
        bank.store(bank.table[name], bank.table[name].not_available())
    elif bank.table[name].kind == "f32":
        bank.put(name, quantity.of(now) * measurement.factor)
    else:
        bank.put_clamped(name, quantity.of(now) * measurement.factor)


def show_faults(declared: Declaration, bank: Bank, standing: set[str]) -> None:
    """Bits of the conditions that stand; all other bits stay as they are."""
    for fault in declared.faults:
        if fault.register in bank.table:
            others = bank.raw(fault.register) & ~(1 << fault.bit)
            bit = 1 << fault.bit if fault.condition in standing else 0
            row = bank.table[fault.register]
            bank.store(row, row.encode_raw(others | bit))
