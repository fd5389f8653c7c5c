"""The help is there at once: it imports no command, and nothing that a command needs."""

import json
import re
import subprocess
import sys

import pytest
from samspel.cli.root import ELSEWHERE, OWN
from samspel.plugins.metadata import RESERVED_COMMANDS

HEAVY = {"paho", "pymodbus", "sqlite3", "asyncio", "samspel_sim", "pluggy", *(f"samspel.cli.{name}" for name in OWN)}


def modules_after(*argv: str) -> set[str]:
    """The modules that a process of its own has imported when the program returns."""
    code = (
        "import json, sys\n"
        "from samspel.cli import main\n"
        f"main({list(argv)!r})\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(ran.stderr.splitlines()[-1]))


def test_help_imports_nothing_heavy():
    imported = modules_after("--help")
    assert "samspel.cli.root" in imported
    assert not imported & {*HEAVY, "pydantic", "pydantic_settings", "rich"}


@pytest.mark.parametrize("argv", [[], ["--version"], ["no-such-command"]], ids=" ".join)
def test_finding_a_command_imports_no_command(argv):
    """Here the parser may bring its own means to judge values."""
    assert not modules_after(*argv) & HEAVY


def test_every_command_is_listed_with_its_line(samspel):
    ran = samspel("--help")
    assert (ran.code, ran.err) == (0, "")
    for name in [*OWN, *ELSEWHERE]:
        assert re.search(rf"^  {name} +\S", ran.out, re.MULTILINE)
    assert "2 usage" in ran.out


def test_without_a_command_the_help_is_shown(samspel):
    assert samspel() == samspel("--help")


def test_the_version(samspel):
    assert re.fullmatch(r"samspel \d+\.\d+\.\d+\n", samspel("--version").out)


def test_an_unknown_command_is_a_sentence_with_a_guess(samspel):
    ran = samspel("plugin")
    assert (ran.code, ran.out) == (2, "")
    assert "No such command 'plugin'" in ran.err
    assert "'plugins'" in ran.err


def test_an_unknown_option_of_a_command_is_a_sentence(samspel):
    ran = samspel("plugins", "list", "--jsn")
    assert (ran.code, ran.out) == (2, "")
    assert "--jsn" in ran.err
    assert "Traceback" not in ran.err


def test_the_help_of_a_command_comes_from_the_command(samspel):
    ran = samspel("plugins", "list", "--help")
    assert ran.code == 0
    assert "samspel plugins list [OPTIONS]" in ran.out


def test_our_own_names_are_reserved():
    assert set(OWN) == RESERVED_COMMANDS
