"""Modbus over TCP in front of a twin: frames in, frames out, in order, one at a time per connection.

Frames may arrive cut anywhere or several in one segment; each is answered before the next is looked
at, or lost where the device does not take the next one so early. Bytes that are no Modbus TCP close the
connection; of RTU frames, which a device may be served with instead, wrong bytes are dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import struct

from samspel_sim.pdu import Frame, GarbageError
from samspel_sim.twin import Close, Session, Twin

_log = logging.getLogger(__name__)
_CHUNK_BYTES = 4096


class ModbusServer:
    """Serves one twin on one port until closed; inside TLS where `tls` has a certificate to show."""

    def __init__(self, twin: Twin, *, tick_s: float = 0.25, tls: ssl.SSLContext | None = None) -> None:
        self._twin, self._tls = twin, tls
        self._tick_s = tick_s
        self._server: asyncio.Server | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._framing = twin.behaviour.link.framing

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; the port that was taken. OSError when it cannot be had."""
        self._server = await asyncio.start_server(self._serve, host, port, ssl=self._tls)
        self._ticker = asyncio.create_task(self._tick())
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        tasks = [*self._connections, *([self._ticker] if self._ticker else [])]
        if self._server is not None:
            self._server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def _tick(self) -> None:
        """Keep the physics near the clock, so that no request has much to catch up with."""
        while True:
            self._twin.advance()
            await asyncio.sleep(self._tick_s)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is served by a task")
        self._connections.add(task)
        session = self._twin.open(lambda how: self._hang_up(task, writer, how))
        try:
            if session is not None:
                pipelined = self._twin.behaviour.link.pipelined
                await (self._converse if pipelined else self._converse_singly)(session, reader, writer)
        except (GarbageError, OSError, asyncio.CancelledError) as error:
            _log.debug("connection ends: %r", error)
        finally:
            self._connections.discard(task)
            if session is not None:
                session.close()
            await _finish(writer)

    @staticmethod
    def _hang_up(task: asyncio.Task[None], writer: asyncio.StreamWriter, how: Close) -> None:
        _shut(writer, how)
        task.cancel()

    async def _converse(self, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        deframer = self._framing.deframer()
        while data := await reader.read(_CHUNK_BYTES):
            for frame in deframer.feed(data):
                if not await self._answer(session, frame, writer):
                    return

    async def _converse_singly(
        self, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Lose every frame that arrives before the last one is answered."""
        deframer, answering = self._framing.deframer(), asyncio.create_task(_nothing())
        try:
            while data := await reader.read(_CHUNK_BYTES):
                for frame in deframer.feed(data):
                    await asyncio.sleep(0)  # so that an answer that is ready has gone out
                    if not answering.done():
                        session.overrun()
                        continue
                    answering.result()
                    answering = asyncio.create_task(self._answer(session, frame, writer))
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)

    async def _answer(self, session: Session, frame: Frame, writer: asyncio.StreamWriter) -> bool:
        """Answer one frame; False when the connection is over."""
        reply = session.receive(frame.unit, frame.pdu)
        if reply.delay_s > 0 and reply.pdu is not None:
            await asyncio.sleep(reply.delay_s)
        if reply.pdu is not None:
            answer = Frame(frame.transaction, self._twin.reply_unit(frame.unit), reply.pdu)
            writer.write(self._framing.encode(answer))
            await writer.drain()
            session.answered()
        if reply.close is not Close.NO:
            _shut(writer, reply.close)
        return reply.close is Close.NO


def _shut(writer: asyncio.StreamWriter, how: Close) -> None:
    if how is Close.RESET:
        # Lingering for zero seconds makes the close a reset on the wire instead of an orderly end.
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    else:
        writer.close()


async def _nothing() -> bool:
    return True


async def _finish(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, asyncio.CancelledError):
        await writer.wait_closed()
