"""The snapshot as JSON: whose registers, by which map, and what they held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from samspel.contract.driver import Identity, Json, Snapshot
from samspel.contract.errors import DriverError
from samspel.registers.model import RegisterMap

__all__ = ["SNAPSHOT_SCHEMA", "TakenState"]

SNAPSHOT_SCHEMA = 1

_DAMAGED = (AttributeError, KeyError, TypeError, ValueError)


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
        """From the journal. Raises DriverError for a snapshot of another make, and for one that is damaged."""
        if snapshot.get("schema") != SNAPSHOT_SCHEMA:
            raise DriverError(f"snapshot schema is {snapshot.get('schema')!r}; this driver reads {SNAPSHOT_SCHEMA}")
        try:
            return cls._load(snapshot)
        except _DAMAGED as error:
            raise DriverError(f"the snapshot is damaged: {error!r}") from error

    @classmethod
    def _load(cls, snapshot: Snapshot) -> TakenState:
        stored = cast("dict[str, Json]", snapshot["map"])
        return cls(
            serial=str(snapshot["serial"]),
            model=str(snapshot["model"]),
            firmware=str(snapshot["firmware"]),
            map_id=str(stored["id"]),
            map_version=str(stored["version"]),
            map_digest=str(stored["digest"]),
            map_text=str(stored["text"]),
            control=str(stored.get("control", "")),
            registers={name: _raw(value) for name, value in cast("dict[str, int]", snapshot["registers"]).items()},
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


def _raw(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"expected a whole number, found {value!r}")
    return value
