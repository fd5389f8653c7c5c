"""A client that we did not write reads and commands the twin: huawei-solar, from its own knowledge of the registers.

It is installed for this test alone and is never part of what is shipped. Where it is absent the tests
are left out by name; under SAMSPEL_REQUIRE=huawei-solar its absence fails. Its releases 2 (Python 3.11)
and 3 (Python 3.12 and later) differ in how a device is opened, and in nothing else that is used here.
"""

import importlib.util
import os
from contextlib import asynccontextmanager

import pytest
from samspel_sim.behaviour import TwinOptions
from samspel_sim.testing import served_twin

ABSENT = importlib.util.find_spec("huawei_solar") is None
REQUIRED = "huawei-solar" in os.environ.get("SAMSPEL_REQUIRE", "").replace(" ", "").split(",")
pytestmark = pytest.mark.skipif(ABSENT and not REQUIRED, reason="huawei-solar is absent: pip install huawei-solar")


@asynccontextmanager
async def foreign_client(host, port, unit):
    import huawei_solar  # noqa: PLC0415

    if hasattr(huawei_solar, "create_tcp_bridge"):
        device = await huawei_solar.create_tcp_bridge(host, port, unit)
        device.get = device.client.get
        infos = await device.client.get_device_infos()
    else:
        client = huawei_solar.create_tcp_client(host=host, port=port, unit_id=unit)
        await client.connect()
        device = await huawei_solar.create_device_instance(client)
        infos = await huawei_solar.device_discovery.get_device_infos(client)
    try:
        yield device, infos
    finally:
        await device.stop()


def test_the_client_is_there():
    assert not ABSENT, "SAMSPEL_REQUIRE=huawei-solar, but it is not installed: pip install huawei-solar"


async def test_it_identifies_and_reads_the_twin():
    from huawei_solar import register_names as names  # noqa: PLC0415

    async with served_twin("huawei", TwinOptions(seed=5, soc_pct=72)) as (host, port, twin):
        twin.misbehave("stuck")  # so that what is read and what is compared with it are of one moment
        state = twin.state()
        twin.behaviour.refresh()
        async with foreign_client(host, port, 1) as (device, infos):
            assert (device.model_name, device.serial_number) == ("SUN2000-10KTL-M1", "SIM000000005")
            assert infos[0].esn == "SIM000000005"
            power = (await device.get(names.STORAGE_CHARGE_DISCHARGE_POWER)).value
            assert power == pytest.approx(-state["battery_power_w"], abs=1)
            meter = (await device.get(names.POWER_METER_ACTIVE_POWER)).value
            assert meter == pytest.approx(-state["grid_power_w"], abs=1)
            assert (await device.get(names.STORAGE_STATE_OF_CAPACITY)).value == pytest.approx(72, abs=0.1)
            assert (await device.get(names.ALARM_1)).value == []


async def test_it_commands_the_twin_through_the_dongle():
    from huawei_solar import register_names as names  # noqa: PLC0415
    from huawei_solar import register_values as values  # noqa: PLC0415

    async with served_twin("huawei", TwinOptions(soc_pct=50), speed=60) as (host, port, twin):
        twin.set({"pv_power_w": 0, "load_power_w": 400})
        async with foreign_client(host, port, 1) as (device, _):
            charge = values.StorageForcibleChargeDischarge.CHARGE
            await device.set(names.STORAGE_FORCIBLE_CHARGE_POWER, 1200)
            await device.set(names.STORAGE_FORCED_CHARGING_AND_DISCHARGING_PERIOD, 1440)
            await device.set(names.STORAGE_FORCIBLE_CHARGE_DISCHARGE_SETTING_MODE, 0)
            await device.set(names.STORAGE_FORCIBLE_CHARGE_DISCHARGE_WRITE, charge)
            while twin.state()["battery_power_w"] > -1190:
                await device.get(names.STORAGE_CHARGE_DISCHARGE_POWER)
            twin.refresh()
            power = (await device.get(names.STORAGE_CHARGE_DISCHARGE_POWER)).value
            assert power == pytest.approx(1200, abs=20)
            mode = (await device.get(names.STORAGE_UNIT_1_WORKING_MODE_B)).value
            assert mode == values.StorageWorkingModesB.FORCIBLE_CHARGE_DISCHARGE


async def test_it_logs_in_over_the_inverters_wlan_and_writes():
    from huawei_solar import register_names as names  # noqa: PLC0415

    async with (
        served_twin("huawei", TwinOptions(path="wlan")) as (host, port, twin),
        foreign_client(host, port, 0) as (device, _),
    ):
        assert not await device.has_write_permission()
        assert await device.login("installer", "00000a")
        await device.set(names.STORAGE_MAXIMUM_DISCHARGING_POWER, 1500)
        assert twin.state()["registers"]["storage_max_discharging_power"] == 1500
