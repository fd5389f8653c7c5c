"""A twin, its registers and its truth, looked at past every wire."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from samspel.contract.ports import Table
from samspel.registers.model import Life, OnRelease, Register, RegisterMap
from samspel_sim.bank import Bank
from samspel_sim.registers import Register as TwinRegister
from samspel_sim.registers import Space
from samspel_sim.twin import Twin

from samspel_contract.target import Target

__all__ = ["SPACES", "TwinView"]

SPACES = {Table.HOLDING: Space.HOLDING, Table.INPUT: Space.INPUT}


@dataclass
class TwinView:
    """What is being tested, and the twin that it is tested on."""

    target: Target
    twin: Twin

    @property
    def battery_w(self) -> float:
        """The battery's true power; positive discharges."""
        self.twin.advance()
        return self.twin.behaviour.home.flows.battery_w

    # --- registers as the twin holds them ---

    @property
    def map(self) -> RegisterMap:
        """The map that the driver uses for this device."""
        return self.target.registers

    def words(self, row: Register) -> tuple[int, ...] | None:
        """What the device holds where the map says that this register is."""
        bank = self._bank(row)
        return None if bank is None else bank.read(row.address, row.count, SPACES[row.table])

    def twin_row(self, row: Register) -> TwinRegister | None:
        """The twin's own register at that address."""
        bank = self._bank(row)
        return None if bank is None else bank.table.at(row.address, SPACES[row.table])

    def _bank(self, row: Register) -> Bank | None:
        """The unit where a row stands; none where the variant does not name it."""
        unit = self.twin.behaviour.unit if row.at is None else self.target.variant.units.get(row.at)
        return None if unit is None else self.twin.behaviour.banks.get(unit)

    def owned(self) -> dict[str, tuple[int, ...] | None]:
        """Every register that the map's sequences write and that can be read."""
        rows = (self.map.registers[name] for name in self.map.owned)
        return {row.name: self.words(row) for row in rows if row.readable}

    def set_raw(self, row: Register, raw: int) -> None:
        """As if somebody else had set it."""
        twin_row = self.twin_row(row)
        assert twin_row is not None, f"the twin has no register at {row.address}, where the map has {row.name}"
        if row.at is None:
            self.twin.set({"registers": {twin_row.name: raw}})
        elif (bank := self._bank(row)) is not None:
            bank.store(twin_row, twin_row.encode_raw(raw))

    def settings_of_the_house(self) -> list[str]:
        """Give every plain number that lasts a value of the householder's own; returns their names."""
        changed = []
        for name in self.map.owned:
            row, twin_row = self.map.registers[name], self.twin_row(self.map.registers[name])
            lasts = row.on_release is OnRelease.RESTORE or row.life is Life.PERSISTENT
            if not lasts or row.labels or row.fields or twin_row is None:
                continue
            words = self.words(row)
            if words and (raw := twin_row.decode_raw(words)) > 1:
                self.set_raw(row, raw * 3 // 5)
                changed.append(name)
        return changed

    def forget_writes(self) -> None:
        """From now on the device acknowledges writes to owned registers and does not carry them out."""
        rows = (self.twin_row(self.map.registers[name]) for name in self.map.owned)
        self.twin.misbehave("forget", registers=[row.name for row in rows if row is not None])

    # --- what was written ---

    def writes(self) -> list[Mapping[str, object]]:
        """The device's log of writes that came over the wire, refused ones too."""
        return list(self.twin.writes)

    def stray_writes(self) -> list[str]:
        """Writes to anything that no sequence of the map owns."""
        return self.strays()

    def strays(self, others: Collection[int] = ()) -> list[str]:
        """Writes to anything that neither a sequence of the map owns nor `others`, addresses by number."""
        rows = [self.map.registers[name] for name in self.map.owned]
        owned = {address for row in rows for address in range(row.address, row.address + row.count)} | set(others)
        return [
            f"{write['name'] or '?'} at {write['address']}"
            for write in self.twin.writes
            if not owned.issuperset(range(write["address"], write["address"] + len(write["values"])))
        ]
