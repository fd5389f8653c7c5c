"""Every link misbehaviour acts while it is on and not when it is off; the list is closed."""

import struct

import pytest
from samspel_sim.misbehave import CATALOGUE, Misbehaviours, UnknownMisbehaviourError
from samspel_sim.twin import Close

READ = struct.pack(">BHH", 3, 10, 2)
WRITE = struct.pack(">BHHBi", 16, 10, 2, 4, 500)
SINGLE = struct.pack(">BHH", 6, 12, 3)
METER = struct.pack(">BHH", 3, 20, 1)


class Line:
    """A connection to a toy twin that can be told to misbehave."""

    def __init__(self, twin, hand):
        self.twin, self.hand, self.closed = twin, hand, []
        self.session = twin.open(self.closed.append)

    def ask(self, pdu, unit=1):
        self.hand.now_s += 1
        return self.session.receive(unit, pdu)


@pytest.fixture
def line(make_toy, hand):
    return Line(make_toy(clients=9), hand)


def test_busy(line):
    line.twin.misbehave("busy")
    assert line.ask(READ).pdu == b"\x83\x06"
    line.twin.misbehave("busy", False)
    assert line.ask(READ).pdu[0] == 3


def test_busy_for_a_share(line):
    line.twin.misbehave("busy", share=0.5)
    busy = sum(line.ask(READ).pdu == b"\x83\x06" for _ in range(200))
    assert 60 < busy < 140


def test_slow(line):
    line.twin.misbehave("slow", seconds=2.5)
    assert line.ask(READ).delay_s == 2.5
    line.twin.misbehave("slow", False)
    assert line.ask(READ).delay_s == 0


def test_mute_recovers_on_the_same_connection(line):
    line.twin.misbehave("mute")
    assert line.ask(READ).pdu is None
    line.twin.misbehave("mute", False)
    assert line.ask(READ).pdu is not None
    assert line.closed == []


def test_reset_drops_what_is_open_and_what_comes(line):
    line.twin.misbehave("reset")
    assert line.closed == [Close.RESET]
    later = Line(line.twin, line.hand)
    assert later.ask(READ).close is Close.RESET
    line.twin.misbehave("reset", False)
    assert Line(line.twin, line.hand).ask(READ).close is Close.NO


def test_half_open_connections_stay_dead_for_good(line):
    line.twin.misbehave("half_open")
    during = Line(line.twin, line.hand)
    line.twin.misbehave("half_open", False)
    assert line.ask(READ).pdu is None
    assert during.ask(READ).pdu is None
    assert line.closed == []
    assert Line(line.twin, line.hand).ask(READ).pdu is not None


def test_half_open_connections_are_not_closed_for_newer_ones(make_toy, hand):
    line = Line(make_toy(clients=1), hand)
    line.twin.misbehave("half_open")
    Line(line.twin, hand)
    line.twin.misbehave("half_open", False)
    assert Line(line.twin, hand).ask(READ).pdu is not None
    assert line.closed == []


def test_refuse_connections(line):
    line.twin.misbehave("refuse_connections")
    assert Line(line.twin, line.hand).session is None
    assert line.ask(READ).pdu is not None
    line.twin.misbehave("refuse_connections", False)
    assert Line(line.twin, line.hand).session is not None


def test_refuse_writes(line):
    line.twin.misbehave("refuse_writes", code=0x80)
    assert line.ask(WRITE).pdu == b"\x90\x80"
    assert line.ask(READ).pdu == struct.pack(">BBi", 3, 4, 0)
    line.twin.misbehave("refuse_writes", False)
    assert line.ask(WRITE).pdu[0] == 16


def test_wrong_echo(line):
    line.twin.misbehave("wrong_echo")
    assert line.ask(SINGLE).pdu == struct.pack(">BHH", 6, 12, 2)
    assert line.ask(WRITE).pdu == struct.pack(">BHH", 16, 10, 3)
    assert line.ask(READ).pdu == struct.pack(">BBi", 3, 4, 500)
    line.twin.misbehave("wrong_echo", False)
    assert line.ask(SINGLE).pdu == SINGLE


def test_answer_unit(line):
    line.twin.misbehave("answer_unit", unit=7)
    assert line.twin.reply_unit(1) == 7
    line.twin.misbehave("answer_unit", False)
    assert line.twin.reply_unit(1) == 1


def test_forget_acknowledges_and_keeps_the_old_value(line):
    line.twin.misbehave("forget", registers=["power"])
    assert line.ask(WRITE).pdu[0] == 16
    assert line.ask(READ).pdu == struct.pack(">BBi", 3, 4, 0)
    line.ask(SINGLE)
    assert line.twin.state()["mode"] == 3
    line.twin.misbehave("forget", False)
    line.ask(WRITE)
    assert line.ask(READ).pdu == struct.pack(">BBi", 3, 4, 500)


def test_stuck_freezes_measurements_only(line):
    line.twin.misbehave("stuck")
    before = line.ask(METER).pdu
    line.twin.set({"load_power_w": 5000, "pv_power_w": 0})
    line.hand.now_s += 60
    assert line.ask(METER).pdu == before
    line.ask(WRITE)
    assert line.ask(READ).pdu == struct.pack(">BBi", 3, 4, 500)
    line.twin.misbehave("stuck", False)
    line.hand.now_s += 60
    assert line.ask(METER).pdu != before


def test_second_master_writes_again_and_again(line):
    line.twin.misbehave("second_master", period_s=10.0, registers={"power": -900})
    line.hand.now_s += 1
    line.ask(WRITE)
    line.hand.now_s += 11
    assert line.ask(READ).pdu == struct.pack(">BBi", 3, 4, -900)
    line.twin.misbehave("second_master", False)
    line.ask(WRITE)
    line.hand.now_s += 30
    assert line.ask(READ).pdu == struct.pack(">BBi", 3, 4, 500)


def test_momentary_ones_happen_once_and_drop_connections(line):
    line.twin.misbehave("reboot")
    assert line.twin.behaviour.restarts == [None]
    assert line.closed == [Close.RESET]
    line.twin.misbehave("firmware", version="2.0")
    assert line.twin.behaviour.restarts == [None, "2.0"]
    assert line.twin.misbehaviours.on() == {}


def test_every_link_misbehaviour_has_a_test_here():
    links = {name for name, entry in CATALOGUE.items() if entry.link}
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert not {name for name in links if not any(test.startswith(name) for test in tested)}


@pytest.mark.parametrize(
    ("name", "parameters", "sentence"),
    [
        ("dance", {}, "no misbehaviour 'dance'; there are answer_unit, busy"),
        ("sleep", {}, "no misbehaviour 'sleep'"),  # on the list, but not this twin's
        ("slow", {"minutes": 1}, "slow has no parameter 'minutes'; it takes seconds"),
        ("mute", {"x": 1}, "it takes no parameters"),
        ("slow", {"seconds": "1"}, "slow.seconds takes a value like 1.0, not '1'"),
        ("busy", {"share": True}, "busy.share takes a value like"),
    ],
)
def test_the_list_is_closed(line, name, parameters, sentence):
    with pytest.raises(UnknownMisbehaviourError, match=sentence):
        line.twin.misbehave(name, **parameters)


def test_a_brand_cannot_invent_misbehaviours():
    with pytest.raises(UnknownMisbehaviourError, match="dance"):
        Misbehaviours(("dance",))


def test_the_readme_names_every_misbehaviour():
    from pathlib import Path  # noqa: PLC0415

    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert [name for name in CATALOGUE if f"| `{name}`" not in text] == []


# -- what a device makes of those that are on --------------------------------------------------


def device(name=None, **parameters):
    misbehaviours = Misbehaviours(name for name, entry in CATALOGUE.items() if not entry.link)
    if name:
        misbehaviours.set(name, True, parameters)
    return misbehaviours


def test_only_a_silent_night_is_silent():
    assert device("night").silent
    assert not device("night", silent=False).silent
    assert not device().silent


def test_sleep_and_fault_put_the_battery_out():
    assert [device(name).battery_out for name in (None, "sleep", "battery_fault", "night")] == [
        False,
        True,
        True,
        False,
    ]


def test_a_calibration_has_its_own_power():
    assert (device().calibration_w, device("calibration", watts=-700).calibration_w) == (None, -700.0)


def test_a_power_command_is_followed_as_far_as_the_misbehaviours_let_it():
    assert [device().followed_w(watts) for watts in (-3000, 0, 3000)] == [-3000, 0, 3000]
    clamped = device("clamp", watts=800)
    assert [clamped.followed_w(watts) for watts in (-3000, 500, 3000)] == [-800, 500, 800]
    clamped.set("reverse", True, {})
    assert [clamped.followed_w(watts) for watts in (-3000, 500, 3000)] == [800, -500, -800]


def test_another_device_gives_its_own_serial():
    assert (device().shown_serial("A"), device("other_serial", serial="B").shown_serial("A")) == ("A", "B")
