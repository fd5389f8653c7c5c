"""What the bytes of a request and its answer mean. Pure; bad arguments raise ValueError before anything is sent.

Answers are held against the request to the last byte, because the wire library accepts another function's
answer, a wrong register count and a wrong write echo.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from samspel.bus.connection import Answer
from samspel.bus.profile import BusProfile
from samspel.contract.errors import BadAnswer, DeviceBusy, DeviceRefused, RegisterAbsent
from samspel.contract.ports import Table

__all__ = ["Request", "accept", "exchange_request", "read_request", "write_request"]

T = TypeVar("T")

_READ_FUNCTIONS = {Table.HOLDING: 3, Table.INPUT: 4}
_EXCEPTION_BIT = 0x80
_MAX_PAYLOAD = 252
"""A Modbus PDU has 253 bytes, one of them the function code."""
_MEANINGS = {
    1: "function not known",
    2: "no such register",
    3: "value not allowed",
    4: "device failure",
    5: "accepted, still working",
    6: "busy",
    10: "gateway path unavailable",
    11: "gateway target silent",
}


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """One question, and how to read its answer. `what` names it for people."""

    function: int
    payload: bytes
    what: str
    decode: Callable[[bytes], T]
    """Reads the answer's payload; raises BadAnswer."""
    writes: bool = False
    repeatable: bool = True
    """May be sent again after a busy answer: reads, and writes of absolute values."""
    block: tuple[Table, int, int] | None = None
    """Table, address and count of a read."""


def read_request(table: Table, address: int, count: int) -> Request[tuple[int, ...]]:
    """Function 03 or 04, 1..125 words within 0..65535. Raises ValueError."""
    _check_range(address, count, most=125)
    what = f"read of {count} {table.value} register(s) at {address}"

    def words(payload: bytes) -> tuple[int, ...]:
        if len(payload) != 1 + 2 * count or payload[0] != 2 * count:
            raise BadAnswer(f"{what}: expected {2 * count} bytes of data, got {max(0, len(payload) - 1)}")
        return struct.unpack(f">{count}H", payload[1:])

    payload = struct.pack(">HH", address, count)
    return Request(_READ_FUNCTIONS[table], payload, what, words, block=(table, address, count))


def write_request(address: int, words: Sequence[int], function: Literal[6, 16]) -> Request[None]:
    """Function 06 (one word) or 16 (1..123 words) within 0..65535. Raises ValueError."""
    _check_write(address, words, function)
    what = f"write of {len(words)} register(s) at {address} (function {function:02d})"
    data = struct.pack(f">{len(words)}H", *words)
    head = struct.pack(">H", address)
    if function == 6:
        payload = echo = head + data
    else:
        echo = head + struct.pack(">H", len(words))
        payload = echo + bytes([len(data)]) + data

    def check_echo(answer: bytes) -> None:
        if answer != echo:
            raise BadAnswer(f"{what}: expected the echo {echo.hex(' ')}, got {answer.hex(' ')}")

    return Request(function, payload, what, check_echo, writes=True)


def exchange_request(function: int, payload: bytes) -> Request[bytes]:
    """A vendor's function 1..127 with at most 252 bytes; its answer is handed over as it is. Raises ValueError."""
    if not 1 <= function <= 127:
        raise ValueError(f"function code {function} is outside 1..127")
    if len(payload) > _MAX_PAYLOAD:
        raise ValueError(f"payload has {len(payload)} bytes; a request carries at most {_MAX_PAYLOAD}")
    return Request(
        function, bytes(payload), f"exchange of function 0x{function:02x}", bytes, writes=True, repeatable=False
    )


def accept(request: Request[T], answer: Answer, profile: BusProfile) -> T:
    """The answer's meaning. Raises BadAnswer, DeviceRefused, DeviceBusy or RegisterAbsent."""
    if answer.function == request.function | _EXCEPTION_BIT:
        raise _refusal(request.what, answer.payload, profile)
    if answer.function != request.function:
        raise BadAnswer(
            f"{request.what}: expected an answer of function 0x{request.function:02x}, "
            f"got function 0x{answer.function:02x}"
        )
    return request.decode(answer.payload)


def _refusal(what: str, payload: bytes, profile: BusProfile) -> BadAnswer | DeviceRefused:
    if len(payload) != 1:
        return BadAnswer(f"{what}: an exception answer has one byte, got {len(payload)}")
    code = payload[0]
    message = f"{what}: the device answered exception {code} ({_MEANINGS.get(code, 'vendor-specific')})"
    if code in profile.busy_codes:
        return DeviceBusy(message, code=code)
    if code in profile.absent_codes:
        return RegisterAbsent(message, code=code)
    return DeviceRefused(message, code=code)


def _check_range(address: int, count: int, *, most: int) -> None:
    if not 1 <= count <= most:
        raise ValueError(f"register count {count} is outside 1..{most}")
    if not 0 <= address <= 65536 - count:
        raise ValueError(f"registers {address}..{address + count - 1} are outside 0..65535")


def _check_write(address: int, words: Sequence[int], function: int) -> None:
    if function not in (6, 16):
        raise ValueError(f"write function {function} is not 6 or 16")
    if function == 6 and len(words) != 1:
        raise ValueError(f"function 06 writes exactly one word, got {len(words)}")
    _check_range(address, len(words), most=123)
    wrong = [word for word in words if not 0 <= word <= 0xFFFF]
    if wrong:
        raise ValueError(f"word {wrong[0]} for register block {address} is outside 0..65535")
