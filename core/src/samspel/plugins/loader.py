"""From an entry point to a usable plugin, one stage after the other (see `stages`).

Everything up to `load` needs no import of the plugin; only what a site names, or somebody checks, is imported.
"""

from __future__ import annotations

import importlib
import importlib.util
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samspel.contract.errors import PluginError
from samspel.hookspecs import DriverPackage
from samspel.plugins.hooks import Registration, collect
from samspel.plugins.metadata import (
    COMMANDS,
    DISABLED,
    DRIVERS,
    EXTENSIONS,
    RESERVED_COMMANDS,
    TWINS,
    Offer,
    offers,
)
from samspel.plugins.requirements import check_contract, check_requirements
from samspel.plugins.stages import Stage, blaming, isolated

if TYPE_CHECKING:
    from samspel.driver.manifest import Manifest
    from samspel.plugins.brand import Brand

__all__ = [
    "Loaded",
    "LoadedDriver",
    "check_code",
    "check_data",
    "import_object",
    "load_command",
    "load_driver",
    "load_extension",
    "read_brand",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What an extension registers, and which distribution brought it."""

    name: str
    dist: str
    version: str
    registered: Registration


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedDriver(Loaded):
    """A brand, ready to make drivers: `manifest` is its driver.toml on disk."""

    manifest: Path
    package: DriverPackage


def load_driver(name: str) -> LoadedDriver:
    """The driver that site.toml calls `name`; no other driver is imported. Raises PluginError."""
    offer = _find(DRIVERS, name)
    with blaming(offer):
        check_data(offer)
        registered = check_code(offer)
        manifest = manifest_path(offer)
        return LoadedDriver(
            name=name,
            dist=offer.dist,
            version=offer.version,
            registered=registered,
            manifest=manifest,
            package=next(iter(registered.drivers), DriverPackage(name=name, manifest=manifest)),
        )


def load_extension(name: str) -> Loaded:
    """The extension whose entry point is called `name`. Raises PluginError."""
    offer = _find(EXTENSIONS, name)
    with blaming(offer):
        check_data(offer)
        return Loaded(name=name, dist=offer.dist, version=offer.version, registered=check_code(offer))


def load_command(offer: Offer) -> Any:  # noqa: ANN401 - what it must be is the shell's to say
    """The function that an entry point of `samspel.commands` names. Raises PluginError."""
    with blaming(offer):
        check_data(offer)
        return import_object(offer)


def read_brand(name: str) -> Brand:
    """A driver's data for people to look at; its code is not imported. Raises PluginError."""
    offer = _find(DRIVERS, name)
    with blaming(offer):
        check_data(offer, maps=False)
        with isolated(Stage.LOAD):
            return _load_brand(offer)


def check_data(offer: Offer, *, maps: bool = True) -> None:
    """Every stage that imports nothing; without `maps` those only that cost nothing."""
    _check_metadata(offer)
    if offer.group == DRIVERS:
        check_contract(offer, _contract_of(manifest_path(offer)))
    with isolated(Stage.REQUIREMENTS):
        check_requirements(offer)
    if offer.group == DRIVERS and maps:
        with isolated(Stage.LOAD):
            _check_manifest(offer)


def check_code(offer: Offer) -> Registration:
    """Import a driver's or extension's code and collect its hooks. Twins and commands have none: only imported."""
    plugin = import_object(offer)
    if offer.group in {TWINS, COMMANDS}:
        return Registration()
    with isolated(Stage.REGISTER):
        registered = collect(plugin, offer.name)
        _check_drivers(offer, registered)
    return registered


def import_object(offer: Offer) -> Any:  # noqa: ANN401 - whatever the entry point names
    """The object of the entry point; for a driver, whose value names a file, its package. Raises PluginError."""
    attribute = "" if offer.group == DRIVERS else offer.attribute
    with isolated(Stage.IMPORT):
        found: Any = importlib.import_module(offer.package)
        for part in filter(None, attribute.split(".")):
            found = getattr(found, part)
    return found


def manifest_path(offer: Offer) -> Path:
    """Where driver.toml is. `find_spec` on a top-level package does not import it."""
    if "." in offer.package or not (offer.package and offer.attribute):
        raise PluginError(
            f'the entry point must be {offer.name} = "PACKAGE:driver.toml" with a top-level package, '
            f"not {offer.value!r}",
            stage=Stage.MANIFEST,
        )
    with isolated(Stage.MANIFEST):
        spec = importlib.util.find_spec(offer.package)
    folders = list(spec.submodule_search_locations or []) if spec else []
    path = next((path for folder in folders if (path := Path(folder) / offer.attribute).is_file()), None)
    if path is None:
        where = f"{offer.attribute} is not in {folders[0]}" if folders else f"there is no package {offer.package}"
        raise PluginError(f"{where}; reinstall {offer.dist}", stage=Stage.MANIFEST)
    return path


def _find(group: str, name: str) -> Offer:
    installed = offers(group)
    named = [offer for offer in installed if offer.name == name]
    usable = next((offer for offer in named if not offer.disabled), None)
    if usable is None:
        kind = Offer.kind_of(group)
        known = ", ".join(sorted({offer.name for offer in installed if not offer.disabled})) or "none"
        why = f"is switched off by {DISABLED}" if named else "is not installed"
        raise PluginError(f"{kind} {name!r} {why}; installed are: {known}", stage=Stage.METADATA)
    return usable


def _check_metadata(offer: Offer) -> None:
    problem = offer.unreadable
    if len(offer.rivals) > 1:
        problem = f"{' and '.join(offer.rivals)} both offer {offer.kind} {offer.name!r}; uninstall one of them"
    elif offer.group == COMMANDS and offer.name in RESERVED_COMMANDS:
        problem = f"samspel has a command {offer.name!r} of its own, and uses that"
    if problem:
        raise PluginError(problem, stage=Stage.METADATA)


def _contract_of(manifest: Path) -> object:
    """Read before anything else is judged: a newer manifest may hold what we do not know."""
    with isolated(Stage.MANIFEST):
        return tomllib.loads(manifest.read_text(encoding="utf-8")).get("contract")


def _load_brand(offer: Offer) -> Brand:
    from samspel.plugins.brand import load_brand  # noqa: PLC0415 - pulls in the whole map loader

    brand = load_brand(manifest_path(offer))
    _check_name(brand.manifest, offer)
    return brand


def _check_manifest(offer: Offer) -> None:
    """With its maps and all their variants, which are not kept."""
    from samspel.driver.manifest import load_manifest  # noqa: PLC0415 - the same

    _check_name(load_manifest(manifest_path(offer)), offer)


def _check_name(manifest: Manifest, offer: Offer) -> None:
    if manifest.name != offer.name:
        raise PluginError(
            f"driver.toml says name = {manifest.name!r}; the entry point says {offer.name!r}", stage=Stage.LOAD
        )


def _check_drivers(offer: Offer, registered: Registration) -> None:
    """An entry point offers one driver, under its own name; an extension offers none."""
    names = [package.name for package in registered.drivers]
    expected = [offer.name] if offer.group == DRIVERS else []
    if names and names != expected:
        raise PluginError(
            f"samspel_register_drivers returned {names}; this entry point offers {expected}: every driver needs "
            f"an entry point of its own in {DRIVERS}",
            stage=Stage.REGISTER,
        )
