"""What is being tested: a driver's data, its twin and its declaration, loaded as a site would load them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import cast

from samspel.contract.errors import ConfigError
from samspel.driver.manifest import DevicePath, Manifest, load_manifest
from samspel.driver.maps import MapFiles
from samspel.hookspecs import DriverPackage
from samspel.plugins.loader import import_object, load_driver
from samspel.plugins.metadata import TWINS, offers
from samspel.registers.model import RegisterMap
from samspel_sim.behaviour import Behaviour, TwinOptions
from samspel_sim.registers import Register as TwinRegister
from samspel_sim.registers import read_csv

from samspel_contract.catalogue import catalogue
from samspel_contract.declaration import Declaration, read_declaration

__all__ = ["Target", "installed", "loose"]

TwinFactory = Callable[[TwinOptions], Behaviour]


@dataclass(frozen=True, eq=False)
class Target:
    """One driver under test. `twin_package` is the package whose folder holds `registers.csv`."""

    name: str
    dist: str
    version: str
    manifest: Manifest
    package: DriverPackage
    declaration: Declaration
    twin: TwinFactory
    twin_package: str

    @cached_property
    def path(self) -> DevicePath:
        """The way on which everything is tested: the first that wants no login, where there is one."""
        paths = list(self.manifest.paths.values())
        return next((path for path in paths if not path.session), paths[0])

    @cached_property
    def registers(self) -> RegisterMap:
        """The map for the twin's default device."""
        behaviour = self.twin(TwinOptions())
        return MapFiles(self.manifest.maps).for_device(behaviour.model, behaviour.firmware)

    @cached_property
    def table(self) -> tuple[TwinRegister, ...]:
        """The twin's own register table, which does not come from the driver's map."""
        return tuple(read_csv(Path(str(files(self.twin_package) / "registers.csv"))))


@cache
def installed(name: str) -> Target:
    """The installed driver `name` with the installed twin of the same name. Raises PluginError or ConfigError."""
    loaded = load_driver(name)
    found = [offer for offer in offers(TWINS) if offer.name == name and not offer.disabled]
    if not found:
        raise ConfigError(f"driver {name!r} has no twin: {loaded.dist} needs an entry point {name!r} in {TWINS}")
    return Target(
        name=name,
        dist=loaded.dist,
        version=loaded.version,
        manifest=load_manifest(loaded.manifest),
        package=loaded.package,
        declaration=_declaration(loaded.manifest.parent, name),
        twin=cast("TwinFactory", import_object(found[0])),
        twin_package=_package_of(found[0].package),
    )


@cache
def loose(manifest: Path, twin: str) -> Target:
    """A driver that is not installed: a `driver.toml`, and `MODULE:OBJECT` of a twin. Raises ConfigError."""
    loaded = load_manifest(manifest)
    module, _, attribute = twin.partition(":")
    try:
        factory = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"twin {twin!r}: expected MODULE:OBJECT that can be imported: {error}") from error
    return Target(
        name=loaded.name,
        dist="",
        version="",
        manifest=loaded,
        package=DriverPackage(name=loaded.name, manifest=manifest),
        declaration=_declaration(manifest.parent, loaded.name),
        twin=cast("TwinFactory", factory),
        twin_package=_package_of(module),
    )


def _declaration(folder: Traversable, name: str) -> Declaration:
    declaration = read_declaration(folder / "contract.toml", catalogue())
    if declaration.driver != name:
        raise ConfigError(f"contract.toml: driver: found {declaration.driver!r}, expected {name!r}")
    return declaration


def _package_of(module: str) -> str:
    """The package that holds a module; a package is its own."""
    return module if hasattr(import_module(module), "__path__") else module.rpartition(".")[0]
