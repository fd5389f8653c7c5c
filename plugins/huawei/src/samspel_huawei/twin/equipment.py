"""What a simulated SUN2000 is equipped with: the home behind it and the registers in front."""

from __future__ import annotations

from functools import cache

from samspel_sim.bank import Bank
from samspel_sim.behaviour import TwinOptions
from samspel_sim.home import chosen_home
from samspel_sim.physics import Home
from samspel_sim.registers import Register, Table, read_csv

from samspel_huawei.twin.profile import HERE, Profile, facts


def make_home(profile: Profile, options: TwinOptions) -> Home:
    """The home as chosen, with battery and inverter of the profile."""
    return chosen_home(options, capacity_wh=profile.capacity_wh, ac_limit_w=profile.model.pmax_w)


@cache
def _rows() -> tuple[Register, ...]:
    """The dossier's register table; read once, since it is the same for every device."""
    return tuple(read_csv(HERE / "registers.csv"))


def inverter_bank(profile: Profile) -> Bank:
    """Every register that this firmware, path and number of storage units have."""
    absent = set(profile.firmware.absent)
    second = len(profile.packs) > 1
    rows = [row for row in _rows() if not row.models.startswith(("SDongle", "EMMA"))]
    rows = [row for row in rows if row.name not in absent and (second or "second LUNA2000" not in row.models)]
    link = facts()["link"]
    windows = [(first, count) for first, count in link["windows"]]
    return Bank(Table(rows), gap=link["gap_registers"], windows=windows)


def dongle_bank() -> Bank:
    """The dongle's own few registers."""
    rows = [row for row in _rows() if row.models.startswith("SDongle") or row.name == "model_name"]
    return Bank(Table(rows), gap=facts()["link"]["gap_registers"])
