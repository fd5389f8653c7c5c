"""Clients that we did not write read and command the twin, each from its own knowledge of the registers.

sungrow-modbus reads the SH-RT family, sungrow-sht-modbus commands the SH-T family. Both want Python 3.13;
they are installed for this test alone and are never part of what is shipped. Where they are absent the tests
are left out by name; under SAMSPEL_REQUIRE=sungrow-modbus the absence fails.
"""

import asyncio
import importlib.util
import os
import sys
from contextlib import asynccontextmanager

import pytest
from samspel_sim.behaviour import TwinOptions
from samspel_sim.testing import served_twin

CLIENTS = ("modbus_connection", "sungrow_modbus", "sungrow_inverter")
ABSENT = any(importlib.util.find_spec(name) is None for name in CLIENTS)
REQUIRED = sys.version_info >= (3, 13) and "sungrow-modbus" in os.environ.get("SAMSPEL_REQUIRE", "").replace(
    " ", ""
).split(",")
WHY = "sungrow-modbus and sungrow-sht-modbus are absent: pip install them and modbus-connection[tmodbus] (Python 3.13)"
pytestmark = pytest.mark.skipif(ABSENT and not REQUIRED, reason=WHY)


@asynccontextmanager
async def connection(host, port):
    from modbus_connection import ModbusTcpParams  # noqa: PLC0415
    from modbus_connection.tmodbus import ModbusConnection  # noqa: PLC0415

    line = ModbusConnection(ModbusTcpParams(host=host, port=port))
    try:
        yield line
    finally:
        await line.close()


@asynccontextmanager
async def frozen(**options):
    """A home whose measurements stand still, so that what is read and what is compared with it are of one moment."""
    async with served_twin("sungrow", TwinOptions(seed=5, soc_pct=72, **options)) as served:
        served.twin.misbehave("stuck")
        served.twin.behaviour.refresh()
        yield served


async def measured(inverter, wanted_w):
    """Wait until the client itself sees this battery power; the twin runs faster than the clock."""
    async with asyncio.timeout(20):
        while abs(inverter.battery_power.battery_power - wanted_w) > 20:
            await inverter.async_update_realtime()


def test_the_clients_are_there():
    assert not ABSENT, f"SAMSPEL_REQUIRE=sungrow-modbus, but {WHY}"


@pytest.mark.parametrize("path", ["lan", "winet"])
async def test_one_identifies_and_reads_an_rt(path):
    import sungrow_modbus  # noqa: PLC0415

    async with frozen(path=path) as (host, port, twin):
        state = twin.state()
        identity = await sungrow_modbus.async_identify(host, port)
        assert (identity.serial, identity.model, identity.unit) == ("SIM000000005", "SH10RT", 1)
        async with connection(host, port) as line:
            inverter = sungrow_modbus.SungrowInverter(line.for_unit(1))
            report = await inverter.async_update()
            forwarded = {"lan": set(), "winet": {"sub_controller_firmware", "battery_firmware"}}[path]
            assert set(report.failed) == forwarded
            assert inverter.firmware == "SAPPHIRE-H_01011.95.14"
            assert inverter.field("battery_power") == pytest.approx(state["battery_power_w"], abs=2)
            assert inverter.field("export_power_raw") == pytest.approx(-state["grid_power_w"], abs=2)
            assert inverter.field("load_power") == pytest.approx(state["load_power_w"], abs=2)
            assert inverter.field("battery_level") == pytest.approx(state["soc_pct"], abs=0.1)
            assert inverter.field("total_dc_power") == pytest.approx(state["pv_power_w"], abs=2)


@pytest.mark.parametrize(("path", "unit"), [("lan", 200), ("winet", 2)])
async def test_it_reads_the_pack_and_knows_its_model(path, unit):
    from sungrow_modbus.battery.device import SungrowBattery  # noqa: PLC0415

    async with frozen(path=path, settings={"pack": "SBR128"}) as (host, port, twin), connection(host, port) as line:
        battery = SungrowBattery(line.for_unit(unit), unit)
        await battery.async_update(survey=True)
        assert battery.field("state_of_charge") == pytest.approx(twin.state()["soc_pct"], abs=0.1)
        assert battery.field("current") * twin.state()["battery_power_w"] > 0
        assert battery.model(12.8) == "SBR128"
        assert battery.has_cell_data is (path == "lan")


async def test_it_recognises_an_ihomemanager():
    import sungrow_modbus  # noqa: PLC0415

    async with served_twin("sungrow", TwinOptions(path="ihomemanager")) as (host, port, _):
        identity = await sungrow_modbus.async_identify(host, port, timeout=0.3)
        assert (identity.serial, identity.unit) == (None, 247)


@pytest.mark.parametrize(
    ("model", "path", "firmware", "factor"),
    [
        ("SH10RT", "lan", "SAPPHIRE-H_01011.95.03", 1),
        ("SH10RT", "lan", "SAPPHIRE-H_01011.95.14", 10),
        ("SH15T", "winet", "PEARL-H_B000.V000.P063", 1),
    ],
)
async def test_its_probe_finds_how_the_export_limit_is_written(model, path, firmware, factor):
    import sungrow_modbus  # noqa: PLC0415
    from sungrow_modbus.inverter import export_scale  # noqa: PLC0415

    options = TwinOptions(model=model, path=path, firmware=firmware)
    async with served_twin("sungrow", options) as (host, port, twin), connection(host, port) as line:
        before = twin.state()["registers"]
        inverter = sungrow_modbus.SungrowInverter(line.for_unit(1))
        result = await export_scale.async_probe(inverter, lift_mode=True)
        assert (result.write_units_per_count, result.left_changed) == (factor, False)
        assert twin.state()["registers"] == before


@pytest.mark.parametrize("path", ["winet", "rs485"])
async def test_another_commands_a_t_charge_discharge_hold_and_release(path):
    from sungrow_inverter import SungrowInverter  # noqa: PLC0415
    from sungrow_inverter.control import BatteryControl, BatteryMode, DesiredState  # noqa: PLC0415

    options = TwinOptions(model="SH15T", path=path, soc_pct=60)
    async with served_twin("sungrow", options, speed=60) as (host, port, twin), connection(host, port) as line:
        twin.set({"pv_power_w": 0, "load_power_w": 800})
        probe = await SungrowInverter.async_probe(line.for_unit(1))
        assert (probe.model.name, probe.protocol_version) == ("SH15T", "V1.1.7")
        inverter = SungrowInverter(line.for_unit(1), battery_max_power_w=12_000)
        assert not (await inverter.async_update()).failed
        control = BatteryControl(inverter, settle_s=0)
        for mode, power_w, reached_w in (
            (BatteryMode.FORCED_CHARGE, 4000, -4000),
            (BatteryMode.FORCED_DISCHARGE, 3000, 3000),
            (BatteryMode.HOLD, None, 10),
            (BatteryMode.SELF_CONSUMPTION, None, 800),
        ):
            report = await control.apply(DesiredState(mode, power_w))
            assert report.verified
            await measured(inverter, reached_w)
            assert twin.state()["battery_power_w"] == pytest.approx(reached_w, abs=30)
        await control.set_export_limit(5000)
        assert twin.state()["registers"]["feed_in_limit"] == 5000
        assert twin.state()["registers"]["feed_in_limitation"] == 0xAA
