"""Core's own filters and transports. They come in through the same hooks as everybody else's.

Each factory imports its module when it is called: registering costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from samspel.contract.ports import Transport
from samspel.hookspecs import FilterPackage, TransportPackage, hookimpl

__all__ = ["samspel_register_filters", "samspel_register_transports"]


@hookimpl
def samspel_register_filters() -> list[FilterPackage]:
    """The filters of `samspel.shaping`."""
    return [
        FilterPackage(name="contract_limits", factory=_contract_limits),
        FilterPackage(name="battery_limits", factory=_battery_limits),
    ]


@hookimpl
def samspel_register_transports() -> list[TransportPackage]:
    """MQTT, and the broker in memory that tests and simulations use."""
    return [TransportPackage(name="mqtt", factory=_mqtt), TransportPackage(name="memory", factory=_memory)]


def _contract_limits(settings: Mapping[str, Any]) -> object:
    from samspel.shaping.limits import ContractLimits  # noqa: PLC0415 - as below

    return ContractLimits(charge_w=settings["charge_w"], discharge_w=settings["discharge_w"])


def _battery_limits(settings: Mapping[str, Any]) -> object:
    from samspel.shaping.limits import BatteryLimits  # noqa: PLC0415 - as below

    return BatteryLimits(soc_min_pct=settings["soc_min_pct"], soc_max_pct=settings["soc_max_pct"])


def _mqtt(*args: Any, **settings: Any) -> Transport:  # noqa: ANN401 - handed through
    from samspel.transport.mqtt import MqttTransport  # noqa: PLC0415 - the library is imported only where it is used

    return MqttTransport(*args, **settings)


def _memory(*args: Any, **settings: Any) -> Transport:  # noqa: ANN401 - handed through
    from samspel.transport.memory import MemoryTransport  # noqa: PLC0415 - as above

    return MemoryTransport(*args, **settings)
