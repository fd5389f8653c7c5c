"""Core's own filters and transports. They come in through the same hooks as everybody else's.

Each factory imports its module when it is called: registering costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any

from samspel.contract.ports import Transport
from samspel.hookspecs import FilterPackage, TransportPackage, hookimpl

__all__ = ["samspel_register_filters", "samspel_register_transports"]


@hookimpl
def samspel_register_filters() -> list[FilterPackage]:
    """The filters of `samspel.shaping`."""
    return [FilterPackage(name=name, factory=partial(_filter, *made)) for name, made in _FILTERS.items()]


@hookimpl
def samspel_register_transports() -> list[TransportPackage]:
    """MQTT, and the broker in memory that tests and simulations use."""
    return [TransportPackage(name="mqtt", factory=_mqtt), TransportPackage(name="memory", factory=_memory)]


_FILTERS = {
    "contract_limits": ("limits", "ContractLimits", ("charge_w", "discharge_w")),
    "slew": ("slew", "Slew", ("w_per_s",)),
    "gate": ("gate", "Gate", ("delta_w", "time_s")),
    "wear_budget": ("wear", "WearBudget", ("writes_per_day",)),
    "battery_limits": ("limits", "BatteryLimits", ("soc_min_pct", "soc_max_pct")),
    "ac_limit": ("inverter", "AcLimit", ("limit_w",)),
    "fuse": ("fuse", "Fuse", ("rating_a", "phases", "voltage_v", "margin_pct", "share", "stale_s")),
    "export_limit": ("inverter", "ExportLimit", ("limit_w", "stale_s")),
}
"""Name in site.toml: module of `samspel.shaping`, class, and which settings it takes."""


def _filter(module: str, kind: str, keys: tuple[str, ...], settings: Mapping[str, Any]) -> object:
    made = getattr(import_module(f"samspel.shaping.{module}"), kind)
    return made(**{key: settings[key] for key in keys})


def _mqtt(*args: Any, **settings: Any) -> Transport:  # noqa: ANN401 - handed through
    from samspel.transport.mqtt import MqttTransport  # noqa: PLC0415 - the library is imported only where it is used

    return MqttTransport(*args, **settings)


def _memory(*args: Any, **settings: Any) -> Transport:  # noqa: ANN401 - handed through
    from samspel.transport.memory import MemoryTransport  # noqa: PLC0415 - as above

    return MemoryTransport(*args, **settings)
