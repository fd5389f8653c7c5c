"""Every signal by product and name, as the command line and the simulator ask for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from samspel_prequal.errors import SignalError
from samspel_prequal.product import FCR_PRODUCTS, Product
from samspel_prequal.signals.energy import energy_example
from samspel_prequal.signals.fcr_d import ramp, static_ramp
from samspel_prequal.signals.fcr_n import step
from samspel_prequal.signals.ffr import ALTERNATIVES, SUPPORT_S, ffr
from samspel_prequal.signals.frr import afrr, mfrr
from samspel_prequal.signals.linearity import linearity
from samspel_prequal.signals.signal import Signal
from samspel_prequal.signals.sine import sines

__all__ = ["Entry", "entries", "find"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the catalogue. `make` gives one signal, or one a period for sines."""

    product: Product
    name: str
    about: str
    make: Callable[[], tuple[Signal, ...]]


def entries(product: Product | None = None) -> tuple[Entry, ...]:
    """Everything that can be played, or everything of one product."""
    found = [*_fcr_n(), *_fcr_d(Product.FCR_D_UP), *_fcr_d(Product.FCR_D_DOWN), *_shared(), *_others()]
    order = list(Product)
    found.sort(key=lambda entry: order.index(entry.product))
    return tuple(entry for entry in found if product in {None, entry.product})


def find(product: Product, name: str) -> Entry:
    """The entry of that name; `SignalError` with the list when there is none."""
    for entry in entries(product):
        if entry.name == name:
            return entry
    known = ", ".join(entry.name for entry in entries(product))
    raise SignalError(f"{product} has no signal {name!r}; it has {known}")


def _fcr_n() -> list[Entry]:
    product = Product.FCR_N
    return [
        Entry(product, "step", "step sequence, TR table 3", lambda: (step(),)),
        Entry(product, "step-endurance", "the same with holds of 15 min", lambda: (step(endurance=True),)),
    ]


def _fcr_d(product: Product) -> list[Entry]:
    return [
        Entry(product, "ramp", "fast ramps 1 to 6, TR table 4", lambda: (ramp(product),)),
        Entry(product, "ramp-endurance", "with 900 s at full activation", lambda: (ramp(product, endurance=True),)),
        Entry(product, "ramp-combination", "ramps 1 to 8, FCR-N on", lambda: (ramp(product, combination=True),)),
        Entry(
            product,
            "ramp-combination-endurance",
            "ramps 1 to 8, 900 s",
            lambda: (ramp(product, combination=True, endurance=True),),
        ),
        Entry(product, "static-ramp", "static entities, TR 3.1.3", lambda: (static_ramp(product),)),
        Entry(product, "static-ramp-endurance", "900 s", lambda: (static_ramp(product, "endurance"),)),
        Entry(product, "static-ramp-endurance-ler", "1800 s", lambda: (static_ramp(product, "endurance-ler"),)),
        Entry(product, "sine-mode-shift", "all ten sines", lambda: sines(product, mode_shifting=True)),
    ]


def _shared() -> list[Entry]:
    found = []
    for product in FCR_PRODUCTS:
        found += [
            Entry(product, "sine", "one signal a period, recommended counts", partial(sines, product)),
            Entry(product, "sine-required", "required counts only", partial(sines, product, required_only=True)),
            Entry(product, "linearity", "staircase for relays, TR 3.4.2", _one(linearity, product)),
            Entry(product, "energy", "LER test, example times", _one(energy_example, product)),
        ]
    return found


def _one(make: Callable[[Product], Signal], product: Product) -> Callable[[], tuple[Signal, ...]]:
    return lambda: (make(product),)


def _ffr(alternative: str, support: str, shape: str) -> Callable[[], tuple[Signal, ...]]:
    return lambda: (ffr(alternative, support=support, shape=shape),)


def _others() -> list[Entry]:
    found = [
        Entry(
            Product.FFR,
            f"{shape}-{alternative.lower()}-{support}",
            f"{row.trigger_hz:g} Hz in {row.full_after_s:g} s, {SUPPORT_S[support]:g} s of support",
            _ffr(alternative, support, shape),
        )
        for alternative, row in ALTERNATIVES.items()
        for support in SUPPORT_S
        for shape in ("step", "ramp")
    ]
    return [
        *found,
        Entry(Product.AFRR, "steps", "0, +100, 0, -100, 0 %, 15 min each", lambda: (afrr(),)),
        Entry(Product.MFRR, "activation", "one scheduled activation", lambda: (mfrr(),)),
    ]
