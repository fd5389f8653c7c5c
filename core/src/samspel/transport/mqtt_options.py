"""How to reach the broker."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from samspel.contract.errors import ConfigError

__all__ = ["MqttOptions", "Protocol", "tls_context"]


class Protocol(StrEnum):
    """Which MQTT to speak. `auto` prefers 5 and falls back where the broker refuses it or does not answer."""

    AUTO = "auto"
    V5 = "5"
    V311 = "3.1.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttOptions:
    """All that a connection needs. Durations in seconds.

    TLS is used when `tls` is set or a certificate is named; without `ca_file` the system's authorities count.
    A certificate is read anew at every connection, so that a renewed one is picked up.
    `max_inbound_bytes`: a larger message is acknowledged, counted and dropped.
    """

    host: str
    client_id: str
    port: int = 1883
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    protocol: Protocol = Protocol.AUTO
    keepalive_s: int = 30
    session_expiry_s: int = 7 * 86_400
    connect_timeout_s: float = 5.0
    publish_timeout_s: float = 10.0
    reconnect_min_s: float = 1.0
    reconnect_max_s: float = 60.0
    max_inbound_bytes: int = 64 * 1024

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return bool(self.tls or self.ca_file or self.cert_file)


def tls_context(options: MqttOptions) -> ssl.SSLContext | None:
    """The TLS context that the options ask for, if any. Raises ConfigError for files that cannot be used."""
    if not options.uses_tls:
        return None
    try:
        context = ssl.create_default_context(cafile=options.ca_file)
        if options.cert_file is not None:
            context.load_cert_chain(options.cert_file, options.key_file)
    except (OSError, ValueError) as error:
        files = [str(name) for name in (options.ca_file, options.cert_file, options.key_file) if name]
        raise ConfigError(f"cannot use the broker's TLS files {', '.join(files)}: {error}") from error
    return context
