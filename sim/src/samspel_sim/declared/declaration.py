"""A declared twin as objects: what `twin.toml` says, checked against `registers.csv`; numbers in its units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from samspel_sim.behaviour import LinkTraits
from samspel_sim.registers import Register

__all__ = [
    "Control",
    "Declaration",
    "FaultBit",
    "Heartbeat",
    "Limits",
    "Measurement",
    "Model",
    "Powers",
    "Setting",
    "Timing",
    "Wake",
]


@dataclass(frozen=True, slots=True)
class Model:
    """One model; powers in W. `absent` are registers that it does not have."""

    name: str
    rated_w: float
    ac_limit_w: float
    charge_w: float
    discharge_w: float
    capacity_wh: float
    battery_v: float
    absent: frozenset[str]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A register that shows a quantity times `factor` (unit, share and sign), or the code of a state."""

    register: str
    shows: str
    factor: float = 1.0
    codes: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """A register that can be written. A bound is a number, or the name of a register or quantity.

    `volatile`: a restart sets it back to its default.
    """

    register: str
    default: float = 0.0
    low: float | str | None = None
    high: float | str | None = None
    values: frozenset[int] = frozenset()
    refused: int = 3
    volatile: bool = False


@dataclass(frozen=True, slots=True)
class Powers:
    """Registers that hold the commanded power: a magnitude for each direction, which may be the same register, or one
    `signed` number whose positive sign means `discharging` if `sign` is 1.
    """

    charge: str = ""
    discharge: str = ""
    signed: str = ""
    sign: float = 1.0


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A register that has to be written again and again. Without `timeout_s` the number in it is the time, 0 is off."""

    register: str
    timeout_s: float | None
    fallback: str


@dataclass(frozen=True, slots=True)
class Control:
    """How the battery is commanded. `modes`: what each value of the register `mode` means."""

    mode: str
    modes: Mapping[int, str]
    powers: Powers
    enable: tuple[str, int] | None = None
    heartbeat: Heartbeat | None = None
    clears: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds the battery in every mode, the device's own included."""

    charge: tuple[str, ...] = ()
    discharge: tuple[str, ...] = ()
    soc_floor: float | str = 0.0
    soc_ceiling: float | str = 100.0


@dataclass(frozen=True, slots=True)
class Timing:
    """How the battery follows: `dead_s` of nothing after a new command, then a first-order lag."""

    dead_s: float = 0.5
    tau_s: float = 1.5
    own_tau_s: float = 1.5


@dataclass(frozen=True, slots=True)
class Wake:
    """The register that wakes the device; `sleeps` is the value that puts it to sleep, where there is one."""

    register: str
    value: int
    takes_s: float
    sleeps: int | None


@dataclass(frozen=True, slots=True)
class FaultBit:
    """A bit that stands while a condition does."""

    register: str
    bit: int
    condition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """Everything. The first model and the first firmware are the default ones."""

    brand: str
    unit: int
    serial_prefix: str
    firmware: tuple[str, ...]
    models: Mapping[str, Model]
    rows: tuple[Register, ...]
    link: LinkTraits
    gap: int
    windows: tuple[tuple[int, int], ...]
    refused: tuple[tuple[int, int], ...]
    texts: Mapping[str, str]
    constants: Mapping[str, float]
    measurements: tuple[Measurement, ...]
    settings: Mapping[str, Setting]
    control: Control
    limits: Limits
    timing: Timing
    wake: Wake | None
    faults: tuple[FaultBit, ...]
