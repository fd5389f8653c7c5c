"""A scripted connection for simulated time, and a hand-written device that misbehaves on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import random
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from samspel.bus.connection import Answer
from samspel.bus.endpoint import Endpoint
from samspel.bus.profile import BusProfile
from samspel.contract.errors import LinkDown, NoAnswer


class LoopClock:
    """The running loop's own time, simulated or real."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass
class Sent:
    """One request as the device saw it."""

    at: float
    unit: int
    function: int
    payload: bytes
    timeout_s: float
    connection: int
    ended: float = float("nan")

    @property
    def address(self) -> int:
        return int.from_bytes(self.payload[:2], "big")


def good_answer(function: int, payload: bytes) -> Answer:
    """What a device without faults says: registers hold their own address."""
    if function in (3, 4):
        address, count = struct.unpack(">HH", payload)
        words = [(address + offset) & 0xFFFF for offset in range(count)]
        return Answer(function, bytes([2 * count]) + struct.pack(f">{count}H", *words))
    return Answer(function, payload[:4] if function in (6, 16) else b"ok:" + payload)


def refusal(function: int, code: int) -> Answer:
    return Answer(function | 0x80, bytes([code]))


@dataclass
class Device:
    """A scripted device behind a scripted network. `script` entries are used up one a request, then `good_answer`.

    An entry is an Answer, None (silence), an exception to raise, or "lost" (the peer closes in mid-request).
    """

    latency_s: float = 0.1
    script: list = field(default_factory=list)
    refuse_connects: int = 0
    log: list[Sent] = field(default_factory=list)
    connects: list[float] = field(default_factory=list)
    connections: list[ScriptedConnection] = field(default_factory=list)

    async def connect(self, host, port, profile, on_lost) -> ScriptedConnection:
        self.connects.append(asyncio.get_running_loop().time())
        if self.refuse_connects:
            self.refuse_connects -= 1
            raise LinkDown(f"{host}:{port}: no connection: refused")
        connection = ScriptedConnection(self, len(self.connections), on_lost)
        self.connections.append(connection)
        return connection

    @property
    def addresses(self) -> list[int]:
        return [sent.address for sent in self.log]


class ScriptedConnection:
    def __init__(self, device: Device, number: int, on_lost: Callable[[], None]) -> None:
        self.device, self.number, self.on_lost = device, number, on_lost
        self.alive = True
        self.in_flight = 0
        self.ending = ""

    async def transact(self, unit: int, function: int, payload: bytes, timeout_s: float) -> Answer:
        loop = asyncio.get_running_loop()
        assert self.alive, "a request on a connection that is gone"
        assert self.in_flight == 0, "two requests in flight"
        sent = Sent(loop.time(), unit, function, payload, timeout_s, self.number)
        self.device.log.append(sent)
        self.in_flight = 1
        try:
            return await self._act(function, payload, timeout_s)
        finally:
            self.in_flight = 0
            sent.ended = loop.time()

    async def _act(self, function: int, payload: bytes, timeout_s: float) -> Answer:
        script = self.device.script
        action = script.pop(0) if script else good_answer(function, payload)
        if action is None:
            await asyncio.sleep(timeout_s)
            raise NoAnswer("no answer in time")
        await asyncio.sleep(self.device.latency_s)
        if isinstance(action, Exception):
            raise action
        if action == "lost":
            self.lose()
            raise NoAnswer("the connection was closed before an answer came")
        return action

    def lose(self) -> None:
        self.alive = False
        self.on_lost()

    def close(self) -> None:
        self.ending = self.ending or "closed"
        self.alive = False

    def reset(self) -> None:
        self.ending = self.ending or "reset"
        self.alive = False


@pytest.fixture
def device() -> Device:
    return Device()


@pytest.fixture
async def running(device: Device) -> AsyncIterator[Callable[..., Endpoint]]:
    """Start endpoints to the scripted device; they are closed at the end."""
    started: list[tuple[Endpoint, asyncio.Task[None]]] = []

    def start(**profile: object) -> Endpoint:
        settings = {"gap_s": 0.05, "write_gap_s": 0.05, **profile}
        endpoint = Endpoint(
            "device", 502, BusProfile(**settings), LoopClock(), rng=random.Random(7), connector=device.connect
        )
        started.append((endpoint, asyncio.create_task(endpoint.run())))
        return endpoint

    yield start
    for endpoint, worker in started:
        await endpoint.close()
        if not worker.cancelled():
            await worker


Behaviour = Callable[["Peer", bytes], Awaitable[None]]


class Peer:
    """One accepted connection of the misbehaving device."""

    def __init__(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number, self.reader, self.writer = number, reader, writer
        self.frames: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.writer.write(data)


class WireDevice:
    """Hands every chunk that it receives to `behave`; a request is always one chunk on the loopback."""

    def __init__(self, behave: Behaviour) -> None:
        self._behave = behave
        self.peers: list[Peer] = []
        self.endings: asyncio.Queue[str] = asyncio.Queue()
        self.accepted = asyncio.Condition()
        self.port = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(len(self.peers), reader, writer)
        async with self.accepted:
            self.peers.append(peer)
            self.accepted.notify_all()
        try:
            await self._talk(peer)
            self.endings.put_nowait("end of file")
        except ConnectionResetError:
            self.endings.put_nowait("reset")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _talk(self, peer: Peer) -> None:
        if self._behave is hang_up:
            return
        while chunk := await peer.reader.read(1024):
            peer.frames.append(chunk)
            await self._behave(peer, chunk)
            if peer.writer.is_closing():
                return

    async def wait_accepted(self, count: int) -> None:
        async with self.accepted:
            await self.accepted.wait_for(lambda: len(self.peers) >= count)


async def hang_up(peer: Peer, chunk: bytes) -> None:
    """Marks a device that closes every connection as soon as it is accepted."""


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Behaviour], Awaitable[WireDevice]]]:
    servers: list[asyncio.Server] = []
    handlers: set[asyncio.Task[None]] = set()

    async def start(behave: Behaviour) -> WireDevice:
        wire = WireDevice(behave)

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            handlers.add(asyncio.current_task())
            await wire.handle(reader, writer)

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        servers.append(server)
        wire.port = server.sockets[0].getsockname()[1]
        return wire

    yield start
    for server in servers:
        server.close()
    for handler in handlers:
        handler.cancel()
    await asyncio.gather(*handlers, return_exceptions=True)


@pytest.fixture
def helpers() -> type:
    """The helpers above, for test modules, which cannot import each other."""

    class Helpers:
        Sent = Sent
        Device = Device
        LoopClock = LoopClock
        ScriptedConnection = ScriptedConnection
        good_answer = staticmethod(good_answer)
        refusal = staticmethod(refusal)
        hang_up = staticmethod(hang_up)

    return Helpers
