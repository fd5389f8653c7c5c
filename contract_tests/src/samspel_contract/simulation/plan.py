"""SCENARIO.toml: what happens in the simulated home, and how often. Read strictly, then frozen."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

from pydantic import Field
from samspel.contract.errors import ConfigError, MapError
from samspel.driver.documents import Doc, read_document

from samspel_contract.simulation.outages import OUTAGES
from samspel_contract.variants import Variant, VariantDoc

__all__ = ["Commands", "DeviceChoice", "Household", "Outage", "Plan", "Poll", "SiteRules", "load_plan", "names"]

FOLDER = files("samspel_contract.simulation") / "scenarios"

Number = Annotated[float | int, Field(ge=0)]
Span = Annotated[list[Number], Field(min_length=2, max_length=2)]


class DeviceChoice(VariantDoc):
    """`[[devices]]`: a driver by name, and which device of it; what is left out is the twin's own."""

    driver: str

    def variant(self) -> Variant:
        """The device, in the suite's own terms."""
        return Variant(
            **{key: value for key, value in self.model_dump(exclude={"driver"}).items() if value is not None}
        )


class SiteRules(Doc):
    """`[site]`: the contract's limits in W each way, the window of charge is the suite's own (5 to 95 %)."""

    most_w: Number = 3000.0
    soc_pct: Annotated[float | int, Field(ge=0, le=100)] = 50.0
    stop_hold_max_s: Number = 1800.0


class Poll(Doc):
    """`[poll]`: how often each group is read, in seconds."""

    fast_s: Number = 10.0
    slow_s: Number = 120.0
    static_s: Number = 3600.0
    faults_s: Number = 60.0


class Household(Doc):
    """`[household]`: `clouds` is the share of the sun that they may take; cooking lasts 10 to 50 minutes."""

    base_w: Number = 350.0
    cooking_w: Number = 2500.0
    cooking_per_day: Number = 3.0
    pv_peak_w: Number = 5000.0
    clouds: Annotated[float | int, Field(ge=0, le=1)] = 0.5


class Commands(Doc):
    """`[commands]`: how many an hour, on average, of each kind; `ttl_s` the shortest and the longest life.

    `most_w` may lie beyond the site's limits. `resting_share` of the day nobody sends set-points, in spells.
    """

    set_power: Number = 20.0
    stop: Number = 0.3
    release: Number = 1.0
    stale: Number = 0.0
    replayed: Number = 0.0
    out_of_range: Number = 0.0
    wrong_epoch: Number = 0.0
    wrong_address: Number = 0.0
    unknown_issuer: Number = 0.0
    arm: Number = 0.0
    new_epoch: Number = 0.2
    ttl_s: Span = Field(default_factory=lambda: [20.0, 900.0])
    most_w: Number = 4000.0
    resting_share: Annotated[float | int, Field(ge=0, le=1)] = 0.3


class Outage(Doc):
    """One line of `[outages]`: how many a day on average, and how long each lasts, in seconds."""

    per_day: Number
    seconds: Span = Field(default_factory=lambda: [0.0, 0.0])


class Plan(Doc):
    """A whole file. Without `[[devices]]` it runs on every installed driver."""

    title: str
    days: Annotated[float | int, Field(gt=0)] = 1.0
    starts_at_h: Annotated[float | int, Field(ge=0, lt=24)] = 0.0
    look_s: Annotated[float | int, Field(gt=0)] = 1.0
    physics_s: Annotated[float | int, Field(gt=0)] = 1.0
    site: SiteRules = Field(default_factory=SiteRules)
    poll: Poll = Field(default_factory=Poll)
    household: Household = Field(default_factory=Household)
    commands: Commands = Field(default_factory=Commands)
    outages: dict[str, Outage] = Field(default_factory=dict)
    devices: list[DeviceChoice] = Field(default_factory=list)


def names() -> list[str]:
    """The scenarios that come with this package."""
    return sorted(one.name.removesuffix(".toml") for one in FOLDER.iterdir() if one.name.endswith(".toml"))


def load_plan(name_or_path: str) -> Plan:
    """A scenario of this package by name, or a file. Raises ConfigError with what was found and what is allowed."""
    path = _find(name_or_path)
    try:
        plan = read_document(path, Plan)
    except MapError as error:
        raise ConfigError(str(error)) from error
    unknown = sorted(set(plan.outages) - set(OUTAGES))
    if unknown:
        known = ", ".join(sorted(OUTAGES))
        raise ConfigError(f"{path.name}: [outages] {unknown[0]}: no such outage; there are {known}")
    return plan


def _find(name_or_path: str) -> Traversable:
    if name_or_path in names():
        return FOLDER / f"{name_or_path}.toml"
    path = Path(name_or_path)
    if not path.is_file():
        raise ConfigError(f"{name_or_path}: neither a file nor one of the scenarios {', '.join(names())}")
    return path
