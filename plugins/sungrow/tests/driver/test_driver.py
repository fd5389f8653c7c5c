"""The brand's data behind the generic driver, over an inverter in memory. Facts: sections 1, 2, 4, 5 and 6."""

from __future__ import annotations

import json

import pytest
from samspel.contract.capability import Deadman, Direction, EvidenceLevel, Verify
from samspel.contract.driver import ControlState
from samspel.contract.errors import DeviceRefused, RequirementFailed, UnsupportedModel
from samspel.contract.outcome import Verification
from samspel.contract.telemetry import Quality

from .conftest import CHARGE, COMMAND, DISCHARGE, FRAME, HEARTBEAT, IDLE, MODE, POWER

pytestmark = pytest.mark.looptime
LATER = 1e9
BEAT = (HEARTBEAT, (20,), 16)


async def signals(driver, *groups):
    return {name: one.value for name, one in (await driver.read(groups or ("fast", "slow", "static"))).items()}


# --- who ---


async def test_who_answers(driver):
    identity = await driver.identify()
    assert (identity.brand, identity.model, identity.serial) == ("Sungrow", "SH10RT", "A2290112345")
    assert identity.firmware == "SAPPHIRE-H_01011.95.12"


@pytest.mark.parametrize(
    ("code", "model"),
    [
        (0xE00, "SH5.0RT"), (0xE01, "SH6.0RT"), (0xE02, "SH8.0RT"), (0xE03, "SH10RT"),
        (0xE08, "SH5.0RT-V122"), (0xE09, "SH6.0RT-V122"), (0xE0A, "SH8.0RT-V122"), (0xE0B, "SH10RT-V122"),
        (0xE0C, "SH5.0RT-V112"), (0xE0D, "SH6.0RT-V112"), (0xE0E, "SH8.0RT-V112"), (0xE0F, "SH10RT-V112"),
        (0xE10, "SH5.0RT-20"), (0xE11, "SH6.0RT-20"), (0xE12, "SH8.0RT-20"), (0xE13, "SH10RT-20"),
        (0xE25, "SH15T"), (0xE26, "SH20T"), (0xE28, "SH25T"),
    ],
)  # fmt: skip
async def test_every_covered_model_has_its_code(make_inverter, make_driver_on, code, model):
    assert (await make_driver_on(make_inverter(code)).identify()).model == model


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0xE20, "SH5T"), (0xE24, "SH12T"), (0xE27, "calls itself ''"), (0xD17, "calls itself ''"),
        (0xFFFF, "string inverter"), (0, "model code is 0"),
    ],
)  # fmt: skip
async def test_what_is_not_covered_is_refused(make_inverter, make_driver_on, code, said):
    with pytest.raises(UnsupportedModel, match=said):
        await make_driver_on(make_inverter(code)).identify()


async def test_an_ihomemanager_is_refused_by_name(inverter, make_driver):
    inverter.set(7999, 0x072A)
    with pytest.raises(UnsupportedModel, match="iHomeManager"):
        await make_driver().identify()


async def test_a_blank_serial_is_nobody(inverter, make_driver):
    inverter.text(4989, 10, "")
    with pytest.raises(UnsupportedModel, match="serial number is blank"):
        await make_driver().identify()


@pytest.mark.parametrize(
    ("code", "firmware", "allowed"),
    [
        (0xE03, "SAPPHIRE-H_01011.95.03", True),
        (0xE03, "SAPPHIRE-H_01011.95.14", True),
        (0xE03, "SAPPHIRE-H_01011.95.15", False),
        (0xE03, "SAPPHIRE-H_01011.51.08", False),
        (0xE25, "PEARL-H_B000.V000.P063", True),
        (0xE26, "PEARL-H_01011.01.45", True),
        (0xE26, "", False),
    ],
)
async def test_a_firmware_outside_every_known_range_is_read_only(
    make_inverter, make_driver_on, code, firmware, allowed
):
    driver = make_driver_on(make_inverter(code, firmware), path="rs485")
    await driver.identify()
    assert (driver.capabilities().read_only_because == "") is allowed


# --- what it measures ---


async def test_signs(driver, inverter):
    values = await signals(driver)
    assert values["battery_power_w"] == -500, "positive on the wire is discharging"
    assert values["grid_power_w"] == -2200, "positive on the wire is export"
    assert [values[f"grid_power_l{phase}_w"] for phase in (1, 2, 3)] == [-300, -1000, -900], "here it is import"
    assert (values["ac_power_w"], values["load_power_w"], values["battery_current_a"]) == (2700, 500, -1.3)
    inverter.set(5213, 1800, 2)
    inverter.set(13009, -900, 2)
    inverter.set(13033, -400, 2)
    values = await signals(driver, "fast")
    assert (values["battery_power_w"], values["grid_power_w"], values["ac_power_w"]) == (1800, 900, -400)


async def test_scales(driver):
    values = await signals(driver)
    assert (values["grid_frequency_hz"], values["grid_voltage_l1_v"], values["battery_voltage_v"]) == (
        50.02,
        231.2,
        384.5,
    )
    assert (values["inverter_temperature_c"], values["battery_temperature_c"]) == (43.1, 25.1)
    assert (values["rated_power_w"], values["battery_capacity_wh"]) == (10000, 19200)
    assert (values["soc_floor_pct"], values["soc_ceiling_pct"]) == (10, 90)
    assert (values["grid_imported_wh"], values["grid_exported_wh"]) == (3_000_100, 7_000_000)
    assert (values["battery_charged_wh"], values["battery_discharged_wh"]) == (4_000_000, 3_800_000)
    assert (values["battery_charged_today_wh"], values["battery_discharged_today_wh"]) == (5200, 3100)
    assert values["pv_energy_wh"] == 12_345_600


async def test_amperes_times_volts_are_the_live_limits(driver):
    values = await signals(driver)
    assert values["charge_limit_w"] == pytest.approx(20 * 384.5)
    assert values["discharge_limit_w"] == pytest.approx(30 * 384.5)


@pytest.mark.parametrize(("level", "true"), [(500, 50), (0, 10), (1000, 90), (250, 30)])
async def test_the_level_lies_between_the_limits(driver, inverter, level, true):
    inverter.set(13022, level)
    assert (await signals(driver))["soc_pct"] == pytest.approx(true)


async def test_a_lost_meter_has_no_value(driver, inverter):
    inverter.set(13009, 0x7FFF_FFFF, 2)
    inverter.set(13007, 0x7FFF_FFFF, 2)
    readings = await driver.read()
    assert readings["grid_power_w"].quality is Quality.INVALID
    assert readings["load_power_w"].quality is Quality.INVALID
    assert readings["battery_power_w"].value == -500


@pytest.mark.parametrize(
    ("raw", "bits", "watts"),
    [
        (1200, 0b010, -1200),  # old firmware: a magnitude, and the bits say charging
        (1200, 0b100, 1200),
        (-1200, 0b010, -1200),  # newer firmware: signed; the bits agree
        (-1200, 0b000, -1200),  # newer firmware behind a dongle that serves no bits
        (1200, 0b000, None),  # no direction at all: not guessed
        (0, 0b000, 0),
    ],
)
async def test_both_encodings_of_the_old_register(driver, inverter, raw, bits, watts):
    del inverter.inputs[5213]
    inverter.set(13021, raw)
    inverter.set(13000, bits)
    reading = (await driver.read())["battery_power_w"]
    assert reading.value == watts
    assert reading.quality is (Quality.INVALID if watts is None else Quality.GOOD)


async def test_the_old_register_is_left_alone_while_there_is_the_new_one(driver, inverter):
    inverter.set(13021, 1200)
    assert (await signals(driver))["battery_power_w"] == -500


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (0x0000, "on_grid"), (0x0040, "on_grid"), (0x0800, "on_grid"), (0x4000, "on_grid"), (0x9100, "on_grid"),
        (0x8100, "derated"), (0x0080, "derated"), (0x1400, "standby"), (0x0008, "standby"), (0x1600, "starting"),
        (0x2501, "starting"), (0x1300, "off"), (0x8000, "off"), (0x1000, "off_grid"), (0x0014, "off_grid"),
        (0x5500, "fault"), (0x0100, "fault"), (0x2500, "fault"), (0x4001, "other"), (0x0BAD, "other"),
    ],
)  # fmt: skip
async def test_states(driver, inverter, code, word):
    inverter.set(12999, code)
    assert (await signals(driver, "fast"))["inverter_state"] == word


async def test_holding_registers_are_read_rarely(driver, inverter):
    await driver.read()
    inverter.reads.clear()
    await driver.read(("fast",))
    assert {table.value for table, _, _ in inverter.reads} == {"input"}
    assert len(inverter.reads) <= 9


# --- control ---


async def test_charge_is_the_heartbeat_and_one_frame(driver, inverter):
    snapshot = await driver.take()
    assert inverter.writes == []
    report = await driver.set_power(-3000, LATER, snapshot, None)
    assert inverter.writes == [BEAT, (FRAME, (3, CHARGE, 3000), 16)]
    assert (report.power_w, report.verification) == (-3000, Verification.READ_BACK)


async def test_a_frame_that_is_refused_goes_one_by_one_with_the_mode_last(driver, inverter):
    snapshot = await driver.take()
    inverter.takes_frames = False
    await driver.set_power(2500, LATER, snapshot, None)
    assert inverter.writes[-3:] == [(POWER, (2500,), 16), (COMMAND, (DISCHARGE,), 16), (MODE, (3,), 16)]


@pytest.mark.parametrize(("power_w", "amps", "written"), [(-9000, 20, 7690), (9000, 30, 9000), (-3000, 0, 0)])
async def test_the_batterys_own_limit_bounds_every_power(driver, inverter, power_w, amps, written):
    inverter.set(5634, amps)
    snapshot = await driver.take()
    report = await driver.set_power(power_w, LATER, snapshot, None)
    assert abs(report.power_w) == inverter.holdings[POWER] == written


async def test_the_converters_rating_bounds_too(driver, inverter):
    inverter.set(5627, 40)
    snapshot = await driver.take()
    await driver.set_power(9000, LATER, snapshot, None)
    assert inverter.holdings[POWER] == 4000


async def test_a_reversal_goes_over_idle(driver, inverter):
    snapshot = await driver.take()
    await driver.set_power(2000, LATER, snapshot, None)
    inverter.writes.clear()
    await driver.set_power(-2000, LATER, snapshot, 2000)
    assert inverter.writes == [(COMMAND, (IDLE,), 16), BEAT, (COMMAND, (CHARGE, 2000), 16)], "the stored mode stands"


async def test_zero_holds_and_is_fed(driver, inverter):
    snapshot = await driver.take()
    await driver.set_power(2000, LATER, snapshot, None)
    report = await driver.set_power(0, LATER, snapshot, 2000)
    assert (report.rung, inverter.frame) == ("idle", (3, IDLE, 0))
    inverter.writes.clear()
    await driver.keep_alive(0, LATER, snapshot)
    assert inverter.writes == [BEAT]


@pytest.mark.parametrize("takes_frames", [True, False])
async def test_stop_begins_with_the_write_that_removes_power(driver, inverter, takes_frames):
    snapshot = await driver.take()
    await driver.set_power(2000, LATER, snapshot, None)
    inverter.takes_frames = takes_frames
    inverter.writes.clear()
    await driver.stop(snapshot)
    assert inverter.writes[:2] == [(COMMAND, (IDLE,), 16), BEAT]
    assert inverter.frame == (3, IDLE, 0)


async def test_release_gives_the_mode_back_first_and_leaves_nothing_stale(driver, inverter):
    before = dict(inverter.holdings)
    snapshot = json.loads(json.dumps(await driver.take()))
    await driver.set_power(-2000, LATER, snapshot, None)
    inverter.writes.clear()
    await driver.release(snapshot)
    assert inverter.writes == [(MODE, (0,), 16), (COMMAND, (IDLE,), 16), (POWER, (0,), 16)]
    assert inverter.holdings == before


async def test_the_ceilings_of_the_householder_are_never_touched(driver, inverter):
    snapshot = await driver.take()
    for power_w, before_w in ((2000, None), (-2000, 2000), (0, -2000)):
        await driver.set_power(power_w, LATER, snapshot, before_w)
    await driver.stop(snapshot)
    await driver.release(snapshot)
    assert {address for address, _, _ in inverter.writes} <= {MODE, COMMAND, POWER, HEARTBEAT}


async def test_what_somebody_left_behind(driver, inverter):
    inverter.holdings |= {COMMAND: DISCHARGE, POWER: 10000}
    assert (await driver.read_control()).state is ControlState.DEFAULT, "in its own mode a command does nothing"
    inverter.holdings[MODE] = 2
    reading = await driver.read_control()
    assert (reading.state, reading.text.partition(",")[0]) == (ControlState.FOREIGN, "ems_mode = compulsory")


async def test_the_countdown_of_the_heartbeat_stays_ours(driver, inverter):
    snapshot = await driver.take()
    await driver.set_power(2000, LATER, snapshot, None)
    inverter.holdings[HEARTBEAT] = 7
    assert (await driver.read_control((), snapshot)).state is ControlState.OURS


@pytest.mark.parametrize("code", [0x5500, 0x1300, 0x1000, 0x1600, 0x0400, 0x4001, 0x2000])
async def test_states_that_take_no_command(driver, inverter, code):
    inverter.set(12999, code)
    with pytest.raises(RequirementFailed):
        await driver.take()


async def test_a_sleeping_inverter_is_woken_first(driver, inverter):
    inverter.set(12999, 0x1400)
    snapshot = await driver.take()
    await driver.set_power(2000, LATER, snapshot, None)
    assert inverter.writes == [(13016, (0xAA,), 16), BEAT, (FRAME, (3, DISCHARGE, 2000), 16)]


async def test_out_of_range_is_a_refusal_and_not_a_fallback(driver, inverter):
    snapshot = await driver.take()
    inverter.set(5627, 300)
    inverter.set(5635, 100)
    await driver.set_power(9000, LATER, snapshot, None)
    inverter.inputs[5627] = 10
    inverter.writes.clear()
    with pytest.raises(DeviceRefused, match="out of range"):
        await driver.set_power(9001, LATER, snapshot, 9000)
    assert inverter.writes == [BEAT]


# --- compulsory mode ---


async def test_compulsory_mode_without_a_guard_is_read_only(make_driver):
    driver = make_driver(control="compulsory")
    await driver.identify()
    assert "guard" in driver.capabilities().read_only_because


async def test_compulsory_mode_spares_the_mode_register(make_driver, inverter):
    driver = make_driver(control="compulsory", guarded=True)
    await driver.identify()
    snapshot = await driver.take()
    await driver.set_power(2000, LATER, snapshot, None)
    assert inverter.writes == [(POWER, (2000,), 16), (COMMAND, (DISCHARGE,), 16), (MODE, (2,), 16)]
    inverter.writes.clear()
    await driver.keep_alive(2000, LATER, snapshot)
    assert [address for address, _, _ in inverter.writes] == [POWER, COMMAND]
    await driver.release(snapshot)
    assert inverter.frame == (0, IDLE, 0)


# --- what it says of itself ---


@pytest.mark.parametrize(
    ("model", "path", "control", "count"),
    [
        ("SH10RT", "lan", "", 3), ("SH10RT-V112", "winet", "", 3), ("SH5.0RT-20", "rs485", "", 3),
        ("SH15T", "winet", "", 3), ("SH25T", "rs485", "", 3), ("SH15T", "lan", "", 0),
        ("SH10RT", "lan", "compulsory", 3), ("SH20T", "winet", "compulsory", 3), ("SH20T", "rs485", "compulsory", 3),
        ("SH20T", "lan", "compulsory", 0),
    ],
)  # fmt: skip
def test_routes_are_honest(manifest, model, path, control, count):
    routes = manifest.routes(model, "", path, control=control)
    assert [route.direction for route in routes] == [Direction.CHARGE, Direction.DISCHARGE, Direction.ZERO][:count]
    for route in routes:
        assert route.evidence is EvidenceLevel.INFERRED, "nothing was measured on what a site would use"
        assert route.verify is (Verify.EFFECT if path == "winet" else Verify.READ_BACK)
        assert route.deadman is (Deadman.NONE if control else Deadman.TIMEOUT)
        assert route.deadman_s == (None if control else 27)
        assert route.feed_s == (30 if control else 8)


async def test_behind_a_dongle_nothing_is_read_back(make_driver, inverter):
    driver = make_driver(path="winet")
    await driver.identify()
    snapshot = await driver.take()
    for power_w in (2000, 2500):
        report = await driver.set_power(power_w, LATER, snapshot, None)
        assert inverter.writes[-1] == (FRAME, (3, DISCHARGE, power_w), 16), "what is read of the mode may be old"
    assert report.verification is not Verification.READ_BACK
    assert report.skipped_because


def test_an_exception_4_is_patience_behind_a_dongle_and_a_no_elsewhere(manifest):
    codes = {name: path.bus.settings["busy_codes"] for name, path in manifest.paths.items()}
    assert codes == {"lan": (6,), "winet": (4, 6, 10, 11), "rs485": (6,)}


async def test_what_goes_up_names_no_brand(driver, inverter, manifest):
    snapshot = await driver.take()
    report = await driver.set_power(-1000, LATER, snapshot, None)
    for word in range(15):
        inverter.set(13049 + 2 * word, 0xFFFF_FFFE, 2)
    texts = [fault.text for fault in await driver.read_faults()]
    assert len(texts) > 200
    texts += [(await driver.read_control()).text, str(report), *(await driver.read())]
    for word in manifest.words:
        assert not [text for text in texts if word in text.lower()], word
