"""One plugin object behind typed values. pluggy shows here and nowhere else.

Each plugin gets a manager of its own: pluggy aborts a call when one implementation raises, and finds a misspelt
hook without saying whose it is. Alone in its manager a plugin can only harm itself.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, TypeVar

import pluggy

from samspel import hookspecs
from samspel.contract.errors import PluginError
from samspel.hookspecs import PROJECT, DriverPackage, FaultCatalogue, FilterPackage, TransportPackage

__all__ = ["HOOKS", "Registration", "collect"]

HOOKS: dict[str, type] = {
    "samspel_register_drivers": DriverPackage,
    "samspel_register_filters": FilterPackage,
    "samspel_register_transports": TransportPackage,
    "samspel_register_fault_catalogues": FaultCatalogue,
}
"""Every hook, and what its list holds."""

Package = TypeVar("Package")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What one plugin object registers."""

    drivers: tuple[DriverPackage, ...] = ()
    filters: tuple[FilterPackage, ...] = ()
    transports: tuple[TransportPackage, ...] = ()
    fault_catalogues: tuple[FaultCatalogue, ...] = ()


def collect(plugin: object, name: str) -> Registration:
    """Register the plugin, check its hooks, call each of them once.

    Raises PluginError for a hook that does not exist, has an argument that core does not give, raises, lacks its
    mark, or returns anything but its list.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    _refuse_unmarked(manager, plugin)
    try:
        manager.register(plugin, name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        known = ", ".join(f"{hook}()" for hook in HOOKS)
        raise PluginError(f"{_one_line(error)}; the hooks are {known}", stage="register") from error
    return Registration(
        drivers=_call(manager, "samspel_register_drivers", DriverPackage),
        filters=_call(manager, "samspel_register_filters", FilterPackage),
        transports=_call(manager, "samspel_register_transports", TransportPackage),
        fault_catalogues=_call(manager, "samspel_register_fault_catalogues", FaultCatalogue),
    )


def _refuse_unmarked(manager: pluggy.PluginManager, plugin: object) -> None:
    """Pluggy passes over a function without its mark in silence; nobody means that."""
    for name in dir(plugin):
        if name.startswith("samspel_register_") and manager.parse_hookimpl_opts(plugin, name) is None:
            raise PluginError(
                f"{name} lacks its mark: write @hookimpl from samspel.hookspecs above it", stage="register"
            )


def _call(manager: pluggy.PluginManager, hook: str, kind: type[Package]) -> tuple[Package, ...]:
    caller = getattr(manager.hook, hook)
    if not caller.get_hookimpls():
        return ()
    (returned,) = caller() or (None,)
    if inspect.iscoroutine(returned):
        returned.close()
        raise PluginError(f"{hook} is asynchronous; it must be an ordinary function", stage="register")
    return tuple(_checked(item, kind, hook) for item in _as_list(returned, kind, hook))


def _as_list(returned: object, kind: type[Package], hook: str) -> list[Any]:
    if isinstance(returned, list):
        return returned
    raise PluginError(
        f"{hook} returned {type(returned).__name__}; it must return list[{kind.__name__}]", stage="register"
    )


def _checked(item: object, kind: type[Package], hook: str) -> Package:
    if isinstance(item, kind):
        return item
    raise PluginError(
        f"the list that {hook} returned holds a {type(item).__name__}; it must hold {kind.__name__} only",
        stage="register",
    )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
