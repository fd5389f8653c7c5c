"""The driver of every brand: `samspel.contract.driver.Driver` over a manifest, a map and a bus link."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from samspel.contract.capability import Capabilities, Route, Verify
from samspel.contract.driver import ActiveFault, ControlReading, Identity, Mark, Snapshot, Wanted, WriteReport
from samspel.contract.errors import BusError, DriverError, MapError, RequirementFailed, WrongDevice
from samspel.contract.ports import BusLink, Clock
from samspel.contract.telemetry import Reading
from samspel.driver.bank import Bank, Wear
from samspel.driver.device import Device, SiteShare
from samspel.driver.faults import FaultTable
from samspel.driver.further import FurtherUnit
from samspel.driver.identity import check_serial, read_identity
from samspel.driver.manifest import Manifest
from samspel.driver.maps import MapSource
from samspel.driver.marks import Marks
from samspel.driver.options import DriverOptions
from samspel.driver.session import Session
from samspel.driver.snapshot import TakenState
from samspel.driver.turns import Turns
from samspel.registers.firmware import in_ranges
from samspel.registers.loader import load_variants
from samspel.registers.model import RegisterMap

__all__ = ["MapDriver"]

_log = logging.getLogger(__name__)

NO_SNAPSHOT: Mapping[str, int] = {}


class MapDriver:
    """One device. `link` is the bus's; `path` the name of the manifest's way to it; `session` a vendor login, if any.

    `further` are links to the other units that the site names (`DriverOptions.units`), by the map's names for them.
    Nothing is read before `identify`. The bus calls `confirm` on every new connection, before anything else.
    """

    def __init__(
        self,
        manifest: Manifest,
        maps: MapSource,
        faults: FaultTable,
        link: BusLink,
        clock: Clock,
        *,
        path: str,
        session: Session | None = None,
        options: DriverOptions | None = None,
        further: Mapping[str, BusLink] | None = None,
    ) -> None:
        self._manifest = manifest
        self._maps = maps
        self._faults = faults
        self._link = link
        self._clock = clock
        self._path = path
        self._session = session
        self._options = options or DriverOptions()
        self._further = {name: FurtherUnit(name, other, clock) for name, other in (further or {}).items()}
        self._turns = Turns()
        self._wear = Wear()
        self._device: Device | None = None
        self._confirmed: str | None = None
        """The serial that answered last on a new connection."""

    # --- who ---

    async def identify(self) -> Identity:
        """Read who answers and load its map. Raises UnsupportedModel, WrongDevice, MapError or a `BusError`."""
        identity = await read_identity(self._manifest, self._link, serial=self._confirmed)
        expected = self._options.expected_serial
        if expected is not None and identity.serial != expected:
            raise WrongDevice(f"serial {identity.serial!r} answers here; {expected!r} is expected")
        if self._device is None or self._device.identity != identity:
            self._device = self._make(identity, self._packaged(identity))
        return identity

    async def confirm(self, raw_link: BusLink) -> None:
        """Make a new connection fit for use: log in, and see that the same device answers. Nothing else is written.

        Raises WrongDevice, the session's errors, or a `BusError`.
        """
        expected = self._options.expected_serial or (self._device.identity.serial if self._device else None)
        self._confirmed = None
        self._confirmed = await check_serial(self._manifest, raw_link, expected)
        if self._session is not None:
            await self._session.open(raw_link)
        if self._device is not None:
            self._device.bank.forget()

    async def tend_session(self) -> None:
        """Keep a vendor login alive, for ever; returns at once where there is none. Runs in a task of its own."""
        if self._session is None:
            return
        while True:
            await asyncio.sleep(self._session.interval_s)
            try:
                await self._session.keep_alive(self._link)
            except BusError as error:
                _log.warning("the login could not be kept: %s", error)

    def capabilities(self) -> Capabilities:
        """Routes of the identified device, and why it is read-only if it is."""
        return self._known.commander.capabilities

    def versions(self) -> Mapping[str, str]:
        """Name, version, overlay, way of control and digest of the register map in use."""
        registers = self._known.map
        overlay = f" overlay {registers.overlay}" if registers.overlay else ""
        control = f" control {registers.control}" if registers.control else ""
        return {"map": f"{registers.id} {registers.version}{overlay}{control} sha256:{registers.digest[:16]}"}

    # --- the map in use: see samspel.field_maps ---

    @property
    def registers(self) -> RegisterMap:
        """The map in use."""
        return self._known.map

    def packaged_map(self) -> RegisterMap:
        """The map that came with the package, for this device."""
        return self._packaged(self._known.identity)

    def load_map(self, text: str, name: str) -> RegisterMap:
        """Another map for this device, checked as a packaged one is: overlays, ways of control, fault table.

        Raises MapError.
        """
        for variant in load_variants(text, source_name=name):
            self._manifest.faults.check(variant.registers, name)
        identity = self._known.identity
        loaded = self._maps.from_text(text, identity.model, identity.firmware, self._options.control, name=name)
        if not any(fnmatchcase(identity.model, pattern) for pattern in loaded.models):
            raise MapError(f"{name}: [map] models are {', '.join(loaded.models)}; this device is a {identity.model}")
        return loaded

    def map_of(self, snapshot: Snapshot) -> RegisterMap:
        """The map that a snapshot was taken with. Raises MapError or DriverError."""
        taken = TakenState.load(snapshot)
        return self._map_of(taken)

    def use_map(self, registers: RegisterMap) -> None:
        """From now on this map; what was written with another must have been given back."""
        self._device = self._make(self._known.identity, registers)

    # --- looks ---

    async def read(self, groups: Sequence[str] = ("fast", "slow", "static")) -> Mapping[str, Reading]:
        """The map's signals in these groups, each with its own time and quality."""
        return await self._known.telemetry.read(groups)

    async def read_faults(self) -> Sequence[ActiveFault]:
        """Every condition that stands now; a register that does not answer counts as it was last read."""
        return await self._known.faults.read(self._faults)

    async def read_control(self, marks: Sequence[Mark] = (), snapshot: Snapshot | None = None) -> ControlReading:
        """Default, ours or foreign. What this object has written counts as ours too."""
        return await self._known.control(_registers(snapshot), Marks(marks))

    # --- commands ---

    async def take(self) -> Snapshot:
        """What `release` will give back. Raises RequirementFailed when the device is not to be controlled now."""
        device = self._known
        if device.commander.capabilities.read_only_because:
            raise RequirementFailed(f"read only: {device.commander.capabilities.read_only_because}")
        await device.commander.check_requirements()
        return await device.snapshot()

    @property
    def persistent_writes(self) -> int:
        """Registers that wear, as they were handed to the bus since this object was made."""
        return self._wear.writes

    def rest_s(self, power_w: float, previous_w: float | None) -> float:
        """See `Driver`."""
        return self._known.commander.rest_s(power_w, previous_w)

    def plan(self, power_w: float) -> Mark:
        """What `set_power` may write for this power; nothing is read for it."""
        return self._known.commander.plan(power_w)

    async def set_power(
        self,
        power_w: float,
        not_after: float,
        snapshot: Snapshot,
        previous_w: float | None,
        wanted: Wanted | None = None,
    ) -> WriteReport:
        """See `Driver`; 0 W walks the map's ladder to a held zero."""
        taken = self._taken(snapshot)
        return await self._known.commander.set_power(power_w, not_after, taken.registers, previous_w, wanted)

    async def keep_alive(self, power_w: float, not_after: float, snapshot: Snapshot) -> None:
        """Feed the device, or repeat the running command where it has no timer."""
        await self._known.commander.keep_alive(power_w, not_after, _registers(snapshot))

    async def stop(self, snapshot: Snapshot | None) -> WriteReport:
        """Zero, held, from any partial state; whatever runs is abandoned first."""
        return await self._known.commander.stop(_registers(snapshot))

    async def release(self, snapshot: Snapshot | None, marks: Sequence[Mark] = ()) -> WriteReport:
        """Give back what is ours, by the map that the snapshot was taken with. `marks` come from the journal."""
        device, registers = self._as_taken(snapshot)
        return await device.commander.release(registers, Marks(marks))

    # --- inside ---

    @property
    def _known(self) -> Device:
        if self._device is None:
            raise DriverError("identify has not been called (or nobody has answered) yet")
        return self._device

    def _taken(self, snapshot: Snapshot) -> TakenState:
        """A snapshot of this very device. Raises WrongDevice, and DriverError for one that cannot be read."""
        taken = TakenState.load(snapshot)
        if taken.serial != self._known.identity.serial:
            raise WrongDevice(
                f"the snapshot is of serial {taken.serial!r}, but {self._known.identity.serial!r} answers here"
            )
        return taken

    def _packaged(self, identity: Identity) -> RegisterMap:
        return self._maps.for_device(identity.model, identity.firmware, self._options.control)

    def _map_of(self, taken: TakenState) -> RegisterMap:
        return self._maps.from_text(taken.map_text, taken.model, taken.firmware, taken.control)

    def _as_taken(self, snapshot: Snapshot | None) -> tuple[Device, Mapping[str, int]]:
        """The same device, seen through the map of its snapshot, and what that holds. Raises WrongDevice.

        Where it cannot be read (damage, or what a later version wrote), what is ours goes to neutral: it must not stay
        in the device for want of a better value.
        """
        device = self._known
        if snapshot is None:
            return device, NO_SNAPSHOT
        try:
            taken = self._taken(snapshot)
            if (taken.map_digest, taken.control) == (device.map.digest, device.map.control):
                return device, taken.registers
            device = self._make(device.identity, self._map_of(taken))
        except (DriverError, MapError) as error:
            _log.error("the snapshot cannot be used; what is ours goes to neutral: %s", error)
            return self._known, NO_SNAPSHOT
        device.commander.written.update(self._known.commander.written)
        return device, taken.registers

    def _make(self, identity: Identity, registers: RegisterMap) -> Device:
        read_back = self._manifest.paths[self._path].read_back
        bank = Bank(registers, self._link, self._clock, further=self._further, read_back=read_back, wear=self._wear)
        frozen_after_s = self._options.frozen_after_s
        site = SiteShare(
            grid_sign=self._options.grid_sign,
            frozen_after_s=self._manifest.frozen_after_s if frozen_after_s is None else frozen_after_s,
            constants=self._options.constants,
        )
        capabilities = self._capabilities(identity, registers, read_back=read_back)
        return Device.make(identity, bank, capabilities, self._clock, self._turns, site)

    def _capabilities(self, identity: Identity, registers: RegisterMap, *, read_back: bool) -> Capabilities:
        """On a path without read-back a route can be proved by its effect at most."""
        routes = self._manifest.routes(
            identity.model, identity.firmware, self._path, self._options.allow_low_confidence, registers.control
        )
        if not read_back:
            routes = tuple(_by_effect(route) for route in routes)
        return Capabilities(routes=routes, read_only_because=self._read_only_because(identity, registers, routes))

    def _read_only_because(self, identity: Identity, registers: RegisterMap, routes: tuple[Route, ...]) -> str:
        if not routes:
            return "no route fits this device"
        if registers.needs_guard and not self._options.guarded:
            return f"the way of control {registers.control!r} is used only while a live guard watches"
        known = in_ranges(identity.firmware, registers.firmware) or self._options.allow_firmware
        return "" if known else _unknown_firmware(identity, registers)


def _by_effect(route: Route) -> Route:
    return replace(route, verify=Verify.EFFECT) if route.verify is Verify.READ_BACK else route


def _registers(snapshot: Snapshot | None) -> Mapping[str, int]:
    """What it holds. One that cannot be read keeps nobody from looking, nor from a stop."""
    try:
        return NO_SNAPSHOT if snapshot is None else TakenState.load(snapshot).registers
    except DriverError:
        return NO_SNAPSHOT


def _unknown_firmware(identity: Identity, registers: RegisterMap) -> str:
    ranges = ", ".join(f"{low} to {high}" for low, high in registers.firmware)
    return f"firmware {identity.firmware or 'not stated'} is outside every known range ({ranges})"
