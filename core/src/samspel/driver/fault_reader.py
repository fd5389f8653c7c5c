"""What stands on a device, when some of its fault registers do not answer.

Protection table (unsafe condition · limit · reaction · recovery · outranked by):
* a fault register is busy, refused, dropped by the bus, or says 'not available' · at once · it counts as it was last
  read · it is read · nothing
* one has not been read since the start · `UNREAD_S` from the first look · the look fails, since what stood before could
  stand there still · it is read, or the device says that it has no such register · after that time the others count
* one was not read for `UNREAD_S` · that long · told as a fault of its own · it answers · nothing
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from samspel.contract.driver import ActiveFault
from samspel.contract.fault import Effect, FaultCode, Severity
from samspel.contract.ports import Clock, Priority
from samspel.driver.faults import FaultTable
from samspel.driver.reader import Reader, Sample
from samspel.registers.model import Register

__all__ = ["UNREAD_S", "FaultReader"]

UNREAD_S = 180.0


@dataclass(kw_only=True)
class FaultReader:
    """Reads one device's fault registers, and remembers the last meaningful number of each."""

    reader: Reader
    clock: Clock
    _known: dict[str, int] = field(default_factory=dict)
    _heard_s: dict[str, float] = field(default_factory=dict)
    _began_s: float | None = None

    async def read(self, table: FaultTable) -> list[ActiveFault]:
        """Every condition that stands. Raises the `BusError` that kept all registers from being read, or one that has
        never been read.
        """
        rows = [row for name in table.registers if (row := self.reader.bank.map.registers.get(name)) is not None]
        self._began_s = self.clock.monotonic() if self._began_s is None else self._began_s
        samples: dict[str, Sample] = {}
        failure = await self.reader.read(rows, Priority.FAST_TELEMETRY, samples)
        self._note(rows, samples)
        silent = [row for row in rows if row.name not in samples and self._is_owed(row)]
        if failure is not None and (not samples or self._is_too_early(silent)):
            raise failure
        return [*table.active(self._known), *(_unread(row.name) for row in silent if self._silence_s(row) >= UNREAD_S)]

    def _note(self, rows: Iterable[Register], samples: dict[str, Sample]) -> None:
        for row in rows:
            if row.name not in samples:
                continue
            sample = samples[row.name]
            self._heard_s[row.name] = sample.monotonic_s
            if sample.raw not in row.invalid:
                self._known[row.name] = sample.raw

    def _is_owed(self, row: Register) -> bool:
        """Whether this device itself should have answered: what it never had is not missed."""
        return row.at is None and (row.name in self._heard_s or not self.reader.absent(row.name))

    def _is_too_early(self, silent: Iterable[Register]) -> bool:
        return any(row.name not in self._heard_s and self._silence_s(row) < UNREAD_S for row in silent)

    def _silence_s(self, row: Register) -> float:
        return self.clock.monotonic() - self._heard_s.get(row.name, self._began_s or 0.0)


def _unread(name: str) -> ActiveFault:
    return ActiveFault(
        code=FaultCode.INVERTER_MONITORING,
        severity=Severity.WARNING,
        effect=Effect.NONE,
        text=f"a fault register has not been read for {UNREAD_S:g} s; what it said last still counts",
        raw=f"{name} not read",
    )
