"""Who the device says it is: identification by function 0x2B, subfunction 0x0E.

Device code 1 gives vendor, product and revision. Device code 3 from object 0x87 gives the number of
devices as one byte, then one list of ``key=value`` texts per device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from samspel_sim.pdu import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE, exception

FUNCTION = 0x2B
_IDENTIFICATION = 0x0E
_BASIC, _EXTENDED = 1, 3
_DEVICE_COUNT = 0x87
_MOST_BYTES = 240


@dataclass(frozen=True, slots=True)
class Described:
    """One device of the list."""

    model: str
    software: str
    serial: str
    unit: int
    product: str

    def text(self) -> bytes:
        """The list entry; it does not end with a semicolon."""
        fields = {
            1: self.model,
            2: self.software,
            3: "P1.15-D5.0",
            4: self.serial,
            5: self.unit,
            6: "0.0",
            8: self.product,
        }
        return ";".join(f"{key}={value}" for key, value in fields.items()).encode()


def answer(pdu: bytes, devices: Sequence[Described]) -> bytes:
    """Answer one request of function 0x2B."""
    if len(pdu) != 4:
        return exception(FUNCTION, ILLEGAL_VALUE)
    if pdu[1] != _IDENTIFICATION:
        return exception(FUNCTION, ILLEGAL_FUNCTION)
    code, first = pdu[2], pdu[3]
    objects = {_BASIC: _basic(devices[0]), _EXTENDED: _extended(devices)}.get(code)
    if objects is None:
        return exception(FUNCTION, ILLEGAL_VALUE)
    wanted = [(number, data) for number, data in objects if number >= first]
    return _reply(code, wanted) if wanted and wanted[0][0] == first else exception(FUNCTION, ILLEGAL_ADDRESS)


def _basic(device: Described) -> list[tuple[int, bytes]]:
    return [(0, b"HUAWEI"), (1, device.product.encode()), (2, device.software.encode())]


def _extended(devices: Sequence[Described]) -> list[tuple[int, bytes]]:
    entries = [(_DEVICE_COUNT + place, device.text()) for place, device in enumerate(devices, start=1)]
    return [(_DEVICE_COUNT, bytes([len(devices)])), *entries]


def _reply(code: int, objects: Sequence[tuple[int, bytes]]) -> bytes:
    """As many objects as one answer holds; the rest is announced as following."""
    body, sent = b"", 0
    for number, data in objects:
        if len(body) + 2 + len(data) > _MOST_BYTES:
            break
        body += bytes([number, len(data)]) + data
        sent += 1
    more, following = (0xFF, objects[sent][0]) if sent < len(objects) else (0, 0)
    return bytes([FUNCTION, _IDENTIFICATION, code, code, more, following, sent]) + body
