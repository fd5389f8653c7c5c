"""tools/find-python judges a candidate by running it, and says what to type when none will do."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "tools" / "find-python"
REAL = f'exec "{sys.executable}" "$@"'
NO_ENSUREPIP = f'case "$*" in *ensurepip*) exit 1 ;; esac\n{REAL}'
BASE = Path(sys._base_executable)


@pytest.fixture
def program(tmp_path):
    def write(name: str, body: str) -> str:
        path = tmp_path / "some folder" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return str(path)

    return write


def find(*candidates: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **variables}
    command = ["sh", str(SCRIPT), *candidates]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_shims_and_old_ones_are_passed_over(program):
    shim = program("python3.14", "echo 'python3.14: command not found' >&2; exit 127")
    old = program("python3.13", "echo 'Unknown option: -I' >&2; exit 2")
    liar = program("python3.12", "exit 1")
    good = program("python3", REAL)
    assert find(shim, old, liar, "/no/such/python", good).stdout.strip() == str(BASE)


def test_the_first_that_will_do_wins(program):
    assert find(program("python3.12", NO_ENSUREPIP), program("python3.11", REAL)).stdout.strip() == str(BASE)


def test_an_active_environment_is_looked_through():
    """`.venv` must not be built by a Python inside `.venv`."""
    assert sys.prefix != sys.base_prefix, "run the tests in an environment"
    assert find(sys.executable).stdout.strip() == str(BASE)


def test_hostile_variables_do_not_reach_the_candidates(program):
    hostile = dict.fromkeys(["PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV"], "/nowhere")
    assert find(program("python3", REAL), **hostile).stdout.strip() == str(BASE)


@pytest.mark.parametrize(
    ("name", "package"),
    [("python3", "python3-venv"), (BASE.name, f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")],
)
def test_a_missing_venv_prints_the_line_that_installs_it(program, name, package):
    result = find(program(name, NO_ENSUREPIP))
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1].strip() == f"sudo apt-get install {package}"


def test_nothing_at_all_prints_the_line_that_installs_one(program):
    result = find(program("python3", "exit 127"))
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].strip() == "sudo apt-get install python3 python3-venv"


def test_the_path_prefix_holds_a_folder_for_each_version(program):
    folder = Path(program("python3.13", "echo 3.13 $0")).parent
    program("python3.12", "echo 3.12 $0")
    program("python3.11", "exit 1")
    program("python3.14", "exit 127")
    prefix = find("--path", PATH=f"{folder}:/usr/bin:/bin").stdout
    assert prefix.startswith(f"{folder}:{folder}:")
    assert prefix.endswith(":")
