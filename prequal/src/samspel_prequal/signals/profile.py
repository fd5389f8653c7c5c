"""aFRR and mFRR profiles changed by `KEY=VALUE`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from samspel_prequal.errors import SignalError
from samspel_prequal.product import Product
from samspel_prequal.signals.catalogue import find
from samspel_prequal.signals.frr import AfrrProfile, MfrrProfile, afrr, mfrr
from samspel_prequal.signals.signal import RampSignal

__all__ = ["changed_profile"]

P = TypeVar("P", AfrrProfile, MfrrProfile)


def changed_profile(product: Product, name: str, changes: Sequence[str]) -> RampSignal:
    """`hold_s=600`, or `levels=0:0.5:1:0` for a staircase.

    Raises:
        SignalError: the signal has no settings, there is no such key, or the value is no number.
    """
    find(product, name)
    if product is Product.AFRR:
        return afrr(_changed(AfrrProfile(), changes))
    if product is Product.MFRR:
        return mfrr(_changed(MfrrProfile(), changes))
    raise SignalError(f"{product} {name} has no settings: its figures are fixed; only afrr and mfrr profiles have some")


def _changed(profile: P, changes: Sequence[str]) -> P:
    known = [field.name for field in fields(profile)]
    new: dict[str, Any] = {}
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals or key not in known:
            raise SignalError(f"{change!r}: expected KEY=VALUE with a key of {', '.join(known)}")
        new[key] = (
            tuple(_number(change, item) for item in value.split(":")) if key == "levels" else _number(change, value)
        )
    return replace(profile, **new)


def _number(change: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SignalError(f"{change!r}: {text!r} is not a number") from None
