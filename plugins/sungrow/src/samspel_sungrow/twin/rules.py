"""Which writes the inverter refuses, and with which exception."""

from __future__ import annotations

from collections.abc import Sequence

from samspel_sim.bank import Bank
from samspel_sim.behaviour import Ignored
from samspel_sim.pdu import DEVICE_FAILURE, ILLEGAL_ADDRESS
from samspel_sim.registers import Register, Words

from samspel_sungrow.twin.limits import OFF
from samspel_sungrow.twin.profile import Profile, facts
from samspel_sungrow.twin.telemetry import clock_seconds

Parts = Sequence[tuple[Register, Words]]
_LOWEST_CEILING = 1


def refusal(profile: Profile, bank: Bank, parts: Parts) -> int:
    """0 or the exception code for a write of whole registers; Ignored where it is acknowledged and not kept."""
    if len(parts) > 1 and not profile.quirks.block_write:
        return ILLEGAL_ADDRESS
    if any(row.name in profile.not_available for row, _ in parts):
        return ILLEGAL_ADDRESS
    if _ignored(profile, bank, parts):
        raise Ignored
    fits = all(_in_range(profile, row, words) for row, words in parts) and _ordered(bank, parts)
    return 0 if fits else DEVICE_FAILURE


def _ignored(profile: Profile, bank: Bank, parts: Parts) -> bool:
    off = bool(profile.model.traits["ignores_limit_while_off"]) and bank.raw("feed_in_limitation") == OFF
    return off and any(row.name == "feed_in_limit" for row, _ in parts)


def _in_range(profile: Profile, row: Register, words: Words) -> bool:
    if row.name == "clock":
        return clock_seconds(words) is not None
    if not row.numeric:
        return True
    raw = row.decode_raw(words)
    if row.name in facts()["choices"]:
        return raw in facts()["choices"][row.name]
    low, high = _range(profile, row)
    return low <= round(raw * row.scale, 6) <= high


def _range(profile: Profile, row: Register) -> tuple[float, float]:
    nominal_w = profile.model.nominal_w
    if row.name in {"max_charge_power", "max_discharge_power"}:
        return _LOWEST_CEILING * row.scale, profile.model.ceiling_w
    if row.name == "charge_discharge_power":
        return 0.0, profile.bdc_w
    if row.name == "feed_in_limit":
        return 0.0, nominal_w / (10 if profile.firmware.times_ten else 1)
    if row.name == "feed_in_limit_wide":
        return 0.0, nominal_w
    low, high = facts()["ranges"].get(row.name, (0.0, float("inf")))
    return low, high


def _ordered(bank: Bank, parts: Parts) -> bool:
    """13058 stays above 13059, the values of this write included."""
    new = {row.name: row.decode_raw(words) for row, words in parts if row.name in {"max_soc", "min_soc"}}
    return not new or new.get("max_soc", bank.raw("max_soc")) > new.get("min_soc", bank.raw("min_soc"))
