"""How a request travels on a connection: Modbus TCP, or RTU frames as a transparent serial gateway passes them.

A server of RTU frames cannot see the pauses of the serial line, so it takes the length of a request from its
function; of a function that it does not know it takes all that has arrived. A frame whose checksum is wrong is
dropped with everything behind it and gets no answer, as on the line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from samspel_sim.pdu import READ_HOLDING, READ_INPUT, WRITE_MULTIPLE, WRITE_SINGLE, Deframer, Deframing, Frame

_FIXED_BYTES = 8
_HEAD_BYTES = 7
_ENDS_BYTES = 9
_SHORTEST_BYTES = 4


@dataclass(frozen=True, slots=True)
class Framing:
    """One way to wrap PDUs."""

    name: str
    deframer: Callable[[], Deframing]
    encode: Callable[[Frame], bytes]


def checksum(data: bytes) -> bytes:
    """The two bytes of CRC-16/MODBUS as they are sent: low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


def encode_rtu(frame: Frame) -> bytes:
    """Unit, PDU and checksum; RTU knows no transaction."""
    body = bytes([frame.unit]) + frame.pdu
    return body + checksum(body)


class RtuDeframer(Deframing):
    """RTU requests, all with transaction 0."""

    def _next(self) -> Frame | None:
        size = self._size()
        if not _SHORTEST_BYTES <= size <= len(self._buffer):
            return None
        body, check = bytes(self._buffer[: size - 2]), bytes(self._buffer[size - 2 : size])
        if checksum(body) != check:
            self._buffer.clear()
            return None
        del self._buffer[:size]
        return Frame(0, body[0], body[1:])

    def _size(self) -> int:
        """Bytes of the request at the front; 0 while that cannot be told."""
        if len(self._buffer) < _SHORTEST_BYTES:
            return 0
        function = self._buffer[1]
        if function in (READ_HOLDING, READ_INPUT, WRITE_SINGLE):
            return _FIXED_BYTES
        if function == WRITE_MULTIPLE:
            return _ENDS_BYTES + self._buffer[_HEAD_BYTES - 1] if len(self._buffer) >= _HEAD_BYTES else 0
        return len(self._buffer)


MODBUS_TCP = Framing("tcp", Deframer, Frame.encode)
RTU_OVER_TCP = Framing("rtu", RtuDeframer, encode_rtu)
