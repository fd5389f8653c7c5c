"""From a URL to a driver on a bus: what the edge and the commands by hand share."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from importlib.resources import as_file
from pathlib import Path
from typing import Any

from samspel.bus.endpoint import Endpoint
from samspel.bus.link import UnitLink
from samspel.bus.lock import EndpointLock
from samspel.bus.profile import BusProfile
from samspel.bus.url import BusUrl
from samspel.contract.errors import BusError, ConfigError, LinkDown, UnsupportedModel, WrongDevice
from samspel.contract.ports import BusLink, Clock
from samspel.driver.faults import FaultTable, load_faults
from samspel.driver.identity import read_identity
from samspel.driver.manifest import DevicePath, Manifest, load_manifest
from samspel.driver.map_driver import MapDriver
from samspel.driver.maps import MapFiles
from samspel.driver.options import DriverOptions
from samspel.driver.session import Session
from samspel.hookspecs import FaultCatalogue
from samspel.plugins.loader import LoadedDriver, load_driver
from samspel.plugins.metadata import DRIVERS, offers

__all__ = [
    "Connected",
    "Found",
    "attach",
    "find_device",
    "further_links",
    "lock_directory",
    "owned_endpoint",
    "wait_confirmed",
]

logger = logging.getLogger("samspel.connect")

CONNECT_S = 15.0
"""How long to wait for a connection by hand."""


@dataclass(slots=True, kw_only=True)
class Connected:
    """A driver with what carries it. `endpoint.run` must be running for anything to happen.

    `wrong_device` are listeners: they hear when another serial number answers at the address.
    """

    driver: MapDriver
    manifest: Manifest
    endpoint: Endpoint
    link: UnitLink
    path: DevicePath
    wrong_device: list[Callable[[WrongDevice], None]]


@dataclass(frozen=True, slots=True)
class Found:
    """Which driver fits a device, and where exactly it answers."""

    brand: LoadedDriver
    url: BusUrl


def lock_directory() -> Path:
    """Where the endpoint locks of this box live: SAMSPEL_LOCK_DIR, else one folder for all users."""
    named = os.environ.get("SAMSPEL_LOCK_DIR")
    return Path(named) if named else Path(tempfile.gettempdir()) / "samspel-locks"


# --- a driver on an endpoint ----------------------------------------------------------------------------------------


def attach(
    brand: LoadedDriver,
    url: BusUrl,
    clock: Clock,
    rng: random.Random,
    *,
    path: str | None = None,
    options: DriverOptions | None = None,
    session: Mapping[str, Any] | None = None,
    endpoint: Endpoint | None = None,
    catalogues: Sequence[FaultCatalogue] = (),
) -> Connected:
    """A driver for `url`; on `endpoint` when another device shares it. Raises ConfigError or MapError.

    `catalogues` add to the brand's fault table. Further units that the site names (`options.units`) are asked only
    while the device itself is confirmed on the present connection.
    """
    manifest = load_manifest(brand.manifest)
    way = choose_path(manifest, url, path)
    options = options or DriverOptions()
    _check_options(manifest, options)
    endpoint = endpoint or Endpoint(url.host, url.port, profile_of(way, url), clock, rng=rng)

    listeners: list[Callable[[WrongDevice], None]] = []

    async def confirm(raw: BusLink) -> None:
        try:
            await driver.confirm(raw)
        except WrongDevice as error:
            for listener in listeners:
                listener(error)
            raise

    link = endpoint.link(way.units[0] if url.unit is None else url.unit, confirm)
    driver = MapDriver(
        manifest,
        MapFiles(manifest.maps, options.allow_low_confidence),
        _fault_table(manifest, catalogues),
        link,
        clock,
        path=way.name,
        session=_session(brand, way, session or {}),
        options=options,
        further=further_links(endpoint, link, options.units),
    )
    return Connected(driver=driver, manifest=manifest, endpoint=endpoint, link=link, path=way, wrong_device=listeners)


def _check_options(manifest: Manifest, options: DriverOptions) -> None:
    if options.control and options.control not in manifest.controls:
        known = ", ".join(sorted(manifest.controls)) or "none beside its own"
        raise ConfigError(f"driver {manifest.name!r} has no control {options.control!r}; it has {known}")
    for name in options.units:
        if name not in manifest.units:
            known = ", ".join(sorted(manifest.units)) or "none"
            raise ConfigError(f"driver {manifest.name!r} reads no further unit {name!r}; it knows {known}")


def further_links(endpoint: Endpoint, link: UnitLink, units: Mapping[str, int]) -> dict[str, BusLink]:
    """Links to other units behind the device's own `link`. Their identity check is the device's: nothing goes to them
    before that has succeeded on the present connection. Raises ConfigError for a unit that has a check of its own.
    """

    async def after_the_device(_raw: BusLink) -> None:
        await link.wait_connected()

    try:
        return {name: endpoint.link(unit, after_the_device) for name, unit in units.items()}
    except ValueError as error:
        raise ConfigError(
            f"units {dict(units)}: {error}; a further unit is neither the device's own nor shared"
        ) from error


def _fault_table(manifest: Manifest, catalogues: Sequence[FaultCatalogue]) -> FaultTable:
    table = manifest.faults
    for catalogue in catalogues:
        with as_file(catalogue.table) as file:
            table = table.extended(load_faults(file))
    return table


def choose_path(manifest: Manifest, url: BusUrl, name: str | None) -> DevicePath:
    """The configured path, else the one whose usual port or unit this is, else the first. Raises ConfigError."""
    paths = list(manifest.paths.values())
    if name is not None:
        if name not in manifest.paths:
            known = ", ".join(manifest.paths)
            raise ConfigError(f"driver {manifest.name!r} has no path {name!r}; it has {known}")
        return manifest.paths[name]
    by_unit = [way for way in paths if url.unit is None or url.unit in way.units] or paths
    return next((way for way in by_unit if way.port == url.port), by_unit[0])


def profile_of(way: DevicePath, url: BusUrl) -> BusProfile:
    """How the manifest wants this path to be spoken to."""
    return BusProfile(**{**way.bus.settings, "framing": url.framing, "tls": url.tls, "tls_pin": url.pin})


def _session(brand: LoadedDriver, way: DevicePath, settings: Mapping[str, Any]) -> Session | None:
    if not way.session or brand.package.session is None:
        return None
    return brand.package.session(settings)


# --- by hand: one owner, and which driver fits ----------------------------------------------------------------------


@asynccontextmanager
async def owned_endpoint(endpoint: Endpoint, url: BusUrl) -> AsyncIterator[Endpoint]:
    """The endpoint, locked against other processes of this box and running. Raises EndpointInUse."""
    with EndpointLock(url.host, url.port, lock_directory()):
        running = asyncio.create_task(endpoint.run())
        try:
            yield endpoint
        finally:
            await endpoint.close()
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def find_device(url: BusUrl, driver: str, clock: Clock, rng: random.Random) -> Found:
    """The driver named, or with "auto" the installed one whose fingerprint fits; the unit is looked for if absent.

    Raises LinkDown when nothing listens there, UnsupportedModel when no installed driver knows what answers.
    """
    names = _installed() if driver == "auto" else [driver]
    if driver != "auto" and url.unit is not None:
        return Found(load_driver(driver), url)
    tried: list[str] = []
    for name in names:
        brand = load_driver(name)
        found = await _try_brand(brand, url, clock, rng, tried)
        if found is not None:
            return Found(brand, found)
    raise UnsupportedModel(f"no installed driver ({', '.join(names)}) knows what answers at {url}: {'; '.join(tried)}")


def _installed() -> list[str]:
    names = sorted(offer.name for offer in offers(DRIVERS) if not offer.disabled)
    if not names:
        raise ConfigError("no driver is installed; install one, for example with pip install samspel-BRAND")
    return names


async def _try_brand(
    brand: LoadedDriver, url: BusUrl, clock: Clock, rng: random.Random, tried: list[str]
) -> BusUrl | None:
    """The address with its unit, if this brand's fingerprint fits there."""
    manifest = load_manifest(brand.manifest)
    way = choose_path(manifest, url, None)
    endpoint = Endpoint(url.host, url.port, profile_of(way, url), clock, rng=rng)
    async with owned_endpoint(endpoint, url):
        await _wait_open(endpoint, url)
        for unit in _units(manifest, url):
            try:
                await read_identity(manifest, endpoint.link(unit))
            except LinkDown:
                raise
            except (BusError, UnsupportedModel) as error:
                tried.append(f"{brand.name} unit {unit}: {error}")
            else:
                return replace(url, unit=unit)
    return None


def _units(manifest: Manifest, url: BusUrl) -> Sequence[int]:
    """The unit of the address, else every unit that the brand is met at, likeliest first."""
    if url.unit is not None:
        return (url.unit,)
    return list(dict.fromkeys(unit for way in manifest.paths.values() for unit in way.units))


async def _wait_open(endpoint: Endpoint, url: BusUrl) -> None:
    try:
        async with asyncio.timeout(CONNECT_S):
            await endpoint.wait_open()
    except TimeoutError as error:
        raise LinkDown(
            f"{url}: no connection within {CONNECT_S:g} s. Is the address right, is Modbus TCP switched on in the "
            "device, and does no other client hold its only connection?"
        ) from error


async def wait_confirmed(link: UnitLink, url: BusUrl) -> None:
    """Until the device has proved who it is. Raises LinkDown."""
    try:
        async with asyncio.timeout(CONNECT_S):
            await link.wait_connected()
    except TimeoutError as error:
        raise LinkDown(f"{url}: no device answered within {CONNECT_S:g} s; is the unit id right?") from error
