"""A row for everything installed, healthy or not. A broken plugin is isolated, and never silent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from samspel.contract.errors import PluginError
from samspel.plugins.loader import check_code, check_data
from samspel.plugins.metadata import COMMANDS, DRIVERS, EXTENSIONS, TWINS, Offer, offers

__all__ = ["Health", "Row", "survey"]


class Health(StrEnum):
    """What became of a plugin."""

    OK = "ok"
    FAILED = "failed"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry point. `stage` and `error` say where and why it failed, and are empty otherwise."""

    kind: str
    name: str
    dist: str
    version: str
    health: Health
    stage: str = ""
    error: str = ""


def survey(*, code: bool = True) -> list[Row]:
    """Check everything that is installed. With `code` false nothing is imported and no map is read.

    Twins and commands are not imported in either case: they belong to other programs and may need packages
    that a site does not have.
    """
    return [_row(offer, code=code) for offer in offers(DRIVERS, EXTENSIONS, TWINS, COMMANDS)]


def _row(offer: Offer, *, code: bool) -> Row:
    health, stage, error = Health.OK, "", ""
    if offer.disabled:
        health = Health.DISABLED
    else:
        try:
            _check(offer, code=code)
        except PluginError as failure:
            health, stage, error = Health.FAILED, str(failure.stage), str(failure)
    return Row(
        kind=offer.kind,
        name=offer.name,
        dist=offer.dist,
        version=offer.version,
        health=health,
        stage=stage,
        error=error,
    )


def _check(offer: Offer, *, code: bool) -> None:
    check_data(offer, maps=code)
    if code and offer.group in {DRIVERS, EXTENSIONS}:
        check_code(offer)
