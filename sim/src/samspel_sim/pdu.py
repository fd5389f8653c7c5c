"""Modbus PDUs as bytes: the four register functions, exceptions, and the MBAP frame around them."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from samspel_sim.registers import Words

ILLEGAL_FUNCTION = 0x01
ILLEGAL_ADDRESS = 0x02
ILLEGAL_VALUE = 0x03
DEVICE_FAILURE = 0x04
BUSY = 0x06

READ_HOLDING, READ_INPUT, WRITE_SINGLE, WRITE_MULTIPLE = 3, 4, 6, 16
MAX_READ_COUNT, MAX_WRITE_COUNT = 125, 123
MAX_PDU_BYTES = 253


class BadPduError(ValueError):
    """A request whose bytes do not fit its function code (answered with exception 3)."""


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Function 3 or 4."""

    function: int
    address: int
    count: int


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """Function 6 or 16."""

    function: int
    address: int
    words: Words


def parse(pdu: bytes) -> ReadRequest | WriteRequest | None:
    """Understand one of the four register functions; None for any other. BadPduError when malformed."""
    if not pdu:
        raise BadPduError("an empty request")
    if pdu[0] in (READ_HOLDING, READ_INPUT):
        return _parse_read(pdu)
    if pdu[0] == WRITE_SINGLE:
        return _parse_single(pdu)
    return _parse_multiple(pdu) if pdu[0] == WRITE_MULTIPLE else None


def _parse_read(pdu: bytes) -> ReadRequest:
    if len(pdu) != 5:
        raise BadPduError(f"a read of {len(pdu)} bytes, not 5")
    function, address, count = struct.unpack(">BHH", pdu)
    if not 1 <= count <= MAX_READ_COUNT or address + count > 0x10000:
        raise BadPduError(f"{count} registers from {address}")
    return ReadRequest(function, address, count)


def _parse_single(pdu: bytes) -> WriteRequest:
    if len(pdu) != 5:
        raise BadPduError(f"a single write of {len(pdu)} bytes, not 5")
    function, address, word = struct.unpack(">BHH", pdu)
    return WriteRequest(function, address, (word,))


def _parse_multiple(pdu: bytes) -> WriteRequest:
    if len(pdu) < 6:
        raise BadPduError(f"a multiple write of {len(pdu)} bytes")
    function, address, count, size = struct.unpack(">BHHB", pdu[:6])
    if not 1 <= count <= MAX_WRITE_COUNT or size != 2 * count or len(pdu) != 6 + size:
        raise BadPduError(f"{count} registers in {size} bytes")
    return WriteRequest(function, address, struct.unpack(f">{count}H", pdu[6:]))


def read_reply(function: int, words: Words) -> bytes:
    """The answer to a read."""
    return struct.pack(f">BB{len(words)}H", function, 2 * len(words), *words)


def write_reply(request: WriteRequest) -> bytes:
    """The acknowledgement of a write: the word for function 6, the count for function 16."""
    tail = request.words[0] if request.function == WRITE_SINGLE else len(request.words)
    return struct.pack(">BHH", request.function, request.address, tail)


def exception(function: int, code: int) -> bytes:
    """An exception answer."""
    return bytes([function & 0x7F | 0x80, code])


@dataclass(frozen=True, slots=True)
class Frame:
    """One Modbus TCP frame."""

    transaction: int
    unit: int
    pdu: bytes

    def encode(self) -> bytes:
        """Bytes on the wire."""
        return struct.pack(">HHHB", self.transaction, 0, len(self.pdu) + 1, self.unit) + self.pdu


class GarbageError(ValueError):
    """Bytes that are no Modbus TCP: the connection has to be closed."""


class Deframing(ABC):
    """Collects bytes, however they were cut, and gives back whole frames in order."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take what arrived; give the frames that are complete now, then GarbageError on a foreign protocol."""
        self._buffer += data
        while (frame := self._next()) is not None:
            yield frame

    @abstractmethod
    def _next(self) -> Frame | None:
        """Take the frame at the front of the buffer; None while there is no whole one."""


class Deframer(Deframing):
    """Requests of Modbus TCP."""

    def _next(self) -> Frame | None:
        if len(self._buffer) < 7:
            return None
        transaction, protocol, length, unit = struct.unpack(">HHHB", self._buffer[:7])
        if protocol != 0 or not 2 <= length <= MAX_PDU_BYTES + 1:
            raise GarbageError(f"protocol {protocol}, length {length}")
        if len(self._buffer) < 6 + length:
            return None
        pdu = bytes(self._buffer[7 : 6 + length])
        del self._buffer[: 6 + length]
        return Frame(transaction, unit, pdu)
