"""The CI script installs what is missing, leaves nothing out, fails with any failure, ends readably."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FAKE_MAKE = """echo "make $* require=$SAMSPEL_REQUIRE" >> "$CALLS"
[ "$1" = test ] || echo "py311-core: commands[0]> python -m pytest"
echo "===== 3 passed, 1 skipped in 0.10s ====="
echo "much more output"
[ "$1" = test ] || echo "  py311-core: OK (6.74=setup[2.13]+cmd[4.60] seconds)"
[ "$1" != "$FAILING" ]"""


@pytest.fixture
def run(tmp_path):
    """Run .ci/run with stand-ins for everything that it calls."""
    folder = tmp_path / "a checkout"
    (folder / ".ci").mkdir(parents=True)
    script = (ROOT / ".ci" / "run").read_text().replace("/usr/sbin:/usr/local/sbin", "/nowhere")
    (folder / ".ci" / "run").write_text(script)
    shutil.copy(ROOT / ".ci" / "closing_lines.awk", folder / ".ci")
    calls = tmp_path / "calls"
    calls.touch()
    programs = tmp_path / "programs"
    programs.mkdir()

    def program(name: str, body: str) -> None:
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)

    def start(*, mosquitto: bool, user: int = 0, failing: str = "") -> tuple[int, list[str], list[str]]:
        program("make", FAKE_MAKE)
        program("id", f"echo {user}")
        program("sudo", 'echo sudo >> "$CALLS"; exec "$@"')
        program("apt-get", f'echo "apt-get $*" >> "$CALLS"\ncp "{programs}/id" "{programs}/mosquitto"')
        if mosquitto:
            program("mosquitto", "")
        done = subprocess.run(
            ["bash", ".ci/run"],
            cwd=folder,
            env={"PATH": f"{programs}:/usr/bin:/bin", "CALLS": str(calls), "FAILING": failing, "CI": "true"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, calls.read_text().splitlines(), done.stdout.splitlines()

    return start


def test_both_makes_run_with_nothing_left_out(run):
    code, calls, said = run(mosquitto=True)
    assert code == 0
    assert calls == [
        "make test require=mosquitto,huawei-solar,sungrow-modbus",
        "make test-all require=mosquitto,huawei-solar,sungrow-modbus",
    ]
    assert said[-4:] == [
        "make test: ===== 3 passed, 1 skipped in 0.10s =====",
        "py311-core: ===== 3 passed, 1 skipped in 0.10s =====",
        "  py311-core: OK (6.74=setup[2.13]+cmd[4.60] seconds)",
        "6 passed, 0 failed, 2 skipped",
    ]


@pytest.mark.parametrize("failing", ["test", "test-all"])
def test_a_failure_is_a_failure_and_still_ends_readably(run, failing):
    code, calls, said = run(mosquitto=True, failing=failing)
    assert code != 0
    assert calls[-1].startswith(f"make {failing} ")
    assert said[-1].endswith(" passed, 0 failed, 1 skipped" if failing == "test" else ", 0 failed, 2 skipped")


def test_failures_and_errors_are_counted(tmp_path):
    log = tmp_path / "make test.log"
    log.write_text(
        "== 1 failed, 20 passed, 3 skipped, 2 warnings, 4 errors in 61.00s (0:01:01) ==\n"
        "== no tests ran in 0.01s ==\nNOT RUN: 3 tests need mosquitto, which is absent (install it)\n"
    )
    command = ["awk", "-f", str(ROOT / ".ci" / "closing_lines.awk"), str(log)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[-2:] == [
        "NOT RUN: 3 tests need mosquitto, which is absent (install it)",
        "20 passed, 5 failed, 3 skipped",
    ]


@pytest.mark.parametrize(("user", "sudos"), [(0, 0), (1000, 2)])
def test_an_absent_broker_is_installed(run, user, sudos):
    code, calls, _ = run(mosquitto=False, user=user)
    assert code == 0
    assert calls.count("sudo") == sudos
    assert any(call.startswith("apt-get install") and call.endswith("mosquitto") for call in calls)


def test_the_workflow_does_the_same_and_more():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert "run: bash .ci/run" in workflow
    assert "run: make coverage audit" in workflow
    assert "pip-audit --strict" in (ROOT / "tox.ini").read_text()
    coverage = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]
    assert coverage["report"]["fail_under"] >= 85
