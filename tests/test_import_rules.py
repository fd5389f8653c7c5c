"""The import rules hold, and each of them bites: we break it in a copy and see it caught."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for path in ROOT.glob("**/src/samspel*") if not {".venv", ".tox", "examples"} & set(path.parts))
PLUGINS = sorted(path.name for path in SOURCES if path.parents[2].name == "plugins")

# rule (by its id in .importlinter), the module to plant, what it imports
CRIMES = [
    ("contract", "samspel.contract.planted", "pydantic"),
    ("contract", "samspel.contract.planted", "samspel.registers"),
    ("pure", "samspel.admission.planted", "pydantic"),
    ("pure", "samspel.control.planted", "samspel.store"),
    ("pure", "samspel.delivery.planted", "samspel.control"),
    ("pure", "samspel.faults.planted", "samspel.bus"),
    ("pure", "samspel.headroom.planted", "samspel.config"),
    ("pure", "samspel.programs.planted", "samspel.transport"),
    ("pure", "samspel.shaping.planted", "samspel.driver"),
    ("root", "samspel", "samspel.contract"),
    ("pymodbus", "samspel.driver.planted", "pymodbus"),
    ("pymodbus", "samspel_huawei.planted", "pymodbus"),
    ("pymodbus", "samspel_sim.planted", "pymodbus"),
    ("paho", "samspel.config.planted", "paho"),
    ("paho", "samspel_huawei.planted", "paho"),
    ("paho", "samspel_sim.demo.planted", "paho"),
    ("paho", "samspel_sim.planted", "paho"),
    ("core", "samspel.cli.planted", "samspel_huawei"),
    ("core", "samspel.cli.planted", "samspel_sim"),
    ("core", "samspel.cli.planted", "samspel_contract"),
    ("core", "samspel.store.planted", "pytest"),
    ("core", "samspel.store.planted", "hypothesis"),
    ("core", "samspel.store.planted", "requests"),
    ("sim", "samspel_sim.planted", "samspel.config"),
    ("sim", "samspel_sim.planted", "pytest"),
    ("plugin-huawei", "samspel_huawei.planted", "samspel_huawei.twin"),
    ("plugin-huawei", "samspel_huawei.planted", "samspel.bus"),
    ("plugin-huawei", "samspel_huawei.planted", "samspel_acme"),
    ("twin-huawei", "samspel_huawei.twin.planted", "samspel_huawei.planted"),
    ("second-reading", "samspel_sim.planted", "samspel.registers"),
    ("prequal", "samspel_prequal.planted", "samspel.control"),
    ("prequal", "samspel_prequal.planted", "samspel_sim"),
    ("plugin-sungrow", "samspel_sungrow.planted", "samspel_sungrow.twin"),
    ("plugin-sungrow", "samspel_sungrow.planted", "samspel.bus"),
    ("twin-sungrow", "samspel_sungrow.twin.planted", "samspel_sungrow.planted"),
    ("plugin-saj", "samspel_saj.planted", "samspel_saj.twin"),
    ("plugin-saj", "samspel_saj.planted", "samspel.bus"),
    ("twin-saj", "samspel_saj.twin.planted", "samspel_saj.planted"),
    ("second-reading", "samspel_huawei.twin.planted", "samspel.driver"),
    ("second-reading", "samspel_saj.twin.planted", "samspel.driver"),
    ("second-reading", "samspel_sungrow.twin.planted", "samspel.driver"),
    ("suite", "samspel_contract.planted", "samspel_huawei"),
]


def copy_sources(target: Path) -> None:
    for source in SOURCES:
        shutil.copytree(source, target / source.name, ignore=shutil.ignore_patterns("__pycache__", ".*_cache", "*.csv"))


def plant(target: Path, module: str, imported: str) -> None:
    path = target.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    with file.open("a", encoding="utf-8") as opened:
        opened.write(f"\nimport {imported}\n")


def lint_imports(target: Path) -> subprocess.CompletedProcess[str]:
    start = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    return subprocess.run(
        [*start, "--no-logo", "--no-cache", "--config", str(ROOT / ".importlinter")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(target), "COLUMNS": "300", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def rules() -> dict[str, str]:
    """The rules by id, each with its name."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    prefix = "importlinter:contract:"
    return {part.removeprefix(prefix): parser[part]["name"] for part in parser.sections() if prefix in part}


def sections(report: str) -> dict[str, str]:
    """The report's part on each broken rule, by rule id."""
    assert "Broken contracts" in report, report
    details = report.partition("Broken contracts")[2]
    found = {rule: details.find(f"\n{name}\n") for rule, name in rules().items()}
    starts = sorted(start for start in found.values() if start >= 0)
    ends = dict(zip(starts, [*starts[1:], len(details)], strict=True))
    return {rule: details[start : ends[start]] for rule, start in found.items() if start >= 0}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    target = tmp_path_factory.mktemp("broken")
    copy_sources(target)
    for _, module, imported in CRIMES:
        plant(target, module, imported)
    (target / "samspel_acme").mkdir()
    (target / "samspel_acme" / "__init__.py").touch()
    result = lint_imports(target)
    assert result.returncode == 1, result.stdout + result.stderr
    return sections(result.stdout)


def test_the_tree_keeps_every_rule(tmp_path):
    copy_sources(tmp_path)
    result = lint_imports(tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("rule", "module", "imported"), CRIMES)
def test_a_forbidden_import_is_caught(verdicts, rule, module, imported):
    lines = verdicts.get(rule, "")
    assert f"{module} -> {imported} (l." in lines, lines or f"rule {rule!r} was kept"


def test_an_indirect_import_is_caught(tmp_path):
    """The simulator may not reach the codecs through anything else either."""
    copy_sources(tmp_path)
    plant(tmp_path, "samspel_sim.planted", "samspel.config.bridge")
    plant(tmp_path, "samspel.config.bridge", "samspel.registers")
    found = sections(lint_imports(tmp_path).stdout)
    assert "samspel.config.bridge -> samspel.registers" in found["second-reading"]


def test_every_rule_has_its_crime():
    assert {rule for rule, _, _ in CRIMES} == rules().keys()


def test_every_package_of_the_workspace_is_judged():
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    assert set(parser["importlinter"]["root_packages"].split()) == {path.name for path in SOURCES}


@pytest.mark.parametrize("plugin", PLUGINS)
def test_every_plugin_has_its_rules(plugin):
    brand = plugin.removeprefix("samspel_")
    assert {f"plugin-{brand}", f"twin-{brand}"} <= rules().keys()
