"""Giving control back: the map's first steps, then every owned register by its `on_release`, then proof."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field

from samspel.contract.errors import DeviceBusy, DeviceRefused, RegisterAbsent, RequirementFailed, VerifyFailed
from samspel.contract.ports import Clock, Priority
from samspel.driver.marks import Marks
from samspel.driver.sequence import REREAD_S, SequenceRun
from samspel.registers.model import Literal, OnRelease, Register, Step
from samspel.registers.raw import UnwritableValue

__all__ = ["GiveBack"]

VERIFY_S = 3.0
"""How long a register may take to read back."""


@dataclass(kw_only=True)
class GiveBack:
    """One release. Refusals do not end it: what can be given back is, and the rest is named at the end.

    On a path without read-back every register is written, whatever it reads, and nothing is proved.

    `marks` are what we may have written; when nothing at all is known of that, everything counts as ours.
    `left` names the registers that somebody else has changed since, and that are therefore left alone.
    """

    run: SequenceRun
    clock: Clock
    snapshot: Mapping[str, int]
    marks: Marks
    left: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    async def __call__(self, steps: Sequence[Step], owned: Sequence[str]) -> None:
        """Raises VerifyFailed naming every register that is not as it should be, or any lost-link error at once."""
        check = self.run.values.ticket.check
        for step in steps:
            check()
            await self._try(", ".join(step.registers), self.run.run((step,)))
        wanted: dict[str, int] = {}
        for name in owned:
            check()
            await self._try(name, self._give_back(self.run.bank.row(name), wanted))
        if self.run.bank.read_back:
            await self._prove(wanted)
        if self.problems:
            raise VerifyFailed("not given back: " + "; ".join(self.problems))

    async def _give_back(self, row: Register, wanted: dict[str, int]) -> None:
        target = await self._target(row)
        if target is None:
            return
        current = await self._current(row)
        if current is None and row.optional:
            return
        if current != target and row.name in self.snapshot and not self._ours(row, current):
            self.left.append(row.name)
            return
        wanted[row.name] = target
        if current != target or not self.run.bank.read_back:
            await self.run.send(row, target)

    async def _current(self, row: Register) -> int | None:
        """What it holds; nothing where it cannot be read or the device has no such register."""
        if not row.readable:
            return None
        try:
            return await self.run.values.ticket.unless_withdrawn(self.run.bank.read(row.name, self.run.priority))
        except RegisterAbsent:
            if row.optional:
                return None
            raise

    async def _target(self, row: Register) -> int | None:
        if row.on_release in (None, OnRelease.LEAVE):
            return None
        if row.on_release is OnRelease.RESTORE and row.name in self.snapshot:
            return await self._bounded(row, self.snapshot[row.name])
        return await self._neutral(row)

    async def _bounded(self, row: Register, raw: int) -> int:
        """What the device takes now. A value that a low ceiling has cut is not given back yet: it is tried again."""
        bounded = await self.run.values.bounded(row, raw)
        if bounded != raw:
            self.problems.append(f"{row.name} can only be set to raw {bounded} of {raw}: its ceiling is that low now")
        return bounded

    async def _neutral(self, row: Register) -> int | None:
        if row.neutral is None:
            return None
        raw = await self.run.values.raw(row, row.neutral)
        if raw == 0 and not isinstance(row.neutral, Literal):
            self.problems.append(f"{row.name} has no neutral value now: {row.neutral.name} reads 0")
        return raw

    def _ours(self, row: Register, raw: int | None) -> bool:
        if row.on_release is OnRelease.RESET or raw is None or not self.marks:
            return True
        return self.marks.allow(row.name, raw) or raw == self.run.expected.get(row.name)

    async def _prove(self, wanted: Mapping[str, int]) -> None:
        waiting = [name for name in wanted if self.run.bank.row(name).readable]
        give_up = self.clock.monotonic() + VERIFY_S
        while True:
            waiting = [name for name in waiting if await self._read(name) != wanted[name]]
            if not waiting or self.clock.monotonic() >= give_up:
                break
            await self.run.values.ticket.sleep(REREAD_S)
        self.problems += [f"{name} does not read back as raw {wanted[name]}" for name in waiting]

    async def _read(self, name: str) -> int:
        return await self.run.values.ticket.unless_withdrawn(self.run.bank.read(name, Priority.VERIFICATION))

    async def _try(self, what: str, work: Awaitable[None]) -> None:
        try:
            await work
        except DeviceBusy:
            raise
        except (DeviceRefused, RequirementFailed, UnwritableValue, VerifyFailed) as error:
            self.problems.append(f"{what}: {error}")
