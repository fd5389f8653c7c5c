"""`samspel read`, `command` and `run` before they touch anything: usage, exit codes, what a check says."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from samspel import assembly
from samspel.by_hand import Ending
from samspel.cli import command
from samspel.cli.command import Verb
from samspel.contract.errors import NoAnswer
from samspel.control.state import Phase

URL = "modbus-tcp://127.0.0.1:1502?unit=1"

SITE = """
[site]
name = "home"
[mqtt]
url = "mqtt://127.0.0.1:1883"
[issuers]
dispatcher = ["fleet"]
[devices.battery]
driver = "acme"
url = "modbus-tcp://127.0.0.1:1502?unit=1"
"""


@pytest.mark.parametrize(
    "words",
    [
        ("read",),
        ("read", "http://127.0.0.1"),
        ("read", URL, "--driver", "acme"),
        ("read", URL, "--jsn"),
        ("command", URL, "set-power"),
        ("command", URL, "stop", 100),
        ("command", URL, "zero", -100),
        ("command", URL, "explode"),
        ("command", URL, "set-power", "-x"),
        ("command", URL, "set-power", "nan"),
        ("command", URL, "set-power", "inf"),
        ("command", URL, "zero", "--for", "nan"),
        ("command", URL, "zero", "--max-w", "nan"),
        ("command", URL, "zero", "--for", 0),
        ("command", URL, "zero", "--for", 3601),
        ("command", URL, "set-power", 1, "--soc-min", 101),
        ("run", "absent.toml"),
        ("run",),
    ],
    ids=lambda words: " ".join(map(str, words)),
)
def test_what_cannot_be_meant_is_a_sentence_and_2(samspel, words):
    ran = samspel(*words)
    assert (ran.code, ran.out) == (2, ""), ran
    assert ran.err.startswith("samspel")
    assert "Traceback" not in ran.err


@pytest.fixture
def site_file(tmp_path):
    path = tmp_path / "site.toml"
    path.write_text(SITE)
    return path


def test_check_names_a_driver_that_is_not_there(samspel, site_file):
    ran = samspel("run", site_file, "--check")
    assert (ran.code, ran.out) == (2, "")
    assert "acme" in ran.err


def test_check_shows_each_device_and_how_it_is_reached(samspel, site_file, monkeypatch):
    attached = {"battery": SimpleNamespace(path=SimpleNamespace(name="lan"))}
    monkeypatch.setattr(assembly, "check_site", lambda *_: attached)
    document = json.loads(samspel("run", site_file, "--check", "--json").out)
    assert document == {
        "site": "home",
        "devices": [{"device": "battery", "driver": "acme", "url": URL, "path": "lan"}],
    }
    table = samspel("run", site_file, "--check")
    assert table.code == 0
    assert ["battery", "acme", URL, "lan"] in [line.split() for line in table.out.splitlines()]


def test_run_says_which_folder_it_cannot_write(samspel, site_file, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SAMSPEL__SITE__DIRECTORY", str(tmp_path / "file" / "state"))
    ran = samspel("run", site_file)
    assert ran.code == 2
    assert "site.directory" in ran.err


def ending(end: str = "completed", *, delivered: bool = True, phase: Phase = Phase.RELEASED) -> Ending:
    return Ending(end, "", "", delivered, phase)


@pytest.mark.parametrize(
    ("verb", "how", "code"),
    [
        (Verb.SET_POWER, ending(), 0),
        (Verb.ZERO, ending(), 0),
        (Verb.SET_POWER, ending(delivered=False), 4),
        (Verb.SET_POWER, ending("refused"), 4),
        (Verb.SET_POWER, ending("failed"), 4),
        (Verb.SET_POWER, ending("interrupted", phase=Phase.FOREIGN), 4),
        (Verb.SET_POWER, ending(phase=Phase.RELEASING), 1),
        (Verb.RELEASE, ending(delivered=False), 0),
        (Verb.RELEASE, ending("superseded"), 4),
        (Verb.STOP, ending("held", phase=Phase.STOPPED), 0),
    ],
)
def test_how_a_command_ended_is_its_exit_code(samspel, monkeypatch, verb, how, code):
    async def command_it(*_, **__):
        return how

    monkeypatch.setattr(command, "_command", command_it)
    power = (-1500,) if verb is Verb.SET_POWER else ()
    assert samspel("command", URL, verb.value, *power, "--json").code == code


def test_a_silent_device_is_3(samspel, monkeypatch):
    async def command_it(*_, **__):
        raise NoAnswer("no end within 60 s")

    monkeypatch.setattr(command, "_command", command_it)
    ran = samspel("command", URL, "stop")
    assert (ran.code, ran.err) == (3, "samspel: no end within 60 s\n")
