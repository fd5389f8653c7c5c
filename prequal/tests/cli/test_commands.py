"""The program as one types it."""

import csv
import json

import pytest
from samspel_prequal.cli import main


def test_a_ramp_with_a_picture(tmp_path, capsys):
    out, picture = tmp_path / "signal.csv", tmp_path / "signal.png"
    assert main(["signal", "fcr-d-up", "ramp", "-o", str(out), "--plot", str(picture)]) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 10_500
    assert rows[0] == {"time_s": "0.0000", "frequency_hz": "49.900000"}
    assert rows[3000] == {"time_s": "300.0000", "frequency_hz": "49.500000"}
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "confidence high" in capsys.readouterr().err


def test_sines_are_one_file_a_period(tmp_path, capsys):
    assert main(["signal", "fcr-d-down", "sine", "-o", str(tmp_path / "s.csv"), "--rate", "5", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        f"s-{t}.csv" for t in (10, 15, 25, 40, 50, 60, 70)
    )
    assert said["signals"] == len(said["files"]) == 7
    assert said["duration_s"] == 2215


def test_one_sine_goes_to_standard_output(capsys):
    assert main(["signal", "fcr-n", "sine", "--period", "20", "--periods", "2", "--rate", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "time_s,frequency_hz"
    assert len(lines) == 41


def test_a_configured_profile(capsys):
    assert main(["signal", "afrr", "steps", "--set", "hold_s=2", "--set", "levels=0:0.5", "--rate", "1"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "time_s,setpoint_share", "0.0000,0.000000", "1.0000,0.000000", "2.0000,0.500000", "3.0000,0.500000",
    ]  # fmt: skip


def test_the_list_says_how_far_to_trust(capsys):
    assert main(["signal", "--list"]) == 0
    out = capsys.readouterr().out
    assert "fcr-d-up   ramp-combination" in out
    assert next(line for line in out.splitlines() if line.startswith("afrr")).endswith("[low confidence]")
    assert main(["signal", "mfrr", "--list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["quantity"] == "setpoint_share"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["signal", "fcr-n", "ramp"], 1, "fcr-n has no signal 'ramp'; it has step"),
        (["signal", "fcr-n", "sine", "--period", "20"], 1, "say how many periods"),
        (["signal", "fcr-n", "step", "--rate", "0"], 1, "above 0 Hz"),
        (["signal", "fcr-n", "sine"], 2, "say where with -o FILE.csv"),
        (["signal"], 2, "--list shows them all"),
        (["signal", "fcr-x"], 2, "fcr-x"),
        (["simulate", "--product", "fcr-n", "-o", "x", "--plant", "lagg=1"], 1, "'lagg=1': expected KEY=NUMBER"),
        (["simulate", "--product", "ffr", "-o", "x"], 1, "not ffr"),
        (["check", "absent_Fcrn.csv"], 1, "absent_Fcrn.csv"),
    ],
)
def test_what_is_wrong_is_said(arguments, code, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    assert says in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_simulate_and_check(tmp_path, capsys):
    folder = tmp_path / "logs"
    arguments = ["simulate", "--plant", "lag=0.5,delay=0.1", "--product", "fcr-d-up", "-o", str(folder), "--no-ler"]
    assert main([*arguments, "--resource", "BAT1", "--area", "SE4", "--rate", "10", "--compact", "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert len(files) == 9
    assert all("BAT1_FcrdUp_" in file and "_SE4_UTC_" in file for file in files)
    assert main(["check", *files, "--product", "fcr-d-up", "--rated-w", "10000"]) == 0
    assert capsys.readouterr().out.count("as it should be") == 9
    assert main(["check", files[0], "--product", "fcr-n", "--json"]) == 1
    problems = json.loads(capsys.readouterr().out)[0]["problems"]
    assert [(item["code"], item["severity"]) for item in problems] == [("service", "error")]


def test_help_names_the_commands(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("signal", "check", "simulate"))
