"""One identified device: its map, and everything that works with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from samspel.contract.capability import Capabilities
from samspel.contract.driver import ControlReading, Identity, Snapshot
from samspel.contract.errors import DriverError, RequirementFailed
from samspel.contract.ports import Clock, Priority
from samspel.driver.bank import Bank
from samspel.driver.commander import Commander
from samspel.driver.control_block import ControlBlock
from samspel.driver.fault_reader import FaultReader
from samspel.driver.frozen import FrozenWatch
from samspel.driver.marks import Marks
from samspel.driver.meaning import number_meant
from samspel.driver.reader import Reader, Sample
from samspel.driver.snapshot import TakenState
from samspel.driver.telemetry import Telemetry
from samspel.driver.turns import Turns
from samspel.driver.units import literal_raw, raw_from_number
from samspel.registers.codec import UnwritableValue
from samspel.registers.model import Literal, Register, RegisterMap

__all__ = ["Device", "SiteShare"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteShare:
    """What the site decides about one device, as far as it concerns what is read and written."""

    grid_sign: int = 1
    frozen_after_s: float = 0.0
    constants: Mapping[str, float] = field(default_factory=dict)


@dataclass(kw_only=True)
class Device:
    """What stands after `identify`. It is thrown away when somebody else answers or the map changes."""

    identity: Identity
    map: RegisterMap
    bank: Bank
    reader: Reader
    telemetry: Telemetry
    faults: FaultReader
    commander: Commander

    @classmethod
    def make(
        cls, identity: Identity, bank: Bank, capabilities: Capabilities, clock: Clock, turns: Turns, site: SiteShare
    ) -> Device:
        """Everything for one device."""
        reader = Reader(bank=bank, clock=clock)
        frozen = FrozenWatch(after_s=site.frozen_after_s)
        return cls(
            identity=identity,
            map=bank.map,
            bank=bank,
            reader=reader,
            telemetry=Telemetry(reader=reader, map=bank.map, clock=clock, frozen=frozen, grid_sign=site.grid_sign),
            faults=FaultReader(reader=reader, clock=clock),
            commander=Commander(
                bank=bank, clock=clock, turns=turns, capabilities=capabilities, constants=site.constants
            ),
        )

    async def snapshot(self) -> Snapshot:
        """Every owned register as it is now, but for those that command the battery: a snapshot taken in the middle of
        somebody's command is tainted there, and a release then goes to neutral. Raises RequirementFailed when a
        register says 'not available': that could not be given back.
        """
        raws = await self._owned()
        for name, raw in raws.items():
            if raw in self.map.registers[name].invalid:
                raise RequirementFailed(
                    f"{name} reads 'not available' (raw {raw}), so it could not be given back; is the battery asleep?"
                )
        stirred = ControlBlock(map=self.map, raws=raws, neutrals=self._neutrals({})).stirred
        untainted = {name: raw for name, raw in raws.items() if name not in stirred}
        return TakenState.of(self.identity, self.map, untainted).json()

    async def control(self, snapshot: Mapping[str, int], marks: Marks) -> ControlReading:
        """Whose values stand in the owned registers. Raises DriverError while they read as not available: a battery
        that sleeps may hide its settings, and what is hidden is nobody's.
        """
        ours = Marks()
        ours.update(marks)
        ours.update(self.commander.written)
        if ours or snapshot:
            ours.update(self.commander.standing_marks())
        ours.sharpen(self.commander.written)
        samples = await self._read([*self._owned_rows(), *self._neutral_rows()])
        samples.update(await self._companions(samples))
        raws = {row.name: samples[row.name].raw for row in self._owned_rows() if row.name in samples}
        if hidden := [name for name, raw in raws.items() if raw in self.map.registers[name].invalid]:
            raise DriverError(f"the control block cannot be told: {', '.join(hidden)} read as not available")
        for name, raw in raws.items():
            if marks.allow(name, raw):
                self.commander.standing.setdefault(name, raw)
        block = ControlBlock(
            map=self.map,
            raws=raws,
            neutrals=self._neutrals(samples),
            snapshot=snapshot,
            marks=ours,
            held=self.commander.held,
        )
        return block.reading()

    # --- inside ---

    def _owned_rows(self) -> list[Register]:
        rows = (self.map.registers[name] for name in self.map.owned)
        return [row for row in rows if row.readable]

    def _neutral_rows(self) -> list[Register]:
        """Where neutral values come from: of two carriers of one signal the one that the device has."""
        values = (self.map.registers[name].neutral for name in self.map.owned)
        names = (value.name for value in values if value is not None and not isinstance(value, Literal))
        return [row for name in names if (row := self._carrier(name)) is not None]

    def _carrier(self, name: str) -> Register | None:
        carriers = self.map.carriers(name)
        return next((row for row in carriers if not self.reader.absent(row.name)), carriers[0] if carriers else None)

    async def _owned(self) -> dict[str, int]:
        rows = self._owned_rows()
        samples = await self._read(rows)
        return {row.name: samples[row.name].raw for row in rows if row.name in samples}

    async def _read(self, rows: list[Register]) -> dict[str, Sample]:
        """All of them, or an error: half a control block proves nothing. What is optional may be missing, and what
        another row stands in for is read there.
        """
        samples = await self._sampled(rows)
        missing = [row for row in rows if row.name not in samples]
        stand_ins = {row.name: other for row in missing if (other := self.map.stand_in(row.name)) is not None}
        samples.update(await self._sampled(stand_ins.values()))
        lacking = [row.name for row in missing if stand_ins.get(row.name, row).name not in samples and not row.optional]
        if lacking:
            raise RequirementFailed(f"the device has no {', '.join(lacking)}, which control needs")
        return samples

    async def _sampled(self, rows: Iterable[Register]) -> dict[str, Sample]:
        samples: dict[str, Sample] = {}
        distinct = {row.name: row for row in rows}
        failure = await self.reader.read(distinct.values(), Priority.VERIFICATION, samples)
        if failure is not None:
            raise failure
        return samples

    async def _companions(self, samples: Mapping[str, Sample]) -> dict[str, Sample]:
        """What the rows that were read need beside them; a missing one only makes a neutral value unknown."""
        names = [name for row in samples for name in self.map.registers[row].companions if name not in samples]
        return await self._sampled(self.map.registers[name] for name in names)

    def _neutrals(self, samples: Mapping[str, Sample]) -> dict[str, int]:
        found = ((row.name, self._neutral(row, samples)) for row in self._owned_rows())
        return {name: raw for name, raw in found if raw is not None}

    @cached_property
    def _fixed_neutrals(self) -> Mapping[str, int]:
        """Those that the map itself gives, raw; they are asked for at every look at control."""
        rows = [self.map.registers[name] for name in self.map.owned]
        return {row.name: literal_raw(row, row.neutral.value) for row in rows if isinstance(row.neutral, Literal)}

    def _neutral(self, row: Register, samples: Mapping[str, Sample]) -> int | None:
        """The raw neutral, where it can be told: a live ceiling of 0 is a sleeping battery, not a neutral limit."""
        if row.neutral is None or isinstance(row.neutral, Literal):
            return self._fixed_neutrals.get(row.name)
        source = self._carrier(row.neutral.name)
        if source is None or source.name not in samples:
            return None
        raws = {name: sample.raw for name, sample in samples.items()}
        number = number_meant(self.map.registers, source, raws[source.name], raws.get)
        try:
            return raw_from_number(row, number) if number else None
        except UnwritableValue:
            return None
