"""What the shell does for every command: arguments, errors, exit codes."""

import sys
from typing import Annotated

import pytest
import typer
from samspel.cli import root
from samspel.cli.ending import guarded
from samspel.cli.output import ExitCode, exit_code_of
from samspel.cli.shell import typer_command
from samspel.contract import errors

app = typer.Typer(add_completion=False, rich_markup_mode=None)
seen: list[object] = []


@app.command("set-power")
def set_power(
    power_w: float,
    seconds: Annotated[float, typer.Option("--for")] = 1.0,
    verbose: Annotated[bool, typer.Option("-v")] = False,
) -> ExitCode:
    seen[:] = [power_w, seconds, verbose]
    return ExitCode.REFUSED if power_w > 9000 else ExitCode.OK


@app.command()
def other() -> None:
    raise typer.Exit(3)


command = typer_command(app, "samspel command")


@pytest.mark.parametrize("text", ["-1500", "-.5", "-1e3", "-0", "1500", "-12.25"])
def test_negative_numbers_are_arguments(text):
    assert command(["set-power", text]) == 0
    assert seen == [float(text), 1.0, False]


def test_negative_numbers_are_values_of_options_and_stand_beside_them():
    assert command(["set-power", "-v", "--for", "-60", "-1500"]) == 0
    assert seen == [-1500.0, -60.0, True]


def test_a_double_dash_still_ends_the_options():
    assert command(["set-power", "--", "-1500"]) == 0
    assert seen == [-1500.0, 1.0, False]


def test_a_number_that_is_none_is_a_sentence(capsys):
    assert command(["set-power", "-15x"]) == 2
    assert capsys.readouterr().err.endswith(". See `samspel command --help`.\n")


def test_the_exit_code_is_what_the_command_returns_or_raises():
    assert command(["set-power", "9001"]) == ExitCode.REFUSED
    assert command(["other"]) == 3


@pytest.fixture
def planted(monkeypatch):
    """The program with one more command, whose arguments and behaviour a test decides."""
    got: list[str] = []

    def plant(behaviour=lambda argv: 0):
        def fake(argv):
            got[:] = argv
            return behaviour(argv)

        monkeypatch.setattr(root, "_own", lambda name: fake)
        return got

    return plant


@pytest.mark.parametrize(
    "words",
    [["URL", "set-power", "-1500", "--for", "60"], ["--help"], ["--json", "-x=3", "a"], ["set-power", "--", "-1"]],
    ids=" ".join,
)
def test_a_command_gets_every_word_as_it_stands(planted, samspel, words):
    got = planted()
    assert samspel("command", *words).code == 0
    assert got == words


def raising(error):
    def behaviour(argv):
        raise error

    return behaviour


def test_an_error_of_ours_is_a_sentence_and_no_traceback(planted, samspel):
    planted(raising(errors.LinkDown("127.0.0.1:502 does not answer; is the inverter on?")))
    ran = samspel("read", "x")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == "samspel: 127.0.0.1:502 does not answer; is the inverter on?\n"


def test_debug_leaves_the_error_as_it_is(planted, samspel):
    planted(raising(errors.LinkDown("gone")))
    with pytest.raises(errors.LinkDown):
        samspel("--debug", "read", "x")


def test_a_defect_keeps_its_traceback(planted, samspel):
    planted(raising(ZeroDivisionError("defect")))
    with pytest.raises(ZeroDivisionError):
        samspel("read", "x")


def test_ctrl_c_is_130(planted, samspel):
    planted(raising(KeyboardInterrupt()))
    ran = samspel("run", "site.toml")
    assert (ran.code, ran.err) == (130, "samspel: interrupted\n")


EXIT_CODES = {
    errors.SamspelError: 1,
    errors.ConfigError: 2,
    errors.PluginError: 2,
    errors.StoreError: 1,
    errors.TransportError: 1,
    errors.BusError: 3,
    errors.DeviceRefused: 4,
    errors.DriverError: 4,
}


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_has_an_exit_code(name):
    kind = getattr(errors, name)
    expected = next(EXIT_CODES[base] for base in kind.__mro__ if base in EXIT_CODES)
    assert exit_code_of(kind.__new__(kind)) == expected


def test_a_command_that_is_not_installed_says_which_package_has_it(samspel, monkeypatch):
    monkeypatch.setattr(root.metadata, "offers", lambda *groups: [])
    ran = samspel("demo")
    assert (ran.code, ran.out) == (2, "")
    assert (
        ran.err == "samspel: `samspel demo` comes with samspel-sim, which is not installed: pip install samspel-sim\n"
    )


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """A distribution with a command `hello`, really installed in a folder on sys.path."""
    info = tmp_path / "toy_hello-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-hello\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[samspel.commands]\nhello = toy_hello:command\nread = toy_hello:command\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield (tmp_path / "toy_hello.py").write_text
    sys.modules.pop("toy_hello", None)


def test_another_distribution_can_bring_a_command(foreign, samspel):
    foreign("def command(argv):\n    print(argv)\n    return 4\n")
    assert "From toy-hello 1.0." in samspel("--help").out
    ran = samspel("hello", "-5", "--x")
    assert (ran.code, ran.out) == (4, "['-5', '--x']\n")


def test_nobody_takes_a_name_of_ours(foreign, planted, samspel):
    foreign("def command(argv):\n    return 99\n")
    got = planted()
    assert samspel("read", "x").code == 0
    assert got == ["x"]


@pytest.mark.parametrize("code", ["raise ValueError('boom')", "raise SystemExit(7)", "x = 1"])
def test_a_command_that_cannot_be_imported_is_a_sentence(foreign, samspel, code):
    foreign(code)
    ran = samspel("hello")
    assert (ran.code, ran.out) == (2, "")
    assert "command 'hello' of toy-hello 1.0 cannot be used (import)" in ran.err


def test_a_disabled_command_is_gone(foreign, samspel, monkeypatch):
    foreign("def command(argv):\n    return 0\n")
    monkeypatch.setenv("SAMSPEL_DISABLED_PLUGINS", "toy-hello")
    assert "hello" not in samspel("--help").out


def test_guarded_imports_inside_the_guard(capsys):
    def load():
        raise errors.PluginError("no", stage="import")

    assert guarded(load, []) == 2
    assert capsys.readouterr().err == "samspel: no\n"
