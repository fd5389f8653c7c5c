"""The four extension points. All of them register and are called once; nothing here runs per set-point.

An implementation is a module or object whose functions carry `@hookimpl` and have exactly these names:

    from samspel.hookspecs import DriverPackage, hookimpl

    @hookimpl
    def samspel_register_drivers() -> list[DriverPackage]: ...

The order and what happens to a broken implementation are in docs/hooks.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

from samspel.contract.ports import Transport

if TYPE_CHECKING:
    from samspel.driver.session import Session

__all__ = [
    "DriverPackage",
    "FaultCatalogue",
    "FilterFactory",
    "FilterPackage",
    "SessionFactory",
    "TransportFactory",
    "TransportPackage",
    "hookimpl",
    "hookspec",
    "samspel_register_drivers",
    "samspel_register_fault_catalogues",
    "samspel_register_filters",
    "samspel_register_transports",
]

PROJECT = "samspel"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class SessionFactory(Protocol):
    """Makes the object for a vendor login, from the device's `session` table in site.toml."""

    def __call__(self, settings: Mapping[str, Any], /) -> Session:
        """A session that has not been opened. Raises ConfigError for settings that it cannot use."""
        ...


class FilterFactory(Protocol):
    """Makes a filter of the shaping chain from the device's limits in site.toml."""

    def __call__(self, settings: Mapping[str, Any], /) -> object:
        """A filter. Raises ConfigError for a setting that it does not have or cannot use."""
        ...


class TransportFactory(Protocol):
    """Makes a transport. It imports its library only when called, so that registering costs nothing."""

    def __call__(self, *args: Any, **settings: Any) -> Transport:  # noqa: ANN401 - each transport has its own
        """A transport that has not been started."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverPackage:
    """A brand. `name` is the entry point's key and the word in site.toml; `manifest` is its driver.toml.

    `session` is for devices that want a vendor login before they accept writes. `quirks` are the pure functions
    that the maps call by name, where no vocabulary of core can say what the device does.
    """

    name: str
    manifest: Traversable
    session: SessionFactory | None = None
    quirks: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterPackage:
    """A filter for the shaping chain; `name` is the word in site.toml's list, which alone decides the order.

    A filter of a third party may only move a target toward zero; the chain sees to it.
    """

    name: str
    factory: FilterFactory


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportPackage:
    """A way to the broker; `name` is the word in site.toml."""

    name: str
    factory: TransportFactory


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultCatalogue:
    """More rows for a driver's faults.toml, in the same form. `table` is the file, `driver` whose bits it names.

    It adds rows for bits that the driver leaves unmapped; it never changes a row that the driver has.
    """

    name: str
    driver: str
    table: Traversable


@hookspec
def samspel_register_drivers() -> list[DriverPackage]:  # type: ignore[empty-body]
    """The brand of this package. Called when a configured device names it. Needed only for a session or quirks:
    a package of data alone has an entry point and no code.

    .. versionadded:: 0.1
    """


@hookspec
def samspel_register_filters() -> list[FilterPackage]:  # type: ignore[empty-body]
    """Filters that site.toml may name in its shaping chain.

    .. versionadded:: 0.1
    """


@hookspec
def samspel_register_transports() -> list[TransportPackage]:  # type: ignore[empty-body]
    """Transports that site.toml may name.

    .. versionadded:: 0.1
    """


@hookspec
def samspel_register_fault_catalogues() -> list[FaultCatalogue]:  # type: ignore[empty-body]
    """Fault tables beside those that the drivers bring.

    .. versionadded:: 0.1
    """
