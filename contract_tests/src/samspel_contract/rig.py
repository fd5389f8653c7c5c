"""One home under test: a twin, a link to it in memory and the driver on that link, in simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from samspel.clock import LoopClock
from samspel.contract.capability import Direction
from samspel.contract.driver import Snapshot
from samspel.contract.ports import Table
from samspel.driver.map_driver import MapDriver
from samspel.driver.maps import MapFiles
from samspel.driver.options import DriverOptions
from samspel.registers.model import Life, OnRelease, Register, RegisterMap
from samspel_sim.behaviour import TwinOptions
from samspel_sim.registers import Register as TwinRegister
from samspel_sim.registers import Space
from samspel_sim.twin import Twin

from samspel_contract.link import MemoryLink
from samspel_contract.target import Target

__all__ = ["REST_W", "SPACES", "STEP_S", "Rig"]

STEP_S = 0.5
REST_W = 50.0
"""A battery below this is at rest: what its electronics need, and what a regulator hunts by."""

LATENCY_S = 30.0
"""Where a route states none."""

SPACES = {Table.HOLDING: Space.HOLDING, Table.INPUT: Space.INPUT}


@dataclass
class Rig:
    """`driver` may be replaced by `restart_driver`; `twin` and its home go on."""

    target: Target
    twin: Twin
    link: MemoryLink
    driver: MapDriver
    options: DriverOptions = field(default_factory=DriverOptions)

    @classmethod
    def make(
        cls,
        target: Target,
        *,
        soc_pct: float = 50.0,
        pv_w: float = 1500.0,
        load_w: float = 2500.0,
        seed: int = 1,
        options: DriverOptions | None = None,
    ) -> Rig:
        """A home with fixed PV and load; by default its own logic discharges about 1 kW into the house."""
        loop = asyncio.get_running_loop()
        twin = Twin(target.twin(TwinOptions(soc_pct=soc_pct, seed=seed)), clock=loop.time, seed=seed, step_s=STEP_S)
        twin.set({"pv_power_w": pv_w, "load_power_w": load_w})
        options = options or DriverOptions()
        link = MemoryLink(twin, target.path)
        rig = cls(target, twin, link, _driver(target, link, options), options)
        link.on_connect = rig.driver.confirm
        return rig

    async def restart_driver(self) -> None:
        """As after a crash: a new driver that remembers nothing, on a new connection."""
        self.link.drop()
        self.driver = _driver(self.target, self.link, self.options)
        self.link.on_connect = self.driver.confirm
        await self.driver.identify()

    # --- time and truth ---

    async def wait(self, seconds: float) -> None:
        """Let simulated time pass, physics included."""
        await asyncio.sleep(seconds)
        self.twin.advance()

    async def settle(self, direction: Direction) -> None:
        """Wait as long as the route in this direction needs at most."""
        route = self.driver.capabilities().route(direction)
        latency_s = LATENCY_S if route is None or route.latency_s is None else route.latency_s
        await self.wait(2 * latency_s + 5)

    @property
    def now(self) -> float:
        """Monotonic seconds, as the driver counts them."""
        return asyncio.get_running_loop().time()

    @property
    def battery_w(self) -> float:
        """The battery's true power; positive discharges."""
        self.twin.advance()
        return self.twin.behaviour.home.flows.battery_w

    @property
    def at_rest(self) -> bool:
        """Whether the battery neither charges nor discharges."""
        route = self.driver.capabilities().route(Direction.ZERO)
        return abs(self.battery_w) <= max(REST_W, route.dead_zone_w if route else 0.0)

    # --- registers as the twin holds them ---

    @property
    def map(self) -> RegisterMap:
        """The map that the driver uses for this device."""
        return self.target.registers

    def words(self, row: Register) -> tuple[int, ...] | None:
        """What the device holds where the map says that this register is."""
        bank = self.twin.behaviour.banks[self.twin.behaviour.unit]
        return bank.read(row.address, row.count, SPACES[row.table])

    def twin_row(self, row: Register) -> TwinRegister | None:
        """The twin's own register at that address."""
        bank = self.twin.behaviour.banks[self.twin.behaviour.unit]
        return bank.table.at(row.address, SPACES[row.table])

    def owned(self) -> dict[str, tuple[int, ...] | None]:
        """Every register that the map's sequences write and that can be read."""
        rows = (self.map.registers[name] for name in self.map.owned)
        return {row.name: self.words(row) for row in rows if row.readable}

    def set_raw(self, row: Register, raw: int) -> None:
        """As if somebody else had set it."""
        twin_row = self.twin_row(row)
        assert twin_row is not None, f"the twin has no register at {row.address}, where the map has {row.name}"
        self.twin.set({"registers": {twin_row.name: raw}})

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
        rows = [self.map.registers[name] for name in self.map.owned]
        owned = {address for row in rows for address in range(row.address, row.address + row.count)}
        return [
            f"{write['name'] or '?'} at {write['address']}"
            for write in self.twin.writes
            if not owned.issuperset(range(write["address"], write["address"] + len(write["values"])))
        ]

    # --- commands ---

    async def take(self) -> Snapshot:
        """Identify, and take."""
        await self.driver.identify()
        return await self.driver.take()

    async def set_power(self, power_w: float, snapshot: Snapshot, previous_w: float | None = None) -> float:
        """Command a power for an hour; the power that was really written."""
        report = await self.driver.set_power(power_w, self.now + 3600, snapshot, previous_w)
        return report.power_w


def _driver(target: Target, link: MemoryLink, options: DriverOptions) -> MapDriver:
    session = target.package.session
    return MapDriver(
        target.manifest,
        MapFiles(target.manifest.maps, options.allow_low_confidence),
        target.manifest.faults,
        link,
        LoopClock(),
        path=target.path.name,
        session=session({}) if session and target.path.session else None,
        options=options,
    )
