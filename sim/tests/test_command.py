"""`samspel sim`, as far as it goes without a brand."""

import pytest
from samspel_sim.behaviour import OptionError
from samspel_sim.command import command
from samspel_sim.finder import find


def test_an_unknown_twin_is_named_with_those_installed(capsys):
    assert command(["nobody"]) == 2
    assert "no twin 'nobody' is installed; there are:" in capsys.readouterr().err
    with pytest.raises(OptionError, match="nobody"):
        find("nobody")


@pytest.mark.parametrize("arguments", [[], ["nobody", "--bogus"], ["nobody", "--soc", "200"], ["nobody", "--set", "x"]])
def test_wrong_arguments_exit_2_with_a_sentence(arguments, capsys):
    assert command(arguments) == 2
    assert "samspel sim:" in capsys.readouterr().err


def test_help(capsys):
    assert command(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(option in out for option in ("--model", "--firmware", "--port", "--unit", "--soc", "--seed", "--speed"))
