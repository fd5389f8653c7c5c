"""`twin.toml` as objects: models, firmware variants, paths, timing."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from samspel_sim import wanted
from samspel_sim.behaviour import LinkTraits, OptionError, TwinOptions

HERE = Path(__file__).parent


@cache
def facts() -> Mapping[str, Any]:
    """The whole file."""
    return tomllib.loads((HERE / "twin.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Model:
    """One model of inverter; powers in watts."""

    name: str
    family: str
    rated_w: float
    pmax_w: float
    id: int
    strings: int
    trackers: int
    charge_w: float


@dataclass(frozen=True, slots=True)
class Firmware:
    """What differs between firmwares; each flag is explained in twin.toml."""

    version: str
    family: str
    expires: bool
    ceiling: bool
    denied_code: int
    feed_limit_lifts_ceiling: bool = False
    live_power: bool = True
    needs_grid_charge: bool = False
    rubbish_after_text: bool = False
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Access:
    """How the inverter is reached."""

    name: str
    unit: int
    login: bool
    dongle_unit: int | None = None
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds, from twin.toml."""

    rest_wait_s: float
    rest_tau_s: float
    moving_wait_s: float
    moving_tau_s: float
    own_tau_s: float
    pv_tau_s: float
    pv_recovery_wait_s: float
    heartbeat_s: float


@dataclass(frozen=True, slots=True)
class Profile:
    """One inverter as chosen: everything about it that does not change while it runs, except firmware."""

    model: Model
    firmware: Firmware
    path: Access
    timing: Timing
    link: LinkTraits
    packs: tuple[int, ...]

    @property
    def capacity_wh(self) -> float:
        """Capacity of all packs."""
        return sum(self.packs) * 1000.0 * float(facts()["battery"]["pack_kwh"])

    def unit_w(self, number: int) -> float:
        """Power of one storage unit, by its number of packs."""
        battery = facts()["battery"]
        return float(battery["one_pack_w"] if self.packs[number] == 1 else battery["unit_w"])

    @property
    def charge_w(self) -> float:
        """Charge ceiling: the smaller of battery and inverter."""
        return min(self.model.charge_w, sum(self.unit_w(number) for number in range(len(self.packs))))

    @property
    def discharge_w(self) -> float:
        """Discharge ceiling: the smaller of battery and inverter."""
        return min(self.model.rated_w, sum(self.unit_w(number) for number in range(len(self.packs))))

    def with_firmware(self, version: str) -> Profile:
        """The same inverter after an update. OptionError if its family has no such firmware."""
        return replace(self, firmware=_firmware(version, self.model.family))


def choose(options: TwinOptions) -> Profile:
    """The inverter that was asked for. OptionError says what there is to choose from."""
    settings = dict(options.settings)
    model = _model(options.model or facts()["default_model"])
    firmware = _firmware(options.firmware or facts()["families"][model.family]["default_firmware"], model.family)
    path = _path(options.path or "sdongle", options.unit, settings)
    link = _link(settings)
    firmware = replace(
        firmware,
        expires=bool(settings.pop("expires", firmware.expires)),
        ceiling=bool(settings.pop("ceiling", firmware.ceiling)),
    )
    packs = _packs(settings)
    timing = facts()["timing"]
    profile = Profile(model, firmware, path, Timing(**{key: timing[key] for key in Timing.__slots__}), link, packs)
    settings.pop("pv", None)
    if settings:
        raise OptionError(f"no setting {sorted(settings)[0]!r}; there are {', '.join(SETTINGS)}")
    return profile


SETTINGS = (
    "units", "packs", "login", "user", "password", "expires", "ceiling", "pv",
    "clients", "connect_wait_s", "pace_s", "answer_s",
)  # fmt: skip


def _model(name: str) -> Model:
    row = facts()["models"][wanted.one_of("model", name, facts()["models"])]
    family = facts()["families"][row["family"]]
    return Model(name=name, **row, **{key: family[key] for key in ("strings", "trackers", "charge_w")})


def _firmware(version: str, family: str) -> Firmware:
    known = {name: row for name, row in facts()["firmware"].items() if row["family"] == family}
    row = known[wanted.one_of("firmware", version, known, whose=f"for {family}")]
    return Firmware(version=version, **{**row, "absent": tuple(row["absent"])})


def _path(name: str, unit: int | None, settings: dict[str, float | str]) -> Access:
    paths = facts()["paths"]
    path = Access(name=name, **paths[wanted.one_of("path", name, paths)])
    wlan = paths["wlan"]
    return replace(
        path,
        unit=path.unit if unit is None else unit,
        login=bool(settings.pop("login", path.login)),
        user=str(settings.pop("user", wlan["user"])),
        password=str(settings.pop("password", wlan["password"])),
    )


def _link(settings: dict[str, float | str]) -> LinkTraits:
    timing = facts()["timing"]
    first, last = timing["refresh_s"]
    usual = LinkTraits(
        clients=facts()["link"]["clients"],
        connect_wait_s=timing["connect_wait_s"],
        pace_s=timing["pace_s"],
        answer_s=timing["answer_s"],
        refresh_s=(first, last),
    )
    return wanted.link(usual, settings)


def _packs(settings: dict[str, float | str]) -> tuple[int, ...]:
    units, packs = (wanted.whole(key, settings.pop(key, usual)) for key, usual in (("units", 1), ("packs", 2)))
    if units not in (1, 2) or packs not in (1, 2, 3):
        raise OptionError(f"a bus has 1 or 2 storage units of 1..3 packs, not {units} of {packs}")
    return (packs,) * units
