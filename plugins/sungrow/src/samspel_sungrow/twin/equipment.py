"""What a simulated SH is equipped with: the home behind it and the units in front."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from samspel_sim.bank import Bank, Holes
from samspel_sim.behaviour import OptionError, TwinOptions
from samspel_sim.home import chosen_home
from samspel_sim.physics import Home
from samspel_sim.registers import Register, Space, Table, read_csv

from samspel_sungrow.twin.profile import HERE, Profile, facts

_MANAGER_UNIT, _KEY_UNIT = 247, 0xF7
_KEY = Register("public_key", 2791, 8, "block", space=Space.INPUT)
_ONCE_USED = Register("reserved_since_v117", 4949, 2, "u32", space=Space.INPUT)
_ALONE = {"fw_sub_controller", "fw_battery_legacy"}
_MOST_MODULES = 8
_NEVER, _RESERVED_ZERO = 0xFFFF, range(13052, 13055)


def make_home(profile: Profile, options: TwinOptions) -> Home:
    """The home as chosen, with battery and inverter of the profile."""
    return chosen_home(options, capacity_wh=1000.0 * profile.pack.kwh, ac_limit_w=profile.model.nominal_w)


@cache
def rows() -> tuple[Register, ...]:
    """The dossier's register table; read once, since it is the same for every device."""
    return tuple(row for read in read_csv(HERE / "registers.csv") for row in _unfolded(read))


def _unfolded(row: Register) -> list[Register]:
    """The row for the first module's serial stands for those of all eight."""
    if row.name != "module_serials":
        return [row]
    others = range(2, _MOST_MODULES + 1)
    return [row, *(replace(row, name=f"{row.name}_{n}", address=row.address + row.count * (n - 1)) for n in others)]


def is_pack(row: Register) -> bool:
    """True for what the battery answers under its own unit id."""
    return row.models.startswith("SBR")


def _is_manager(row: Register) -> bool:
    return row.models.startswith("iHomeManager")


def inverter_bank(profile: Profile) -> Bank:
    """Every register of the inverter that this model has on this path. OptionError for an unknown name in `absent`."""
    own = [row for row in rows() if not is_pack(row) and not _is_manager(row)]
    if unknown := set(profile.quirks.absent) - {row.name for row in rows()}:
        raise OptionError(f"absent names no register: {', '.join(sorted(unknown))}")
    return _bank(profile, own)


def pack_bank(profile: Profile) -> Bank:
    """The battery's registers; a dongle may refuse its cells."""
    own = [row for row in rows() if is_pack(row)]
    if profile.path.dongle and not profile.quirks.cells:
        own = [row for row in own if "LAN/RS485 only" not in row.models]
    return _bank(profile, own)


def _bank(profile: Profile, own: Iterable[Register]) -> Bank:
    """A cable serves reserved words, but a refused register spoils its block; a dongle refuses to start on either."""
    own = list(own)
    present = [row for row in own if row.name not in profile.refused | profile.missing]
    gone = frozenset((row.space, at) for row in own if row.name in profile.refused for at in row.addresses)
    unforwarded = tuple(row for row in own if row not in present)
    holes = Holes(
        word=_dongle_hole if profile.path.dongle else _cable_hole,
        at_start=not profile.path.dongle,
        inside=(_ONCE_USED, *unforwarded) if profile.path.dongle else (_ONCE_USED,),
        refused=frozenset() if profile.path.dongle else gone,
        padded={(row.space, row.address): row.count for row in present if row.name in _ALONE},
    )
    return Bank(Table(present), gap=facts()["link"]["gap_registers"], holes=holes)


def _cable_hole(_space: Space, _address: int) -> int:
    return _NEVER


def _dongle_hole(space: Space, address: int) -> int:
    return 0 if space is Space.INPUT or address in _RESERVED_ZERO else _NEVER


def manager_banks() -> dict[int, Bank]:
    """An iHomeManager, as far as it has to be recognised."""
    bank = Bank(Table(row for row in rows() if _is_manager(row)), holes=Holes(at_start=False))
    bank.put("ihm_type", 0x072A)
    bank.put("ihm_protocol", "V102")
    bank.put("ihm_protocol_version", 0x01000200)
    return {_MANAGER_UNIT: bank}


def key_banks(seed: int) -> dict[int, Bank]:
    """A dongle that encrypts: in clear it gives its public key and nothing else."""
    bank = Bank(Table([_KEY]), holes=Holes(at_start=False))
    rng = random.Random(f"{seed}/key")
    bank.put("public_key", [rng.randrange(1, 0xFFFF) for _ in range(_KEY.count)])
    return {_KEY_UNIT: bank}
