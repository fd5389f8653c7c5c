"""Which of a brand's maps a device needs, and the map that an old snapshot was taken with."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

from samspel.contract.errors import UnsupportedModel
from samspel.registers.loader import load_map
from samspel.registers.model import RegisterMap

__all__ = ["MapFiles", "MapSource"]


SNAPSHOT_MAP = "map of the snapshot"


class MapSource(Protocol):
    """Where maps come from."""

    def for_device(self, model: str, firmware: str, control: str = "") -> RegisterMap:
        """The map that claims this model, overlays applied, with the sequences of one way of control.

        Raises UnsupportedModel or MapError.
        """
        ...

    def from_text(
        self, text: str, model: str, firmware: str, control: str = "", *, name: str = SNAPSHOT_MAP
    ) -> RegisterMap:
        """A map whose TOML was kept; `name` is what errors call it. Raises MapError."""
        ...


class MapFiles:
    """Map files on disk. `allow_low_confidence` names the rows that are used although their source is weak."""

    def __init__(self, files: Sequence[Path], allow_low_confidence: frozenset[str] = frozenset()) -> None:
        self._files = tuple(files)
        self._allowed = allow_low_confidence

    def for_device(self, model: str, firmware: str, control: str = "") -> RegisterMap:
        """The first file that claims the model."""
        claimed: list[str] = []
        for file in self._files:
            loaded = self._load(file, model, firmware, "", file.name)
            if any(fnmatchcase(model, pattern) for pattern in loaded.models):
                return self._load(file, model, firmware, control, file.name) if control else loaded
            claimed += loaded.models
        raise UnsupportedModel(f"no register map claims model {model!r}; the maps know {', '.join(claimed)}")

    def from_text(
        self, text: str, model: str, firmware: str, control: str = "", *, name: str = SNAPSHOT_MAP
    ) -> RegisterMap:
        """The map of a snapshot, or one that reached the box by another way."""
        return self._load(text, model, firmware, control, name)

    def _load(self, source: Path | str, model: str, firmware: str, control: str, name: str) -> RegisterMap:
        return load_map(
            source,
            source_name=name,
            model=model,
            firmware=firmware,
            control=control,
            allow_low_confidence=self._allowed,
        )
