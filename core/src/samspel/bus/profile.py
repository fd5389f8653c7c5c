"""How one kind of device wants to be spoken to. Comes from the driver's manifest; all times are seconds."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from samspel.contract.errors import ConfigError

__all__ = ["BusProfile", "Framing"]

Framing = Literal["socket", "rtu"]
"""`socket` is Modbus TCP with transaction ids (MBAP); `rtu` is serial framing inside TCP, without them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusProfile:
    """Pacing, patience and dialect of a device. Raises ConfigError on a value that cannot work."""

    framing: Framing = "socket"
    tls: bool = False
    """Frames travel inside TLS. Devices show certificates that nobody has signed, so only `tls_pin` proves one."""
    tls_pin: str = ""
    """SHA-256 of the certificate, 64 hexadecimal digits in lower case. Empty: any certificate will do."""

    connect_timeout_s: float = 5.0
    connect_wait_s: float = 0.0
    """Silence after the TCP connection stands, before the first request."""
    reconnect_s: tuple[float, float] = (1.0, 30.0)
    """First and longest wait between connection attempts; doubles in between, with jitter."""

    gap_s: float = 0.05
    """From the end of a transaction to the next request."""
    write_gap_s: float = 0.05
    """The same after a write; the longer of the two holds."""
    gap_max_s: float = 1.0
    """Busy answers widen the gap before telemetry up to this."""

    timeout_s: float = 5.0
    """Ceiling, and the timeout while the latency is not known."""
    min_timeout_s: float = 1.0
    """Floor of the timeout that follows the measured latency."""
    drop_after_timeouts: int = 3
    """So many unanswered requests in a row mean a dead socket. Without transaction ids the first one does."""

    busy_codes: tuple[int, ...] = (5, 6)
    absent_codes: tuple[int, ...] = (2,)
    backoff_s: tuple[float, float] = (1.0, 10.0)
    """First and longest wait after a busy answer. Stops, releases and set-points always wait the first."""
    busy_tries: int = 3
    """So many times a request is sent to a busy device. A stop is repeated until the connection is lost."""

    telemetry_patience_s: float = 30.0
    """A telemetry request that waited longer than this is shed."""
    write_function_fallback: bool = False
    """Function 06 refused as unknown (code 1) is repeated as function 16, and 16 is used from then on."""
    any_unit_answers: bool = False
    """Accept an answer that carries another unit id than asked: some dongles answer as unit 0."""

    def __post_init__(self) -> None:
        self._check_times()
        if self.framing not in ("socket", "rtu"):
            raise ConfigError(f"bus profile: framing is {self.framing!r}; allowed: 'socket', 'rtu'")
        if self.drop_after_timeouts < 1 or self.busy_tries < 1:
            raise ConfigError("bus profile: drop_after_timeouts and busy_tries must be at least 1")
        if self.min_timeout_s > self.timeout_s:
            raise ConfigError(
                f"bus profile: min_timeout_s is {self.min_timeout_s:g}, above timeout_s {self.timeout_s:g}"
            )
        if self.gap_max_s < self.gap_s:
            raise ConfigError(f"bus profile: gap_max_s is {self.gap_max_s:g}, below gap_s {self.gap_s:g}")

    def _check_times(self) -> None:
        for field in fields(self):
            if not field.name.endswith("_s"):
                continue
            value = getattr(self, field.name)
            pair = value if isinstance(value, tuple) else (value, value)
            if not 0 <= pair[0] <= pair[1] or (not pair[1] and "timeout" in field.name):
                raise ConfigError(f"bus profile: {field.name} is {value!r}; seconds, not negative, rising")
        if not self.reconnect_s[0] or self.reconnect_s[1] > 30.0:
            raise ConfigError(f"bus profile: reconnect_s is {self.reconnect_s!r}; above 0, at most 30 s")
        if not self.backoff_s[0]:
            raise ConfigError(f"bus profile: backoff_s is {self.backoff_s!r}; must be above 0")
