"""`twin.toml` as objects: models, firmware variants, paths, timing, and the traits that sources disagree about."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from samspel_sim import wanted
from samspel_sim.behaviour import LinkTraits, OptionError, TwinOptions
from samspel_sim.framing import MODBUS_TCP, RTU_OVER_TCP

HERE = Path(__file__).parent
BATTERY_RATE, BEYOND_LOAD, LOAD_FOLLOWING = "battery_rate", "beyond_load", "load_following"
_FRAMINGS = {framing.name: framing for framing in (MODBUS_TCP, RTU_OVER_TCP)}


@cache
def facts() -> Mapping[str, Any]:
    """The whole file."""
    return tomllib.loads((HERE / "twin.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Family:
    """What tells the three-phase machines from the older H1; the fields are explained in twin.toml."""

    phases: int
    default_firmware: str
    mode_register: str
    charge_code: int
    discharge_code: int
    watts: bool
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """One model of inverter; power in watts. ``type`` and ``subtype`` are 0x8F00 and 0x8F01."""

    name: str
    family: str
    rated_w: float
    type: int
    subtype: int
    trackers: int
    ems_block: bool = False


@dataclass(frozen=True, slots=True)
class Firmware:
    """What differs between firmwares of inverter and module; each field is explained in twin.toml."""

    version: str
    family: str
    display: float
    master: float
    locked: tuple[str, ...]
    refusal: int
    ai_mode: bool
    load_following_slots: bool
    absent: tuple[range, ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds, from twin.toml."""

    command_wait_s: float
    command_tau_s: float
    own_tau_s: float
    pv_tau_s: float


@dataclass(frozen=True, slots=True)
class Traits:
    """What a user may choose with ``--set``; numbers stand for true and false where the default is one of these.

    ``sticky``: 0x3639 and 0x363A cap every other mode too. ``exact_discharge``: passive discharge is a fixed
    power, not load-following. ``push_w``: surplus of a load-following discharge. ``slot_discharge``: what the
    percent of a slot means: ``battery_rate``, ``beyond_load``, ``load_following``, or empty for the firmware's.
    ``zero_locks``: 0x364E = 0 forbids discharging (it does not on field machines). ``lockout``: a commanded
    discharge that reaches the floor switches the converter off. ``import_ceiling``: 0x3637 caps the import.
    ``slot_swing_s``: power falls away for so long whenever a slot register is written. ``idle_bypass``: an idle
    machine alternates between working modes 2 and 4. ``volatile_passive``: a restart loses 0x3636..0x363A.
    ``ct``: an internal transformer is fitted, so that 0x40A1 is not zero. ``magnitudes``: 0x40A6 and 0x40AD carry
    no sign. ``rated``: 0x366D is served. ``device_type``: another 0x8F00. ``silent_unknown``: unknown addresses
    get no answer instead of exception 2. ``block_writes``: settings take function 16. ``battery``: B2, or B3
    whose packs read zero. ``clock_offset_s``: how far the inverter's clock is off. ``readback_s``: longest time
    for which a setting still reads as before.
    """

    sticky: bool = True
    exact_discharge: bool = False
    push_w: float = 800.0
    slot_discharge: str = ""
    zero_locks: bool = False
    lockout: bool = True
    import_ceiling: bool = False
    slot_swing_s: float = 0.0
    idle_bypass: bool = False
    volatile_passive: bool = False
    ct: bool = False
    magnitudes: bool = False
    rated: bool = True
    device_type: int = 0
    silent_unknown: bool = False
    block_writes: bool = True
    battery: str = "B2"
    clock_offset_s: float = 0.0
    readback_s: float = 1.0


_CHOICES = {
    "slot_discharge": ("", BATTERY_RATE, BEYOND_LOAD, LOAD_FOLLOWING),
    "battery": tuple(facts()["battery"]["types"]),
}
SETTINGS = (
    *(field.name for field in fields(Traits)),
    "packs", "pv", "framing", "clients", "connect_wait_s", "pace_s", "answer_s",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Profile:
    """One inverter as chosen: everything about it that does not change while it runs, except firmware."""

    model: Model
    family: Family
    firmware: Firmware
    timing: Timing
    link: LinkTraits
    traits: Traits
    unit: int
    every_unit: bool
    packs: int

    @property
    def capacity_wh(self) -> float:
        """Capacity of all packs."""
        return self.packs * 1000.0 * float(facts()["battery"]["pack_kwh"])

    @property
    def slot_discharge(self) -> str:
        """What the percent of a discharge slot means."""
        own = LOAD_FOLLOWING if self.firmware.load_following_slots else BATTERY_RATE
        return self.traits.slot_discharge or own

    @property
    def absent(self) -> tuple[range, ...]:
        """Blocks that answer exception 0."""
        blocks = list(self.firmware.absent)
        if self.traits.battery != "B3":
            blocks.append(_block(facts()["link"]["group_block"]))
        if not self.traits.rated:
            blocks.append(range(0x366D, 0x366E))
        return tuple(blocks)

    def with_firmware(self, version: str) -> Profile:
        """The same inverter after an update. OptionError if its family has no such firmware."""
        return replace(self, firmware=_firmware(version, self.model.family))


def choose(options: TwinOptions) -> Profile:
    """The inverter that was asked for. OptionError says what there is to choose from."""
    settings = dict(options.settings)
    model = _model(options.model or facts()["default_model"])
    row = facts()["families"][model.family]
    family = Family(**{**row, "lacks": tuple(row["lacks"])})
    every_unit, link = _link(options.path or "aio3", settings)
    timing = Timing(**{name: facts()["timing"][name] for name in Timing.__slots__})
    profile = Profile(
        model=model,
        family=family,
        firmware=_firmware(options.firmware or family.default_firmware, model.family),
        timing=timing,
        link=link,
        traits=_traits(settings),
        unit=1 if options.unit is None else options.unit,
        every_unit=every_unit,
        packs=_packs(settings, model),
    )
    settings.pop("pv", None)
    if settings:
        raise OptionError(f"no setting {sorted(settings)[0]!r}; there are {', '.join(SETTINGS)}")
    return profile


def _model(name: str) -> Model:
    models = facts()["models"]
    return Model(name=name, **models[wanted.one_of("model", name, models)])


def _firmware(version: str, family: str) -> Firmware:
    known = {name: row for name, row in facts()["firmware"].items() if row["family"] == family}
    row = known[wanted.one_of("firmware", version, known, whose=f"for {family}")]
    absent = tuple(_block(block) for block in row["absent"])
    return Firmware(version=version, **{**row, "locked": tuple(row["locked"]), "absent": absent})


def _block(block: tuple[int, int]) -> range:
    first, count = block
    return range(first, first + count)


def _link(name: str, settings: dict[str, float | str]) -> tuple[bool, LinkTraits]:
    """Whether every unit id is answered, and how connections are treated."""
    paths, timing = facts()["paths"], facts()["timing"]
    path = paths[wanted.one_of("path", name, paths)]
    framing = wanted.one_of("framing", str(settings.pop("framing", path["framing"])), _FRAMINGS)
    first, last = timing["refresh_s"]
    usual = LinkTraits(
        clients=facts()["link"]["clients"],
        connect_wait_s=timing["connect_wait_s"],
        pace_s=timing["pace_s"],
        answer_s=timing["answer_s"],
        refresh_s=(first, last),
        pipelined=False,
        framing=_FRAMINGS[framing],
    )
    return bool(path["every_unit"]), wanted.link(usual, settings)


def _traits(settings: dict[str, float | str]) -> Traits:
    defaults = Traits(push_w=facts()["control"]["push_w"], readback_s=facts()["timing"]["readback_s"])
    chosen: dict[str, Any] = {}
    for field in fields(Traits):
        if field.name in settings:
            chosen[field.name] = _chosen(field.name, settings.pop(field.name), getattr(defaults, field.name))
    return replace(defaults, **chosen)


def _chosen(name: str, value: float | str, default: object) -> object:
    if name in _CHOICES and value not in _CHOICES[name]:
        raise OptionError(f"no {name} {value!r}; there are {', '.join(choice for choice in _CHOICES[name] if choice)}")
    try:
        return type(default)(value)  # type: ignore[call-arg]  # bool, int, float or str
    except ValueError as error:
        raise OptionError(f"{name} wants a value like {default!r}, not {value!r}") from error


def _packs(settings: dict[str, float | str], model: Model) -> int:
    enough = -int(-model.rated_w // facts()["battery"]["pack_per_rated_w"])
    packs = wanted.whole("packs", settings.pop("packs", enough))
    if not 1 <= packs <= 4:
        raise OptionError(f"a machine reports 1..4 packs, not {packs}")
    return packs
