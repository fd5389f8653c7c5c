"""What a client sees of the simulated SH: two tables, holes, refusals, units, identification."""

import struct

import pytest
from samspel_sim.behaviour import HangUp, OptionError, TwinOptions
from samspel_sim.registers import Space, read_csv
from samspel_sim.testing import Bench, RefusedError, refusal, simulated_twin
from samspel_sungrow.twin.profile import HERE, SETTINGS, facts

READ_HOLDING, READ_INPUT = 3, 4
RT_WITH_PATHS = [(model, path) for model, row in facts()["models"].items() for path in ("lan", "winet", "rs485")
                 if path in facts()["families"][row["family"]]["paths"]]  # fmt: skip


def bench(**options):
    return Bench("sungrow", TwinOptions(**options))


def words(b, address, count, function=READ_INPUT, unit=None):
    return b.words(address, count, function, unit)


# -- who it is ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "path"), RT_WITH_PATHS)
def test_every_model_says_what_it_is_on_every_path(model, path):
    b = bench(model=model, path=path, seed=42)
    want = facts()["models"][model]
    assert (b.read("serial_number"), b.read("device_type_code")) == ("SIM000000042", want["code"])
    assert b.read("nominal_power") == pytest.approx(want["nominal_w"] / 1000)
    assert b.read("fw_package_main") == facts()["families"][want["family"]]["default_firmware"]
    assert b.read("output_type") == 1


def test_the_codes_are_those_of_the_published_table():
    codes = {name: row["code"] for name, row in facts()["models"].items()}
    assert len(set(codes.values())) == len(codes) == 19
    assert (codes["SH5.0RT"], codes["SH10RT-V122"], codes["SH8.0RT-V112"]) == (0xE00, 0xE0B, 0xE0E)
    assert (codes["SH6.0RT-20"], codes["SH15T"], codes["SH25T"]) == (0xE11, 0xE25, 0xE28)


@pytest.mark.parametrize("firmware", list(facts()["firmware"]))
def test_every_firmware_says_what_it_is(firmware):
    model = "SH10RT" if facts()["firmware"][firmware]["family"] == "RT" else "SH15T"
    assert bench(model=model, firmware=firmware).read("fw_package_main") == firmware


def test_the_default_device():
    device = bench().twin.behaviour
    assert (device.model, device.firmware, device.unit) == ("SH10RT", "SAPPHIRE-H_01011.95.14", 1)
    assert (device.profile.pack.name, device.profile.path.name, device.link.clients) == ("SBR160", "lan", 1)


def test_protocol_version_to_output_type_read_in_one_block():
    block = words(bench(), 4951, 51)
    assert block[:2] == (0x0700, 0x0101)
    assert (block[4999 - 4951], block[5000 - 4951], block[5001 - 4951]) == (0xE03, 100, 1)


@pytest.mark.parametrize("pack", list(facts()["packs"]))
def test_a_pack_is_known_by_its_capacity(pack):
    b = bench(settings={"pack": pack})
    row, kind = facts()["packs"][pack], facts()["kinds"][facts()["packs"][pack]["kind"]]
    assert b.read("battery_capacity") == pytest.approx(row["kwh"])
    nominal_w = row["modules"] * kind["module_v"] * kind["current_a"]
    assert b.read("bdc_rated_power") == pytest.approx(min(10600, nominal_w), abs=100)
    assert b.read("bms_max_discharge_current") == kind["current_a"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"model": "SG10RT"}, "no model 'SG10RT'; there are SH5.0RT"),
        ({"firmware": "PEARL-H_B000.V000.P063"}, "no firmware .* for the RT family"),
        ({"model": "SH15T", "path": "lan"}, "SH15T has no path 'lan'; it has winet, rs485"),
        ({"settings": {"pack": "LUNA"}}, "no pack 'LUNA'"),
        ({"settings": {"colour": 1}}, "no setting 'colour'"),
        ({"settings": {"absent": "battery_power+nonsense"}}, "absent names no register: nonsense"),
    ],
)
def test_wrong_choices_are_told(options, sentence):
    with pytest.raises(OptionError, match=sentence):
        bench(**options)


# -- tables ------------------------------------------------------------------------------------


def test_input_and_holding_use_the_same_numbers_for_different_things():
    b = bench()
    b.write_words(13049, 2, 0xBB, 700)
    assert words(b, 13049, 3, READ_HOLDING) == (2, 0xBB, 700)
    assert words(b, 13049, 3, READ_INPUT) == (0, 0, 0)
    assert words(b, 12999, 1, READ_HOLDING) == (0xCF,)
    assert words(b, 12999, 1, READ_INPUT) == (0,)


def test_wire_is_the_document_less_one():
    columns = [line.split(",") for line in (HERE / "registers.csv").read_text().splitlines()[1:]]
    assert all(int(row[1]) == int(row[2]) + 1 for row in columns)


def test_32_bits_travel_low_word_first():
    b = bench()
    b.house(0, 90_000)
    b.wait(20)
    low, high = words(b, 13007, 2)
    assert (high << 16) + low == 90_000


def test_every_row_of_an_rt_on_its_lan_port_reads():
    b = bench()
    device = b.twin.behaviour
    rows = [(row, unit) for unit, bank in device.banks.items() for row in bank.table if row.readable]
    assert len(rows) > 170
    for row, unit in rows:
        b.read(row.name, unit)


def test_names_in_the_data_file_are_registers():
    names = {row.name for row in read_csv(HERE / "registers.csv")}
    data = facts()
    families = [*data["families"].values(), data["every_family"]]
    used = {*data["ranges"], *data["choices"], *data["defaults"], *data["fault_words"], *data["drops"]["rows"]}
    used |= {*data["persistence"]["volatile"], *data["dongle"]["missing"], *data["dongle"]["blank"]}
    used |= {name for family in families for key in ("not_available", "missing") for name in family[key]}
    used |= {name for names in data["refused_on_lan"].values() for name in names}
    assert used <= names


def test_a_cable_gives_marks_where_a_dongle_gives_zeros():
    cable, dongle = bench(), bench(path="winet")
    for name, mark in [("mppt3_voltage", 6553.5), ("mppt4_current", 6553.5), ("meter2_total_power", 0x7FFFFFFF)]:
        assert cable.read(name) == pytest.approx(mark)
        assert dongle.read(name) == 0
    assert (cable.read("pv_power_limitation"), dongle.read("pv_power_limitation")) == (0xFFFF, 0xFFFF)
    assert cable.read("fw_inverter") != ""
    assert [dongle.read(name) for name in ("fw_inverter", "fw_comm_module", "fw_battery")] == ["", "", ""]


def test_holes_read_by_path_and_are_no_start_behind_a_dongle():
    cable, dongle = bench(), bench(path="winet")
    assert words(cable, 13012, 4)[2:] == (0xFFFF, 0xFFFF)
    assert words(dongle, 13012, 4)[2:] == (0, 0)
    assert words(dongle, 13049, 9, READ_HOLDING)[3:8] == (0, 0, 0, 0xFFFF, 0xFFFF)
    assert words(cable, 13049, 9, READ_HOLDING)[3:8] == (0xFFFF,) * 5
    assert words(cable, 13015, 1) == words(cable, 4949, 1) == (0xFFFF,)
    assert refusal(words, dongle, 13015, 1) == refusal(words, dongle, 4949, 1) == 2
    assert words(cable, 4949, 4) == (0xFFFF, 0xFFFF, 0x0700, 0x0101)


@pytest.mark.parametrize("address", [2612, 2628, 5006, 5008, 13014, 13043, 13047, 5740])
def test_start_addresses_that_a_dongle_refuses(address):
    assert refusal(words, bench(path="winet"), address, 1) == 2


def test_what_a_dongle_does_not_forward_is_zero_inside_a_block():
    assert words(bench(path="winet"), 5719, 27)[5740 - 5719 :] == (0,) * 6
    assert words(bench(), 5719, 27)[5740 - 5719] == 2300


@pytest.mark.parametrize("address", [0, 4000, 20_000, 6200])
def test_what_is_nowhere_gets_exception_2(address):
    assert refusal(words, bench(), address, 1) == 2


def test_a_refused_register_spoils_its_block_on_a_cable_only():
    lan, gateway = bench(model="SH8.0RT-V112"), bench(model="SH8.0RT-V112", path="rs485")
    assert refusal(words, lan, 5213, 2) == 2
    assert refusal(words, lan, 31212, 1, READ_HOLDING) == 2
    assert gateway.read("battery_power") == pytest.approx(gateway["battery_power_w"], abs=1)
    pooled = bench(settings={"absent": "battery_current"})
    assert refusal(words, pooled, 5627, 12) == 2
    assert words(bench(path="winet", settings={"absent": "battery_current"}), 5627, 12)[3] == 0


def test_an_answer_at_6100_means_a_direct_link():
    assert words(bench(), 6099, 1) == (0,)
    assert refusal(words, bench(path="winet"), 6099, 1) == 2


def test_texts_that_have_to_be_read_alone_and_whole_come_in_frames_that_lie():
    b = bench()
    whole = b.ask(struct.pack(">BHH", READ_INPUT, 2612, 15))
    assert len(whole) == 2 + whole[1] == 32
    for address, count in [(2612, 14), (2612, 16), (2611, 17), (2628, 31)]:
        try:
            answer = b.ask(struct.pack(">BHH", READ_INPUT, address, count))
        except RefusedError:
            continue
        assert len(answer) != 2 + answer[1], (address, count)
    assert len(b.ask(struct.pack(">BHH", READ_INPUT, 2612, 14))) == 2 + 28 + 2


def test_an_old_firmware_drops_the_session_on_four_reads():
    b = bench(firmware="SAPPHIRE-H_01011.95.03")
    for address in (13199, 13249, 13264, 13279):
        with pytest.raises(HangUp):
            words(b, address, 1)
    with pytest.raises(HangUp):
        words(b, 13203, 2)
    assert b.read("serial_number") == "SIM000000001"
    assert bench(firmware="SAPPHIRE-H_01011.95.03", path="winet").read("meter2_total_power") == 0


# -- units -------------------------------------------------------------------------------------


def test_the_pack_has_a_unit_of_its_own_and_is_no_inverter():
    for path, unit in (("lan", 200), ("rs485", 200), ("winet", 2)):
        b = bench(path=path, soc_pct=41)
        assert b.read("pack_soc", unit) == pytest.approx(41, abs=0.2)
        assert refusal(words, b, 4999, 1, READ_INPUT, unit) == 2
        assert b.read("pack_serial", unit).startswith("PK")


def test_cells_of_the_modules_that_are_fitted():
    b = bench(settings={"pack": "SBR096"})
    assert [bool(word) for word in b.read("module_max_cell_voltage", 200)] == [True] * 3 + [False] * 5
    assert b.read("module_cell_type", 200)[:4] == (66, 66, 66, 0)
    assert b.read("max_cell_voltage", 200) > b.read("min_cell_voltage", 200) > 3
    assert (b.read("module_serials_3", 200) != "", b.read("module_serials_4", 200)) == (True, "")


def test_a_dongle_gives_no_cells():
    assert bench(path="winet").read("max_cell_voltage", 2) == 0
    refusing = bench(path="winet", settings={"cells": 0})
    assert refusal(words, refusing, 10756, 1, READ_INPUT, 2) == 2
    assert refusing.read("pack_soc", 2) > 0


@pytest.mark.parametrize("unit", [0, 2, 3, 201, 247])
def test_other_units_are_silent(unit):
    with pytest.raises(TimeoutError):
        words(bench(), 4989, 10, READ_INPUT, unit)


def test_the_pack_takes_no_writes():
    b = bench()
    with pytest.raises(RefusedError):
        b.ask(struct.pack(">BHH", 6, 13049, 2), 200)


def test_an_encrypting_dongle_gives_its_key_and_nothing_else():
    b = bench(path="encrypted", seed=3)
    answer = b.ask(bytes.fromhex("040ae70008"), 0xF7)
    assert len(answer) + 7 == 25
    assert answer[2:] not in (b"\0" * 16, b"\xff" * 16)
    assert answer == bench(path="encrypted", seed=3).ask(bytes.fromhex("040ae70008"), 0xF7)
    for unit in (1, 2, 200):
        with pytest.raises(TimeoutError):
            words(b, 4989, 10, READ_INPUT, unit)
    with pytest.raises(TimeoutError):
        b.write_words(13049, 2)
    with pytest.raises(TimeoutError):
        words(bench(), 2791, 8, READ_INPUT, 0xF7)


def test_an_ihomemanager_stands_in_front_of_the_inverter():
    b = bench(path="ihomemanager")
    assert words(b, 7999, 1, READ_INPUT, 247) == (0x072A,)
    with pytest.raises(TimeoutError):
        words(b, 4989, 10)


def test_the_unit_may_be_another():
    b = Bench("sungrow", TwinOptions(unit=3))
    assert b.read("device_type_code", 3) == 0xE03
    with pytest.raises(TimeoutError):
        words(b, 4989, 10, READ_INPUT, 1)


# -- the dongle's manners ----------------------------------------------------------------------


def test_a_dongle_shows_old_holdings_while_the_new_ones_act():
    b = bench(path="winet", settings={"stale_read_back_s": 120})
    b.house(0, 500)
    b.write_words(13049, 2, 0xAA, 2000)
    b.wait(30)
    assert words(b, 13049, 3, READ_HOLDING) == (0, 0xCC, 0)
    assert b["battery_power_w"] == pytest.approx(-2000, abs=10)
    b.wait(100)
    assert words(b, 13049, 3, READ_HOLDING) == (2, 0xAA, 2000)


def test_a_stale_read_back_can_be_switched_while_it_runs():
    b = bench()
    b.twin.set({"stale_read_back_s": 10})
    b.write(min_soc=20)
    assert (b.read("min_soc"), b["registers"]["min_soc"]) == (0, 200)
    b.wait(11)
    assert b.read("min_soc") == 20
    with pytest.raises(OptionError, match="stale_read_back_s wants a number"):
        b.twin.set({"stale_read_back_s": "long"})


def test_a_dongle_takes_its_time_over_holdings_and_refreshes_rarely():
    twin = simulated_twin("sungrow", lambda: 0.0, TwinOptions(path="winet"), brisk=False)
    session = twin.open(lambda _how: None)
    assert 0.13 <= session.receive(1, struct.pack(">BHH", 3, 13049, 1)).delay_s <= 0.53
    assert session.receive(1, struct.pack(">BHH", 4, 12999, 1)).delay_s == pytest.approx(0.03)
    assert twin.behaviour.link.refresh_s == (2.0, 5.0)


def test_a_second_client_takes_the_place_of_the_first():
    twin = simulated_twin("sungrow", lambda: 0.0)
    lost = []
    twin.open(lost.append)
    twin.open(lambda _how: None)
    assert (len(lost), twin.connections) == (1, 1)


def test_every_setting_is_one_that_is_used():
    for name in SETTINGS:
        assert bench(settings={name: "SBR160" if name == "pack" else "" if name == "absent" else 1})


def test_holding_registers_are_in_the_state():
    rows = [row for row in bench().twin.behaviour.bank.table if row.space is Space.HOLDING and row.numeric]
    assert {row.name for row in rows} == set(bench()["registers"])
