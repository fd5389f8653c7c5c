"""A real home: mosquitto, TCP, `samspel run` as a process, and twins served by the test's own event loop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomqtt
from samspel_sim.behaviour import TwinOptions
from samspel_sim.testing import Served, served_twin
from samspel_sim.twin import Twin

PATIENCE_S = 60.0
SPEED = 10.0
HELD_ZERO = {"forcible_command": 0, "storage_max_charging_power": 0, "storage_max_discharging_power": 0}


def registers(twin: Twin) -> dict[str, int]:
    """The registers that commands change, straight from the twin's memory."""
    names = (
        "forcible_charge_power",
        "forcible_discharge_power",
        "forced_period",
        "forcible_mode",
        "forcible_command",
        "storage_max_charging_power",
        "storage_max_discharging_power",
    )
    twin.advance()
    return {name: twin.behaviour.bank.raw(name) for name in names}


def battery_w(twin: Twin) -> float:
    """The battery's true power in the contract's sign."""
    twin.advance()
    return float(twin.behaviour.home.flows.battery_w)


async def until(holds: Callable[[], bool], what: str = "", within_s: float = PATIENCE_S) -> None:
    """Look again and again until it holds."""
    try:
        async with asyncio.timeout(within_s):
            while not holds():  # noqa: ASYNC110 - what is waited for happens in other processes
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {within_s:g} s: {what}") from None


@asynccontextmanager
async def quick_twin(**settings: float) -> AsyncIterator[Served]:
    """A twin whose physics runs fast, at night, with a house that takes 500 W. Its forcible mode does not expire."""
    options = TwinOptions(soc_pct=60.0, seed=7, settings={"expires": 0.0, **settings})
    async with served_twin("huawei", options, speed=SPEED) as served:
        served.twin.set({"pv_power_w": 0.0, "load_power_w": 500.0})
        yield served


def environment(folder: Path) -> dict[str, str]:
    """Nothing of the machine's own state: journals and locks live in the test's folder."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SAMSPEL")}
    return {**plain, "XDG_STATE_HOME": str(folder / "state"), "SAMSPEL_LOCK_DIR": str(folder / "locks")}


@dataclass
class Dispatcher:
    """One client of the broker, for one site: publishes commands and remembers everything that comes back."""

    port: int
    site: str
    connection: Mapping[str, Any] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    latest: dict[str, dict[str, Any]] = field(default_factory=dict)
    _outcomes: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    nonce: str | None = None
    _seq: int = 0
    _client: aiomqtt.Client | None = None
    _connected: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen_for_ever(self) -> None:
        """Connect, and connect again when the broker has been away."""
        while True:
            with suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(
                    *("127.0.0.1", self.port),
                    identifier=f"{self.site}-fleet",
                    protocol=aiomqtt.ProtocolVersion.V5,
                    **self.connection,
                ) as client:
                    await client.subscribe(f"samspel/v1/{self.site}/#", qos=1)
                    self._client = client
                    self._connected.set()
                    async for message in client.messages:
                        self._hear(str(message.topic), bytes(message.payload), retained=message.retain)
            self._connected.clear()
            await asyncio.sleep(0.1)

    def _hear(self, topic: str, payload: bytes, *, retained: bool) -> None:
        leaf = topic.rsplit("/", 1)[-1]
        if leaf == "command":
            return
        heard = {**json.loads(payload), "_leaf": leaf, "_retained": retained}
        self.messages.append(heard)
        self.latest[leaf] = heard
        if leaf == "status":
            self.nonce = heard.get("nonce")
        if leaf == "outcome":
            self._outcomes[heard["command_id"]].append(heard)

    # --- out ---

    async def publish(self, payload: bytes, *, device: str = "battery", retain: bool = False) -> None:
        """Any bytes on the command topic of a device."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                await self._connected.wait()
                with suppress(aiomqtt.MqttError):
                    return await self._publish(payload, device, retain=retain)
                await asyncio.sleep(0.05)

    async def _publish(self, payload: bytes, device: str, *, retain: bool) -> None:
        assert self._client is not None
        topic = f"samspel/v1/{self.site}/{device}/command"
        await self._client.publish(topic, payload, qos=1, retain=retain, timeout=2.0)

    def command(
        self, kind: str, *, device: str = "battery", issuer: str = "fleet-a", ttl_s: float = 60.0, **fields: Any
    ) -> dict[str, Any]:
        """A good command that echoes the newest nonce, so that no clock matters."""
        self._seq += 1
        return {
            "schema": "command/1.0",
            "id": f"{device}-{issuer}-{self._seq}",
            "issuer": issuer,
            "epoch": 1,
            "seq": self._seq,
            "issued_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "ttl_s": ttl_s,
            "target": f"{self.site}/{device}",
            "kind": kind,
            "nonce": self.nonce,
            **fields,
        }

    async def send(self, kind: str, *, device: str = "battery", **fields: Any) -> str:
        """Publish a good command, as soon as the edge is online; its id."""
        await until(lambda: self.nonce is not None, "an edge that is online")
        command = self.command(kind, device=device, **fields)
        await self.publish(json.dumps(command).encode(), device=device)
        return str(command["id"])

    # --- in ---

    def outcomes(self, command_id: str) -> list[dict[str, Any]]:
        """All that came for a command."""
        return self._outcomes[command_id]

    def found(self, command_id: str, **wanted: Any) -> dict[str, Any] | None:
        """The first outcome with these fields."""
        fits = (one for one in self.outcomes(command_id) if all(one.get(key) == wanted[key] for key in wanted))
        return next(fits, None)

    async def outcome(self, command_id: str, *, within_s: float = PATIENCE_S, **wanted: Any) -> dict[str, Any]:
        """Wait for it."""
        try:
            await until(lambda: self.found(command_id, **wanted) is not None, within_s=within_s)
        except AssertionError:
            raise AssertionError(f"{command_id} never was {wanted}:\n{self.story(command_id)}") from None
        found = self.found(command_id, **wanted)
        assert found is not None
        return found

    def ends(self, command_id: str) -> list[str]:
        """Its ends, each counted once however often the message came."""
        ended = {(one["boot_id"], one["seq"]): one["end"] for one in self.outcomes(command_id) if "end" in one}
        return list(ended.values())

    def faults(self, code: str, device: str = "battery") -> list[str]:
        """What was said about a fault, in order."""
        fits = (one for one in self.messages if one["_leaf"] == "fault" and one["code"] == code)
        return [one["state"] for one in fits if one["device"] == device]

    def story(self, command_id: str = "") -> str:
        """What was said, for a failing test."""
        keys = ("command_id", "stage", "deviation", "end", "code", "state", "reason", "text")
        shown = [one for one in self.messages if one["_leaf"] in ("outcome", "fault")]
        shown = [one for one in shown if one["_leaf"] == "fault" or command_id in ("", one["command_id"])]
        return "\n".join(" · ".join(str(one[key]) for key in keys if one.get(key)) for one in shown[-30:])


def _stat(pid: int | str) -> tuple[str, int]:
    """State and parent of a process, as Linux tells them; a zombie counts as gone. ProcessLookupError."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError as error:
        raise ProcessLookupError(pid) from error
    if state in "ZX":
        raise ProcessLookupError(pid)
    return state, int(parent)


def is_gone(pid: int | None) -> bool:
    """Whether a process has ended, although nobody may have asked for its exit code yet."""
    try:
        return pid is None or not _stat(pid)
    except ProcessLookupError:
        return True


def child_of(pid: int) -> int | None:
    """The process that it has started, if it lives."""
    for found in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):
            if _stat(found.name)[1] == pid:
                return int(found.name)
    return None


@dataclass
class EdgeProcess:
    """`samspel run site.toml`, started, killed and started again: its guard and its edge, which are one process group.

    `kill` is the power loss of the whole box. What happens to the edge alone is in `test_guard.py`.
    """

    site_file: Path
    folder: Path
    more_environment: Mapping[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        """All that its lives have logged."""
        return (self.folder / "edge.log").read_text("utf-8")

    @property
    def database(self) -> Path:
        """Its journal and outbox."""
        return next((self.folder / "state").rglob("edge.sqlite"))

    async def start(self) -> None:
        """Start it; it connects by itself."""
        with (self.folder / "edge.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "samspel", "--log", "json", "run", str(self.site_file)),
                stderr=log,
                env={**environment(self.folder), **self.more_environment},
                start_new_session=True,
            )

    @property
    def child(self) -> int | None:
        """The process id of what the guard runs just now: the edge itself, a rescuer, or nothing."""
        assert self.process is not None
        return child_of(self.process.pid)

    async def kill(self) -> None:
        """SIGKILL to both at once."""
        assert self.process is not None
        child = self.child
        os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()
        await until(lambda: is_gone(child), "nothing of the edge is left")

    async def terminate(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), PATIENCE_S)

    async def close(self) -> None:
        """Whatever it does, it ends."""
        if self.process is not None and self.process.returncode is None:
            await self.kill()

    def documents(self) -> dict[str, Any]:
        """The journal on disk, by name."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            rows = connection.execute("SELECT name, document FROM journal").fetchall()
        connection.close()
        return {name: json.loads(document) for name, document in rows}

    def waiting(self) -> list[dict[str, Any]]:
        """What still waits on disk for the broker."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            rows = connection.execute("SELECT payload FROM outbox").fetchall()
        connection.close()
        return [json.loads(payload) for (payload,) in rows]


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


def in_seconds(text: str) -> float:
    """An instant on the wire as seconds."""
    return datetime.fromisoformat(text).timestamp()


def now() -> float:
    """This moment as seconds, comparable with `in_seconds`; no step of the wall clock during the test matters."""
    return time.monotonic() + _WALL_OFFSET_S


_WALL_OFFSET_S = time.time() - time.monotonic()
