"""The device misbehaviours of the simulated SH: each acts while on, and not when off."""

import pytest
from samspel_contract.misbehaving import *  # noqa: F403 - its tests are this module's
from samspel_contract.misbehaving import OWN_W, Order
from samspel_sim.behaviour import OptionError, TwinOptions
from samspel_sim.testing import Bench, RefusedError


@pytest.fixture
def b():
    return Bench("sungrow", TwinOptions(soc_pct=50)).house(0, OWN_W).wait(10)


def block(b, mode, command, power_w):
    b.write_words(13049, mode, command, power_w)


def send(b):
    block(b, 2, 0xBB, 2000)


discharge = Order(send, power_w=2000, settle_s=15, stored={"charge_discharge_power": 2000})


@pytest.fixture
def order():
    return discharge


def test_sleep_is_shown(b):
    b.twin.misbehave("sleep")
    assert discharge(b) == 0
    assert (b.read("bms_max_charge_current"), b.read("bms_max_discharge_current")) == (0, 0)


def test_night(b):
    b.twin.set({"pv_power_w": 3000})
    b.wait(10)
    b.twin.misbehave("night")
    b.wait(20)
    with pytest.raises(TimeoutError):
        b.read("serial_number")
    with pytest.raises(TimeoutError):
        b.write(min_soc=1)
    assert b["pv_power_w"] == pytest.approx(0, abs=1)
    b.twin.misbehave("night", silent=False)
    assert b.wait(5).read("mppt1_voltage") == 0
    b.twin.misbehave("night", False)
    assert b.wait(20)["pv_power_w"] == pytest.approx(3000, abs=5)


def test_battery_fault_is_shown(b):
    b.twin.misbehave("battery_fault")
    assert discharge(b) == 0
    assert (b.read("battery_fault"), b.read("bms_max_discharge_current")) == (1 << 17, 0)
    b.twin.misbehave("battery_fault", False)
    b.wait(15)
    assert b.read("battery_fault") == 0


def test_calibration_is_shown(b):
    b.twin.misbehave("calibration")
    discharge(b)
    assert (b["mode"], b.read("running_state")) == ("maintenance", 0x0400)


def test_other_serial_is_another_battery_too(b):
    pack = b.read("pack_serial", 200)
    b.twin.misbehave("other_serial", serial="SIM000000777")
    assert b.wait(4).read("pack_serial", 200) != pack


def test_reboot_loses_what_is_volatile_and_keeps_the_rest(b):
    b.write(max_discharge_power=1200, min_soc=12, external_ems_heartbeat=500)
    block(b, 3, 0xBB, 2000)
    b.wait(15)
    b.twin.misbehave("reboot")
    b.wait(1)
    assert (b.read("charge_discharge_cmd"), b.read("charge_discharge_power")) == (0xCC, 0)
    assert (b.read("ems_mode"), b.read("max_discharge_power"), b.read("min_soc")) == (3, 1200, 12)
    assert b.read("external_ems_heartbeat") == 19
    assert b.wait(25)["mode"] == "self_consumption"


def test_leftovers_of_a_crashed_controller_stay(b):
    block(b, 2, 0xCC, 0)
    assert b.wait(600)["battery_power_w"] == pytest.approx(0, abs=5)


def test_firmware_changes_the_quirks(b):
    b.write(min_soc=12, feed_in_limitation=0xAA)
    b.write(feed_in_limit=60)
    b.twin.misbehave("firmware", version="SAPPHIRE-H_01011.95.03")
    assert b.wait(4).read("fw_package_main") == "SAPPHIRE-H_01011.95.03"
    assert (b.read("min_soc"), b.read("feed_in_limit")) == (12, 600)
    b.write(feed_in_limit=60)
    assert b.read("feed_in_limit") == 60
    with pytest.raises(OptionError, match="no firmware 'V9'"):
        b.twin.misbehave("firmware", version="V9")


# -- of the link, where this brand has something to say ----------------------------------------


def test_stuck_measurements_and_live_controls(b):
    b.twin.misbehave("stuck")
    assert discharge(b) == pytest.approx(2000, abs=5)
    assert (b.read("battery_power"), b.read("charge_discharge_power")) == (pytest.approx(500, abs=10), 2000)


def test_another_master_writes_its_ceiling_again_and_again(b):
    b.twin.misbehave("second_master", period_s=5.0, registers={"max_discharge_power": 30})
    assert discharge(b) == pytest.approx(300, abs=5)
    b.write(max_discharge_power=5000)
    b.wait(6)
    assert b.read("max_discharge_power") == 300


def test_another_master_takes_the_mode(b):
    discharge(b)
    b.twin.misbehave("second_master", period_s=5.0, registers={"ems_mode": 0})
    assert b.wait(20)["battery_power_w"] == pytest.approx(500, abs=5)


def test_forgotten_writes_do_not_act(b):
    b.twin.misbehave("forget", registers=["charge_discharge_power"])
    assert discharge(b) == pytest.approx(0, abs=5)
    assert b.read("charge_discharge_power") == 0


def test_a_forgotten_heartbeat_is_not_fed(b):
    b.twin.misbehave("forget", registers=["external_ems_heartbeat", "start_stop", "feed_in_limit"])
    b.write(external_ems_heartbeat=500, start_stop=0xCE)
    block(b, 3, 0xBB, 2000)
    b.wait(15)
    assert b["battery_power_w"] == pytest.approx(2000, abs=5)
    assert b.wait(10)["mode"] == "self_consumption"


def test_refused_writes(b):
    b.twin.misbehave("refuse_writes", code=4)
    with pytest.raises(RefusedError, match="0x04"):
        b.write(ems_mode=2)
    assert b["battery_power_w"] == pytest.approx(500, abs=5)
