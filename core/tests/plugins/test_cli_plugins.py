"""`samspel plugins list|check|show`, over really installed toys."""

import json

import pytest
from samspel.cli import main


@pytest.fixture
def run(toys, capsys, monkeypatch):
    """The program, on a wide terminal."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("samspel.logs.configure", lambda *_, **__: None)

    def call(*argv):
        code = main(["plugins", *argv])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def mixed(toys):
    toys.driver("good")
    toys.driver("bad", "raise ValueError('boom [red]')")
    toys.extension("extra")
    return toys


def test_list_shows_every_row_with_its_failure_and_exits_0(mixed, run):
    code, out, err = run("list")
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["kind", "name", "distribution", "version", "health", "stage", "error"]
    assert lines[1] == ["driver", "bad", "toy-bad", "1.0", "failed", "import", "ValueError:", "boom", "[red]"]
    assert lines[2] == ["driver", "good", "toy-good", "1.0", "ok"]
    assert lines[3] == ["extension", "extra", "toy-extra", "1.0", "ok"]


def test_without_a_subcommand_it_lists(mixed, run):
    assert run() == run("list")


def test_list_json_is_json_and_nothing_else(mixed, run):
    code, out, err = run("list", "--json")
    assert (code, err) == (0, "")
    rows = {row["name"]: row for row in json.loads(out)["plugins"]}
    assert rows["bad"] == {
        "kind": "driver",
        "name": "bad",
        "dist": "toy-bad",
        "version": "1.0",
        "health": "failed",
        "stage": "import",
        "error": "ValueError: boom [red]",
    }
    assert rows["good"]["health"] == "ok"


def test_a_plugin_that_prints_does_not_spoil_the_json(toys, run):
    toys.driver("loud", "print('hello from a plugin')")
    _, out, err = run("list", "--json")
    assert json.loads(out)["plugins"][0]["health"] == "ok"
    assert "hello from a plugin" in err


def test_strict_makes_list_fail(mixed, run, monkeypatch):
    monkeypatch.setenv("SAMSPEL_STRICT_PLUGINS", "1")
    assert run("list")[0] == 1


def test_nothing_installed_says_what_to_look_for(toys, run):
    code, out, _ = run("list")
    assert code == 0
    assert "samspel-BRAND" in out
    assert json.loads(run("list", "--json")[1]) == {"plugins": []}


def test_check_exits_1_if_anything_is_unhealthy(mixed, run):
    assert run("check")[0] == 1
    assert run("check", "bad")[0] == 1
    assert run("check", "good")[0] == 0
    assert [row["name"] for row in json.loads(run("check", "bad", "--json")[1])["plugins"]] == ["bad"]


def test_check_of_what_is_healthy_or_disabled_exits_0(mixed, run, monkeypatch):
    monkeypatch.setenv("SAMSPEL_DISABLED_PLUGINS", "bad")
    code, out, _ = run("check")
    assert code == 0
    assert "disabled" in out


def test_an_unknown_name_is_a_sentence(mixed, run):
    code, out, err = run("check", "nope")
    assert (code, out) == (2, "")
    assert err == "samspel: no plugin 'nope' is installed; there are: bad, extra, good\n"


def test_a_narrow_terminal_gets_blocks_and_loses_nothing(mixed, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "38")
    _, out, _ = run("list")
    assert "name: bad" in out
    assert "error: ValueError: boom [red]" in out


def test_show_says_what_a_driver_rests_on(toys, run):
    toys.driver("acme")
    code, out, err = run("show", "acme")
    assert (code, err) == (0, "")
    for words in [
        "Acme toys: driver 'acme' of toy-acme 1.0, contract 1.0: ok",
        "ROCKET-*",
        "acme, rocket",
        "toy sheet",
        "document",
        "low (off)",
        "route wild (discharge)",
        "toy-map: rumour",
    ]:
        assert words in out


def test_show_json(toys, run):
    toys.driver("acme")
    code, out, _ = run("show", "acme", "--json")
    facts = json.loads(out)
    assert code == 0
    assert facts["plugin"]["health"] == "ok"
    assert (facts["models"], facts["words"], facts["paths"]) == (["ROCKET-*"], ["acme", "rocket"], ["lan"])
    assert {one["route"]["name"]: (one["off"], one["route"]["evidence"]) for one in facts["routes"]} == {
        "forced": (False, "document"),
        "wild": (True, "inferred"),
    }
    (shown,) = facts["maps"]
    assert (shown["id"], shown["version"], shown["firmware"], shown["off"]) == ("toy-map", "3", ["1..2"], ["rumour"])
    assert len(shown["digest"]) == 64


def test_show_still_shows_the_data_of_a_driver_whose_code_is_broken(toys, run):
    toys.driver("acme", "raise ValueError('boom')")
    code, out, _ = run("show", "acme")
    assert code == 1
    assert "import: ValueError: boom" in out
    assert "toy-map" in out


def test_show_of_a_driver_without_data_is_a_sentence(toys, run):
    toys.driver("acme", driver=None)
    code, out, err = run("show", "acme")
    assert (code, out) == (2, "")
    assert "driver 'acme' of toy-acme 1.0 cannot be used (manifest)" in err


def test_show_is_for_drivers(mixed, run):
    assert "there are: bad, good" in run("show", "extra")[2]
