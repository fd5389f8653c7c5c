"""The tables of site.toml. Everything has a default but the site's name, its broker, its issuers and its devices."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from samspel.config.shaping import ShapingConfig, standard_filters
from samspel.contract.command import Rank
from samspel.contract.errors import ConfigError
from samspel.contract.fault import Severity
from samspel.contract.signals import SIGNALS
from samspel.faults.debounce import USUAL, Debounce
from samspel.wording import did_you_mean

__all__ = [
    "ENVIRONMENT",
    "ControlConfig",
    "DeviceConfig",
    "FaultsConfig",
    "GuardConfig",
    "Limits",
    "MqttConfig",
    "PollConfig",
    "SiteConfig",
    "SiteTable",
]

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


ENVIRONMENT = "SAMSPEL__"
"""How the name of a value in the environment begins; its path in the file follows, with `__` for each dot."""


class _Table(BaseModel):
    # A table is validated as part of its file; to build it for itself, too, costs each start its time.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class SiteTable(_Table):
    """`name` is the client id, the thing name and the topic level. `nonce_s`: how often a new nonce is published.

    `maps`: where corrected register maps lie, in a folder for each driver; default: `maps` beside site.toml.
    """

    name: Name
    directory: Path | None = None
    maps: Path | None = None
    nonce_s: Positive = 30.0
    follow_unsynchronised: bool = False
    max_skew_s: NonNegative = 5.0

    def state_directory(self) -> Path:
        """Where the journal lives: `directory`, else the user's state folder."""
        if self.directory is not None:
            return self.directory.expanduser()
        base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        return Path(base).expanduser() / "samspel" / self.name


class MqttConfig(_Table):
    """The broker. The password comes from the environment or a file, never from site.toml itself."""

    url: str
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    keepalive_s: Annotated[int, Field(ge=5, le=3600)] = 30
    session_expiry_s: Annotated[int, Field(ge=3600)] = 7 * 86400

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.username is not None:
            raise ValueError("name and password do not belong into the URL: use username and password_file")
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or not _has_valid_port(url):
            raise ValueError("allowed is mqtt://host:port or mqtts://host:port")
        return url

    @property
    def host(self) -> str:
        """The broker's host."""
        return urlsplit(self.url).hostname or ""

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return urlsplit(self.url).scheme == "mqtts"

    @property
    def port(self) -> int:
        """The broker's port; 1883, or 8883 with TLS, unless the URL says otherwise."""
        return urlsplit(self.url).port or (8883 if self.tls else 1883)

    def read_password(self) -> str | None:
        """From the environment or the file, stripped of the line's end. Raises ConfigError without the file."""
        if self.password is not None:
            return self.password.get_secret_value()
        if self.password_file is None:
            return None
        return _read_secret(self.password_file, "mqtt.password_file")


def _read_secret(file: Path, key: str) -> str:
    """What the file holds, without the end of its line."""
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{key}: {file} cannot be read: {error}") from error


def _has_valid_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


class Limits(_Table):
    """What the site's contract allows: W each way (>= 0) and the window of charge in percent."""

    charge_w: NonNegative = 0.0
    discharge_w: NonNegative = 0.0
    soc_min_pct: Share = 10.0
    soc_max_pct: Share = 100.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.soc_min_pct >= self.soc_max_pct:
            raise ValueError(f"soc_min_pct {self.soc_min_pct:g} is not below soc_max_pct {self.soc_max_pct:g}")
        return self


class PollConfig(_Table):
    """How often each group is read, in seconds."""

    fast_s: Positive = 2.0
    slow_s: Positive = 30.0
    static_s: Positive = 3600.0
    faults_s: Positive = 10.0


class DeviceConfig(_Table):
    """One inverter. `allow_firmware` permits control on a firmware that no map knows; `allow_low_confidence` names map
    rows and routes to use although they rest on weak evidence; `session` is for the vendor's login.

    `control` names one of the map's further ways of control; `constants` are signals from the nameplate, in their own
    unit, that the device does not state; `units` are the unit ids of what else answers at the address.
    """

    driver: Annotated[str, Field(min_length=1)]
    url: str
    path: str | None = None
    serial: str | None = None
    limits: Limits = Limits()
    shaping: ShapingConfig = ShapingConfig()
    filters: Annotated[tuple[str, ...], Field(validate_default=True)] = Field(
        default_factory=lambda found: standard_filters(found.get("shaping", ShapingConfig()))
    )
    poll: PollConfig = PollConfig()
    grid_sign: Literal["as_documented", "reversed"] = "as_documented"
    allow_firmware: bool = False
    allow_low_confidence: frozenset[str] = frozenset()
    control: str = ""
    constants: dict[str, Positive] = Field(default_factory=dict)
    units: dict[str, Annotated[int, Field(ge=0, le=255)]] = Field(default_factory=dict)
    session: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _filters_fit(self) -> Self:
        mistake = self.shaping.mistake(self.filters)
        if mistake:
            raise ValueError(mistake)
        return self

    @field_validator("constants")
    @classmethod
    def _known_signals(cls, constants: dict[str, float]) -> dict[str, float]:
        numbers = [name for name, spec in SIGNALS.items() if spec.unit]
        unknown = [name for name in constants if name not in numbers]
        if unknown:
            hint = did_you_mean(unknown[0], numbers) or f"; allowed: {', '.join(numbers)}"
            raise ValueError(f"{unknown[0]!r} is no signal with a unit{hint}")
        return constants

    def read_session(self) -> dict[str, Any]:
        """The login's settings; `password_file` is replaced by the password that it holds. Raises ConfigError."""
        settings = dict(self.session)
        file = settings.pop("password_file", None)
        return settings if file is None else {**settings, "password": _read_secret(Path(file), "session.password_file")}


class FaultsConfig(_Table):
    """Seconds for each severity: how long a condition stands before it is a fault, and is gone before it is none."""

    raise_s: dict[Severity, NonNegative] = Field(default_factory=lambda: dict(USUAL.raise_s))
    clear_s: dict[Severity, NonNegative] = Field(default_factory=lambda: dict(USUAL.clear_s))

    def debounce(self) -> Debounce:
        """The same, where a severity that is not named keeps its usual time."""
        return Debounce({**USUAL.raise_s, **self.raise_s}, {**USUAL.clear_s, **self.clear_s})


class ControlConfig(_Table):
    """See `samspel.control.state.Policy`."""

    stop_hold_max_s: Positive = 3600.0
    orphan_s: Positive | None = None
    check_s: Positive = 10.0


class GuardConfig(_Table):
    """The parent that watches the edge. `silence_s`: how long the edge may not turn its control loops; below 10 s a
    slow disk may be taken for a dead edge. Not `enabled`: ways of control that need a guard are read-only.
    """

    enabled: bool = True
    silence_s: Annotated[float, Field(ge=2, le=600)] = 15.0


class SiteConfig(_Table):
    """The whole file. `samspel.config.environment` adds values from the environment.

    `extensions` names the installed extensions whose filters or transports this site uses.
    """

    site: SiteTable
    mqtt: MqttConfig
    issuers: dict[Literal["household", "dispatcher", "installer", "local_safety"], tuple[Name, ...]]
    devices: Annotated[dict[Name, DeviceConfig], Field(min_length=1)]
    control: ControlConfig = ControlConfig()
    faults: FaultsConfig = FaultsConfig()
    guard: GuardConfig = GuardConfig()
    extensions: tuple[Name, ...] = ()

    @field_validator("issuers")
    @classmethod
    def _one_rank_each(cls, issuers: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        seen: dict[str, str] = {}
        for rank, names in issuers.items():
            for name in names:
                if seen.setdefault(name, rank) != rank:
                    raise ValueError(f"issuer {name!r} is both {seen[name]} and {rank}; it can have one rank")
        return issuers

    @field_validator("devices")
    @classmethod
    def _plain_names(cls, devices: dict[str, DeviceConfig]) -> dict[str, DeviceConfig]:
        bad = [name for name in devices if re.search(r"[.:]", name)]
        if bad:
            raise ValueError(f"device name {bad[0]!r} may hold letters, digits, '_' and '-' only")
        return devices

    def ranks(self) -> dict[str, Rank]:
        """Issuer to rank."""
        return {name: Rank[rank.upper()] for rank, names in self.issuers.items() for name in names}
