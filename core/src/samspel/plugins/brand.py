"""A brand's data, read and checked as a whole: its manifest and every variant of every map."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from samspel.driver.manifest import Manifest, load_manifest
from samspel.registers.loader import load_variants
from samspel.registers.model import RegisterMap

__all__ = ["Brand", "load_brand"]


@dataclass(frozen=True, slots=True)
class Brand:
    """The manifest, and the maps it names: of each first the plain one, then one for each overlay and control."""

    manifest: Manifest
    maps: tuple[tuple[RegisterMap, ...], ...]


def load_brand(manifest: Path) -> Brand:
    """Read everything that a driver.toml names. Raises MapError, which names file, table and key."""
    brand = load_manifest(manifest)
    maps = tuple(load_variants(path, source_name=path.name) for path in brand.maps)
    for variants in maps:
        for registers in variants:
            brand.faults.check(registers.registers, "faults.toml")
    return Brand(brand, maps)
