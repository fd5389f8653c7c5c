"""Which writes the simulated SH takes, refuses or ignores."""

import struct

import pytest
from samspel_sim.behaviour import TwinOptions
from samspel_sim.testing import Bench, refusal


def bench(**options):
    return Bench("sungrow", TwinOptions(**options))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ems_mode", 1), ("ems_mode", 8), ("charge_discharge_cmd", 0), ("charge_discharge_power", 9601),
        ("max_charge_power", 0), ("max_charge_power", 10_610), ("max_discharge_power", 0),
        ("external_ems_heartbeat", 1001), ("max_soc", 49.9), ("max_soc", 100.1), ("min_soc", 50.1),
        ("start_stop", 0), ("forced_startup_low_soc", 1), ("backup_reserve_soc", 101),
        ("active_power_ratio", 100.1), ("feed_in_limit_ratio", 100.1), ("feed_in_limit_wide", 10_010),
    ],
)  # fmt: skip
def test_out_of_range_gets_exception_4_and_the_old_value_stays(name, value):
    b = bench()
    before = b.read(name)
    assert refusal(b.write, **{name: value}) == 4
    assert b.read(name) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_charge_power", 10), ("max_discharge_power", 10_600), ("charge_discharge_power", 9600), ("min_soc", 50),
     ("max_soc", 50), ("external_ems_heartbeat", 1000), ("ems_mode", 4)],
)  # fmt: skip
def test_the_ends_of_the_ranges_are_taken(name, value):
    b = bench()
    b.write(**{name: value})
    assert b.read(name) == pytest.approx(value)


def test_soc_limits_may_not_cross():
    b = bench()
    b.write(min_soc=50)
    assert refusal(b.write, max_soc=50) == 4
    assert refusal(b.write_words, 13057, 500, 500) == 4
    b.write_words(13057, 600, 500)
    assert (b.read("max_soc"), b.read("min_soc")) == (60, 50)


def test_a_register_that_the_family_lacks_takes_no_write():
    assert refusal(bench().write, pv_power_limitation=0xAA) == 2
    assert refusal(bench(model="SH15T").write, charging_start_power=100) == 2


def test_measurements_and_holes_take_no_write():
    assert refusal(bench().write_words, 13052, 1) == 2
    assert refusal(bench().write_words, 13049, 2, 0xAA, 100, 0) == 2


def test_a_firmware_may_refuse_blocks():
    b = bench(settings={"block_write": 0})
    assert refusal(b.write_words, 13049, 2, 0xAA, 1000) == 2
    b.write_words(13049, 2)
    b.ask(struct.pack(">BHH", 6, 13050, 0xBB))
    assert (b.read("ems_mode"), b.read("charge_discharge_cmd")) == (2, 0xBB)


def test_a_function_that_there_is_not():
    assert refusal(bench().ask, bytes.fromhex("2b0e0100")) == 1
    with pytest.raises(TimeoutError):
        bench().ask(bytes.fromhex("2b0e0100"), 9)


def test_the_clock_goes_and_can_be_set():
    b = bench()
    b.write_words(4999, 2026, 2, 28, 23, 59, 50)
    b.wait(15)
    assert b.read("clock")[:5] == (2026, 3, 1, 0, 0)
    assert b["registers"].get("clock") is None
    assert refusal(b.write_words, 4999, 2026, 2, 30, 0, 0, 0) == 4


# -- export limit ------------------------------------------------------------------------------


@pytest.mark.parametrize(("firmware", "factor"), [("95.03", 1), ("95.12", 10), ("95.13", 10), ("95.14", 10)])
def test_some_firmwares_multiply_the_export_limit(firmware, factor):
    b = bench(firmware=f"SAPPHIRE-H_01011.{firmware}")
    b.write(feed_in_limitation=0xAA, feed_in_limit=60)
    assert b.read("feed_in_limit") == 60 * factor
    assert b.read("feed_in_limit_wide") == 60 * factor // 10 * 10


def test_writing_back_the_held_limit_tells_the_firmwares_apart():
    multiplying, plain = bench(), bench(firmware="SAPPHIRE-H_01011.95.03")
    for b in (multiplying, plain):
        b.write(feed_in_limitation=0xAA)
    assert refusal(multiplying.write, feed_in_limit=multiplying.read("feed_in_limit")) == 4
    plain.write(feed_in_limit=plain.read("feed_in_limit"))
    assert plain.read("feed_in_limit") == 10_000


def test_the_limit_is_ignored_without_a_word_while_it_is_off():
    b = bench(firmware="SAPPHIRE-H_01011.95.03")
    b.write(feed_in_limit=500)
    assert b.read("feed_in_limit") == 10_000


def test_on_a_t_the_share_and_the_watts_are_one_limit():
    b = bench(model="SH15T")
    b.write(feed_in_limit=5000)
    assert (b.read("feed_in_limit"), b.read("feed_in_limit_ratio")) == (5000, pytest.approx(33.3))
    b.write(feed_in_limit_ratio=100)
    assert b.read("feed_in_limit") == 15_000
    assert bench().read("feed_in_limit_ratio") == pytest.approx(6553.5)
