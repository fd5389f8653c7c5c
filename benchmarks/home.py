"""A home under measurement: broker, devices, edge and floor, each a process of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import processes
from benchmarks.broker import Broker, open_broker
from benchmarks.device import BRAND
from benchmarks.dispatcher import Dispatcher

__all__ = ["Home", "Polling", "open_home", "powers_w"]

SITE, FLOOR_SITE, DEVICE, ISSUER = "bench-0001", "bench-floor", "battery", "fleet-a"
TTL_S = 60.0
READY_S = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """How often the edge reads each group, in seconds."""

    fast_s: float
    slow_s: float
    faults_s: float

    def toml(self) -> str:
        """As site.toml has it."""
        return f"{{ fast_s = {self.fast_s}, slow_s = {self.slow_s}, faults_s = {self.faults_s} }}"


@dataclass(slots=True)
class Home:
    """The edge's dispatcher and the floor's, which are alike; the devices; the edge's process id."""

    broker: Broker
    arrivals: processes.Arrivals
    to_edge: Dispatcher
    to_floor: Dispatcher
    edge_pid: int
    edge_started_s: float
    """Monotonic seconds."""

    def take_control(self) -> None:
        """Until the edge controls: the first set-point is written and read back. RuntimeError when it is not."""
        if self.to_edge.telemetry(READY_S) is None:
            raise RuntimeError(f"no telemetry within {READY_S:g} s")
        command_id, _ = self.to_edge.set_power(-500.0, TTL_S)
        if self.to_edge.stage(command_id, "verified", READY_S) is None:
            raise RuntimeError(f"the first set-point was not verified within {READY_S:g} s: {self.to_edge.said()}")


@contextmanager
def open_home(answer_s: float, polling: Polling) -> Iterator[Home]:
    """Everything started; the edge may still be connecting."""
    with (
        TemporaryDirectory(prefix="samspel-bench-") as name,
        open_broker(Path(name)) as broker,
        processes.devices(answer_s, Path(name)) as arrivals,
    ):
        folder, mqtt5 = Path(name), broker.mqtt5
        to_edge = Dispatcher(broker.port, site=SITE, device=DEVICE, issuer=ISSUER, mqtt5=mqtt5)
        to_floor = Dispatcher(broker.port, site=FLOOR_SITE, device=DEVICE, issuer=f"{ISSUER}-2", mqtt5=mqtt5)
        site_file = _write_site(folder, broker.port, arrivals.edge_port, polling)
        topic = f"samspel/v1/{FLOOR_SITE}/{DEVICE}/command"
        try:
            with processes.floor(broker.port, mqtt5=mqtt5, device_port=arrivals.floor_port, topic=topic, folder=folder):
                started_s = time.monotonic()
                with processes.edge(site_file, folder) as edge_pid:
                    yield Home(broker, arrivals, to_edge, to_floor, edge_pid, started_s)
        finally:
            to_edge.close()
            to_floor.close()


def _write_site(folder: Path, broker_port: int, device_port: int, polling: Polling) -> Path:
    site_file = folder / "site.toml"
    site_file.write_text(
        f"""[site]
name = "{SITE}"
nonce_s = 5
[mqtt]
url = "mqtt://127.0.0.1:{broker_port}"
[issuers]
dispatcher = ["{ISSUER}"]
[devices.{DEVICE}]
driver = "{BRAND}"
url = "modbus-tcp://127.0.0.1:{device_port}?unit=1"
limits = {{ charge_w = 5000, discharge_w = 5000, soc_min_pct = 10, soc_max_pct = 95 }}
poll = {polling.toml()}
"""
    )
    return site_file


def powers_w() -> Iterator[int]:
    """Charging powers, W > 0, each new and far from the two before: edge and floor take turns, and the edge's gate
    holds back what is not far from its own last one.
    """
    for number in count():
        yield 1000 + number // 2 % 2 * 1000 + number % 2 * 500 + number // 4 % 400
