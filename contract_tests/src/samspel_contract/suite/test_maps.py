"""Register maps, and the second reading of the same document: the twin's table."""

from __future__ import annotations

from samspel.registers.loader import load_map, load_variants
from samspel.registers.model import Confidence

from samspel_contract.case import DriverCase, safety
from samspel_contract.table_check import disagreements


def test_map_loads_with_every_overlay(driver_case: DriverCase, map_file: str) -> None:
    """Every map file loads, plain and with each of its overlays, and carries battery power and state of charge.

    If this fails: the message names file, table and key; `samspel plugins check` says the same.
    """
    path = next(path for path in driver_case.target.manifest.maps if path.name == map_file)
    for variant in load_variants(path, source_name=map_file):
        assert variant.signal("battery_power_w")
        assert variant.signal("soc_pct")


def test_map_agrees_with_the_register_table(driver_case: DriverCase, map_file: str) -> None:
    """Every row of the map and of the identity is in the twin's table with the same width, type, word order, scale and
    access.

    If this fails: one of the two misread the document; look it up before changing either.
    """
    target = driver_case.target
    path = next(path for path in target.manifest.maps if path.name == map_file)
    rows = [row for variant in load_variants(path, source_name=map_file) for row in variant.registers.values()]
    assert disagreements([*rows, *target.manifest.identity.rows.values()], target.table) == []


@safety
def test_doubtful_rows_are_off(driver_case: DriverCase, map_file: str) -> None:
    """A row of low confidence carries no signal and is written by no sequence, unless a site switches it on.

    If this fails: give the row `confidence = "low"` only where nothing depends on it.
    """
    path = next(path for path in driver_case.target.manifest.maps if path.name == map_file)
    loaded = load_map(path, source_name=map_file)
    low = {row.name for row in loaded.registers.values() if row.confidence is Confidence.LOW}
    assert not [name for name in low if loaded.registers[name].signal]
    assert not low.intersection(loaded.owned)


@safety
def test_forbidden_registers_have_no_owner(driver_case: DriverCase, map_file: str) -> None:
    """No sequence writes a register that the map forbids, under whatever name the same address has.

    If this fails: a row with `never_write` shares an address with one that a sequence writes.
    """
    path = next(path for path in driver_case.target.manifest.maps if path.name == map_file)
    for variant in load_variants(path, source_name=map_file):
        rows = variant.registers
        owned = {rows[name].address + word for name in variant.owned for word in range(rows[name].count)}
        forbidden = {row.name: range(row.address, row.address + row.count) for row in rows.values() if row.never_write}
        assert not [name for name, addresses in forbidden.items() if owned.intersection(addresses)]
