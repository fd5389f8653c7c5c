"""A broker that does what a test says: what no real broker can be brought to do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9


def packet(kind: int, body: bytes, flags: int = 0) -> bytes:
    """A packet with a body below 128 bytes."""
    assert len(body) < 128
    return bytes([kind << 4 | flags, len(body)]) + body


def publish(topic: bytes, payload: bytes, mid: int) -> bytes:
    """A QoS 1 publish of version 3.1.1."""
    return packet(PUBLISH, len(topic).to_bytes(2) + topic + mid.to_bytes(2) + payload, flags=0b0010)


@dataclass
class ScriptedBroker:
    """Speaks 3.1.1. `level_answers` maps the protocol level of a greeting (4 or 5) to the answer; none is silence.

    `after_subscribe` is sent when a subscription is granted with `grant`. `seen` are (kind, body) of all packets.
    """

    level_answers: dict[int, bytes] = field(default_factory=lambda: {4: packet(CONNACK, b"\0\0")})
    grant: int = 1
    after_subscribe: bytes = b""
    acknowledge: bool = True
    hang_up: bool = False
    levels: list[int] = field(default_factory=list)
    seen: list[tuple[int, bytes]] = field(default_factory=list)
    port: int = 0

    async def __aenter__(self) -> ScriptedBroker:
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._something = asyncio.Event()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.break_all()
        await asyncio.gather(*self._tasks)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the packets seen fulfil the condition."""
        async with asyncio.timeout(20):
            while not condition():
                self._something.clear()
                await self._something.wait()

    def break_all(self) -> None:
        """Lose every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.current_task())
        self._writers.add(writer)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, OSError):
                while True:
                    head, length = await reader.readexactly(2)
                    if length > 127:
                        length += ((await reader.readexactly(1))[0] << 7) - 128
                    body = await reader.readexactly(length)
                    self.seen.append((head >> 4, body))
                    writer.write(self._answer(head, body))
                    self._something.set()
                    if self.hang_up:
                        return
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    def _answer(self, head: int, body: bytes) -> bytes:
        kind = head >> 4
        if kind == CONNECT:
            self.levels.append(body[6])
            return self.level_answers.get(body[6], b"")
        if kind == SUBSCRIBE:
            return packet(SUBACK, body[:2] + bytes([self.grant])) + self.after_subscribe
        if kind == PUBLISH and self.acknowledge:
            start = 2 + int.from_bytes(body[:2])
            return packet(PUBACK, body[start : start + 2])
        return b""
