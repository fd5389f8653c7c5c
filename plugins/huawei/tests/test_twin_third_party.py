"""A client that we did not write reads and commands the twin: huawei-solar, from its own knowledge of the registers.

It is installed for this test alone and is never part of what is shipped. Where it is absent the tests
are left out by name; under SAMSPEL_REQUIRE=huawei-solar its absence fails.
"""

import importlib.util
import os

import pytest
from samspel_sim.behaviour import TwinOptions
from samspel_sim.testing import served_twin

ABSENT = importlib.util.find_spec("huawei_solar") is None
REQUIRED = "huawei-solar" in os.environ.get("SAMSPEL_REQUIRE", "").replace(" ", "").split(",")
pytestmark = pytest.mark.skipif(ABSENT and not REQUIRED, reason="huawei-solar is absent: pip install huawei-solar")


def test_the_client_is_there():
    assert not ABSENT, "SAMSPEL_REQUIRE=huawei-solar, but it is not installed: pip install huawei-solar"


async def test_it_identifies_and_reads_the_twin():
    from huawei_solar import AsyncHuaweiSolar, register_names  # noqa: PLC0415

    async with served_twin("huawei", TwinOptions(seed=5, soc_pct=72)) as (host, port, twin):
        twin.set({"pv_power_w": 0, "load_power_w": 900})
        client = await AsyncHuaweiSolar.create(host, port, 1)
        try:
            assert (await client.get(register_names.MODEL_NAME)).value == "SUN2000-10KTL-M1"
            assert (await client.get(register_names.SERIAL_NUMBER)).value == "SIM000000005"
            assert (await client.get_device_infos())[0].esn == "SIM000000005"
            assert (await client.get(register_names.STORAGE_STATE_OF_CAPACITY)).value == pytest.approx(72, abs=0.2)
            twin.advance()
            twin.refresh()
            power = (await client.get(register_names.STORAGE_CHARGE_DISCHARGE_POWER)).value
            assert power == pytest.approx(-twin.state()["battery_power_w"], abs=900)
            meter = (await client.get(register_names.POWER_METER_ACTIVE_POWER)).value
            assert isinstance(meter, int)
            assert (await client.get(register_names.ALARM_1)).value == []
        finally:
            await client.stop()


async def test_it_commands_the_twin_through_the_dongle():
    from huawei_solar import AsyncHuaweiSolar  # noqa: PLC0415
    from huawei_solar import register_names as names  # noqa: PLC0415
    from huawei_solar import register_values as values  # noqa: PLC0415

    async with served_twin("huawei", TwinOptions(soc_pct=50), speed=60) as (host, port, twin):
        twin.set({"pv_power_w": 0, "load_power_w": 400})
        client = await AsyncHuaweiSolar.create(host, port, 1)
        try:
            await client.set(names.STORAGE_FORCIBLE_CHARGE_POWER, 1200)
            await client.set(names.STORAGE_FORCED_CHARGING_AND_DISCHARGING_PERIOD, 1440)
            await client.set(names.STORAGE_FORCIBLE_CHARGE_DISCHARGE_SETTING_MODE, 0)
            await client.set(
                names.STORAGE_FORCIBLE_CHARGE_DISCHARGE_WRITE, values.StorageForcibleChargeDischarge.CHARGE
            )
            while twin.state()["battery_power_w"] > -1190:
                await client.get(names.STORAGE_CHARGE_DISCHARGE_POWER)
            twin.refresh()
            assert (await client.get(names.STORAGE_CHARGE_DISCHARGE_POWER)).value == pytest.approx(1200, abs=20)
            mode = (await client.get(names.STORAGE_UNIT_1_WORKING_MODE_B)).value
            assert mode == values.StorageWorkingModesB.FORCIBLE_CHARGE_DISCHARGE
        finally:
            await client.stop()


async def test_it_logs_in_over_the_inverters_wlan_and_writes():
    import huawei_solar  # noqa: PLC0415
    from huawei_solar import register_names as names  # noqa: PLC0415

    async with served_twin("huawei", TwinOptions(path="wlan")) as (host, port, twin):
        bridge = await huawei_solar.create_tcp_bridge(host, port, 0)
        try:
            assert bridge.model_name == "SUN2000-10KTL-M1"
            assert not await bridge.has_write_permission()
            assert await bridge.login("installer", "00000a")
            await bridge.set(names.STORAGE_MAXIMUM_DISCHARGING_POWER, 1500)
            assert twin.state()["registers"]["storage_max_discharging_power"] == 1500
        finally:
            await bridge.stop()
