"""The brand's data behind the generic driver, over an inverter in memory. Facts: sections 2, 4 and 5 of the dossier."""

from __future__ import annotations

import json

import pytest
from samspel.contract.capability import Deadman, Direction, EvidenceLevel, PvEffect
from samspel.contract.driver import ControlState
from samspel.contract.errors import RequirementFailed, UnsupportedModel
from samspel.contract.outcome import Verification
from samspel.contract.telemetry import Quality

pytestmark = pytest.mark.looptime
LATER = 1e9


async def signals(driver, *groups):
    return {name: one.value for name, one in (await driver.read(groups or ("fast", "slow", "static"))).items()}


async def test_who_answers(driver):
    identity = await driver.identify()
    assert (identity.brand, identity.model, identity.serial) == ("Huawei", "SUN2000-10KTL-M1", "HV2230012345")
    assert (identity.firmware, identity.battery_model, identity.battery_serial) == (
        "V100R001C00SPC168",
        "LUNA2000",
        "BT2130000001",
    )


async def test_charging_is_negative_and_export_is_negative(driver, inverter):
    values = await signals(driver)
    assert values["battery_power_w"] == -500, "positive on the wire is charging"
    assert values["grid_power_w"] == -2200, "positive on the wire is export"
    assert (values["grid_power_l1_w"], values["grid_current_l1_a"]) == (300, 4.2)
    assert values["ac_power_w"] == 2700
    inverter.set(37765, -1800, 2)
    inverter.set(37113, -900, 2)
    inverter.set(32080, -400, 2)
    values = await signals(driver, "fast")
    assert (values["battery_power_w"], values["grid_power_w"], values["ac_power_w"]) == (1800, 900, -400)


async def test_scales_and_words(driver):
    values = await signals(driver)
    assert values["soc_pct"] == 65.5
    assert values["grid_frequency_hz"] == 50.02
    assert values["grid_voltage_l1_v"] == 231.2
    assert values["inverter_temperature_c"] == 43.1
    assert values["battery_temperature_c"] == 25.1
    assert (values["charge_limit_w"], values["discharge_limit_w"]) == (5000, 5000)
    assert (values["soc_floor_pct"], values["soc_ceiling_pct"]) == (12, 100)
    assert (values["rated_power_w"], values["max_ac_power_w"], values["battery_capacity_wh"]) == (10000, 11000, 10000)
    assert values["grid_exported_wh"] == 500_000, "negative on some units: the magnitude counts"
    assert values["grid_imported_wh"] == 300_000
    assert values["battery_charged_today_wh"] == 5120
    assert (values["battery_state"], values["inverter_state"], values["meter_online"]) == ("running", "on_grid", 1)


@pytest.mark.parametrize(
    ("code", "word"), [(0x0202, "derated"), (0x0300, "fault"), (0x030C, "off"), (0xA000, "standby"), (0x1234, "other")]
)
async def test_every_state_code_is_accepted(driver, inverter, code, word):
    inverter.set(32089, code)
    assert (await signals(driver, "fast"))["inverter_state"] == word


async def test_an_undocumented_sign_is_off_until_it_is_switched_on(driver, make_driver):
    assert "battery_current_a" not in await signals(driver)
    daring = make_driver(allow_low_confidence=frozenset({"storage_bus_current"}))
    await daring.identify()
    assert (await signals(daring))["battery_current_a"] == -0.7


async def test_an_offline_meter_is_never_asked(driver, inverter):
    inverter.set(37100, 0)
    readings = await driver.read()
    assert readings["meter_online"].value == 0
    assert readings["grid_power_w"].quality is Quality.INVALID
    assert readings["battery_power_w"].value == -500


async def test_a_missing_second_battery_unit_is_no_fault_and_costs_nobody(driver, inverter):
    assert await driver.read_faults() == []
    inverter.reads.clear()
    await driver.read_faults()
    assert all(address != 37741 for address, _ in inverter.reads)


async def test_a_second_battery_unit_reports_its_fault(driver, inverter):
    inverter.set(37741, 3)
    (fault,) = await driver.read_faults()
    assert "unit 2" in fault.text


async def test_charge_in_the_documented_order_with_function_16(driver, inverter):
    snapshot = await driver.take()
    assert inverter.writes == []
    report = await driver.set_power(-3000, LATER, snapshot, None)
    assert inverter.writes == [
        (47247, (0, 3000), 16),
        (47083, (2,), 16),
        (47100, (1,), 16),
    ], "power, period, (ending and limit stand already), trigger last"
    assert (report.power_w, report.verification) == (-3000, Verification.READ_BACK)


async def test_discharge_in_the_documented_order(driver, inverter):
    inverter.set(47246, 1)
    snapshot = await driver.take()
    await driver.set_power(70000, LATER, snapshot, None)
    assert [address for address, _, _ in inverter.writes] == [47249, 47083, 47246, 47100]
    assert inverter.get(47249, 2) == 5000, "the live ceiling bounds every write"
    assert inverter.get(47100) == 2


async def test_zero_is_held_by_the_limits_and_lifted_by_what_comes_next(driver, inverter):
    snapshot = await driver.take()
    await driver.set_power(2000, LATER, snapshot, None)
    report = await driver.set_power(0, LATER, snapshot, 2000)
    assert report.rung == "limits"
    assert (inverter.get(47075, 2), inverter.get(47077, 2), inverter.get(47100)) == (0, 0, 0)
    await driver.set_power(1000, LATER, snapshot, 0)
    assert (inverter.get(47075, 2), inverter.get(47077, 2), inverter.get(47100)) == (0, 4500, 2)


async def test_stop_begins_with_the_write_that_removes_power(driver, inverter):
    snapshot = await driver.take()
    await driver.set_power(2000, LATER, snapshot, None)
    inverter.writes.clear()
    await driver.stop(snapshot)
    assert inverter.writes[0] == (47100, (0,), 16)
    assert (inverter.get(47075, 2), inverter.get(47077, 2)) == (0, 0)


async def test_release_restores_the_installers_limits_exactly(driver, inverter):
    before = dict(inverter.words)
    snapshot = json.loads(json.dumps(await driver.take()))
    await driver.set_power(-2000, LATER, snapshot, None)
    await driver.set_power(0, LATER, snapshot, -2000)
    await driver.release(snapshot)
    assert inverter.words == before


async def test_a_command_that_somebody_left_latched_is_seen_at_the_start(driver, inverter):
    assert (await driver.read_control()).state is ControlState.DEFAULT
    inverter.set(47247, 2500, 2)
    assert (await driver.read_control()).state is ControlState.DEFAULT, "a power without its trigger does nothing"
    inverter.set(47100, 1)
    reading = await driver.read_control()
    assert reading.state is ControlState.FOREIGN
    assert reading.text == "forcible_command = charge"


async def test_a_discharge_limit_that_somebody_left_at_zero_is_seen_at_the_start(driver, inverter):
    inverter.set(47077, 0, 2)
    assert (await driver.read_control()).state is ControlState.FOREIGN


async def test_calibration_bars_control_and_its_absence_does_not(driver, inverter):
    inverter.set(37926, 1)
    with pytest.raises(RequirementFailed, match="calibrated"):
        await driver.take()
    del inverter.words[37926]
    await driver.take()


async def test_a_sleeping_battery_with_unknown_settings_is_not_taken(driver, inverter):
    inverter.set(47077, 0xFFFFFFFF, 2)
    with pytest.raises(RequirementFailed, match="discharge_limit reads 'not available'"):
        await driver.take()


@pytest.mark.parametrize(
    ("model", "firmware", "allowed"),
    [
        ("SUN2000-3KTL-M1", "V100R001C00SPC141", True),
        ("SUN2000-12K-MB0", "V200R023C00SPC102", True),
        ("SUN2000-25K-MB0", "V200R024C00SPC110", True),
        ("SUN2000-10KTL-M1", "V100R001C00SPC125", False),
        ("SUN2000-10KTL-M1", "V300R001C00SPC100", False),
        ("SUN2000-10KTL-M1", "", False),
    ],
)
async def test_a_firmware_outside_every_known_range_is_read_only(
    make_inverter, make_driver_on, model, firmware, allowed
):
    driver = make_driver_on(make_inverter(model, firmware))
    assert (await driver.identify()).model == model
    assert (driver.capabilities().read_only_because == "") is allowed


async def test_a_model_that_nobody_has_described_is_refused(make_inverter, make_driver_on):
    with pytest.raises(UnsupportedModel, match="SUN2000-8K-MAP0"):
        await make_driver_on(make_inverter("SUN2000-8K-MAP0", "V200R024C00SPC110")).identify()
    with pytest.raises(UnsupportedModel, match="SDongleA"):
        await make_driver_on(make_inverter("SDongleA-05", "V200R022C10SPC108")).identify()


async def test_text_after_the_model_is_ignored(make_inverter, make_driver_on):
    identity = await make_driver_on(make_inverter("SUN2000-10KTL-M1(High Current)")).identify()
    assert identity.model == "SUN2000-10KTL-M1"


@pytest.mark.parametrize("model", ["SUN2000-10KTL-M1", "SUN2000-20K-MB0"])
def test_routes_are_honest(manifest, model):
    routes = {route.name: route for route in manifest.routes(model, "V100R001C00SPC168", "sdongle")}
    assert [route.direction for route in routes.values()] == [
        Direction.CHARGE,
        Direction.DISCHARGE,
        Direction.ZERO,
        Direction.ZERO,
    ]
    assert {route.evidence for route in routes.values()} == {EvidenceLevel.INFERRED}, "measured on MAP0 only"
    assert {route.deadman for route in routes.values()} == {Deadman.NONE}
    assert routes["forcible_charge"].pv_effect is PvEffect.CEILING
    assert routes["forcible_discharge"].pv_effect is PvEffect.MAY_STOP
    assert routes["limits"].pv_effect is PvEffect.NONE


async def test_what_goes_up_names_no_brand(driver, inverter, manifest):
    snapshot = await driver.take()
    report = await driver.set_power(-1000, LATER, snapshot, None)
    inverter.set(32008, 0xFFFF)
    inverter.set(32009, 0xFFFF)
    inverter.set(32010, 0xFFFE)
    texts = [fault.text for fault in await driver.read_faults()]
    texts += [(await driver.read_control()).text, str(report), *(await driver.read())]
    for word in manifest.words:
        assert not [text for text in texts if word in text.lower()], word
