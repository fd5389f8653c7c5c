"""The brand's data behind the generic driver, over an inverter in memory. Facts: sections 2, 4 and 5 of the dossier."""

from __future__ import annotations

import json

import pytest
from samspel.contract.capability import Authority, Deadman, Direction, EvidenceLevel
from samspel.contract.driver import ControlState
from samspel.contract.errors import RequirementFailed, RouteUnavailable, UnsupportedModel
from samspel.contract.outcome import Verification
from samspel.contract.telemetry import Quality

pytestmark = pytest.mark.looptime
LATER = 1e9
SHARES = (0x3639, 0x363A)


async def signals(driver, *groups):
    return {name: one.value for name, one in (await driver.read(groups or ("fast", "slow", "static"))).items()}


# --- who and what ---


async def test_who_answers(driver):
    identity = await driver.identify()
    assert (identity.brand, identity.model, identity.serial) == ("SAJ", "H2-10K-T2", "HST2103J2251E00001")
    assert identity.firmware == "V4.066"


@pytest.mark.parametrize("device_type", [0x0054, 0x0055, 0x0056])
async def test_a_family_with_the_opposite_polarity_is_refused_whatever_it_calls_itself(
    make_driver_on, make_inverter, device_type
):
    inverter = make_inverter(device_type=device_type)
    with pytest.raises(UnsupportedModel, match="opposite"):
        await make_driver_on(inverter).identify()
    assert inverter.writes == []


@pytest.mark.parametrize("model", ["H2-5K-S2", "HS2-5K-S3", "H1-5K-S2", "R5-10K-T2", ""])
async def test_other_products_are_not_claimed(make_driver_on, make_inverter, model):
    with pytest.raises(UnsupportedModel):
        await make_driver_on(make_inverter(model)).identify()


@pytest.mark.parametrize("model", ["H2-5K-T2", "H2-30K-T2", "HS2-10K-T2"])
async def test_every_size_has_a_route_each_way(make_driver_on, make_inverter, model):
    for control in ("", "passive"):
        driver = make_driver_on(make_inverter(model), control=control, guarded=True)
        await driver.identify()
        capabilities = driver.capabilities()
        assert not capabilities.read_only_because
        for direction in Direction:
            route = capabilities.route(direction)
            assert route.evidence is EvidenceLevel.INFERRED
            timed = control == "" and direction is not Direction.ZERO
            assert route.deadman is (Deadman.TIMEOUT if timed else Deadman.NONE)
        assert capabilities.route(Direction.CHARGE).authority is Authority.EXACT
        assert capabilities.route(Direction.DISCHARGE).authority is Authority.LOAD_FOLLOWING
        step_w = capabilities.route(Direction.CHARGE).granularity_w
        assert step_w >= int(model.split("-")[1][:-1]) * (1 if control else 10), "a step of the largest of its group"


async def test_passive_mode_without_a_guard_only_reads(make_driver):
    driver = make_driver(control="passive")
    await driver.identify()
    assert driver.capabilities().read_only_because


async def test_a_firmware_of_another_main_version_only_reads(make_driver_on, make_inverter):
    driver = make_driver_on(make_inverter(firmware=5001))
    await driver.identify()
    assert "V5.001" in driver.capabilities().read_only_because


# --- looks ---


async def test_signs_are_the_contract_s(driver, inverter):
    values = await signals(driver)
    assert values["battery_power_w"] == -1200, "negative on the wire is charging, and so it is here"
    assert values["grid_power_w"] == -2200, "negative on the wire is export, whatever 0x4097 says"
    assert [values[f"grid_power_l{phase}_w"] for phase in (1, 2, 3)] == [-300, -1000, -900]
    inverter.set(0x40A6, 1800)
    inverter.set(0x40AD, 900)
    values = await signals(driver, "fast")
    assert (values["battery_power_w"], values["grid_power_w"]) == (1800, 900)


async def test_scales_and_words(driver):
    values = await signals(driver)
    assert values["soc_pct"] == 65.5
    assert values["grid_frequency_hz"] == 50.02
    assert (values["pv_power_w"], values["load_power_w"]) == (4200, 800)
    assert (values["inverter_temperature_c"], values["battery_temperature_c"]) == (41.2, 25.1)
    assert (values["battery_charged_wh"], values["battery_discharged_wh"]) == (4_000_000, 3_800_000)
    assert (values["battery_charged_today_wh"], values["battery_discharged_today_wh"]) == (5120, 3010)
    assert values["grid_imported_wh"] == 300_000, "FeedIn is what was bought: the sum, not phase R"
    assert values["grid_exported_wh"] == 500_000
    assert (values["soc_floor_pct"], values["soc_ceiling_pct"], values["rated_power_w"]) == (20, 100, 10000)
    assert (values["inverter_state"], values["meter_online"]) == ("on_grid", 1)


async def test_live_limits_are_amperes_times_volts(driver, inverter):
    values = await signals(driver)
    assert (values["charge_limit_w"], values["discharge_limit_w"]) == (8000, 10000)
    inverter.set(0xA037, 0)
    assert (await signals(driver))["charge_limit_w"] == 0


async def test_what_has_no_documented_sign_is_off_until_it_is_switched_on(driver, make_driver):
    assert not {"ac_power_w", "battery_current_a", "grid_current_l1_a"} & set(await signals(driver))
    daring = make_driver(allow_low_confidence=frozenset({"inverter_power"}))
    await daring.identify()
    assert (await signals(daring))["ac_power_w"] == 3000


async def test_a_saturated_word_is_no_measurement(driver, inverter):
    inverter.set(0x40A5, 32767)
    assert (await driver.read())["pv_power_w"].quality is Quality.INVALID


async def test_an_offline_meter_gives_no_phases_but_the_grid_power_stays(driver, inverter):
    inverter.set(0xA03C, 0)
    readings = await driver.read()
    assert readings["grid_power_l1_w"].quality is Quality.INVALID
    assert readings["grid_power_w"].value == -2200


async def test_a_block_refused_with_exception_0_settles_and_costs_nobody(driver, inverter):
    inverter.holes.update(range(0x4137, 0x4177))
    readings = await driver.read()
    assert readings["grid_imported_wh"].quality is Quality.ABSENT
    assert readings["battery_charged_wh"].value == 4_000_000
    inverter.reads.clear()
    await driver.read()
    assert all(not 0x4100 <= address <= 0x4200 for address, _ in inverter.reads)


async def test_faults_are_read_high_word_first(driver, inverter):
    assert await driver.read_faults() == []
    inverter.set(0x4009, 1 << 31, 2)
    (fault,) = await driver.read_faults()
    assert "64/32 bus voltage balance" in fault.raw


# --- the slot ---


async def test_charge_is_a_slot_that_ends_by_the_inverter_s_clock(driver, inverter):
    snapshot = await driver.take()
    assert inverter.writes == []
    report = await driver.set_power(-3000, LATER, snapshot, None)
    assert inverter.writes == [
        (0x365F, 1),  # self-use once the slot is over
        (0x361A, 127 << 8 | 30),  # every day, 30 % of 10 kW
        (0x3619, 12 << 8 | 15),  # 12:07 and ten minutes, down to five
        (0x3618, 12 << 8 | 5),
        (0x3605, 0),  # nothing else is left to run: not the other mask, nor slot 1 of this one
        (0x3604, 64),
        (0x3647, 1),  # the mode last
        (0x3639, 1000),
        (0x363A, 1000),
    ]
    assert (report.power_w, report.verification) == (-3000, Verification.READ_BACK)


async def test_discharge_is_the_other_slot_and_may_feed_the_grid(driver, inverter):
    snapshot = await driver.take()
    report = await driver.set_power(2550, LATER, snapshot, None)
    assert report.power_w == 2500, "whole percent, never more than asked"
    assert inverter.writes[:4] == [(0x365F, 1), (0x3660, 1), (0x362F, 127 << 8 | 25), (0x362E, 12 << 8 | 15)]
    assert (inverter.words[0x3604], inverter.words[0x3605], inverter.words[0x3647]) == (0, 64, 1)


async def test_a_slot_is_left_alone_until_its_end_has_to_move(driver, inverter):
    snapshot = await driver.take()
    await driver.set_power(-3000, LATER, snapshot, None)
    inverter.writes.clear()
    inverter.clock(12, 9, 59)
    await driver.keep_alive(-3000, LATER, snapshot)
    assert inverter.writes == []
    inverter.clock(12, 10, 0)
    await driver.keep_alive(-3000, LATER, snapshot)
    assert inverter.writes == [(0x3619, 12 << 8 | 20), (0x3618, 12 << 8 | 10)], "the end first"


async def test_a_slot_never_crosses_midnight_and_no_prefix_lasts_a_day(driver, inverter):
    inverter.clock(23, 56)
    snapshot = await driver.take()
    await driver.set_power(-3000, LATER, snapshot, None)
    assert (inverter.words[0x3618], inverter.words[0x3619]) == (23 << 8 | 55, 23 << 8 | 59)
    inverter.writes.clear()
    inverter.clock(0, 1)
    await driver.keep_alive(-3000, LATER, snapshot)
    assert inverter.writes == [(0x3619, 10), (0x3618, 0)]


@pytest.mark.parametrize(("power_w", "limit_w"), [(-60_000, -8000), (60_000, 10_000)])
async def test_the_live_limit_bounds_a_slot(driver, power_w, limit_w):
    snapshot = await driver.take()
    assert (await driver.set_power(power_w, LATER, snapshot, None)).power_w == limit_w


async def test_no_slot_is_more_than_the_whole(driver, inverter):
    inverter.set(0xA037, 1000)
    snapshot = await driver.take()
    assert (await driver.set_power(-30_000, LATER, snapshot, None)).power_w == -10_000
    assert inverter.words[0x361A] == 127 << 8 | 100


async def test_a_rated_power_from_the_nameplate_serves_where_the_register_is_missing(make_driver, inverter):
    inverter.holes.add(0x366D)
    driver = make_driver(constants={"rated_power_w": 20_000})
    await driver.identify()
    snapshot = await driver.take()
    await driver.set_power(-3000, LATER, snapshot, None)
    assert inverter.words[0x361A] & 0xFF == 15


# --- zero, reversal, stop ---


async def test_zero_is_held_in_passive_mode_and_the_shares_are_lifted_only_after_it(driver, inverter):
    snapshot = await driver.take()
    await driver.set_power(-3000, LATER, snapshot, None)
    inverter.writes.clear()
    report = await driver.set_power(0, LATER, snapshot, -3000)
    assert report.rung == "passive_zero"
    assert inverter.writes == [(0x3639, 0), (0x363A, 0), (0x3636, 2), (0x3647, 3)]
    inverter.writes.clear()
    await driver.set_power(-3000, LATER, snapshot, 0)
    assert inverter.writes == [(0x3647, 1), (0x3636, 0), (0x3639, 1000), (0x363A, 1000)]


async def test_where_passive_mode_is_not_taken_zero_is_standby_without_a_slot(driver, inverter):
    snapshot = await driver.take()
    await driver.set_power(-3000, LATER, snapshot, None)
    inverter.deaf.add(0x3636)
    report = await driver.set_power(0, LATER, snapshot, -3000)
    assert report.rung == "slot_standby"
    assert [inverter.words[address] for address in (0x3604, 0x3605, 0x365F, 0x3647)] == [0, 0, 0, 1]


@pytest.mark.parametrize("power_w", [-3000, 3000])
async def test_a_reversal_stands_still_for_five_minutes(driver, inverter, power_w):
    snapshot = await driver.take()
    await driver.set_power(-power_w, LATER, snapshot, None)
    inverter.writes.clear()
    await driver.set_power(power_w, LATER, snapshot, -power_w)
    modes = [word for address, word in inverter.writes if address == 0x3647]
    assert modes == [3, 1], "held at zero, and only then the other slot"
    assert (driver.capabilities().route(Direction.CHARGE).reversal_dwell_s) == 300


async def test_stop_begins_with_the_write_that_ends_any_command(driver, inverter):
    snapshot = await driver.take()
    await driver.set_power(2000, LATER, snapshot, None)
    inverter.writes.clear()
    await driver.stop(snapshot)
    assert inverter.writes == [(0x3647, 0), (0x3639, 0), (0x363A, 0), (0x3636, 2), (0x3647, 3)]


# --- passive mode ---


async def test_passive_powers_are_per_mille(passive, inverter):
    snapshot = await passive.take()
    await passive.set_power(-3456, LATER, snapshot, None)
    assert inverter.writes == [(0x3639, 345), (0x363A, 0), (0x3636, 2), (0x3647, 3)], "values, direction, mode"
    inverter.writes.clear()
    await passive.set_power(2000, LATER, snapshot, -3456)
    assert inverter.writes == [(0x3639, 0), (0x363A, 200), (0x3636, 1)]


async def test_a_passive_stop_changes_no_mode_before_power_is_gone(passive, inverter):
    snapshot = await passive.take()
    await passive.set_power(2000, LATER, snapshot, None)
    inverter.writes.clear()
    await passive.stop(snapshot)
    assert inverter.writes == [(0x3636, 0), (0x3639, 0), (0x363A, 0), (0x3636, 2), (0x3647, 3)]


# --- giving back ---


@pytest.mark.parametrize("control", ["", "passive"])
async def test_release_restores_everything_exactly(make_driver, inverter, control):
    driver = make_driver(control=control, guarded=True)
    await driver.identify()
    before = dict(inverter.words)
    snapshot = json.loads(json.dumps(await driver.take()))
    await driver.set_power(-2000, LATER, snapshot, None)
    await driver.set_power(2000, LATER, snapshot, -2000)
    await driver.set_power(0, LATER, snapshot, 2000)
    inverter.writes.clear()
    await driver.release(snapshot)
    assert inverter.writes[0] == (0x3647, 0), "the mode first"
    assert {address: word for address, word in inverter.words.items() if before.get(address, 0) != word} == {}


async def test_release_without_memory_frees_the_shares_that_cap_every_mode(driver, inverter):
    for address in SHARES:
        inverter.set(address, 0)
    inverter.set(0x3636, 2)
    inverter.set(0x3647, 3)
    await driver.release(None)
    assert [inverter.words[address] for address in (*SHARES, 0x3636, 0x3647)] == [1000, 1000, 0, 0]
    assert (await driver.read_control()).state is ControlState.DEFAULT


async def test_a_mode_that_somebody_else_has_set_is_foreign(driver, inverter):
    assert (await driver.read_control()).state is ControlState.DEFAULT, "a schedule in a mode that ignores it"
    inverter.set(0x3647, 3)
    assert (await driver.read_control()).state is ControlState.FOREIGN


@pytest.mark.parametrize("mode", [0, 3, 5, 6, 7, 8, 9])
async def test_take_refuses_where_commands_are_not_followed(driver, inverter, mode):
    inverter.set(0x4004, mode)
    with pytest.raises(RequirementFailed, match="does not take commands"):
        await driver.take()
    assert inverter.writes == []


async def test_nothing_is_commanded_without_a_rated_power(driver, inverter):
    inverter.holes.add(0x366D)
    snapshot = await driver.take()
    with pytest.raises((RequirementFailed, RouteUnavailable)):
        await driver.set_power(-3000, LATER, snapshot, None)
    assert inverter.words[0x3647] == 0
