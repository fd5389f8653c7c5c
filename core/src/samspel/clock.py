"""Wall and monotonic time: of this machine, or of a simulation."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

__all__ = ["LoopClock", "SystemClock"]

_log = logging.getLogger(__name__)

_BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")
_STA_UNSYNC = 0x0040
_TIME_ERROR = 5
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class _Timex(ctypes.Structure):
    """The kernel's `struct timex` (adjtimex(2)); times in microseconds. `rest` is room for what we do not read."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def kernel_clock_error_s() -> float | None:
    """The kernel's bound on the error of the wall clock in seconds; `None` while it says "unsynchronised".

    Raises OSError where the kernel cannot be asked.
    """
    answer = _Timex()
    state = _adjtimex()(ctypes.byref(answer))
    if state < 0:
        raise OSError(ctypes.get_errno(), "adjtimex was refused")
    if state == _TIME_ERROR or answer.status & _STA_UNSYNC:
        return None
    return float(answer.maxerror) / 1e6


@cache
def _adjtimex() -> Callable[..., int]:
    """The system's function. Loading the library anew for each message would cost more than judging the message."""
    try:
        found: Callable[..., int] = ctypes.CDLL(None, use_errno=True).adjtimex
    except AttributeError as error:
        raise OSError("this system has no adjtimex call") from error
    return found


@cache
def _machine_boot_id() -> str:
    """The kernel's boot id; where there is none, one for the life of this process."""
    try:
        return _BOOT_ID_FILE.read_text("ascii").strip()
    except OSError as error:
        _log.warning("no boot id from the kernel (%s); using one of this process", error)
        return f"process-{os.getpid()}-{uuid.uuid4()}"


class SystemClock:
    """This machine's clocks.

    `max_error_s` is the largest error bound of the wall clock that still counts as synchronised. `ask_kernel`
    gives that bound (see `kernel_clock_error_s`).
    """

    def __init__(
        self,
        *,
        max_error_s: float = 1.0,
        ask_kernel: Callable[[], float | None] = kernel_clock_error_s,
    ) -> None:
        self._max_error_s = max_error_s
        self._ask_kernel = ask_kernel
        self._warned = False

    def monotonic(self) -> float:
        """Seconds of `time.monotonic`, which is also the asyncio loop's time."""
        return time.monotonic()

    def wall(self) -> datetime:
        """UTC now."""
        return datetime.now(UTC)

    def synchronised(self) -> bool:
        """The kernel's verdict. Where it cannot be had, "no": the safe answer, logged once."""
        try:
            error_s = self._ask_kernel()
        except OSError as error:
            self._warn_once(error)
            return False
        return error_s is not None and error_s <= self._max_error_s

    def boot_id(self) -> str:
        """The kernel's id of this boot."""
        return _machine_boot_id()

    def _warn_once(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            _log.warning("the kernel does not say whether the clock is right (%s): taken as wrong", error)


class LoopClock:
    """Simulated time: the running loop's own time, from an epoch.

    `wall_offset_s` makes the wall clock wrong by so much; it, `is_synchronised` and `boot` may be set at any time.
    """

    def __init__(self, *, epoch: datetime = _EPOCH, is_synchronised: bool = True, boot: str = "boot-1") -> None:
        self.epoch = epoch
        self.wall_offset_s = 0.0
        self.is_synchronised = is_synchronised
        self.boot = boot

    def monotonic(self) -> float:
        """The running loop's time in seconds. Raises RuntimeError outside a loop."""
        return asyncio.get_running_loop().time()

    def wall(self) -> datetime:
        """Epoch, plus loop time, plus offset."""
        return self.epoch + timedelta(seconds=self.monotonic() + self.wall_offset_s)

    def synchronised(self) -> bool:
        """Whatever was set."""
        return self.is_synchronised

    def boot_id(self) -> str:
        """Whatever was set."""
        return self.boot
