"""The configuration folder for maps: `FOLDER/DRIVER/*.toml`, read again only when a file has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from samspel.contract.errors import MapError
from samspel.registers.firmware import version_key
from samspel.registers.model import RegisterMap

__all__ = ["Found", "MapFolder"]

Signature = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What lies there: maps that may be used, by the name of their file, and why others may not."""

    maps: Mapping[str, RegisterMap] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)

    def newest(self, packaged: RegisterMap, rejected: frozenset[str]) -> RegisterMap:
        """The newest map of this family that has not failed, or the one that came with the package."""
        fitting = [one for one in self.maps.values() if one.id == packaged.id and one.digest not in rejected]
        return max([packaged, *fitting], key=lambda one: version_key(one.version))


class MapFolder:
    """One driver's folder. `check(text, name)` loads a map for one device; it raises MapError."""

    def __init__(self, folder: Path, check: Callable[[str, str], RegisterMap]) -> None:
        self._folder = folder
        self._check = check
        self._signature: Signature | None = None
        self._found = Found()

    def look(self, packaged: RegisterMap) -> Found:
        """What is there now, for the device whose map `packaged` is. Reads the disk."""
        signature = self._signed()
        if signature != self._signature:
            self._found = self._read(packaged)
            self._signature = signature
        return self._found

    def forget(self) -> None:
        """Another device or firmware: everything has to be checked again."""
        self._signature = None

    def _signed(self) -> Signature:
        try:
            stats = [(file.name, file.stat()) for file in sorted(self._folder.glob("*.toml"))]
        except OSError as error:
            return ((str(error), 0, 0),)
        return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)

    def _read(self, packaged: RegisterMap) -> Found:
        maps: dict[str, RegisterMap] = {}
        refused: dict[str, str] = {}
        for file in sorted(self._folder.glob("*.toml")):
            try:
                maps[file.name] = self._fitting(file, packaged)
            except MapError as error:
                refused[file.name] = str(error)
        return Found(maps, refused)

    def _fitting(self, file: Path, packaged: RegisterMap) -> RegisterMap:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise MapError(f"{file.name}: cannot be read: {error}") from error
        loaded = self._check(text, file.name)
        if loaded.id != packaged.id:
            raise MapError(f"{file.name}: [map] id is {loaded.id!r}; this device uses {packaged.id!r}")
        if version_key(loaded.version) <= version_key(packaged.version):
            raise MapError(
                f"{file.name}: [map] version is {loaded.version}; it must be newer than the installed one, "
                f"{packaged.version}"
            )
        return loaded
