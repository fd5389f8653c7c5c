"""The snapshot as JSON: whose registers, by which map, and what they held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from samspel.contract.driver import Identity, Snapshot
from samspel.contract.errors import DriverError
from samspel.registers.model import RegisterMap

__all__ = ["SNAPSHOT_SCHEMA", "TakenState"]

SNAPSHOT_SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenState:
    """What a release needs to know: the raw values, and the map and way of control that gave them their names."""

    serial: str
    model: str
    firmware: str
    map_id: str
    map_version: str
    map_digest: str
    map_text: str
    control: str
    registers: Mapping[str, int]

    @classmethod
    def of(cls, identity: Identity, registers: RegisterMap, raws: Mapping[str, int]) -> TakenState:
        """What is there now."""
        return cls(
            serial=identity.serial,
            model=identity.model,
            firmware=identity.firmware,
            map_id=registers.id,
            map_version=registers.version,
            map_digest=registers.digest,
            map_text=registers.text,
            control=registers.control,
            registers=raws,
        )

    @classmethod
    def load(cls, snapshot: Snapshot) -> TakenState:
        """From the journal. Raises DriverError for a snapshot of another make."""
        if snapshot.get("schema") != SNAPSHOT_SCHEMA:
            raise DriverError(f"snapshot schema is {snapshot.get('schema')!r}; this driver reads {SNAPSHOT_SCHEMA}")
        stored = cast("dict[str, str]", snapshot["map"])
        return cls(
            serial=str(snapshot["serial"]),
            model=str(snapshot["model"]),
            firmware=str(snapshot["firmware"]),
            map_id=stored["id"],
            map_version=stored["version"],
            map_digest=stored["digest"],
            map_text=stored["text"],
            control=stored.get("control", ""),
            registers=dict(cast("dict[str, int]", snapshot["registers"])),
        )

    def json(self) -> Snapshot:
        """For the journal."""
        return {
            "schema": SNAPSHOT_SCHEMA,
            "serial": self.serial,
            "model": self.model,
            "firmware": self.firmware,
            "map": {
                "id": self.map_id,
                "version": self.map_version,
                "digest": self.map_digest,
                "text": self.map_text,
                "control": self.control,
            },
            "registers": dict(self.registers),
        }
