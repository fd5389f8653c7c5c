"""A real home: mosquitto, TCP, `samspel run` as a process, and twins served by the test's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samspel_sim.behaviour import TwinOptions
from samspel_sim.testing import Served, served_twin
from samspel_sim.twin import Twin

from .dispatcher import Dispatcher
from .edge_process import EdgeProcess
from .patience import until

SPEED = 10.0


def battery_w(twin: Twin) -> float:
    """The battery's true power in the contract's sign."""
    twin.advance()
    return float(twin.behaviour.home.flows.battery_w)


@asynccontextmanager
async def quick_twin(**settings: float) -> AsyncIterator[Served]:
    """A twin whose physics runs fast, at night, with a house that takes 500 W. Its forcible mode does not expire."""
    options = TwinOptions(soc_pct=60.0, seed=7, settings={"expires": 0.0, **settings})
    async with served_twin("huawei", options, speed=SPEED) as served:
        served.twin.set({"pv_power_w": 0.0, "load_power_w": 500.0})
        yield served


def write_site(
    folder: Path, site: str, broker_port: int, devices: Mapping[str, int], driver: str = "huawei", **control: float
) -> Path:
    """A site.toml with one table for each device's port."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f'[site]\nname = "{site}"\nnonce_s = 0.5\n[mqtt]\nurl = "mqtt://127.0.0.1:{broker_port}"\nkeepalive_s = 5']
    lines += ['[issuers]\ndispatcher = ["fleet-a", "fleet-b"]\ninstaller = ["installer"]\nhousehold = ["family"]']
    lines += ["[control]", *(f"{key} = {value}" for key, value in control.items())]
    for name, port in devices.items():
        lines.append(
            f'[devices.{name}]\ndriver = "{driver}"\nurl = "modbus-tcp://127.0.0.1:{port}?unit=1"\n'
            "limits = { charge_w = 5000, discharge_w = 5000, soc_min_pct = 10, soc_max_pct = 95 }\n"
            "poll = { fast_s = 0.3, slow_s = 2.0, faults_s = 2.0 }"
        )
    path = folder / "site.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@dataclass
class RealHome:
    """One site with its edge, its dispatcher and its twins by device name."""

    edge: EdgeProcess
    dispatcher: Dispatcher
    twins: dict[str, Twin]

    @property
    def twin(self) -> Twin:
        """The only one."""
        return self.twins["battery"]

    def phase(self, device: str = "battery") -> str:
        """What the edge's newest status says about a device."""
        return str(self.dispatcher.latest.get("status", {}).get("control", {}).get(device))

    async def settled(self) -> None:
        """The edge is up, knows its devices, and has measured them."""
        await until(lambda: set(self._seen()) == set(self.twins), f"telemetry of every device\n{self._log()}")

    def _seen(self) -> list[str]:
        return [one["device"] for one in self.dispatcher.messages if one["_leaf"] == "telemetry"]

    def _log(self) -> str:
        return self.edge.log[-3000:]

    async def discharging(self, **fields: Any) -> str:
        """A set-point that has been written and read back."""
        command = await self.dispatcher.send("set_power", **{"power_w": 3000.0, "ttl_s": 120.0, **fields})
        await self.dispatcher.outcome(command, stage="verified")
        return command


@asynccontextmanager
async def real_home(
    folder: Path,
    broker_port: int,
    twins: Mapping[str, Served],
    *,
    site: str = "home-0001",
    driver: str = "huawei",
    more_environment: Mapping[str, str] | None = None,
    **control: float,
) -> AsyncIterator[RealHome]:
    """Started, and settled."""
    ports = {name: served.port for name, served in twins.items()}
    site_file = write_site(folder, site, broker_port, ports, driver, **control)
    edge = EdgeProcess(site_file, folder, more_environment or {})
    dispatcher = Dispatcher(broker_port, site)
    listening = asyncio.create_task(dispatcher.listen_for_ever())
    home = RealHome(edge, dispatcher, {name: served.twin for name, served in twins.items()})
    try:
        await edge.start()
        await home.settled()
        yield home
    finally:
        await edge.close()
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


@asynccontextmanager
async def one_home(
    folder: Path, broker_port: int, *, site: str = "home-0001", **control: float
) -> AsyncIterator[RealHome]:
    """The usual one: one twin, called battery."""
    async with quick_twin() as twin, real_home(folder, broker_port, {"battery": twin}, site=site, **control) as home:
        yield home
