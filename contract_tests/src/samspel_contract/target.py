"""What is being tested: a driver's data, its twin and its declaration, loaded as a site would load them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib import import_module
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, cast

from samspel.contract.errors import ConfigError
from samspel.contract.ports import BusLink, Clock
from samspel.driver.manifest import DevicePath, Manifest, load_manifest
from samspel.driver.map_driver import MapDriver
from samspel.driver.maps import MapFiles, MapSource
from samspel.driver.options import DriverOptions
from samspel.driver.session import Session
from samspel.hookspecs import DriverPackage
from samspel.plugins.loader import import_object, load_driver
from samspel.plugins.metadata import TWINS, offers
from samspel.registers.model import RegisterMap
from samspel_sim.behaviour import Behaviour, TwinOptions
from samspel_sim.registers import Register as TwinRegister
from samspel_sim.registers import read_csv

from samspel_contract.catalogue import catalogue
from samspel_contract.declaration import Declaration, read_declaration
from samspel_contract.variants import Variant

__all__ = ["DriverFactory", "Target", "TwinFactory", "installed", "loose", "with_driver"]

TwinFactory = Callable[[TwinOptions], Behaviour]
DriverFactory = Callable[..., MapDriver]
"""Called as `MapDriver` is."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Target:
    """One driver under test, in one of its variants. `twin_package` is the package that holds `registers.csv`."""

    name: str
    dist: str
    version: str
    manifest: Manifest
    package: DriverPackage
    declaration: Declaration
    variant: Variant
    folder: Traversable
    any_twin: TwinFactory
    twin_package: str
    driver_factory: DriverFactory = MapDriver

    @cached_property
    def variants(self) -> tuple[Target, ...]:
        """The same driver in each of its declared variants, the first of them first."""
        return tuple(replace(self, variant=variant) for variant in self.declaration.variants)

    @cached_property
    def leads(self) -> tuple[Target, ...]:
        """The first variant of each way of control: what the whole safety set runs on."""
        first: dict[str, Target] = {}
        for target in self.variants:
            first.setdefault(target.variant.control, target)
        return tuple(first.values())

    @cached_property
    def path(self) -> DevicePath:
        """The way to the device: the variant's, else the first that wants no login, where there is one."""
        paths = self.manifest.paths
        if self.variant.path:
            return paths[self.variant.path]
        return next((path for path in paths.values() if not path.session), next(iter(paths.values())))

    def twin(self, options: TwinOptions) -> Behaviour:
        """The variant's device; options that say something else win."""
        chosen = self.variant
        return self.any_twin(
            replace(
                options,
                model=options.model or chosen.model or None,
                firmware=options.firmware or chosen.firmware or None,
                path=options.path or chosen.twin_path or None,
                settings={**chosen.settings, **options.settings},
            )
        )

    def options(self, options: DriverOptions | None = None) -> DriverOptions:
        """What the site decides, with the variant's own part of it."""
        chosen = self.variant
        stated: dict[str, Any] = {
            "control": chosen.control,
            "guarded": bool(chosen.control),
            "constants": chosen.constants,
            "units": chosen.units,
        }
        return replace(options or DriverOptions(), **{name: value for name, value in stated.items() if value})

    def driver(
        self,
        link: BusLink,
        clock: Clock,
        *,
        options: DriverOptions | None = None,
        maps: MapSource | None = None,
        session: Session | None = None,
        further: Mapping[str, BusLink] | None = None,
    ) -> MapDriver:
        """A new driver object on a link. `maps` and `session` are the variant's own unless they are given; `further`
        are links to the other units that the variant names.
        """
        decided = self.options(options)
        return self.driver_factory(
            self.manifest,
            maps or MapFiles(self.manifest.maps, decided.allow_low_confidence),
            self.manifest.faults,
            link,
            clock,
            path=self.path.name,
            session=session or self.session(),
            options=decided,
            further=further,
        )

    def session(self, login: Mapping[str, object] | None = None) -> Session | None:
        """The vendor's login, where the path wants one and the package has one; with the variant's own secrets."""
        factory = self.package.session
        if factory is None or not self.path.session:
            return None
        return factory(self.variant.login if login is None else login)

    @cached_property
    def registers(self) -> RegisterMap:
        """The map for the variant's device and way of control."""
        behaviour = self.twin(TwinOptions())
        return self.map_for(behaviour.model, behaviour.firmware)

    def map_for(self, model: str, firmware: str) -> RegisterMap:
        """The map for a device. Raises UnsupportedModel or MapError."""
        return MapFiles(self.manifest.maps).for_device(model, firmware, self.variant.control)

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
    manifest = load_manifest(loaded.manifest)
    declaration = _declaration(loaded.manifest.parent, manifest)
    return Target(
        name=name,
        dist=loaded.dist,
        version=loaded.version,
        manifest=manifest,
        package=loaded.package,
        declaration=declaration,
        variant=declaration.variants[0],
        folder=loaded.manifest.parent,
        any_twin=cast("TwinFactory", import_object(found[0])),
        twin_package=_package_of(found[0].package),
    )


@cache
def loose(manifest: Path, twin: str) -> Target:
    """A driver that is not installed: a `driver.toml`, and `MODULE:OBJECT` of a twin. Raises ConfigError."""
    loaded = load_manifest(manifest)
    declaration = _declaration(manifest.parent, loaded)
    return Target(
        name=loaded.name,
        dist="",
        version="",
        manifest=loaded,
        package=DriverPackage(name=loaded.name, manifest=manifest),
        declaration=declaration,
        variant=declaration.variants[0],
        folder=manifest.parent,
        any_twin=cast("TwinFactory", _object(twin, "twin")),
        twin_package=_package_of(twin.partition(":")[0]),
    )


@cache
def with_driver(target: Target, factory: str) -> Target:
    """The same target with another driver object in place of `MapDriver`: MODULE:CALLABLE, called as that is.

    For the tests of this suite: a broken driver has to be noticed.
    """
    return replace(target, driver_factory=cast("DriverFactory", _object(factory, "driver factory")))


def _object(text: str, what: str) -> object:
    module, _, attribute = text.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{what} {text!r}: expected MODULE:OBJECT that can be imported: {error}") from error


def _declaration(folder: Traversable, manifest: Manifest) -> Declaration:
    declaration = read_declaration(folder / "contract.toml", catalogue())
    if declaration.driver != manifest.name:
        raise ConfigError(f"contract.toml: driver: found {declaration.driver!r}, expected {manifest.name!r}")
    for variant in declaration.variants:
        if variant.path and variant.path not in manifest.paths:
            known = ", ".join(manifest.paths)
            raise ConfigError(f"contract.toml: [[variants]] path: found {variant.path!r}, driver.toml has {known}")
    return declaration


def _package_of(module: str) -> str:
    """The package that holds a module; a package is its own."""
    return module if hasattr(import_module(module), "__path__") else module.rpartition(".")[0]
