"""The device misbehaviours of the simulated SUN2000: each acts while on, and not when off."""

import pytest
from samspel_huawei.twin.device import KNOWN_MISBEHAVIOURS
from samspel_sim.behaviour import OptionError, TwinOptions
from samspel_sim.misbehave import CATALOGUE
from samspel_sim.testing import Bench


@pytest.fixture
def b():
    return Bench("huawei", TwinOptions(soc_pct=50, settings={"ceiling": 0})).house(0, 500).wait(10)


def discharge(b, power_w=2000):
    b.write(forcible_discharge_power=power_w, forced_period=600, forcible_mode=0, forcible_command=2)
    return b.wait(40)["battery_power_w"]


def test_ignore_setpoint(b):
    b.twin.misbehave("ignore_setpoint")
    assert discharge(b) == pytest.approx(500, abs=5)
    assert b.read("forcible_command") == 2
    b.twin.misbehave("ignore_setpoint", False)
    assert b.wait(40)["battery_power_w"] == pytest.approx(2000, abs=5)


def test_clamp(b):
    b.twin.misbehave("clamp", watts=800)
    assert discharge(b) == pytest.approx(800, abs=5)
    b.twin.misbehave("clamp", False)
    assert b.wait(40)["battery_power_w"] == pytest.approx(2000, abs=5)


def test_reverse(b):
    b.twin.misbehave("reverse")
    assert discharge(b) == pytest.approx(-2000, abs=5)
    b.twin.misbehave("reverse", False)
    assert b.wait(40)["battery_power_w"] == pytest.approx(2000, abs=5)


def test_reverse_leaves_the_own_mode_alone(b):
    b.twin.misbehave("reverse")
    assert b.wait(20)["battery_power_w"] == pytest.approx(500, abs=5)


def test_sleep(b):
    b.twin.misbehave("sleep")
    assert discharge(b) == pytest.approx(0, abs=5)
    assert b.read("storage_status") == 4
    assert b.read("storage_max_charging_power") == 0xFFFFFFFF
    b.twin.misbehave("sleep", False)
    assert b.wait(40)["battery_power_w"] == pytest.approx(2000, abs=5)
    assert b.read("storage_max_charging_power") == 5000


def test_night(b):
    b.twin.set({"pv_power_w": 3000})
    b.wait(10)
    b.twin.misbehave("night")
    b.wait(20)
    with pytest.raises(TimeoutError):
        b.read("model_name")
    with pytest.raises(TimeoutError):
        b.write(forced_period=1)
    assert b.read("model_name", 100) == "SDongleA-05"
    assert b["pv_power_w"] == pytest.approx(0, abs=1)
    b.twin.misbehave("night", silent=False)
    assert b.wait(5).read("pv1_voltage") == 0
    b.twin.misbehave("night", False)
    assert b.wait(20)["pv_power_w"] == pytest.approx(3000, abs=5)


def test_battery_fault(b):
    b.twin.misbehave("battery_fault")
    assert discharge(b) == pytest.approx(0, abs=5)
    assert (b.read("storage_status"), b.read("storage_max_discharge_power")) == (3, 0)
    assert b["alarms"] == [2068]
    b.twin.misbehave("battery_fault", False)
    assert b.wait(60)["battery_power_w"] == pytest.approx(2000, abs=5)
    assert b["alarms"] == []


def test_calibration(b):
    b.twin.misbehave("calibration", watts=-1500.0)
    assert discharge(b) == pytest.approx(-1500, abs=5)
    assert b.read("soh_calibration_status") != 0
    b.twin.misbehave("calibration", False)
    assert b.wait(40)["battery_power_w"] == pytest.approx(2000, abs=5)


def test_meter_offline(b):
    b.twin.misbehave("meter_offline")
    assert b.wait(10)["battery_power_w"] == pytest.approx(0, abs=5)
    b.twin.misbehave("meter_offline", False)
    assert b.wait(10)["battery_power_w"] == pytest.approx(500, abs=5)


def test_other_serial(b):
    mine = b.read("serial_number")
    b.twin.misbehave("other_serial", serial="SIM000000777")
    assert b.wait(4).read("serial_number") == "SIM000000777"
    b.twin.misbehave("other_serial", False)
    assert b.wait(4).read("serial_number") == mine


def test_reboot_loses_what_is_volatile_and_keeps_the_rest(b):
    b.write(storage_max_discharging_power=0, discharge_cutoff_soc=12)
    discharge(b)
    b.twin.misbehave("reboot")
    b.wait(20)
    assert (b.read("forcible_command"), b.read("forcible_discharge_power"), b["mode"]) == (0, 0, "max_self_consumption")
    assert (b.read("storage_max_discharging_power"), b.read("discharge_cutoff_soc")) == (0, 12)


def test_leftovers_of_a_crashed_controller_stay(b):
    b.twin.set({"registers": {"storage_max_discharging_power": 0}})
    assert b.wait(600)["battery_power_w"] == pytest.approx(0, abs=5)


def test_firmware_changes_what_there_is(b):
    assert "daylight_saving" in b.twin.behaviour.bank.table
    b.write(discharge_cutoff_soc=12)
    b.twin.misbehave("firmware", version="V100R001C00SPC147")
    assert b.wait(4).read("firmware_version") == "V100R001C00SPC147"
    assert "daylight_saving" not in b.twin.behaviour.bank.table
    assert b.read("discharge_cutoff_soc") == 12
    with pytest.raises(OptionError, match="no firmware 'V9'"):
        b.twin.misbehave("firmware", version="V9")


def test_every_device_misbehaviour_has_a_test_here():
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert not [name for name in KNOWN_MISBEHAVIOURS if not any(test.startswith(name) for test in tested)]
    assert set(KNOWN_MISBEHAVIOURS) == {name for name, entry in CATALOGUE.items() if not entry.link}
