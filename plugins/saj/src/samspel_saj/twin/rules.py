"""Which writes the inverter refuses, and which reads."""

from __future__ import annotations

from collections.abc import Sequence

from samspel_sim.bank import Bank
from samspel_sim.behaviour import Ignored, Refused, Silence
from samspel_sim.pdu import ILLEGAL_VALUE
from samspel_sim.registers import Register, Words

from samspel_saj.twin.clock import moment_of
from samspel_saj.twin.modes import AI_SAVING, NAMES
from samspel_saj.twin.profile import Profile, facts

_NO_CODE = 0
_HOUR, _MINUTE, _DAYS, _PERCENT = range(24), range(60), range(128), range(101)


def refusal(profile: Profile, parts: Sequence[tuple[Register, Words]]) -> int:
    """0 or the exception code for a write of whole registers; Ignored for one without effect."""
    if any(register.name in profile.firmware.locked for register, _ in parts):
        if profile.firmware.refusal:
            return profile.firmware.refusal
        raise Ignored
    return 0 if all(_allowed(profile, register, words) for register, words in parts) else ILLEGAL_VALUE


def _allowed(profile: Profile, register: Register, words: Words) -> bool:
    name, raw = register.name, words[0]
    if name == "set_clock":
        return _is_moment(words)
    if name == profile.family.mode_register:
        return raw in NAMES and (raw != AI_SAVING or profile.firmware.ai_mode)
    if name.endswith(("_start", "_end")):
        return raw >> 8 in _HOUR and raw & 0xFF in _MINUTE
    if name.endswith("_days_power"):
        return raw >> 8 in _DAYS and raw & 0xFF in _PERCENT
    if profile.family.watts and name.startswith("passive_grid"):
        return raw <= profile.model.rated_w
    low, high = facts()["ranges"].get(name, (0, 0xFFFF))
    return bool(low <= raw <= high)


def _is_moment(words: Words) -> bool:
    try:
        moment_of(words)
    except ValueError:
        return False
    return True


def check_read(profile: Profile, bank: Bank, addresses: range) -> None:
    """Refused for an absent block (with exception 0) and for too long a read; Silence where unknown ones get none."""
    if len(addresses) > facts()["link"]["longest_read"]:
        raise Refused(ILLEGAL_VALUE)
    if any(addresses.start < block.stop and block.start < addresses.stop for block in profile.absent):
        raise Refused(_NO_CODE)
    if profile.traits.silent_unknown and bank.read(addresses.start, len(addresses)) is None:
        raise Silence
