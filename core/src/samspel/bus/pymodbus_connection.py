"""One TCP connection on pymodbus. The only module that imports it.

pymodbus carries frames here and matches transaction ids; what the bytes mean is judged in `samspel.bus.pdu`, and
when to connect, wait, repeat or give up in `samspel.bus.endpoint`. What is guarded against:

* it repeats requests, writes too (`retries`), and reconnects on its own (`reconnect_delay`): both off, and
  `execute` is awaited directly, never scheduled, since a transport lost in between makes it reconnect by itself;
* it raises ConnectionException from the call itself, before there is anything to await;
* a connection lost in mid-request is noticed only after the full timeout: we end the wait at once;
* an answer without transaction id, or to unit 0 from any unit, is taken for ours: checked here;
* an unknown function code in an answer raises inside the protocol callback: all codes are registered;
* closing leaves the kernel delivering old requests for many minutes: a dropped connection is reset.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import os
import socket
import struct
from collections.abc import Callable

from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.framer import FramerRTU
from pymodbus.logging import Log
from pymodbus.pdu import ExceptionResponse, ModbusPDU

from samspel.bus.connection import Answer
from samspel.bus.profile import BusProfile
from samspel.bus.tls import check_certificate, tls_context
from samspel.contract.errors import BadAnswer, LinkDown, NoAnswer

__all__ = ["PymodbusConnection", "connect"]

WIRE_LOGGER = logging.getLogger("samspel.bus.wire")

_FRAMERS = {"socket": FramerType.SOCKET, "rtu": FramerType.RTU}
# A serial line would be a third entry here, with AsyncModbusSerialClient in `_new_client`.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class _RawPdu(ModbusPDU):
    """A function code and its bytes, either way."""

    def __init__(self, payload: bytes = b"", unit: int = 0) -> None:
        super().__init__(dev_id=unit)
        self.payload = payload

    def encode(self) -> bytes:
        return self.payload

    def decode(self, data: bytes) -> None:
        self.payload = bytes(data)

    @classmethod
    def calculateRtuFrameSize(cls, data: bytes) -> int:  # noqa: N802 - pymodbus names it
        """Nothing in a vendor's frame tells its length: it is complete when its checksum fits."""
        if cls.rtu_frame_size or cls.rtu_byte_count_pos:
            return super().calculateRtuFrameSize(data)
        fits = FramerRTU.check_CRC(data[:-2], int.from_bytes(data[-2:], "big"))
        return len(data) if fits else 0


def _raw_class(function: int) -> type[_RawPdu]:
    shape: dict[str, object] = {"function_code": function}
    if function in (3, 4):
        shape["rtu_byte_count_pos"] = 2
    if function in (6, 16):
        shape["rtu_frame_size"] = 8
    return type(f"_RawPdu{function:02x}", (_RawPdu,), shape)


_RAW_CLASSES = {function: _raw_class(function) for function in range(0x81)}


async def connect(host: str, port: int, profile: BusProfile, on_lost: Callable[[], None]) -> PymodbusConnection:
    """Open a connection with a fresh client object. Raises LinkDown with the system's reason."""
    connection = PymodbusConnection(host, port, profile, on_lost)
    try:
        await connection.open()
    except BaseException:
        connection.reset()
        raise
    return connection


class PymodbusConnection:
    """See `samspel.bus.connection.Connection`."""

    def __init__(self, host: str, port: int, profile: BusProfile, on_lost: Callable[[], None]) -> None:
        self._where = f"{host}:{port}"
        self._profile = profile
        self._on_lost = on_lost
        self._unit = 0
        self._patience: asyncio.Timeout | None = None
        self._refusal: OSError | None = None
        self._client = self._new_client(host, port)

    def _new_client(self, host: str, port: int) -> AsyncModbusTcpClient:
        client = AsyncModbusTcpClient(
            host,
            port=port,
            framer=_FRAMERS[self._profile.framing],
            name=self._where,
            retries=0,
            reconnect_delay=0,
            # Both waits have their own, shorter limit here; this one must never come first.
            timeout=self._profile.connect_timeout_s + self._profile.timeout_s,
            trace_connect=self._connection_changed,
            trace_pdu=self._address,
        )
        for raw_class in _RAW_CLASSES.values():
            client.register(raw_class)
        if self._profile.tls:
            # pymodbus' own TLS client leaves out the frame's header, transaction id and unit included.
            client.ctx.comm_params.sslctx = tls_context()
            client.ctx.init_setup_connect_listen(host, port)
        return client

    @property
    def alive(self) -> bool:
        """False once it is closed."""
        return self._client.connected

    async def open(self) -> None:
        """Connect. Raises LinkDown."""
        self._record_refusal()
        try:
            async with asyncio.timeout(self._profile.connect_timeout_s):
                up = await self._client.connect()
        except TimeoutError as error:
            limit = self._profile.connect_timeout_s
            raise LinkDown(f"{self._where}: no connection within {limit:g} s") from error
        if not up or not self.alive:
            raise LinkDown(f"{self._where}: no connection: {self._reason()}") from self._refusal
        if self._profile.tls:
            check_certificate(self._where, self._client.ctx.transport, self._profile.tls_pin)
        self._bound_retransmission()

    async def transact(self, unit: int, function: int, payload: bytes, timeout_s: float) -> Answer:
        """One request and its answer. Raises LinkDown, NoAnswer or BadAnswer."""
        self._unit = unit
        request = _RAW_CLASSES[function](payload, 0 if self._profile.any_unit_answers else unit)
        try:
            transaction = self._client.execute(False, request)
        except ConnectionException as error:
            raise LinkDown(f"{self._where}: the connection is closed") from error
        try:
            async with asyncio.timeout(timeout_s) as self._patience:
                reply: ModbusPDU = await transaction
        except TimeoutError as error:
            raise NoAnswer(self._silence(unit, timeout_s)) from error
        except ModbusException as error:
            raise NoAnswer(f"{self._where}: unit {unit}: {error}") from error
        finally:
            self._patience = None
        self._check_addressing(request, reply, unit)
        return self._answer(reply)

    def close(self) -> None:
        """Part in good order."""
        self._client.close()

    def reset(self) -> None:
        """Drop at once; what the kernel still holds for the peer is thrown away."""
        transport = self._client.ctx.transport
        if isinstance(transport, asyncio.WriteTransport):
            sock: socket.socket = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            transport.abort()
        self._client.close()

    def _connection_changed(self, connected: bool) -> None:
        if connected:
            return
        if self._patience is not None and not self._patience.expired():
            self._patience.reschedule(asyncio.get_running_loop().time())
        self._on_lost()

    def _address(self, sending: bool, pdu: ModbusPDU) -> ModbusPDU:
        """Put the unit on the frame; where any unit may answer, pymodbus must not know it."""
        if not sending or not self._profile.any_unit_answers:
            return pdu
        addressed = copy.copy(pdu)
        addressed.dev_id = self._unit
        return addressed

    def _record_refusal(self) -> None:
        """Keep the system's reason for a failed connect, which pymodbus only logs."""
        create = self._client.ctx.call_create

        async def recorded() -> object:
            try:
                return await create()
            except OSError as error:
                self._refusal = error
                raise

        self._client.ctx.call_create = recorded

    def _reason(self) -> str:
        if self._refusal is None:
            return "closed by the peer at once"
        number = self._refusal.errno or 0
        return os.strerror(number) if number > 0 else str(self._refusal.strerror or self._refusal)

    def _bound_retransmission(self) -> None:
        """The kernel must not deliver a request later than anybody waits for it."""
        sock: socket.socket = self._client.ctx.transport.get_extra_info("socket")
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            limit_ms = int(self._profile.timeout_s * 1000)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, limit_ms)

    def _silence(self, unit: int, timeout_s: float) -> str:
        if not self.alive:
            return f"{self._where}: unit {unit}: the connection was closed before an answer came"
        return f"{self._where}: unit {unit}: no answer within {timeout_s:.3g} s"

    def _check_addressing(self, request: ModbusPDU, reply: ModbusPDU, unit: int) -> None:
        if reply.dev_id != unit and not self._profile.any_unit_answers:
            raise NoAnswer(f"{self._where}: unit {unit} was asked, only unit {reply.dev_id} answered")
        if self._profile.framing == "socket" and reply.transaction_id != request.transaction_id:
            raise BadAnswer(
                f"{self._where}: unit {unit}: expected transaction id {request.transaction_id}, "
                f"got {reply.transaction_id}"
            )

    def _answer(self, reply: ModbusPDU) -> Answer:
        if isinstance(reply, ExceptionResponse):
            return Answer(reply.function_code, bytes([reply.exception_code]))
        if isinstance(reply, _RawPdu):
            return Answer(reply.function_code, reply.payload)
        raise BadAnswer(f"{self._where}: an answer of function {reply.function_code} cannot be read")


def _detail_only(record: logging.LogRecord) -> bool:
    """What pymodbus says is detail: the endpoint reports the same event in our own words."""
    record.levelno, record.levelname = logging.DEBUG, "DEBUG"
    return WIRE_LOGGER.isEnabledFor(logging.DEBUG)


def _route_logging() -> None:
    """Let pymodbus write to our logger only: nothing on stderr, nothing twice."""
    Log._logger = WIRE_LOGGER  # there is no public way; the series is pinned
    WIRE_LOGGER.addHandler(logging.NullHandler())
    WIRE_LOGGER.addFilter(_detail_only)


_route_logging()
