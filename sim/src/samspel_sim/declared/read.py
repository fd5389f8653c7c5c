"""`twin.toml` and `registers.csv` into a `Declaration`; DeclarationError lists all that is wrong, key by key."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from samspel_sim.behaviour import LinkTraits
from samspel_sim.declared.declaration import (
    Declaration,
    FaultBit,
    Limits,
    Measurement,
    Model,
    Setting,
    Timing,
    Wake,
)
from samspel_sim.declared.document import DeclarationError, Problems, Section
from samspel_sim.declared.quantities import AXES, QUANTITIES, STATES, unit_factor
from samspel_sim.declared.read_control import Rows, read_control
from samspel_sim.registers import CodecError, Register, Table, read_csv

__all__ = ["read_declaration"]

CONDITIONS = ("battery_fault", "meter_offline", "sleep", "night")
"""Misbehaviours that a fault bit can tell of."""

_OPPOSITE = {opposite: axis for axis, opposite in AXES.items()}


def read_declaration(folder: Path) -> Declaration:
    """The twin whose two files are in this folder."""
    problems = Problems("twin.toml")
    top = Section("", _toml(folder / "twin.toml"), problems)
    found = _declaration(top, Rows(_table(folder / "registers.csv")))
    top.close()
    problems.check()
    return found


def _toml(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise DeclarationError(f"{path.name}: cannot be read: {error}") from error


def _table(path: Path) -> Table:
    try:
        return Table(read_csv(path))
    except (OSError, ValueError) as error:
        raise DeclarationError(f"{path.name}: {error}") from error


def _declaration(top: Section, rows: Rows) -> Declaration:
    device, link = top.section("device"), top.section("link")
    models = _models(top.section("models"), rows)
    settings = _settings(top.section("settings"), rows)
    found = Declaration(
        brand=device.text("brand"),
        unit=device.whole("unit", 1, high=247),
        serial_prefix=device.text("serial_prefix"),
        firmware=_firmware(device),
        models=models,
        rows=tuple(rows),
        link=_link(link),
        gap=link.whole("gap_registers", 0),
        windows=link.pairs("windows"),
        refused=link.pairs("refused"),
        texts=_texts(top.section("texts"), rows),
        constants=_constants(top.section("constants"), rows),
        measurements=_measurements(top.section("measurements"), rows),
        settings=settings,
        control=read_control(top.section("control"), rows),
        limits=_limits(top.section("limits"), rows),
        timing=_timing(top.section("timing")),
        wake=_wake(top.section("wake"), rows) if "wake" in top else None,
        faults=_faults(top.section("faults"), rows),
    )
    device.close()
    link.close()
    return found


def _firmware(device: Section) -> tuple[str, ...]:
    found = device.texts("firmware")
    if not found:
        device.complain("firmware", "is missing; expected a list of versions, the usual one first")
    return found or ("",)


def _models(section: Section, rows: Rows) -> dict[str, Model]:
    found = {name: _model(name, one, rows) for name, one in section.sections().items()}
    if not found:
        section.complain("", "is missing; expected one table a model, the usual one first")
    return found


def _model(name: str, section: Section, rows: Rows) -> Model:
    rated_w = section.number("rated_w", low=1)
    model = Model(
        name=name,
        rated_w=rated_w,
        ac_limit_w=section.number("ac_limit_w", rated_w, low=1),
        charge_w=section.number("charge_w", low=1),
        discharge_w=section.number("discharge_w", low=1),
        capacity_wh=section.number("capacity_wh", 10_000.0, low=1),
        battery_v=section.number("battery_v", 400.0, low=1),
        absent=frozenset(rows.named(section, "absent")),
    )
    section.close()
    return model


def _link(section: Section) -> LinkTraits:
    refresh_s = section.number("refresh_s", 1.0, low=0.01)
    return LinkTraits(
        clients=section.whole("clients", 4, low=1),
        connect_wait_s=section.number("connect_wait_s", 0.0),
        pace_s=section.number("pace_s", 0.0),
        answer_s=section.number("answer_s", 0.02),
        refresh_s=(refresh_s, refresh_s),
    )


def _texts(section: Section, rows: Rows) -> dict[str, str]:
    found = {}
    for key in section.keys:
        text = section.text(key)
        row = rows.get(section, key)
        if row is not None and row.kind != "string":
            section.complain(key, f"registers.csv has type {row.kind}, expected string")
        try:
            text.format(model="", serial="", firmware="")
        except (KeyError, IndexError, ValueError):
            section.complain(key, f"found {text!r}; between braces only model, serial and firmware")
        found[key] = text
    return found


def _constants(section: Section, rows: Rows) -> dict[str, float]:
    found = {}
    for key in section.keys:
        found[key] = section.number(key, low=float("-inf"))
        _fits(section, key, rows.get(section, key), found[key])
    return found


def _fits(section: Section, key: str, row: Register | None, number: float) -> None:
    if row is None:
        return
    try:
        row.encode(number)
    except CodecError as error:
        section.complain(key, str(error))


def _measurements(section: Section, rows: Rows) -> tuple[Measurement, ...]:
    return tuple(_measurement(name, one, rows) for name, one in section.sections(rows.names, "register").items())


def _measurement(name: str, section: Section, rows: Rows) -> Measurement:
    shows = section.text("shows", of=[*QUANTITIES, *STATES])
    if shows in STATES:
        found = Measurement(name, shows, codes=_codes(section, shows))
    else:
        found = Measurement(name, shows, factor=_factor(section, rows[name], shows))
    section.close()
    return found


def _codes(section: Section, shows: str) -> dict[str, int]:
    table, words = section.section("codes"), STATES[shows][1]
    for key in table.keys:
        if key not in words:
            table.complain(key, f"no such state; allowed: {', '.join(sorted(words))}")
    found = {key: table.whole(key, high=0xFFFF) for key in table.keys}
    if not found:
        section.complain("codes", "is missing; expected the device's number for each state, such as { standby = 1 }")
    return found


def _factor(section: Section, row: Register, shows: str) -> float:
    share = section.number("share", 1.0)
    sign = _sign(section, shows)
    quantity = QUANTITIES.get(shows)
    if quantity is None:
        return 1.0
    factor = unit_factor(quantity.unit, row.unit)
    if factor is None:
        section.complain("shows", f"{shows} is in {quantity.unit}, the register in {row.unit}")
    return share * sign * (factor or 1.0)


def _sign(section: Section, shows: str) -> float:
    """Which way is positive has to be said where there is a direction, as in a map: a wrong sign is the costliest."""
    axis = QUANTITIES[shows].axis if shows in QUANTITIES else ""
    if axis:
        return 1.0 if section.text("positive", of=(axis, AXES[axis])) == axis else -1.0
    if "positive" in section:
        section.complain("positive", f"{shows} has no direction")
        section.text("positive")
    return 1.0


def _settings(section: Section, rows: Rows) -> dict[str, Setting]:
    return {name: _setting(name, one, rows) for name, one in section.sections(rows.names, "register").items()}


def _setting(name: str, section: Section, rows: Rows) -> Setting:
    row, known = rows[name], [*rows.names, *QUANTITIES]
    if not (row.single_write or row.block_write):
        section.complain("", f"registers.csv does not let anybody write {name}")
    setting = Setting(
        register=name,
        default=section.number("default", 0.0, low=float("-inf")),
        low=section.bound("min", known),
        high=section.bound("max", known),
        values=frozenset(section.wholes("values")),
        refused=section.whole("refused", 3, low=1, high=255),
        volatile=section.flag("volatile", False),
    )
    _fits(section, "default", row, setting.default)
    section.close()
    return setting


def _limits(section: Section, rows: Rows) -> Limits:
    limits = Limits(
        charge=rows.powers(section, "charge"),
        discharge=rows.powers(section, "discharge"),
        soc_floor=_or(section.bound("soc_floor_pct", rows.names), 0.0),
        soc_ceiling=_or(section.bound("soc_ceiling_pct", rows.names), 100.0),
    )
    section.close()
    return limits


def _or(found: float | str | None, default: float) -> float | str:
    return default if found is None else found


def _timing(section: Section) -> Timing:
    timing = Timing(
        dead_s=section.number("dead_s", 0.5, high=600),
        tau_s=section.number("tau_s", 1.5, low=0.1, high=600),
        own_tau_s=section.number("own_tau_s", 1.5, low=0.1, high=600),
    )
    section.close()
    return timing


def _wake(section: Section, rows: Rows) -> Wake:
    wake = Wake(
        register=rows.name(section, "register"),
        value=section.whole("value"),
        takes_s=section.number("takes_s", 0.0),
        sleeps=section.whole("sleeps") if "sleeps" in section else None,
    )
    section.close()
    return wake


def _faults(section: Section, rows: Rows) -> tuple[FaultBit, ...]:
    return tuple(
        FaultBit(name, bit, condition)
        for name, one in section.sections(rows.names, "register").items()
        for condition, bit in _bits(one, rows[name])
    )


def _bits(section: Section, row: Register) -> Iterable[tuple[str, int]]:
    found = []
    for condition in section.keys:
        if condition not in CONDITIONS:
            section.complain(condition, f"no such condition; allowed: {', '.join(CONDITIONS)}")
        found.append((condition, section.whole(condition, high=16 * row.count - 1)))
    return found
