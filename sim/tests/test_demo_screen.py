"""The live picture fits every terminal, shows what matters, and the summary tells the truth."""

import io
import json

import pytest
from rich.console import Console
from samspel_sim.demo.chart import draw_chart
from samspel_sim.demo.inbox import Message
from samspel_sim.demo.picture import Picture
from samspel_sim.demo.record import Expectation
from samspel_sim.demo.screen import JsonScreen, LineScreen, LiveScreen, choose_screen
from samspel_sim.demo.summary import Summary, print_summary
from samspel_sim.demo.transcript import Difference, Line
from samspel_sim.demo.view import Sample, Watch

SIZES = [(60, 20), (80, 24), (120, 40), (30, 10)]


def telemetry(battery_w, **others):
    values = {"battery_power_w": battery_w, "soc_pct": 60.3, "grid_power_w": 3500.0, "pv_power_w": 100.0, **others}
    return Message(
        "telemetry", {"readings": {name: {"value": value, "quality": "good"} for name, value in values.items()}}
    )


def outcome(**fields):
    return Message("outcome", {"command_id": "c-1", **fields})


def status(phase, condition="online", *why):
    return Message("status", {"condition": condition, "why": why, "control": {"battery": phase}})


def fault(state, code="comms.device_lost"):
    detail = {"text": "the device does not answer"}
    return Message("fault", {"code": code, "state": state, "severity": "major", "detail": detail})


@pytest.fixture
def watch():
    made = Watch()
    made.scene("a scene whose name is longer than the narrowest of all terminals")
    made.take(status("controlling", "degraded", "clock", "device:battery"), 1.0)
    made.take(outcome(stage="written", target_power_w=-2000.0), 2.0)
    for at_s in range(2, 60, 2):
        made.take(telemetry(-50.0 * at_s, ac_power_w=-2500.0), float(at_s))
        made.take(outcome(stage="verified", verification="read_back", target_power_w=-2000.0), float(at_s))
    return made


def drawn(watch, columns, rows, now_s=60.0):
    console = Console(file=io.StringIO(), width=columns, height=rows, force_terminal=True, color_system=None)
    console.print(Picture({"one": watch.now}, lambda: now_s, 9), height=rows)
    return console.file.getvalue().replace("\x1b[0m", "").rstrip("\n").split("\n")


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_nothing_is_wider_or_higher_than_the_terminal(watch, columns, rows):
    console = Console(width=columns, height=rows)
    picture = Picture({"one": watch.now}, lambda: 60.0, 9)
    lines = list(picture.__rich_console__(console, console.options))
    assert len(lines) < rows
    assert max(line.cell_len for line in lines) <= columns


@pytest.mark.parametrize(("columns", "rows"), SIZES[:3])
def test_what_matters_is_seen(watch, columns, rows):
    watch.take(fault("raised"), 60.0)
    text = "\n".join(drawn(watch, columns, rows))
    for wanted in ("1/9", "1:00", "charging 2,900 W", "charge 2,000 W", "60.3 %", "import 3,500 W", "draws 2,500 W"):
        assert wanted in text
    for wanted in ("controlling", "degraded", "comms.device_lost", "c-1: verified"):
        assert wanted in text


def test_the_picture_keeps_its_height_whatever_happens(watch):
    before = drawn(watch, 80, 24)
    for code in ("comms.device_lost", "comms.meter_lost", "site.store"):
        watch.take(fault("raised", code), 61.0)
    watch.scene("another")
    assert len(drawn(watch, 80, 24)) == len(before)


def test_an_empty_view_can_be_drawn():
    assert any("starting" in line for line in drawn(Watch(), 80, 24, now_s=0.0))


def test_a_cleared_fault_is_gone(watch):
    watch.take(fault("raised"), 60.0)
    watch.take(fault("cleared"), 61.0)
    assert watch.now().faults == {}


def test_the_target_is_what_was_written_until_nobody_commands(watch):
    assert watch.now().target_w == -2000.0
    watch.take(outcome(stage="accepted", target_power_w=500.0), 60.0)
    assert watch.now().target_w == -2000.0
    watch.take(status("released"), 61.0)
    assert watch.now().target_w is None


def test_a_reading_without_a_value_keeps_the_last(watch):
    watch.take(Message("telemetry", {"readings": {"soc_pct": {"value": None, "quality": "invalid"}}}), 60.0)
    assert watch.now().readings["soc_pct"] == 60.3


def chart(samples, now_s=20.0, rows=6):
    return [line.plain for line in draw_chart(samples, now_s, 138, rows)]


def test_discharge_stands_above_zero_and_charge_hangs_below():
    up, down = chart([Sample(0.0, 2000.0, None)]), chart([Sample(0.0, -4000.0, None)])
    zero = next(row for row, line in enumerate(up) if "┼" in line)
    assert all("█" in line for line in up[: zero + 1])
    assert not any("█" in line for line in up[zero + 1 :])
    assert all("█" in line for line in down[zero + 1 :])
    assert not any("█" in line for line in down[: zero + 1])


def test_the_target_is_marked_in_its_row():
    lines = chart([Sample(0.0, 0.0, -4000.0)])
    assert "━" in lines[-1]
    assert not any("━" in line for line in lines[:-1])


def test_more_power_than_expected_still_fits():
    lines = chart([Sample(0.0, -9000.0, None)])
    assert len(lines) == 6
    assert float(lines[-1].split()[0]) <= -9000.0


def test_old_samples_scroll_out():
    samples = [Sample(0.0, 2000.0, None), Sample(2.0, 0.0, None)]
    assert any("█" in line for line in chart(samples))
    assert not any("█" in line for line in chart(samples, now_s=500.0))


RESULTS = [Expectation("one", "it moves", True, "2000 W"), Expectation("two", "it stops", False, "nothing came")]
SAID = [Line("charge 2000 W", ("accepted", "written")), Line("stop", ("written",))]
ALONE = Summary({"acme": RESULTS}, {"acme": SAID}, [])
BOTH = Summary(
    {"acme": RESULTS, "zeta": [RESULTS[0], Expectation("two", "it stops", True, "0 W")]},
    {"acme": SAID, "zeta": SAID},
    [],
)


def printed(summary, columns):
    console = Console(file=io.StringIO(), width=columns)
    print_summary(console, summary)
    return console.file.getvalue()


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_summary_counts_and_fits(columns):
    text = printed(ALONE, columns)
    assert "1 of 2 expectations met" in text
    assert "NO  it stops" in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= columns


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_several_homes_share_a_line(columns):
    text = printed(BOTH, columns)
    assert "marks: acme, zeta" in text
    assert "ok  ok  it moves" in text
    assert "NO  ok  it stops" in text
    assert "acme: nothing came" in text
    assert "3 of 4 expectations met" in text
    assert "all: accepted, written" in text
    assert "cannot be told apart by what they say" in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= columns


@pytest.mark.parametrize(("because", "verdict"), [("verify differs", "(verify differs)"), ("", "NOTHING EXPLAINS IT")])
def test_a_difference_is_shown_with_what_explains_it(because, verdict):
    different = Difference("stop", {"acme": ("written",), "zeta": ()}, because)
    summary = Summary(BOTH.results, BOTH.said, [different])
    text = printed(summary, 120)
    assert "zeta: nothing" in text
    assert verdict in text
    assert bool(summary.unexplained) is not bool(because)


def test_all_met_and_nothing_unexplained_is_ok():
    good = {"acme": [RESULTS[0]], "zeta": [RESULTS[0]]}
    assert Summary(good, {}, []).ok
    assert not Summary(good, {}, [Difference("stop", {}, "")]).ok
    assert Summary(good, {}, [Difference("stop", {}, "verify differs")]).ok
    assert not Summary({"acme": RESULTS}, {}, []).ok


def test_json_lines_are_json(capsys):
    screen = JsonScreen()
    screen.scene("acme", "one")
    screen.message("acme", outcome(stage="written"))
    screen.message("acme", telemetry(5.0))
    screen.message("acme", fault("raised"))
    screen.summary(ALONE)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    keys = [sorted(line.keys() - {"at_s", "home"}) for line in lines]
    assert keys == [["scene"], ["outcome"], ["fault"], ["differences", "ok", "summary", "transcript"]]
    assert [line.get("home") for line in lines] == ["acme", "acme", "acme", None]
    assert lines[-1]["ok"] is False
    first = {"home": "acme", "scene": "one", "expected": "it moves", "met": True, "seen": "2000 W"}
    assert lines[-1]["summary"][0] == first
    assert lines[-1]["transcript"]["acme"][1] == {"command": "stop", "said": ["written"]}


def test_a_log_gets_lines():
    console = Console(file=io.StringIO(), width=80)
    screen = choose_screen(console, ["acme", "bo"], as_json=False)
    assert isinstance(screen, LineScreen)
    screen.scene("acme", "one")
    screen.message("bo", outcome(stage="written", target_power_w=5.0))
    screen.message("bo", telemetry(5.0))
    text = console.file.getvalue()
    assert "acme ── one" in text
    assert "bo      c-1: written  5 W" in text
    assert "battery 5.0 W, 60.3 %" in text


def test_a_terminal_gets_the_picture_and_gets_itself_back():
    console = Console(file=io.StringIO(), width=80, height=24, force_terminal=True)
    screen = choose_screen(console, ["acme"], as_json=False)
    assert isinstance(screen, LiveScreen)
    screen.scene("acme", "one")
    screen.message("acme", telemetry(5.0))
    screen.summary(ALONE)
    screen.close()
    text = console.file.getvalue()
    assert text.index("\x1b[?1049h") < text.index("\x1b[?1049l") < text.index("1 of 2 expectations met")


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_three_homes_share_a_terminal(watch, columns, rows):
    console = Console(width=columns, height=rows)
    picture = Picture(dict.fromkeys(("acme", "bo", "zeta"), watch.now), lambda: 60.0, 9)
    lines = list(picture.__rich_console__(console, console.options))
    assert len(lines) < rows
    assert max(line.cell_len for line in lines) <= columns
    text = "\n".join(line.plain for line in lines)
    assert all(f" {home}: " in text for home in ("acme", "bo", "zeta"))
    assert text.count("charging 2,900 W") == 3 or rows <= 10
