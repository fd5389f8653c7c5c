"""The engine: time, connections, requests, write log, what can be set."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel_sim.behaviour import HangUp, Ignored, OptionError, Refused
from samspel_sim.twin import Close

READ_POWER = struct.pack(">BHH", 3, 10, 2)


def write_power(power_w):
    return struct.pack(">BHHBi", 16, 10, 2, 4, power_w)


def connect(twin, closed=None):
    return twin.open((closed if closed is not None else []).append)


def test_read_and_write_without_a_connection(make_toy):
    twin = make_toy()
    assert twin.handle(1, write_power(-700)) == bytes.fromhex("10000a0002")
    assert twin.handle(1, READ_POWER) == struct.pack(">BBi", 3, 4, -700)


def test_input_and_holding_registers_are_two_spaces(make_toy):
    twin = make_toy()
    assert twin.handle(1, struct.pack(">BHH", 4, 10, 1)) == bytes.fromhex("0402") + struct.pack(">H", 650)
    assert twin.handle(1, struct.pack(">BHH", 4, 12, 1)) == b"\x84\x02"


@pytest.mark.parametrize(
    ("request_hex", "answer_hex"),
    [
        ("0300090001", "8302"),  # no such register
        ("030000000000", "8303"),  # malformed
        ("0300000000", "8303"),  # nothing asked
        ("06000a0001", "8602"),  # half of a 32-bit value
        ("0600140001", "8602"),  # read only
        ("10000a0001020001", "9002"),  # half of a 32-bit value
        ("06000c000a", "8604"),  # refused by the brand
        ("06000c0003", "06000c0003"),
        ("2b0e0100", "ab01"),
    ],
)
def test_answers(make_toy, request_hex, answer_hex):
    assert make_toy().handle(1, bytes.fromhex(request_hex)) == bytes.fromhex(answer_hex)


def test_holding_registers_may_be_read_more_slowly_than_the_rest(make_toy):
    session = connect(make_toy(answer_s=0.02, holding_read_s=(0.1, 0.5)))
    assert 0.12 <= session.receive(1, READ_POWER).delay_s <= 0.52
    assert session.receive(1, struct.pack(">BHH", 4, 10, 1)).delay_s == 0.02
    assert session.receive(1, write_power(1)).delay_s == 0.02


def test_a_read_that_the_brand_refuses_gets_its_code_be_it_zero(make_toy, monkeypatch):
    twin = make_toy()
    monkeypatch.setattr(twin.behaviour, "before_read", raising(Refused(0)))
    assert twin.handle(1, READ_POWER) == b"\x83\x00"


def test_a_write_that_the_brand_ignores_is_acknowledged_and_not_stored(make_toy, monkeypatch):
    twin = make_toy()
    monkeypatch.setattr(twin.behaviour, "check_write", raising(Ignored()))
    assert twin.handle(1, bytes.fromhex("06000c0003")) == bytes.fromhex("06000c0003")
    assert twin.behaviour.banks[1].raw("mode") == 0
    assert [entry["result"] for entry in twin.writes] == ["ignored"]


def raising(error):
    def hook(*_arguments):
        raise error

    return hook


def test_a_block_write_spans_registers_or_does_nothing(make_toy):
    twin = make_toy()
    assert twin.handle(1, struct.pack(">BHHBiH", 16, 10, 3, 6, 500, 99)) == b"\x90\x04"
    assert twin.handle(1, READ_POWER) == struct.pack(">BBi", 3, 4, 0)
    assert twin.handle(1, struct.pack(">BHHBiH", 16, 10, 3, 6, 500, 2)) == bytes.fromhex("10000a0003")
    assert [(entry["name"], entry["result"]) for entry in twin.writes] == [
        ("power+mode", "exception 4"),
        ("power+mode", "ok"),
    ]


def test_an_unknown_unit_is_silence(make_toy):
    twin = make_toy()
    for request in (READ_POWER, b"\x03", b"\x2b\x0e\x01\x00", b""):
        assert twin.handle(2, request) is None


def test_no_request_breaks_it(make_toy):
    twin = make_toy()

    @given(st.binary(max_size=20), st.integers(0, 3))
    def try_it(pdu, unit):
        answer = twin.handle(unit, pdu)
        assert answer is None or answer[0] & 0x7F == pdu[0] & 0x7F

    try_it()


def test_time_catches_up_with_the_clock(make_toy, hand):
    twin = make_toy()
    twin.handle(1, write_power(3600))
    hand.now_s += 60
    assert twin.state()["time_s"] == pytest.approx(60)
    assert twin.behaviour.home.battery.discharged_wh == pytest.approx(60, rel=0.01)


def test_speed_runs_the_physics_faster(make_toy, hand):
    twin = make_toy(speed=10)
    hand.now_s += 6
    assert twin.state()["time_s"] == pytest.approx(60)


def test_history_does_not_depend_on_who_asks_when(make_toy, hand):
    often, once = make_toy(), make_toy()
    for _ in range(50):
        hand.now_s += 0.37
        often.state()
    assert often.state()["load_power_w"] == once.state()["load_power_w"]
    assert often.state()["soc_pct"] == once.state()["soc_pct"]


def test_measurements_refresh_in_their_rhythm(make_toy, hand):
    twin = make_toy(refresh_s=(2.0, 2.0))
    read_soc = struct.pack(">BHH", 4, 10, 1)
    hand.now_s += 0.3
    first = twin.handle(1, read_soc)
    twin.set({"soc_pct": 20})
    hand.now_s += 1.5
    assert twin.handle(1, read_soc) == first
    hand.now_s += 0.5
    assert twin.handle(1, read_soc) == bytes.fromhex("040200c8")


def test_what_nobody_can_read_is_not_measured(make_toy, hand, monkeypatch):
    twin, measured_at_s = make_toy(refresh_s=(1.0, 3.0)), []
    monkeypatch.setattr(twin.behaviour, "refresh", lambda: measured_at_s.append(twin.time_s))
    hand.now_s += 60
    twin.advance()
    assert len(measured_at_s) == 1
    assert measured_at_s[0] >= 57


def test_one_look_shows_what_many_would_have(make_toy, hand):
    read_meter = struct.pack(">BHH", 3, 20, 1)
    often, once = make_toy(refresh_s=(1.0, 3.0)), make_toy(refresh_s=(1.0, 3.0))
    for _ in range(20):
        for _ in range(37):
            hand.now_s += 0.1
            often.advance()
        assert often.handle(1, read_meter) == once.handle(1, read_meter)


# -- connections -------------------------------------------------------------------------------


def test_one_client_more_closes_the_oldest(make_toy):
    twin, closed = make_toy(clients=1), []
    connect(twin, closed)
    second = connect(twin)
    assert closed == [Close.ORDERLY]
    assert twin.connections == 1
    assert second.receive(1, READ_POWER).pdu is not None


def test_two_clients_where_two_are_allowed(make_toy):
    twin, closed = make_toy(clients=2), []
    connect(twin, closed)
    connect(twin, closed)
    assert (closed, twin.connections) == ([], 2)


def test_it_is_the_oldest_that_goes(make_toy):
    twin, first, second = make_toy(clients=2), [], []
    connect(twin, first)
    connect(twin, second)
    connect(twin)
    assert (first, second) == ([Close.ORDERLY], [])


def test_a_closed_session_makes_room(make_toy):
    twin = make_toy(clients=1)
    connect(twin).close()
    assert twin.connections == 0


def test_requests_too_soon_after_connecting_are_lost(make_toy, hand):
    session = connect(make_toy(connect_wait_s=1.5))
    hand.now_s += 1.4
    assert session.receive(1, READ_POWER).pdu is None
    hand.now_s += 0.2
    assert session.receive(1, READ_POWER).pdu is not None


def test_asking_too_fast_is_answered_with_busy(make_toy, hand):
    session = connect(make_toy(pace_s=0.05))
    answers = []
    for _ in range(5):
        hand.now_s += 0.01
        answers.append(session.receive(1, READ_POWER).pdu)
        session.answered()
    assert answers[-1] == b"\x83\x06"
    assert b"\x83\x06" not in answers[:-1]


def test_a_measured_pace_is_never_busy(make_toy, hand):
    session = connect(make_toy(pace_s=0.05))
    for _ in range(20):
        hand.now_s += 0.06
        assert session.receive(1, READ_POWER).pdu != b"\x83\x06"
        session.answered()


def test_a_device_may_hang_up_instead_of_answering(make_toy):
    twin = make_toy()
    twin.behaviour.hang_up_at = 11
    assert connect(twin).receive(1, READ_POWER).close is Close.ORDERLY
    with pytest.raises(HangUp):
        twin.handle(1, READ_POWER)


# -- from outside ------------------------------------------------------------------------------


def test_state_tells_the_truth_and_balances(make_toy, hand):
    twin = make_toy()
    twin.set({"pv_power_w": 2000, "load_power_w": 500, "soc_pct": 40, "temperature_c": 31})
    twin.handle(1, write_power(-1000))
    hand.now_s += 1
    state = twin.state()
    assert state["battery_power_w"] == -1000
    assert state["grid_power_w"] == pytest.approx(500 - 2000 + 1000)
    assert state["soc_pct"] == pytest.approx(40, abs=0.1)
    assert state["temperature_c"] == pytest.approx(31, abs=0.1)
    (entry,) = state["write_log"]
    assert (entry["unit"], entry["function"], entry["address"]) == (1, 16, 10)
    assert (entry["name"], entry["values"], entry["result"]) == ("power", [0xFFFF, 0xFC18], "ok")


def test_pinned_powers_go_back_to_their_curve(make_toy, hand):
    twin = make_toy()
    twin.set({"load_power_w": 5000})
    twin.set({"load_power_w": None})
    hand.now_s += 1
    assert 300 < twin.state()["load_power_w"] < 900


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"nonsense": 1}, "nothing called 'nonsense'"),
        ({"soc_pct": 101}, r"soc_pct wants a number in 0\.\.100, not 101"),
        ({"soc_pct": "half"}, "soc_pct wants a number"),
        ({"soc_pct": True}, "soc_pct wants a number"),
        ({"registers": {"nobody": 1}}, "no numeric register 'nobody'"),
        ({"registers": {"mode": 70000}}, r"mode holds 0\.\.65535 raw, not 70000"),
        ({"registers": {"mode": "x"}}, "register mode wants a raw integer"),
        ({"registers": 5}, "registers wants an object"),
    ],
)
def test_what_cannot_be_set_is_refused_in_a_sentence(make_toy, values, sentence):
    with pytest.raises(OptionError, match=sentence):
        make_toy().set(values)


def test_registers_can_be_set_and_the_brand_is_told(make_toy):
    twin = make_toy()
    twin.set({"registers": {"power": -250}, "colour": "blue"})
    assert twin.state()["registers"] == {"power": -250}
