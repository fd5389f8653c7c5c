"""What a client sees of the simulated SUN2000: registers, refusals, identification, login."""

import hmac
import struct
from hashlib import sha256
from itertools import pairwise

import pytest
from samspel_huawei.twin.profile import facts
from samspel_sim.behaviour import HangUp, OptionError, TwinOptions
from samspel_sim.testing import Bench, refusal

ALARM_BITS = [(word, bit, row[bit]) for word, row in facts()["alarms"].items() for bit in range(16)]
FIELD_BLOCKS = [
    (30000, 83), (30211, 8), (30561, 45), (32000, 11), (32016, 48), (32066, 50), (37000, 23), (37046, 4),
    (37100, 38), (37101, 37),
    (37758, 30), (37760, 24), (38229, 13), (38452, 6), (40125, 3), (47075, 14), (47101, 6), (47415, 4),
    (47081, 7), (47246, 5),
]  # fmt: skip


def bench(**options):
    return Bench("huawei", TwinOptions(**options))


@pytest.mark.parametrize("model", list(facts()["models"]))
@pytest.mark.parametrize("path", ["sdongle", "wlan"])
def test_every_model_says_what_it_is(model, path):
    b = bench(model=model, path=path, seed=42)
    want = facts()["models"][model]
    assert (b.read("model_name"), b.read("serial_number")) == (model, "SIM000000042")
    assert b.read("model_id") == want["id"]
    assert (b.read("rated_power"), b.read("max_active_power")) == (want["rated_w"], want["pmax_w"])
    assert 1 <= b.read("pv_string_count") <= 24
    assert b.read("bat1_product_model") == 2


@pytest.mark.parametrize("firmware", list(facts()["firmware"]))
def test_every_firmware_lacks_what_it_lacks(firmware):
    row = facts()["firmware"][firmware]
    model = "SUN2000-10KTL-M1" if row["family"] == "M1" else "SUN2000-20K-MB0"
    b = bench(model=model, firmware=firmware, settings={"units": 2})
    table = b.twin.behaviour.bank.table
    assert b.read("firmware_version") == firmware
    assert not [name for name in row["absent"] if name in table]
    assert all(name in {entry.name for entry in every_register()} for name in row["absent"])


def every_register():
    from samspel_huawei.twin.profile import HERE  # noqa: PLC0415
    from samspel_sim.registers import read_csv  # noqa: PLC0415

    return read_csv(HERE / "registers.csv")


def test_names_in_the_data_file_are_registers():
    names = {entry.name for entry in every_register()}
    data = facts()
    assert {*data["ranges"], *data["defaults"], *data["persistence"]["volatile"]} <= names


def test_every_readable_register_reads():
    b = bench(settings={"units": 2}, model="SUN2000-10KTL-M1")
    rows = [row for row in b.twin.behaviour.bank.table if row.readable]
    assert len(rows) > 250
    for row in rows:
        b.read(row.name)


@pytest.mark.parametrize(("address", "count"), FIELD_BLOCKS)
def test_blocks_that_real_plants_give_in_one_piece(address, count):
    assert len(bench().words(address, count)) == count


@pytest.mark.parametrize(("address", "count"), [(29999, 2), (31500, 1), (37700, 10), (48089, 1), (40200, 1), (0, 10)])
def test_what_is_not_there_gets_exception_2(address, count):
    assert refusal(bench().words, address, count) == 2


def test_a_second_storage_unit_reads_where_there_is_one():
    b = bench(settings={"units": 2})
    assert b.read("bat2_serial") != b.read("bat1_serial")
    b.house(0, 4000)
    b.wait(20)
    assert b.read("bat1_power") + b.read("bat2_power") == pytest.approx(b.read("storage_power"), abs=2)
    assert b.read("bat2_power") < -1900


@pytest.mark.parametrize("unit", [0, 2, 11])
def test_other_units_are_silent(unit):
    with pytest.raises(TimeoutError):
        bench().words(30000, 15, unit=unit)


def test_the_dongle_answers_at_100_with_its_own_sign():
    b = bench()
    b.twin.set({"pv_power_w": 6000, "load_power_w": 500, "soc_pct": 100})
    b.wait(20)
    assert b.read("model_name", 100) == "SDongleA-05"
    assert b.read("sdongle_search_status", 100) == 0
    assert b.read("sdongle_grid_power", 100) == pytest.approx(-5500, abs=20)
    assert b.read("meter_active_power") == pytest.approx(5500, abs=20)


def test_there_is_no_dongle_on_the_inverters_own_wlan():
    with pytest.raises(TimeoutError):
        bench(path="wlan").words(37411, 1, unit=100)


def test_signs_of_charging_and_of_an_inverter_that_draws():
    b = bench()
    b.house(0, 300)
    b.write(forcible_charge_power=2000, forced_period=60, forcible_command=1)
    b.wait(60)
    assert b.read("storage_power") == b.read("bat1_power") == pytest.approx(2000, abs=5)
    assert b.read("active_power") == pytest.approx(-2000, abs=5)
    assert b.read("meter_active_power") == pytest.approx(-2300, abs=10)
    assert b.read("storage_bus_current") > 0


def test_32_bit_values_have_the_high_word_first():
    assert bench(model="SUN2000-25K-MB0").words(30073, 2) == (0, 25000)
    b = bench()
    b.house(0, 100)
    b.wait(10)
    assert b.words(37001, 2)[0] == 0xFFFF


def test_rubbish_after_the_text_where_a_firmware_leaves_it():
    words = bench(model="SUN2000-20K-MB0").words(30000, 15)
    assert struct.pack(">15H", *words).startswith(b"SUN2000-20K-MB0\0XYZ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("charge_cutoff_soc", 89), ("discharge_cutoff_soc", 21), ("forced_period", 1441), ("forcible_command", 3),
        ("forcible_mode", 2), ("storage_working_mode_setting", 9), ("active_power_percent", 101),
        ("grid_charge_power", 5001), ("active_power_fixed_w", 11001), ("time_zone", 900),
    ],
)  # fmt: skip
def test_values_out_of_range_get_exception_4_and_change_nothing(name, value):
    b = bench()
    before = b.read(name)
    assert refusal(lambda: b.write(**{name: value})) == 4
    assert b.read(name) == before


@pytest.mark.parametrize("pdu", ["06b88f0001", "10b88f0001020001", "06916a0001", "06753a0001"])
def test_half_values_and_read_only_registers_cannot_be_written(pdu):
    assert refusal(bench().ask, bytes.fromhex(pdu)) == 2


def test_single_registers_take_function_6_too():
    b = bench()
    assert b.ask(bytes.fromhex("06b7eb0005")) == bytes.fromhex("06b7eb0005")
    assert b.read("forced_period") == 5


def test_measurements_are_two_to_three_seconds_old():
    b = bench()
    changes, last = [], b.read("storage_power")
    b.twin.set({"pv_power_w": 0})
    for tick in range(600):
        now = b.wait(0.1).read("storage_power")
        if now != last:
            changes.append(tick * 0.1)
            last = now
    gaps = [later - sooner for sooner, later in pairwise(changes)]
    assert len(gaps) > 10
    assert min(gaps) >= 1.9
    assert sorted(gaps)[len(gaps) // 2] <= 3.1


def test_the_peak_of_the_day_is_kept_between_two_measurements():
    b = bench()
    b.twin.set({"pv_power_w": 8000.0})
    b.wait(60)
    b.house(0.0, 0.0)
    b.wait(60)
    assert b.read("active_power") < 100
    assert b.read("peak_active_power_today") == round(b.twin.behaviour.peak_ac_w) > 500


@pytest.mark.parametrize(("word", "bit", "alarm"), ALARM_BITS)
def test_each_alarm_has_its_bit(word, bit, alarm):
    b = bench()
    b.twin.set({"alarms": [alarm]})
    b.wait(4)
    words = [int(b.read(f"alarm_{number}")) for number in (1, 2, 3)]
    assert words == [1 << bit if str(number) == word else 0 for number in (1, 2, 3)]


def test_there_are_48_alarms():
    assert len({alarm for _, _, alarm in ALARM_BITS}) == 48


# -- identification ----------------------------------------------------------------------------


def objects(answer):
    assert answer[:3] == bytes([0x2B, 0x0E, answer[2]])
    found, rest = {}, answer[7:]
    for _ in range(answer[6]):
        found[rest[0]] = rest[2 : 2 + rest[1]]
        rest = rest[2 + rest[1] :]
    assert rest == b""
    return found


@pytest.mark.parametrize("unit", [0, 1, 100])
def test_basic_identification(unit):
    got = objects(bench().ask(bytes([0x2B, 0x0E, 1, 0]), unit))
    assert got[0] == b"HUAWEI"
    assert got[1] == b"SUN2000" or unit == 100


def test_the_device_list():
    got = objects(bench(seed=9).ask(bytes([0x2B, 0x0E, 3, 0x87])))
    assert got[0x87] == b"\x02"
    fields = dict(entry.split(b"=") for entry in got[0x88].split(b";"))
    assert (fields[b"1"], fields[b"4"], fields[b"5"]) == (b"SUN2000-10KTL-M1", b"SIM000000009", b"1")
    assert not got[0x88].endswith(b";")


@pytest.mark.parametrize(("pdu", "code"), [("2b0d0100", 1), ("2b0e0900", 3), ("2b0e0380", 2), ("2b0e01", 3)])
def test_wrong_identification_requests(pdu, code):
    assert refusal(bench().ask, bytes.fromhex(pdu)) == code


# -- login -------------------------------------------------------------------------------------


class Client:
    """A connection over the inverter's own WLAN."""

    def __init__(self, b):
        self.b, self.session = b, b.twin.open(lambda _how: None)

    def ask(self, pdu):
        return self.session.receive(0, pdu).pdu

    def log_in(self, password="00000a", user=b"installer"):  # noqa: S107 - the maker's default
        challenge = self.ask(bytes([0x41, 0x24, 1, 0]))
        assert challenge[:3] == bytes([0x41, 0x24, 17])
        mine = bytes(range(16))
        proof = hmac.digest(sha256(password.encode()).digest(), challenge[3:19], sha256)
        content = mine + bytes([len(user)]) + user + bytes([len(proof)]) + proof
        answer = self.ask(bytes([0x41, 0x25, len(content)]) + content)
        if answer[3] == 0:
            assert answer[5:] == hmac.digest(sha256(password.encode()).digest(), mine, sha256)
        return answer[3] == 0

    def write(self):
        return self.ask(bytes.fromhex("06b7eb0005"))


DENIED, DONE = b"\x86\x80", bytes.fromhex("06b7eb0005")


def test_writes_need_the_login_and_reads_do_not():
    client = Client(bench(path="wlan"))
    assert client.ask(struct.pack(">BHH", 3, 30000, 15))[0] == 3
    assert client.write() == DENIED
    assert client.log_in()
    assert client.write() == DONE


@pytest.mark.parametrize("wrong", [{"password": "12345"}, {"user": b"nobody"}])
def test_a_wrong_login_is_refused(wrong):
    client = Client(bench(path="wlan"))
    assert not client.log_in(**wrong)
    assert client.write() == DENIED


def test_a_proof_without_a_challenge_is_refused():
    b = bench(path="wlan")
    proof = hmac.digest(sha256(b"00000a").digest(), bytes(16), sha256)
    content = bytes(16) + b"\x09installer" + bytes([len(proof)]) + proof
    assert b.ask(bytes([0x41, 0x25, len(content)]) + content)[3] == 1


def test_a_login_belongs_to_its_connection():
    b = bench(path="wlan", settings={"clients": 2})
    first, second = Client(b), Client(b)
    assert first.log_in()
    assert (first.write(), second.write()) == (DONE, DENIED)


def test_a_login_dies_without_its_heartbeat():
    b = bench(path="wlan")
    client = Client(b)
    client.log_in()
    for _ in range(6):
        b.wait(15)
        assert client.ask(bytes.fromhex("06c34f0001")) == bytes.fromhex("06c34f0001")
    assert client.write() == DONE
    b.wait(31)
    assert client.write() == DENIED


@pytest.mark.parametrize(("firmware", "code"), [("V100R001C00SPC172", 0x80), ("V100R001C00SPC174", 0x02)])
def test_the_code_of_a_denial_depends_on_the_firmware(firmware, code):
    assert Client(bench(path="wlan", firmware=firmware)).write() == bytes([0x86, code])


def test_through_the_dongle_no_login_is_needed_unless_set():
    b = bench()
    b.write(forced_period=5)
    assert refusal(lambda: bench(settings={"login": 1}).write(forced_period=5)) == 0x80


@pytest.mark.parametrize("pdu", ["41", "412401", "41250100", "4199010000", "412502ff00"])
def test_wrong_login_requests(pdu):
    assert bench(path="wlan").twin.handle(0, bytes.fromhex(pdu))[0] == 0xC1


# -- the meter and the choices -----------------------------------------------------------------


def test_without_its_meter_it_hangs_up_on_371xx():
    b = bench()
    b.twin.set({"meter_online": False})
    b.wait(4)
    assert b.read("meter_status") == 0
    assert b["alarms"] == [2067]
    for address, count in ((37101, 2), (37100, 38), (37138, 1)):
        with pytest.raises(HangUp):
            b.words(address, count)
    assert len(b.words(37200, 2)) == len(b.words(37068, 2)) == 2
    b.twin.set({"meter_online": True})
    assert b.wait(4).read("meter_status") == 1
    assert len(b.words(37100, 38)) == 38


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"model": "SUN2000-99KTL"}, "no model 'SUN2000-99KTL'; there are SUN2000-3KTL-M1"),
        ({"firmware": "V9"}, "no firmware 'V9' for M1; there are V100R001C00SPC147"),
        ({"path": "radio"}, "no path 'radio'; there are sdongle, wlan"),
        ({"settings": {"units": 3}}, "1 or 2 storage units"),
        ({"settings": {"colour": 1}}, "no setting 'colour'; there are units"),
    ],
)
def test_choices_that_there_are_not(options, sentence):
    with pytest.raises(OptionError, match=sentence):
        bench(**options)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"alarms": [1]}, "alarms wants a list of alarm ids"),
        ({"meter_online": 1}, "meter_online wants true or false"),
        ({"storage_status": 9}, "storage_status wants 0..4 or null"),
        ({"grid_frequency_hz": 500}, "grid_frequency_hz wants a number in 45..55"),
    ],
)
def test_brand_values_that_cannot_be_set(values, sentence):
    with pytest.raises(OptionError, match=sentence):
        bench().twin.set(values)


def test_brand_values_that_can_be_set():
    b = bench()
    b.twin.set({"grid_frequency_hz": 49.87, "grid_voltage_v": 241.5, "storage_status": 3})
    b.wait(4)
    assert b.read("grid_frequency") == pytest.approx(49.87)
    assert b.read("phase_a_voltage") == pytest.approx(241.5)
    assert (b.read("storage_status"), b.read("storage_max_charge_power")) == (3, 0)
