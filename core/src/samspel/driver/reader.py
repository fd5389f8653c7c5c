"""Many registers at once: planned blocks, what the device does not have left out, and the time each answer came."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from samspel.contract.errors import BusError, DeviceBusy, DeviceRefused, LinkDown, NoAnswer, RegisterAbsent
from samspel.contract.ports import Clock, Priority
from samspel.driver.bank import Bank
from samspel.registers.model import Register
from samspel.registers.planner import ReadRequest, Standing, plan, split
from samspel.registers.quarantine import Quarantine
from samspel.registers.raw import to_raw

__all__ = ["Reader", "Sample"]

_log = logging.getLogger(__name__)

VALUE_REFUSED = 3
"""Besides the codes of the path some devices say so with this one that they have no such register."""

_PLANS_KEPT = 16
"""Polling asks for the same few groups again and again."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A raw number, and when the answer that carried it came: UTC and monotonic seconds."""

    raw: int
    at: datetime
    monotonic_s: float


@dataclass(kw_only=True)
class Reader:
    """Reads blocks of one device's registers."""

    bank: Bank
    clock: Clock
    quarantine: Quarantine = field(default_factory=Quarantine)

    def __post_init__(self) -> None:
        self._plan = lru_cache(maxsize=_PLANS_KEPT)(self._plan_anew)

    def absent(self, name: str) -> bool:
        """Whether the device has said that it has no such register, or the site names no unit where it stands."""
        if not self.bank.reaches(self.bank.row(name)):
            return True
        return self.quarantine.absent(name, self.clock.monotonic())

    async def read(self, rows: Iterable[Register], priority: Priority, samples: dict[str, Sample]) -> BusError | None:
        """Read into `samples`. Returns the error that kept some rows from being read; a lost link ends the round.

        A register that the device does not have is no error: it is `absent` afterwards. Further units come last; what
        one of them does not answer is missing from the samples, and no more.
        """
        reached = tuple(row.name for row in rows if self.bank.reaches(row))
        failure: BusError | None = None
        for request in self._plan(reached, self.quarantine.standing(self.clock.monotonic())):
            try:
                await self._ask(request, priority, samples)
            except BusError as error:
                if isinstance(error, LinkDown) or (isinstance(error, NoAnswer) and request.at is None):
                    return error
                _log.info("%d registers from %d could not be read: %s", request.count, request.address, error)
                failure = error if request.at is None else failure
        return failure

    def _plan_anew(self, names: tuple[str, ...], standing: Standing) -> tuple[ReadRequest, ...]:
        registers, limits = self.bank.map.registers, self.bank.map.limits
        return plan([registers[name] for name in names], limits, standing, known=registers.values())

    async def _ask(self, request: ReadRequest, priority: Priority, samples: dict[str, Sample]) -> None:
        try:
            words = await self.bank.read_words(request.at, request.table, request.address, request.count, priority)
        except DeviceBusy:
            raise
        except DeviceRefused as refusal:
            if not isinstance(refusal, RegisterAbsent) and refusal.code != VALUE_REFUSED:
                raise
            await self._without_the_absent(request, priority, samples)
            return
        self._keep(request, words, samples)

    async def _without_the_absent(self, request: ReadRequest, priority: Priority, samples: dict[str, Sample]) -> None:
        """One missing address spoils its whole block: ask one by one, and leave it out from then on."""
        self.quarantine.refused((row.name for row in request.registers), self.clock.monotonic())
        if len(request.registers) == 1:
            _log.info("the device has no %s (%d)", request.registers[0].name, request.address)
            return
        for single in split(request):
            await self._ask(single, priority, samples)

    def _keep(self, request: ReadRequest, words: tuple[int, ...], samples: dict[str, Sample]) -> None:
        at, now = self.clock.wall(), self.clock.monotonic()
        self.quarantine.answered(row.name for row in request.registers)
        for row in request.registers:
            raw = self.bank.noted(row.name, to_raw(row, request.words_of(row, words)))
            samples[row.name] = Sample(raw, at, now)
