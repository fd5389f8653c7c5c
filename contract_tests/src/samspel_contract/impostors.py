"""Devices that are not what the driver is for, and devices that call themselves something else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator

from samspel.plugins.loader import import_object
from samspel.plugins.metadata import TWINS, offers
from samspel.registers.model import DataType, Register
from samspel_sim.behaviour import TwinOptions
from samspel_sim.twin import Twin

from samspel_contract.rig import STEP_S
from samspel_contract.target import Target, TwinFactory
from samspel_contract.toys.good.twin import twin as toy
from samspel_contract.view import SPACES
from samspel_contract.words import shown_words

__all__ = ["rename", "show", "strangers"]

_log = logging.getLogger(__name__)

NOBODY = "NOBODY-1"
UNHEARD_OF = 0x7E7D


def strangers(target: Target) -> Iterator[tuple[str, Twin]]:
    """Devices that this driver is not for: its own twin under another name, the toy, and every other installed twin."""
    own = _twin(target.twin)
    rename(own, target.manifest.identity.rows["model"], lambda _: NOBODY)
    yield "its own device under another name", own
    if target.any_twin is not toy:
        yield "the toy", _twin(toy)
    for offer in offers(TWINS):
        if offer.name == target.name or offer.disabled:
            continue
        try:
            other = _twin(import_object(offer))
        except Exception as error:  # noqa: BLE001 - whatever ails another brand's twin is not this driver's to answer for
            _log.warning("the twin of %s cannot be made: %r", offer.name, error)
        else:
            yield f"the twin of {offer.name}", other


def _twin(factory: TwinFactory) -> Twin:
    return Twin(factory(TwinOptions()), clock=asyncio.get_running_loop().time, seed=1, step_s=STEP_S)


def rename(twin: Twin, row: Register, change: Callable[[str], str]) -> None:
    """Let the device give another text than its own; where it gives a number, one that nobody gives."""
    bank = twin.behaviour.banks[twin.behaviour.unit]
    if row.type is not DataType.STRING:
        return _put(twin, row, (UNHEARD_OF,) * row.count)
    words = bank.read(row.address, row.count, SPACES[row.table]) or ()
    text = b"".join(word.to_bytes(2, "big") for word in words).split(b"\0")[0].decode("ascii")
    return _put(twin, row, shown_words(row, change(text)))


def show(twin: Twin, row: Register, value: int | str) -> None:
    """Let a register read as this, whatever the device is."""
    _put(twin, row, shown_words(row, value))


def _put(twin: Twin, row: Register, words: tuple[int, ...]) -> None:
    """From now on, whatever the measurements say; the bank may have no row of this shape there."""
    bank = twin.behaviour.banks[twin.behaviour.unit]
    real = bank.read
    shown = {row.address + place: word for place, word in enumerate(words)}

    def read(address: int, count: int, space: object = SPACES[row.table]) -> tuple[int, ...] | None:
        found = real(address, count, space)  # type: ignore[arg-type]  # handed through
        wanted = range(address, address + count)
        if space is not SPACES[row.table] or (found is None and not shown.keys() >= set(wanted)):
            return found
        return tuple(shown.get(at, word) for at, word in zip(wanted, found or (0,) * count, strict=True))

    bank.read = read  # type: ignore[method-assign]  # the engine reads through the bank alone
