"""What a simulated H2 is equipped with: the home behind it and the registers in front."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

from samspel_sim.bank import Bank
from samspel_sim.behaviour import TwinOptions
from samspel_sim.home import chosen_home
from samspel_sim.physics import Home
from samspel_sim.registers import Register, Table, read_csv

from samspel_saj.twin.profile import HERE, Profile, facts

_UNITS = range(256)


def make_home(profile: Profile, options: TwinOptions) -> Home:
    """The home as chosen, with battery and inverter of the profile."""
    control = facts()["control"]
    ac_limit_w = control["ac_share"] * profile.model.rated_w
    home = chosen_home(options, capacity_wh=profile.capacity_wh, ac_limit_w=ac_limit_w)
    home.panels.mean_w = float(control["pv_mean_w"])
    return home


def is_setting(register: Register) -> bool:
    """True for what can be written and read."""
    return register.readable and (register.single_write or register.block_write)


class SettingsBank(Bank):
    """Words that count every change of a setting, and show the old value of one for a random while.

    Nothing is counted or delayed before ``recording`` is set, so that defaults can be filled in.
    """

    def __init__(self, table: Table, *, gap: int, windows: Sequence[tuple[int, int]], readback_s: float) -> None:
        super().__init__(table, gap=gap, windows=windows)
        self.recording = False
        self.changes = 0
        self._readback_s = readback_s
        self._rng = random.Random("read-back")
        self._now_s = 0.0
        self._due_s: dict[int, float] = {}

    def store(self, register: Register, words: Sequence[int]) -> None:
        """Keep the words of one register."""
        if self.recording and is_setting(register) and self.words(register.name) != tuple(words):
            self._change(register)
        super().store(register, words)

    def _change(self, register: Register) -> None:
        self.changes += 1
        if self._readback_s > 0:
            due_s = self._now_s + self._rng.uniform(0.0, self._readback_s)
            for address, old in zip(register.addresses, self.words(register.name), strict=True):
                self.echoes[address], self._due_s[address] = old, due_s

    def tick(self, dt_s: float) -> None:
        """Let time pass: echoes end."""
        self._now_s += dt_s
        for address in [address for address, due_s in self._due_s.items() if due_s <= self._now_s]:
            del self._due_s[address], self.echoes[address]


class EveryUnit(Mapping[int, Bank]):
    """One bank at every unit id: the module does not look at it."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    def __getitem__(self, unit: int) -> Bank:
        if unit not in _UNITS:
            raise KeyError(unit)
        return self._bank

    def __iter__(self) -> Iterator[int]:
        return iter(_UNITS)

    def __len__(self) -> int:
        return len(_UNITS)


@cache
def _rows() -> tuple[Register, ...]:
    """The dossier's register table; read once, since it is the same for every device."""
    return tuple(read_csv(HERE / "registers.csv"))


def inverter_bank(profile: Profile) -> SettingsBank:
    """Every register that this model, firmware and battery have."""
    absent = {address for block in profile.absent for address in block}
    rows = [row for row in _rows() if row.name not in profile.family.lacks and row.address not in absent]
    if not profile.model.ems_block:
        rows = [row for row in rows if not row.name.startswith("ems_")]
    if not profile.traits.block_writes:
        rows = [replace(row, block_write=False) if is_setting(row) else row for row in rows]
    link = facts()["link"]
    windows = [(first, count) for first, count in link["windows"]]
    return SettingsBank(Table(rows), gap=link["gap_registers"], windows=windows, readback_s=profile.traits.readback_s)
