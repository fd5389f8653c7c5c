"""Builds a real site from its configuration: SQLite, MQTT, TCP. Simulations build their own."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from samspel.admission.freshness import FreshnessRules
from samspel.admission.gate import Admission, Order, Rules
from samspel.bus.endpoint import Endpoint
from samspel.bus.lock import EndpointLock
from samspel.bus.url import BusUrl, parse_url
from samspel.config.site import DeviceConfig, SiteConfig
from samspel.connect import Connected, attach, lock_directory
from samspel.contract.ports import Clock, JournalPort, Transport
from samspel.control.state import Policy
from samspel.device import Device, DeviceLimits, expected_serial
from samspel.driver.options import DriverOptions
from samspel.edge import Edge, Rates, Station, offline_message
from samspel.field_maps.folder import MapFolder
from samspel.field_maps.keeper import MapKeeper
from samspel.outlet import Outlet
from samspel.plugins.host import Plugins
from samspel.plugins.metadata import installed_version
from samspel.shaping.chain import Chain
from samspel.shaping.guarded import TowardZero
from samspel.store.store import Store
from samspel.transport.mqtt_options import MqttOptions, Protocol

__all__ = ["build_edge", "check_site"]

LAST_ANSWER_S = 0.5
"""How long the end of an edge waits for the transaction in flight: goodbye has five seconds for everything."""


def build_edge(
    config: SiteConfig,
    store: Store,
    clock: Clock,
    rng: random.Random,
    *,
    guarded: bool = False,
    transport: Transport | None = None,
) -> Edge:
    """Everything wired, nothing started. Raises ConfigError, MapError or PluginError.

    `guarded` says that a live guard watches this process. `transport` stands in for the broker of the configuration.
    """
    plugins = _plugins(config)
    outlet = Outlet(config.site.name, f"{rng.getrandbits(64):016x}", store.outbox, clock)
    serials = {
        name: expected_serial(table.serial, name, store.journal, clock) for name, table in config.devices.items()
    }
    attached = _attach_all(config, plugins, clock, rng, serials, guarded=guarded)
    stations = {
        name: _station(name, config, attached[name], plugins, outlet, store.journal, clock) for name in config.devices
    }
    _serve_each_bus_once(stations, attached)
    return Edge(
        site=config.site.name,
        stations=stations,
        transport=transport
        or plugins.transport("mqtt")(
            mqtt_options(config), clock, will=offline_message(config.site.name, outlet, clock), jitter=rng
        ),
        admission=_admission(config, store.journal),
        outlet=outlet,
        outbox=store.outbox,
        journal=store.journal,
        clock=clock,
        rng=rng,
        versions=_versions(attached, plugins, config),
        nonce_s=config.site.nonce_s,
        log_sample=store.oplog.log_sample,
        store_failing=lambda: store.failing,
        store_lost=lambda: store.lost,
    )


def check_site(config: SiteConfig, clock: Clock, rng: random.Random) -> Mapping[str, Connected]:
    """Everything that can be checked without touching broker, disk or device."""
    plugins = _plugins(config)
    attached = _attach_all(config, plugins, clock, rng, {})
    for device in config.devices.values():
        _chain(device, plugins)
    mqtt_options(config)
    return attached


def _plugins(config: SiteConfig) -> Plugins:
    return Plugins([device.driver for device in config.devices.values()], config.extensions)


def mqtt_options(config: SiteConfig) -> MqttOptions:
    """The broker's table, in the transport's terms."""
    mqtt = config.mqtt
    return MqttOptions(
        host=mqtt.host,
        port=mqtt.port,
        client_id=config.site.name,
        username=mqtt.username,
        password=mqtt.read_password(),
        tls=mqtt.tls,
        ca_file=mqtt.ca_file,
        cert_file=mqtt.cert_file,
        key_file=mqtt.key_file,
        protocol=Protocol(mqtt.protocol),
        keepalive_s=mqtt.keepalive_s,
        session_expiry_s=mqtt.session_expiry_s,
    )


# --- devices --------------------------------------------------------------------------------------------------------


def _attach_all(
    config: SiteConfig,
    plugins: Plugins,
    clock: Clock,
    rng: random.Random,
    serials: Mapping[str, str | None],
    *,
    guarded: bool = False,
) -> dict[str, Connected]:
    """One endpoint for each address, shared by the devices behind it."""
    endpoints: dict[tuple[str, int], Endpoint] = {}
    attached = {}
    for name, device in config.devices.items():
        url = parse_url(device.url)
        attached[name] = attach(
            plugins.driver(device.driver),
            url,
            clock,
            rng,
            path=device.path,
            options=_options(device, serials.get(name), guarded=guarded),
            session=device.read_session(),
            catalogues=plugins.fault_catalogues(device.driver),
            endpoint=endpoints.get((url.host, url.port)),
        )
        endpoints[(url.host, url.port)] = attached[name].endpoint
    return attached


def _options(device: DeviceConfig, serial: str | None, *, guarded: bool) -> DriverOptions:
    return DriverOptions(
        grid_sign=-1 if device.grid_sign == "reversed" else 1,
        allow_low_confidence=device.allow_low_confidence,
        allow_firmware=device.allow_firmware,
        expected_serial=serial,
        control=device.control,
        guarded=guarded,
        constants=device.constants,
        units=device.units,
    )


def _station(
    name: str,
    config: SiteConfig,
    connected: Connected,
    plugins: Plugins,
    outlet: Outlet,
    journal: JournalPort,
    clock: Clock,
) -> Station:
    table = config.devices[name]
    limits = DeviceLimits(**table.limits.model_dump())
    policy = Policy(**config.control.model_dump())
    keeper = map_keeper(name, config.site.maps, connected, journal)
    device = Device(
        name,
        connected.driver,
        _chain(table, plugins),
        outlet,
        journal,
        clock,
        policy,
        limits,
        keeper,
        config.faults.debounce(),
    )
    connected.wrong_device.append(device.wrong_device)
    return Station(
        device=device,
        rates=Rates(**table.poll.model_dump()),
        serve=serve(connected, parse_url(table.url)),
        tend=connected.driver.tend_session if connected.path.session else None,
        watch=connected.link.on_link,
    )


def map_keeper(name: str, maps: Path | None, connected: Connected, journal: JournalPort) -> MapKeeper | None:
    """Who looks after corrected maps for this device; nobody where there is no folder for them."""
    if maps is None:
        return None
    folder = MapFolder(maps / connected.manifest.name, connected.driver.load_map)
    return MapKeeper(name, connected.driver, folder, journal)


def _serve_each_bus_once(stations: Mapping[str, Station], attached: Mapping[str, Connected]) -> None:
    """Of several devices behind one address the first one's station serves the bus for all."""
    served: list[Endpoint] = []
    for name, station in stations.items():
        if attached[name].endpoint in served:
            station.serve = None
        served.append(attached[name].endpoint)


def _chain(table: DeviceConfig, plugins: Plugins) -> Chain:
    """The filters in the site's order; whatever is not core's may only reduce."""
    limits: dict[str, Any] = table.limits.model_dump()
    return Chain([_filter(plugins, name, limits | table.shaping.settings(name)) for name in table.filters])


def _filter(plugins: Plugins, name: str, settings: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a filter of any state
    made: Any = plugins.filter(name)(settings)
    return made if type(made).__module__.startswith("samspel.shaping.") else TowardZero(made)


def serve(connected: Connected, url: BusUrl) -> Callable[[], Awaitable[None]]:
    """The loop that owns one address. Whoever ends it waits for the transaction in flight, but not for long."""

    async def run() -> None:
        with EndpointLock(url.host, url.port, lock_directory()):
            running = asyncio.create_task(connected.endpoint.run())
            try:
                await asyncio.shield(running)
            finally:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LAST_ANSWER_S):
                        await connected.endpoint.close()
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    return run


# --- site -----------------------------------------------------------------------------------------------------------


def _admission(config: SiteConfig, journal: JournalPort) -> Admission:
    rules = Rules(
        site=config.site.name,
        devices=frozenset(config.devices),
        ranks=config.ranks(),
        freshness=FreshnessRules(
            max_skew_s=config.site.max_skew_s, follow_unsynchronised=config.site.follow_unsynchronised
        ),
    )
    orders = {name: Order.from_json(journal.get(f"{name}/order") or {}) for name in config.devices}
    return Admission(rules, orders)


def _versions(attached: Mapping[str, Connected], plugins: Plugins, config: SiteConfig) -> dict[str, str]:
    versions = {"samspel": installed_version("samspel") or "unknown"}
    for device in config.devices.values():
        brand = plugins.driver(device.driver)
        versions[brand.dist] = brand.version
    for name, connected in attached.items():
        versions[f"manifest:{name}"] = connected.manifest.name
    return versions
