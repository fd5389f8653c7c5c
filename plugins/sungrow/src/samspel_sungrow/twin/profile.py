"""`twin.toml` as objects: models, firmware variants, packs, paths, timing and the user's settings."""

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
    nominal_w: float
    code: int

    @property
    def traits(self) -> Mapping[str, Any]:
        """What its family has in common."""
        row: Mapping[str, Any] = facts()["families"][self.family]
        return row

    @property
    def ceiling_w(self) -> float:
        """Highest value of 33047 and 33048."""
        return float(self.traits["ceiling_w"] or self.nominal_w)


@dataclass(frozen=True, slots=True)
class Firmware:
    """What differs between firmwares; each flag is explained in twin.toml."""

    version: str
    family: str
    drops_session: bool
    times_ten: bool


@dataclass(frozen=True, slots=True)
class Pack:
    """One battery."""

    name: str
    kwh: float
    modules: int
    module_v: float
    cells: int
    current_a: float

    @property
    def nominal_v(self) -> float:
        """Volts at rest."""
        return self.modules * self.module_v

    @property
    def nominal_w(self) -> float:
        """Rated current at that voltage."""
        return self.nominal_v * self.current_a


@dataclass(frozen=True, slots=True)
class Access:
    """How the inverter is reached."""

    name: str
    pack_unit: int
    dongle: bool
    link: LinkTraits
    unit: int = 1
    hides_inverter: bool = False


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds, from twin.toml."""

    command_wait_s: float
    command_tau_s: float
    own_tau_s: float
    pv_tau_s: float
    pv_restore_wait_s: float
    state_lag_s: float
    stop_s: float
    start_light_s: float
    start_dark_s: float
    wake_s: float
    asleep_after_s: float
    heartbeat_s: float


@dataclass(frozen=True, slots=True)
class Quirks:
    """Differences between plants that no model or firmware explains.

    ``unsigned``: 13021 and 13022 are magnitudes. ``old_states``: the running state is the one-hot code.
    ``flow_bits``: False where 13001 reads 0. ``late_fallback``: the heartbeat's fallback comes a third later.
    ``block_write``: False where function 16 takes one register only. ``cells``: False where a dongle refuses
    the cell registers instead of serving zeros. ``absent``: rows that are refused.
    """

    unsigned: bool = False
    old_states: bool = False
    flow_bits: bool = True
    late_fallback: bool = False
    block_write: bool = True
    cells: bool = True
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """One inverter as chosen: everything about it that does not change while it runs, except firmware."""

    model: Model
    firmware: Firmware
    pack: Pack
    path: Access
    timing: Timing
    quirks: Quirks

    @property
    def bdc_w(self) -> float:
        """Rating of the battery converter as register 5628 gives it."""
        rated_w = float(self.model.traits["bdc_w"])
        return min(rated_w, self.pack.nominal_w) if self.model.traits["bdc_follows_pack"] else rated_w

    @property
    def refused(self) -> frozenset[str]:
        """Rows that answer exception 2."""
        own = facts()["refused_on_lan"].get(self.model.name, ()) if self.path.name == "lan" else ()
        return frozenset((*own, *self.quirks.absent))

    @property
    def missing(self) -> frozenset[str]:
        """Rows that this model on this path does not have."""
        dongle = facts()["dongle"]["missing"] if self.path.dongle else ()
        return frozenset((*self.model.traits["missing"], *facts()["every_family"]["missing"], *dongle))

    @property
    def not_available(self) -> frozenset[str]:
        """Rows that are served and never hold a value."""
        return frozenset((*self.model.traits["not_available"], *facts()["every_family"]["not_available"]))

    def with_firmware(self, version: str) -> Profile:
        """The same inverter after an update. OptionError if its family has no such firmware."""
        return replace(self, firmware=_firmware(version, self.model.family))


SETTINGS = (
    "pack", "unsigned", "old_states", "flow_bits", "late_fallback", "block_write", "cells", "absent",
    "min_soc", "max_soc", "stale_read_back_s", "broken_pack", "pv",
    "clients", "connect_wait_s", "pace_s", "answer_s",
)  # fmt: skip


def choose(options: TwinOptions) -> Profile:
    """The inverter that was asked for. OptionError says what there is to choose from."""
    settings = dict(options.settings)
    if unknown := set(settings) - set(SETTINGS):
        raise OptionError(f"no setting {sorted(unknown)[0]!r}; there are {', '.join(SETTINGS)}")
    model = _model(options.model or facts()["default_model"])
    path = _path(options.path or model.traits["default_path"], model, options.unit, settings)
    return Profile(
        model=model,
        firmware=_firmware(options.firmware or model.traits["default_firmware"], model.family),
        pack=_pack(str(settings.get("pack", model.traits["default_pack"]))),
        path=path,
        timing=Timing(**facts()["timing"]),
        quirks=_quirks(settings),
    )


def _model(name: str) -> Model:
    models = facts()["models"]
    return Model(name=name, **models[wanted.one_of("model", name, models)])


def _firmware(version: str, family: str) -> Firmware:
    known = {name: row for name, row in facts()["firmware"].items() if row["family"] == family}
    row = known[wanted.one_of("firmware", version, known, whose=f"for the {family} family")]
    return Firmware(version=version, **row)


def _pack(name: str) -> Pack:
    packs = facts()["packs"]
    row = packs[wanted.one_of("pack", name, packs)]
    return Pack(name=name, kwh=row["kwh"], modules=row["modules"], **facts()["kinds"][row["kind"]])


def _path(name: str, model: Model, unit: int | None, settings: dict[str, float | str]) -> Access:
    if name not in model.traits["paths"]:
        raise OptionError(f"{model.name} has no path {name!r}; it has {', '.join(model.traits['paths'])}")
    row = dict(facts()["paths"][name])
    link = _link(row.pop("answer_s"), row.pop("holding_read_s"), row.pop("refresh_s"), settings)
    return Access(name=name, link=link, unit=1 if unit is None else unit, **row)


def _link(
    answer_s: float, holding_read_s: list[float], refresh_s: list[float], settings: dict[str, float | str]
) -> LinkTraits:
    """``answer_s`` as a setting stands for every answer, reads of holding registers too."""
    usual = LinkTraits(
        clients=facts()["link"]["clients"],
        answer_s=answer_s,
        holding_read_s=(0.0, 0.0) if "answer_s" in settings else (holding_read_s[0], holding_read_s[1]),
        refresh_s=(refresh_s[0], refresh_s[1]),
    )
    return wanted.link(usual, settings)


def _quirks(settings: Mapping[str, float | str]) -> Quirks:
    usual = Quirks()
    absent = str(settings.get("absent", ""))
    return Quirks(
        unsigned=bool(settings.get("unsigned", usual.unsigned)),
        old_states=bool(settings.get("old_states", usual.old_states)),
        flow_bits=bool(settings.get("flow_bits", usual.flow_bits)),
        late_fallback=bool(settings.get("late_fallback", usual.late_fallback)),
        block_write=bool(settings.get("block_write", usual.block_write)),
        cells=bool(settings.get("cells", usual.cells)),
        absent=tuple(name for name in absent.split("+") if name),
    )
