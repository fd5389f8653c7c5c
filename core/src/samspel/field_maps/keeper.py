"""One device's choice of register map: the packaged one, or a newer one from the configuration folder.

A change waits until the device is released. While it is held, the map of its snapshot stays in use, also over a
restart and an upgrade of the package. A map whose control part is new is on trial first; one that fails is not used
again, and the map before it returns.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, cast

from samspel.contract.capability import Direction
from samspel.contract.driver import Json, Snapshot
from samspel.contract.errors import SamspelError, StoreError
from samspel.contract.ports import JournalPort
from samspel.contract.telemetry import Reading
from samspel.field_maps.folder import Found, MapFolder
from samspel.field_maps.trial import TRIAL_W, Trial
from samspel.registers.model import RegisterMap

__all__ = ["ON_TRIAL", "MapKeeper", "MapUser", "same_control"]

logger = logging.getLogger("samspel.maps")

ON_TRIAL = f"a new register map is on trial: at most {TRIAL_W:g} W until this direction is proven"

Offload = Callable[[Callable[[], Found]], Awaitable[Found]]


class MapUser(Protocol):
    """The driver, as far as its map is concerned. Valid once the device has been identified."""

    @property
    def registers(self) -> RegisterMap:
        """The map in use."""
        ...

    def packaged_map(self) -> RegisterMap:
        """The map that came with the package, for this device."""
        ...

    def load_map(self, text: str, name: str) -> RegisterMap:
        """A map for this device, checked with everything that belongs to it. Raises MapError."""
        ...

    def map_of(self, snapshot: Snapshot) -> RegisterMap:
        """The map that a snapshot was taken with. Raises MapError or DriverError."""
        ...

    def use_map(self, registers: RegisterMap) -> None:
        """From now on this map."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What survives a restart: the trial, what has passed one, and what has failed (digest: why)."""

    trial: Trial | None = None
    proven: tuple[str, ...] = ()
    rejected: Mapping[str, str] = field(default_factory=dict)


async def in_a_thread(work: Callable[[], Found]) -> Found:
    """Checking a map takes a tenth of a second, which a stop shall not wait."""
    return await asyncio.to_thread(work)


class MapKeeper:
    """`folder` is the driver's own. `offload` runs what reads the disk; a simulation runs it in line."""

    def __init__(
        self, device: str, driver: MapUser, folder: MapFolder, journal: JournalPort, offload: Offload = in_a_thread
    ) -> None:
        self._device, self._driver, self._folder = device, driver, folder
        self._journal, self._offload = journal, offload
        self._kept = _load(journal.get(f"{device}/map") or {})
        self._pending: RegisterMap | None = None
        self._found = Found()

    # --- which map ---

    async def begin(self, held: Snapshot | None, released: Callable[[], bool]) -> None:
        """The device has been identified, perhaps with another firmware: whatever was checked is checked again.

        `held` is the snapshot of a device that is under control.
        """
        if held is not None:
            self.hold(held)
        self._folder.forget()
        await self.consider(released)

    def hold(self, snapshot: Snapshot) -> None:
        """The device is held: what was taken with a map goes on with it, and is given back by it."""
        try:
            kept = self._driver.map_of(snapshot)
        except SamspelError as error:
            logger.warning("map of the snapshot", extra={"device": self._device, "error": str(error)})
            return
        if not _same_map(kept, self._driver.registers):
            logger.info("held by the map of its snapshot", extra={"device": self._device, "version": kept.version})
            self._driver.use_map(kept)

    async def consider(self, released: Callable[[], bool]) -> bool:
        """Look into the folder, and change the map if one is due and the device is released; True when it changed."""
        packaged = self._driver.packaged_map()
        self._found = await self._offload(lambda: self._folder.look(packaged))
        wanted = self._found.newest(packaged, frozenset(self._kept.rejected))
        self._pending = None if _same_map(wanted, self._driver.registers) else wanted
        if self._pending is None or not released():
            return False
        await self._change(wanted, packaged)
        return True

    async def _change(self, wanted: RegisterMap, packaged: RegisterMap) -> None:
        """No await stands between the question whether the device is released and the change."""
        before = self._driver.registers
        self._driver.use_map(wanted)
        self._pending = None
        text = f"{before.version} to {wanted.version}"
        logger.info("map changed", extra={"device": self._device, "map": wanted.id, "change": text})
        trusted = wanted.digest == packaged.digest or wanted.digest in self._kept.proven
        if trusted or same_control(wanted, packaged):
            trial = None
        elif self._kept.trial is not None and self._kept.trial.digest == wanted.digest:
            trial = self._kept.trial
        else:
            trial = Trial(digest=wanted.digest)
        await self._keep(replace(self._kept, trial=trial))

    # --- on trial ---

    @property
    def on_trial(self) -> bool:
        """Whether the map in use has still to show what it does."""
        trial = self._kept.trial
        return trial is not None and trial.digest == self._driver.registers.digest

    def bound(self, target_w: float) -> float:
        """What may be written of this power while the map is on trial; W, contract sign."""
        return self._kept.trial.bound(target_w) if self._kept.trial is not None and self.on_trial else target_w

    async def judge(self, target_w: float, latency_s: float, now: float, reading: Reading | None) -> str:
        """After a look at the battery; why the map has failed, if it has. It is not used again."""
        trial = self._kept.trial
        if trial is None or not self.on_trial:
            return ""
        judged = trial.judge(target_w, latency_s, now, reading)
        if judged.failed:
            return await self._reject(judged)
        if judged.passed:
            logger.info("map proven", extra={"device": self._device, "version": self._driver.registers.version})
            await self._keep(replace(self._kept, trial=None, proven=(*self._kept.proven, judged.digest)))
        elif judged.unproven != trial.unproven:
            await self._keep(replace(self._kept, trial=judged))
        else:
            self._kept = replace(self._kept, trial=judged)
        return ""

    async def _reject(self, judged: Trial) -> str:
        why = f"told to {judged.direction.value}, the battery did the opposite"
        rejected = {**self._kept.rejected, judged.digest: why}
        logger.error("map failed its trial", extra={"device": self._device, "why": why})
        await self._keep(replace(self._kept, trial=None, rejected=rejected))
        return why

    # --- what is told ---

    @property
    def suspect(self) -> bool:
        """Whether a file in the folder cannot be used: unreadable, unfit, or failed."""
        failed = any(one.digest in self._kept.rejected for one in self._found.maps.values())
        return failed or bool(self._found.refused)

    def versions(self) -> dict[str, str]:
        """For the birth message: what waits, what is on trial, what is refused."""
        said: dict[str, str] = {}
        if self._pending is not None:
            said["map_pending"] = _named(self._pending)
        if self._kept.trial is not None and self.on_trial:
            waiting = " and ".join(sorted(direction.value for direction in self._kept.trial.unproven))
            said["map_on_trial"] = f"at most {TRIAL_W:g} W until {waiting} is proven"
        refused = [*self._found.refused.values()]
        refused += [
            f"{name}: {_named(one)} failed its trial: {self._kept.rejected[one.digest]}"
            for name, one in self._found.maps.items()
            if one.digest in self._kept.rejected
        ]
        if refused:
            said["map_refused"] = "; ".join(refused)[:1000]
        return said

    # --- memory ---

    async def _keep(self, kept: _Kept) -> None:
        """In memory at once; a disk that refuses costs a restart's memory, and no command."""
        self._kept = kept
        try:
            await self._journal.put(f"{self._device}/map", _dump(kept))
        except StoreError as error:
            logger.warning("map not kept", extra={"device": self._device, "error": str(error)})


def same_control(one: RegisterMap, other: RegisterMap) -> bool:
    """Whether two maps command a device in the same way: then only what is read has changed."""
    return _control_part(one) == _control_part(other)


def _control_part(registers: RegisterMap) -> tuple[object, ...]:
    rows = [replace(registers.registers[name], source="") for name in registers.owned]
    return dict(registers.sequences), registers.zero, registers.stop, registers.feed_repeats, rows


def _same_map(one: RegisterMap, other: RegisterMap) -> bool:
    """The same file, used in the same way."""
    return (one.digest, one.control) == (other.digest, other.control)


def _named(registers: RegisterMap) -> str:
    control = f" control {registers.control}" if registers.control else ""
    return f"{registers.id} {registers.version}{control} sha256:{registers.digest[:16]}"


def _dump(kept: _Kept) -> dict[str, Json]:
    trial = kept.trial
    return {
        "trial": None
        if trial is None
        else {"digest": trial.digest, "unproven": [*sorted(direction.value for direction in trial.unproven)]},
        "proven": list(kept.proven),
        "rejected": dict(kept.rejected),
    }


def _load(document: Mapping[str, Json]) -> _Kept:
    stored = cast("Mapping[str, list[str]] | None", document.get("trial"))
    trial = None
    if stored is not None:
        trial = Trial(digest=str(stored["digest"]), unproven=frozenset(map(Direction, stored["unproven"])))
    return _Kept(
        trial=trial,
        proven=tuple(cast("list[str]", document.get("proven") or [])),
        rejected=dict(cast("Mapping[str, str]", document.get("rejected") or {})),
    )
