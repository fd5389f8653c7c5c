"""Where a device is, in one line: `modbus-tcp://192.0.2.7:502?unit=1`, or `modbus-tls://192.0.2.7:516?pin=…`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

from samspel.bus.profile import Framing
from samspel.contract.errors import ConfigError

__all__ = ["BusUrl", "parse_url"]

_FRAMINGS: dict[str, Framing] = {"modbus-tcp": "socket", "modbus-rtu-tcp": "rtu", "modbus-tls": "socket"}
_DEFAULT_PORTS = {"modbus-tls": 802}
_DEFAULT_PORT = 502
_PIN = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class BusUrl:
    """One endpoint and, where given, the unit (0..255) behind it.

    `pin` is the SHA-256 of the certificate that a TLS endpoint must show, in hexadecimal digits.
    """

    scheme: str
    host: str
    port: int
    unit: int | None = None
    pin: str = ""

    @property
    def framing(self) -> Framing:
        """What a BusProfile for this address must have as its framing."""
        return _FRAMINGS[self.scheme]

    @property
    def tls(self) -> bool:
        """Whether frames travel inside TLS."""
        return self.scheme == "modbus-tls"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        options = [*([] if self.unit is None else [f"unit={self.unit}"]), *([f"pin={self.pin}"] if self.pin else [])]
        return f"{self.scheme}://{host}:{self.port}{'?' if options else ''}{'&'.join(options)}"


def parse_url(text: str) -> BusUrl:
    """Read an address. Port 502 (with TLS 802) if none is given. Raises ConfigError that shows what is allowed."""
    try:
        parts = urlsplit(text)
        port = _DEFAULT_PORTS.get(parts.scheme, _DEFAULT_PORT) if parts.port is None else parts.port
    except ValueError as error:
        raise _wrong(text, str(error)) from error
    _check_scheme(text, parts)
    if parts.path not in ("", "/") or parts.fragment or parts.username or parts.password:
        raise _wrong(text, "only host, port and ?unit= are understood")
    options = _options(text, parts)
    unit, pin = _unit(text, options.get("unit")), _pin(text, options.get("pin"))
    return BusUrl(parts.scheme, _host(text, parts), _port(text, port), unit, pin)


def _wrong(text: str, reason: str) -> ConfigError:
    return ConfigError(f"address {text!r}: {reason}; expected for example modbus-tcp://192.0.2.7:502?unit=1")


def _check_scheme(text: str, parts: SplitResult) -> None:
    # Serial lines (modbus-serial:///dev/...) join here and in pymodbus_connection.
    if parts.scheme.startswith("modbus-serial"):
        raise _wrong(text, "serial lines are not supported yet; use a serial-to-TCP converter")
    if parts.scheme not in _FRAMINGS:
        raise _wrong(text, f"scheme {parts.scheme!r} is unknown; allowed: {', '.join(_FRAMINGS)}")


def _host(text: str, parts: SplitResult) -> str:
    host = parts.hostname or ""
    try:
        host.encode("idna")
    except UnicodeError as error:
        raise _wrong(text, f"host {host!r} is not a valid name") from error
    if not host or any(character.isspace() for character in host):
        raise _wrong(text, "there is no host")
    return host


def _port(text: str, port: int) -> int:
    if not 1 <= port <= 65535:
        raise _wrong(text, f"port {port} is outside 1..65535")
    return port


def _options(text: str, parts: SplitResult) -> dict[str, str]:
    """Each at most once; `pin` only where there is a certificate."""
    options = parse_qsl(parts.query, keep_blank_values=True)
    allowed = {"unit", "pin"} if parts.scheme == "modbus-tls" else {"unit"}
    names = [name for name, _ in options]
    if len(set(names)) != len(names) or not allowed.issuperset(names):
        pin = ", one pin=SHA256" if "pin" in allowed else ""
        raise _wrong(text, f"options {parts.query!r} are not understood; allowed: one unit=0..255{pin}")
    return dict(options)


def _pin(text: str, value: str | None) -> str:
    pin = "" if value is None else value.replace(":", "").lower()
    if value is not None and not _PIN.fullmatch(pin):
        raise _wrong(text, f"pin {value!r} is not the SHA-256 of a certificate, 64 hexadecimal digits")
    return pin


def _unit(text: str, value: str | None) -> int | None:
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and int(value) <= 255):
        raise _wrong(text, f"unit {value!r} is not a number 0..255")
    return int(value)
