"""What one run of the edge uses: core's own filters and transports, and the drivers and extensions it names."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from typing import TypeVar

from samspel import builtins
from samspel.contract.errors import PluginError
from samspel.hookspecs import FaultCatalogue, FilterFactory, FilterPackage, TransportFactory, TransportPackage
from samspel.plugins.hooks import Registration, collect
from samspel.plugins.loader import LoadedDriver, load_driver, load_extension
from samspel.plugins.stages import Stage
from samspel.plugins.survey import Health, survey

__all__ = ["STRICT", "Plugins"]

STRICT = "SAMSPEL_STRICT_PLUGINS"
"""Environment variable: with 1, anything unhealthy that is installed is fatal, used or not."""

_log = logging.getLogger("samspel.plugins")
Package = TypeVar("Package", FilterPackage, TransportPackage)


class Plugins:
    """Filters, transports and drivers by name. Raises PluginError for whatever is needed and unhealthy.

    Nothing but the named drivers and extensions is imported; what else is installed and unhealthy is logged.
    """

    def __init__(self, drivers: Iterable[str] = (), extensions: Iterable[str] = ()) -> None:
        _report_unhealthy()
        self._drivers = {name: load_driver(name) for name in dict.fromkeys(drivers)}
        self._filters: dict[str, FilterPackage] = {}
        self._transports: dict[str, TransportPackage] = {}
        self._fault_catalogues: list[FaultCatalogue] = []
        self._add("samspel", collect(builtins, "samspel"))
        for loaded in (*map(load_extension, dict.fromkeys(extensions)), *self._drivers.values()):
            self._add(loaded.name, loaded.registered)

    def driver(self, name: str) -> LoadedDriver:
        """One of the drivers named at the start."""
        return self._drivers[name]

    def filter(self, name: str) -> FilterFactory:
        """The filter that site.toml calls `name`."""
        return _named(self._filters, name, "filter").factory

    def transport(self, name: str) -> TransportFactory:
        """The transport that site.toml calls `name`."""
        return _named(self._transports, name, "transport").factory

    def fault_catalogues(self, driver: str) -> tuple[FaultCatalogue, ...]:
        """Fault tables that extensions bring for a driver, beside its own."""
        return tuple(catalogue for catalogue in self._fault_catalogues if catalogue.driver == driver)

    def _add(self, owner: str, registered: Registration) -> None:
        _insert(self._filters, registered.filters, f"filter of {owner!r}")
        _insert(self._transports, registered.transports, f"transport of {owner!r}")
        self._fault_catalogues += registered.fault_catalogues


def _insert(known: dict[str, Package], packages: Iterable[Package], what: str) -> None:
    for package in packages:
        if package.name in known:
            raise PluginError(f"{what}: the name {package.name!r} is taken; uninstall one", stage=Stage.REGISTER)
        known[package.name] = package


def _named(known: dict[str, Package], name: str, kind: str) -> Package:
    if name in known:
        return known[name]
    raise PluginError(
        f"there is no {kind} {name!r}; there are: {', '.join(sorted(known)) or 'none'}. One that an extension "
        "brings is there once site.toml names the extension",
        stage=Stage.REGISTER,
    )


def _report_unhealthy() -> None:
    strict = os.environ.get(STRICT) == "1"
    broken = [row for row in survey(code=strict) if row.health is Health.FAILED]
    if broken and strict:
        rows = "; ".join(f"{row.kind} {row.name!r} of {row.dist} ({row.stage}): {row.error}" for row in broken)
        raise PluginError(f"{STRICT} is set and not everything installed is healthy: {rows}", stage=broken[0].stage)
    for row in broken:
        _log.warning(
            "installed plugin is unhealthy",
            extra={"kind": row.kind, "plugin": row.name, "dist": row.dist, "stage": row.stage, "why": row.error},
        )
