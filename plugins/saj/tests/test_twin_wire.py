"""What a client sees of the simulated H2: registers, signs, refusals, commands, read-back."""

import struct
from datetime import UTC, datetime

import pytest
from samspel_saj.twin.profile import HERE, SETTINGS, facts
from samspel_sim.behaviour import OptionError, TwinOptions
from samspel_sim.registers import read_csv
from samspel_sim.testing import Bench, refusal

FIELD_BLOCKS = [
    (0x8F00, 29), (0x406E, 64), (0xA03D, 18), (0x3636, 43), (0x3600, 96), (0x4004, 88), (0x4031, 60), (0xA000, 56),
    (0x4137, 64), (0x3604, 44),
]  # fmt: skip
WORDS = {"fault_h": 32, "fault_m1": 32, "fault_m2": 32, "fault_bms": 32, "pack1_fault": 16, "pack1_warning": 16}


def bench(**options):
    settings = {"readback_s": 0, **options.pop("settings", {})}
    return Bench("saj", TwinOptions(settings=settings, **options))


def write_word(b, address, word, unit=None):
    return b.ask(struct.pack(">BHH", 6, address, word), unit)


def at_home(*, pv_w, load_w, **options):
    return bench(**options).house(pv_w, load_w).wait(20)


# -- what it says it is ------------------------------------------------------------------------


@pytest.mark.parametrize("model", list(facts()["models"]))
@pytest.mark.parametrize("path", ["aio3", "ethernet", "gateway"])
def test_every_model_says_what_it_is(model, path):
    b = bench(model=model, path=path, seed=42).wait(1)
    want = facts()["models"][model]
    assert (b.read("product_code"), b.read("serial_number")) == (model, "SIM000000042")
    assert (b.read("device_type"), b.read("device_subtype")) == (want["type"], want["subtype"])
    assert b["rated_power_w"] == want["rated_w"]
    assert b.read("working_mode") == 2
    assert 45 <= b.read("grid_a_frequency") <= 65


def test_types_are_none_of_the_public_ones_except_that_of_the_h1():
    types = {name: row["type"] for name, row in facts()["models"].items()}
    assert types.pop("H1-6K-S2") == 0x54
    assert not set(types.values()) & {0, *range(0x54, 0x5E)}
    assert bench(settings={"device_type": 0x5B}).read("device_type") == 0x5B


@pytest.mark.parametrize("firmware", list(facts()["firmware"]))
def test_every_firmware_gives_exception_0_for_what_it_lacks(firmware):
    row = facts()["firmware"][firmware]
    b = bench(model="H2-10K-T2" if row["family"] == "T2" else "H1-6K-S2", firmware=firmware)
    assert b.read("fw_master") == pytest.approx(row["master"])
    for first, count in row["absent"]:
        assert refusal(b.words, first, min(count, 2)) == 0
        assert not [register for register in b.twin.behaviour.bank.table if first <= register.address < first + count]


def test_names_in_the_data_file_are_registers():
    names, data = {row.name for row in read_csv(HERE / "registers.csv")}, facts()
    lacks = [name for family in data["families"].values() for name in family["lacks"]]
    locked = [name for firmware in data["firmware"].values() for name in firmware["locked"]]
    assert {*data["ranges"], *data["defaults"], *lacks, *locked} <= names


@pytest.mark.parametrize(
    "options",
    [{}, {"model": "HS2-10K-T2"}, {"model": "H1-6K-S2"}, {"settings": {"battery": "B3"}}, {"firmware": "V4.020"}],
)
def test_every_register_reads_or_takes_a_command(options):
    b = bench(**options)
    rows = list(b.twin.behaviour.bank.table)
    assert len(rows) > 340
    for row in rows:
        if row.readable:
            b.read(row.name)
        else:
            assert row.single_write or row.block_write


@pytest.mark.parametrize(("address", "count"), FIELD_BLOCKS)
def test_blocks_that_real_clients_read_in_one_piece(address, count):
    assert len(bench().words(address, count)) == count


@pytest.mark.parametrize(
    ("address", "count", "code"),
    [(0x3247, 1, 2), (0x8F1D, 1, 2), (0x0000, 1, 2), (0x4100, 1, 2), (0x4200, 4, 0), (0x41F8, 16, 0), (0x4000, 101, 3)],
)
def test_what_is_not_there(address, count, code):
    assert refusal(bench().words, address, count) == code


def test_unknown_addresses_may_stay_unanswered():
    b = bench(settings={"silent_unknown": 1})
    with pytest.raises(TimeoutError):
        b.words(0x4100, 1)
    assert refusal(b.words, 0x4200, 1) == 0
    assert b.words(0x4004, 1)


def test_only_holding_registers():
    b = bench()
    assert refusal(b.ask, struct.pack(">BHH", 4, 0x4004, 1)) == 1
    assert refusal(b.ask, bytes([0x2B, 0x0E, 1, 0])) == 1


@pytest.mark.parametrize("unit", [0, 1, 2, 3, 247, 255])
def test_the_module_answers_every_unit_id(unit):
    b = bench(seed=3)
    assert b.words(0x8F03, 10, unit=unit) == b.words(0x8F03, 10)
    write_word(b, 0x3644, 30, unit)
    assert b["registers"]["soc_min_ongrid"] == 30


def test_behind_a_gateway_only_its_own_unit_answers():
    b = bench(path="gateway", unit=5)
    assert b.words(0x4004, 1, unit=5)
    for unit in (1, 0, 247):
        with pytest.raises(TimeoutError):
            b.words(0x4004, 1, unit=unit)
        with pytest.raises(TimeoutError):
            b.ask(bytes([0x2B, 0x0E, 1, 0]), unit)


def test_rated_power_is_served_or_not():
    assert bench(model="H2-30K-T2").read("rated_power") == 30_000
    assert refusal(bench(settings={"rated": 0}).words, 0x366D, 1) == 0


def test_a_newer_battery_leaves_its_packs_at_zero_and_fills_the_group_block():
    b = bench(settings={"battery": "B3"}, soc_pct=61).wait(3)
    assert (b.read("pack1_soc"), b.read("pack1_voltage")) == (0, 0)
    assert b.read("battery_soc") == b.read("parallel_soc") == pytest.approx(61, abs=0.1)
    assert b.read("battery_charge_current_limit") > 0


def test_packs_and_the_bms_say_who_they_are():
    b = bench(model="H2-20K-T2", seed=7, soc_pct=40).wait(3)
    assert (b.read("pack_count"), b.read("packs_online"), b.read("bms1_type"), b.read("bms3_type")) == (2, 3, 22, 0)
    assert b.read("bms2_serial") == "BMS2000000007"
    assert b.read("pack2_soc") == pytest.approx(40, abs=0.1)
    assert b.read("pack3_soc") == 0


# -- signs -------------------------------------------------------------------------------------


def test_signs_while_charging_from_the_grid():
    b = at_home(pv_w=0, load_w=600)
    b.write(passive_battery_charge_power=20.0, passive_enable=2, app_mode=3)
    b.wait(30)
    assert b.read("battery_power") == b.read("battery_power_inverter") == pytest.approx(-2000, abs=5)
    assert b.read("grid_power") == pytest.approx(2600, abs=5)
    assert (b.read("battery_direction"), b.read("grid_direction"), b.read("pv_direction")) == (-1, -1, 0)
    assert b.read("pack1_current") < 0
    assert b.read("battery_current") < 0
    assert b.read("ct_grid_power") == 0
    phases = [b.read(f"meter_a_l{phase}_active_power") for phase in (1, 2, 3)]
    assert sum(phases) == pytest.approx(2600, abs=5)


def test_signs_while_selling():
    b = at_home(pv_w=5000, load_w=600, soc_pct=100)
    assert b.read("grid_power") == pytest.approx(-4400, abs=5)
    assert (b.read("grid_direction"), b.read("battery_direction"), b.read("pv_direction")) == (1, 0, 1)
    assert b.read("load_power") == pytest.approx(600, abs=1)
    assert b.read("pv1_power") + b.read("pv2_power") == pytest.approx(5000, abs=3)


def test_signs_while_discharging():
    b = at_home(pv_w=0, load_w=1500)
    assert (b.read("battery_power"), b.read("battery_direction")) == (pytest.approx(1500, abs=5), 1)
    balance = b.read("pv_power") + b.read("battery_power") + b.read("grid_power")
    assert balance == pytest.approx(b.read("load_power"), abs=3)


def test_powers_that_do_not_fit_are_cut_and_the_inputs_are_not():
    b = at_home(model="H2-30K-T2", pv_w=45_000, load_w=10_000)
    assert b["pv_power_w"] > 40_000
    assert b.read("pv_power") == 32_767
    assert sum(b.read(f"pv{number}_power") for number in (1, 2, 3)) == pytest.approx(b["pv_power_w"], abs=5)


def test_a_firmware_that_gives_magnitudes_still_gives_the_flags():
    b = at_home(pv_w=3000, load_w=600, settings={"magnitudes": 1})
    assert (b.read("battery_power"), b.read("battery_direction")) == (pytest.approx(2400, abs=5), -1)


def test_an_internal_transformer_reads_where_it_is_fitted():
    b = at_home(pv_w=0, load_w=600, soc_pct=10, settings={"ct": 1})
    assert b.read("ct_grid_power") == b.read("grid_power") == pytest.approx(600, abs=5)


def test_feed_in_counts_what_is_bought():
    b = at_home(pv_w=0, load_w=6000, soc_pct=10).wait(600)
    assert b.read("energy_import_sum_today") == pytest.approx(1.0, abs=0.1)
    assert b.read("energy_export_sum_today") == 0
    phases = [b.read(f"energy_import_{phase}_today") for phase in "rst"]
    assert sum(phases) == pytest.approx(b.read("energy_import_sum_total"), abs=0.03)
    assert b.read("energy_load_total") == pytest.approx(1.0, abs=0.1)


def test_the_high_word_comes_first():
    b = bench()
    b.twin.set({"faults": {"fault_m1": [16]}})
    assert b.wait(3).words(0x4007, 2) == (1, 0)


# -- faults ------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", list(WORDS))
def test_each_bit_of_a_fault_word_can_be_raised_and_cleared(word):
    b = bench()
    for bit in range(WORDS[word]):
        b.twin.set({"faults": {word: [bit]}})
        assert b.wait(2.1).read(word) == 1 << bit
        assert b["faults"] == {word: [bit]}
    b.twin.set({"faults": {}})
    assert b.wait(2.1).read(word) == 0
    assert b.read("error_count") == WORDS[word]


def test_a_fault_word_set_as_a_register_stays_and_a_command_clears_it():
    b = bench()
    b.twin.set({"registers": {"fault_h": 0b1010}})
    assert b.wait(5)["faults"] == {"fault_h": [1, 3]}
    write_word(b, 0x8015, 2)
    assert b.wait(3).read("fault_h") == 0
    assert b.read("error_count") == 2
    write_word(b, 0x8015, 1)
    assert b.wait(3).read("error_count") == 0


@pytest.mark.parametrize(
    ("value", "sentence"),
    [({"fault_x": [1]}, "no fault word"), ({"fault_h": [32]}, "bits 0..31"), ([1], "an object of words")],
)
def test_wrong_faults_are_refused_in_a_sentence(value, sentence):
    with pytest.raises(OptionError, match=sentence):
        bench().twin.set({"faults": value})


# -- writes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "word"),
    [
        (0x3636, 3), (0x3639, 1101), (0x363A, 1101), (0x3644, 4), (0x3646, 19), (0x3647, 4), (0x3647, 12),
        (0x3606, 0x1800), (0x3607, 0x003C), (0x3608, 0x8010), (0x3608, 0x0165), (0x3604, 128), (0x364D, 1101),
        (0x8015, 3), (0x801C, 2),
    ],
)  # fmt: skip
def test_values_out_of_range_get_exception_3_and_change_nothing(address, word):
    b = bench()
    before = b["registers"]
    assert refusal(write_word, b, address, word) == 3
    assert (b["registers"], b["factory_resets"]) == (before, 0)


def test_ai_saving_is_a_mode_of_newer_firmware():
    b = bench(firmware="V5.001")
    b.write(app_mode=12)
    assert b.read("app_mode") == 12


@pytest.mark.parametrize("pdu", ["0640a60001", "068f000001", "10801b0001020001", "06802007ea", "0683000003"])
def test_measurements_and_commands_of_another_function_cannot_be_written(pdu):
    assert refusal(bench().ask, bytes.fromhex(pdu)) == 2


def test_settings_take_function_16_unless_they_do_not():
    pdu = struct.pack(">BHHB2H", 16, 0x3639, 2, 4, 500, 600)
    b = bench()
    b.ask(pdu)
    assert b.words(0x3639, 2) == (500, 600)
    assert refusal(bench(settings={"block_writes": 0}).ask, pdu) == 2


def test_an_older_module_refuses_the_floor_and_the_mode_and_takes_slots():
    b = bench(firmware="V4.020")
    assert refusal(write_word, b, 0x3644, 30) == refusal(write_word, b, 0x3647, 3) == 2
    write_word(b, 0x3606, 0x0A1E)
    assert (b.read("soc_min_ongrid"), b.read("app_mode"), b.read("charge_slot1_start")) == (20, 0, 0x0A1E)


def test_another_acknowledges_them_and_keeps_what_it_had():
    b = bench(firmware="V4.010")
    assert write_word(b, 0x3644, 30) == struct.pack(">BHH", 6, 0x3644, 30)
    write_word(b, 0x3647, 3)
    assert (b.read("soc_min_ongrid"), b.read("app_mode"), b.read("settings_serial")) == (20, 0, 1)


def test_a_setting_reads_as_before_for_up_to_a_second():
    b = Bench("saj")
    lagged = 0
    for word in range(40, 60):
        before = b.read("soc_min_ongrid")
        write_word(b, 0x3644, word)
        assert b["registers"]["soc_min_ongrid"] == word
        lagged += b.read("soc_min_ongrid") == before
        assert b.wait(1.1).read("soc_min_ongrid") == word
    assert lagged == 20


def test_every_change_of_a_setting_is_counted_whoever_makes_it():
    b = bench().wait(3)
    start = b.read("settings_serial")
    write_word(b, 0x3644, 30)
    write_word(b, 0x3644, 30)
    b.twin.set({"registers": {"grid_export_limit": 500}})
    assert b.wait(3).read("settings_serial") == start + 2


def test_clearing_energy_works_and_shows():
    b = at_home(pv_w=6000, load_w=600).wait(600)
    assert b.read("energy_pv_total") > 0.9
    write_word(b, 0x801B, 1)
    assert b["energy_cleared"]
    assert b.wait(3).read("energy_pv_total") < 0.02


def test_a_factory_reset_works_and_shows():
    b = bench()
    write_word(b, 0x3644, 30)
    write_word(b, 0x3647, 3)
    serial = b.wait(3).read("settings_serial")
    write_word(b, 0x801C, 1)
    assert (b.read("soc_min_ongrid"), b.read("app_mode"), b["factory_resets"]) == (20, 0, 1)
    assert b.wait(3).read("settings_serial") == serial + 2


def test_the_clock_reads_and_can_be_set():
    b = bench(epoch_s=datetime(2026, 6, 22, 12, 30, 15, tzinfo=UTC).timestamp()).wait(3)
    year, month_day, hour_minute, second = b.words(0x4000, 4)
    assert (year, month_day, hour_minute) == (2026, 0x0616, 0x0C1E)
    assert 15 <= second >> 8 <= 20
    assert second & 0xFF == 0
    b.ask(struct.pack(">BHHB4H", 16, 0x8020, 4, 8, 2027, 0x0102, 0x0304, 0x0500))
    assert b["clock"].startswith("2027-01-02T03:04:05")
    assert b.wait(3).read("clock")[:3] == (2027, 0x0102, 0x0304)
    assert refusal(b.ask, struct.pack(">BHHB4H", 16, 0x8020, 4, 8, 2027, 0x0D02, 0, 0)) == 3


def test_an_unlisted_block_of_an_energy_manager_is_taken_by_an_hs2_alone():
    pdu = struct.pack(">BHHB7H", 16, 0x8300, 7, 14, 3, 2, 2764, 200, 600, 10000, 10000)
    b = bench(model="HS2-10K-T2")
    b.ask(pdu)
    assert b["write_log"][-1]["values"][:2] == [3, 2]
    assert refusal(bench().ask, pdu) == 2


# -- choices -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"model": "H2"}, "no model 'H2'; there are H2-5K-T2"),
        ({"firmware": "V1"}, "no firmware 'V1' for T2"),
        ({"path": "wlan"}, "no path 'wlan'; there are aio3, ethernet, gateway"),
        ({"settings": {"framing": "ascii"}}, "no framing 'ascii'; there are tcp, rtu"),
        ({"settings": {"battery": "B1"}}, "no battery 'B1'; there are B2, B3"),
        ({"settings": {"packs": 5}}, "1..4 packs"),
        ({"settings": {"push_w": "much"}}, "push_w wants a value like 800"),
        ({"settings": {"colour": 1}}, "no setting 'colour'; there are sticky"),
    ],
)
def test_wrong_choices_are_answered_with_those_there_are(options, sentence):
    with pytest.raises(OptionError, match=sentence):
        bench(**options)


@pytest.mark.parametrize(
    "wrong",
    [
        {"working_mode": 10}, {"working_mode": True}, {"charge_current_limit_a": -1}, {"locked_out": 1},
        {"grid_voltage_v": "much"}, {"nothing": 1},
    ],
)  # fmt: skip
def test_wrong_values_from_outside_are_refused(wrong):
    with pytest.raises(OptionError):
        bench().twin.set(wrong)


def test_grid_values_are_settable():
    b = bench()
    b.twin.set({"grid_frequency_hz": 49.8, "grid_voltage_v": 240})
    b.wait(3)
    assert (b.read("grid_a_frequency"), b.read("grid_c_voltage")) == (pytest.approx(49.8), pytest.approx(240))


def test_settings_are_named_once():
    assert len(SETTINGS) == len(set(SETTINGS))
