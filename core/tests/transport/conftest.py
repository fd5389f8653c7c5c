"""The brokers that the transport suite runs against, behind one face."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from typing import Protocol as TypingProtocol

import pytest
from samspel.clock import SystemClock
from samspel.contract.ports import Inbound, Outbound, Transport, TransportState
from samspel.transport.memory import MemoryBroker, MemoryTransport
from samspel.transport.mqtt import MqttTransport
from samspel.transport.mqtt_options import MqttOptions, Protocol

PATIENCE_S = 20.0


class Peer:
    """One client under test: what it heard, and waiting for things to happen."""

    def __init__(self, transport: Transport, *, acknowledging: bool = True) -> None:
        self.transport = transport
        self.acknowledging = acknowledging
        self.heard: list[Inbound] = []
        self.states: list[TransportState] = []
        self._something = asyncio.Event()

    async def start(self, *subscriptions: str) -> Peer:
        await self.transport.start(subscriptions, self._on_message, self._on_state)
        return self

    async def up(self, times: int = 1) -> Peer:
        await self.until(lambda: self.states.count(TransportState.UP) >= times)
        return self

    async def down(self, times: int = 1) -> None:
        await self.until(lambda: self.states.count(TransportState.DOWN) >= times)

    async def has_heard(self, count: int) -> list[bytes]:
        await self.until(lambda: len(self.heard) >= count)
        return self.payloads

    async def say(self, payload: bytes, topic: str = "t/1", **options: Any) -> None:
        await self.transport.publish(Outbound(topic=topic, payload=payload, **options))

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._something.clear()
                await self._something.wait()

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.heard]

    def _on_message(self, message: Inbound) -> None:
        self.heard.append(message)
        if self.acknowledging:
            self.transport.acknowledge(message)
        self._something.set()

    def _on_state(self, state: TransportState) -> None:
        self.states.append(state)
        self._something.set()


class Rig(TypingProtocol):
    """A broker, and clients of it. `cut` breaks a client's connection without a farewell, `heal` allows the next."""

    def peer(self, client_id: str, **options: Any) -> Peer: ...
    def stop(self) -> None: ...
    def start(self) -> None: ...
    def cut(self, client_id: str) -> None: ...
    def heal(self, client_id: str) -> None: ...
    async def close(self) -> None: ...


class MemoryRig:
    def __init__(self) -> None:
        self.clock = SystemClock()
        self.broker = MemoryBroker(self.clock)
        self._peers: list[Peer] = []

    def peer(self, client_id: str, *, will: Outbound | None = None, acknowledging: bool = True) -> Peer:
        peer = Peer(MemoryTransport(self.broker, client_id, will), acknowledging=acknowledging)
        self._peers.append(peer)
        return peer

    def stop(self) -> None:
        self.broker.stop()

    def start(self) -> None:
        self.broker.start()

    def cut(self, client_id: str) -> None:
        self.broker.cut(client_id)

    def heal(self, client_id: str) -> None:
        self.broker.heal(client_id)

    async def close(self) -> None:
        for peer in self._peers:
            await peer.transport.close()


class MqttRig:
    """A real broker; every client goes through a proxy of its own, so that its wire can be cut."""

    def __init__(self, broker: Any, protocol: Protocol) -> None:
        self.clock = SystemClock()
        self.broker = broker
        self.protocol = protocol
        self._peers: list[Peer] = []
        self._wires: dict[str, Wire] = {}

    def peer(self, client_id: str, *, will: Outbound | None = None, acknowledging: bool = True) -> Peer:
        wire = self._wires.setdefault(client_id, Wire(self.broker.host, self.broker.port))
        transport = WiredTransport(wire, self.options(client_id), self.clock, will)
        peer = Peer(transport, acknowledging=acknowledging)
        self._peers.append(peer)
        return peer

    def options(self, client_id: str) -> MqttOptions:
        return MqttOptions(
            host="127.0.0.1",
            client_id=client_id,
            username=client_id,
            protocol=self.protocol,
            reconnect_min_s=0.05,
            reconnect_max_s=0.2,
        )

    def stop(self) -> None:
        self.broker.stop()  # in order: mosquitto acknowledges before it saves, so a kill may lose messages

    def start(self) -> None:
        self.broker.start()

    def cut(self, client_id: str) -> None:
        self._wires[client_id].cut()

    def heal(self, client_id: str) -> None:
        self._wires[client_id].is_cut = False

    async def close(self) -> None:
        for peer in self._peers:
            await peer.transport.close()
        for wire in self._wires.values():
            await wire.close()


class WiredTransport(MqttTransport):
    """Opens its wire when it starts, because only then there is a loop to serve it."""

    def __init__(self, wire: Wire, options: MqttOptions, clock: SystemClock, will: Outbound | None) -> None:
        super().__init__(options, clock, will)
        self._wire = wire

    async def start(self, *arguments: Any) -> None:
        self._options = replace(self._options, port=await self._wire.open())
        await super().start(*arguments)


class Wire:
    """A TCP proxy that can be cut."""

    def __init__(self, host: str, port: int) -> None:
        self.is_cut = False
        self._address = (host, port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> int:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        self.is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    async def close(self) -> None:
        self.cut()
        if self._server is not None:
            self._server.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if not self.is_cut:
                await self._join(reader, writer)
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._address)
        except OSError:
            return
        pair = {writer, far_writer}
        self._writers |= pair
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            self._writers -= pair
            far_writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.transport.abort()


@pytest.fixture(
    params=[
        "memory",
        pytest.param("mosquitto-5", marks=pytest.mark.mosquitto),
        pytest.param("mosquitto-3.1.1", marks=pytest.mark.mosquitto),
    ]
)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    """Each broker in turn: one in memory, a real one in both versions of the protocol."""
    if request.param == "memory":
        made: Any = MemoryRig()
    else:
        made = MqttRig(request.getfixturevalue("mosquitto_broker"), Protocol(request.param.split("-")[1]))
    yield made
    await made.close()
