"""Firmware strings in their natural order: by the numbers in them, letters ignored."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["FirmwareKey", "in_ranges", "version_key"]

FirmwareKey = tuple[int, ...]


def version_key(firmware: str) -> FirmwareKey:
    """The numbers of a firmware string in their order: `V100R001C00SPC168` is (100, 1, 0, 168)."""
    return tuple(int(digits) for digits in re.findall(r"[0-9]+", firmware))


def in_ranges(firmware: str, ranges: Iterable[tuple[str, str]]) -> bool:
    """Whether a firmware lies in one of the closed ranges. A text without numbers lies in none."""
    key = version_key(firmware)
    return bool(key) and any(version_key(low) <= key <= version_key(high) for low, high in ranges)
