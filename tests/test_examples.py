"""Third parties: a plugin as the scaffold writes it, and the example that was made from one, installed as a stranger's.

The whole suite takes a while and runs where the slow tests do; that everything loads is seen every time.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from samspel.scaffold import PluginName, new_plugin

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("samspel-*"))


@dataclass
class Installed:
    """A plugin on PYTHONPATH, with the metadata that its pyproject.toml asks for."""

    name: str
    environment: dict[str, str]
    folder: Path

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", f"from {program} import main; raise SystemExit(main())", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )


def install(source: Path, site: Path) -> Installed:
    """What an installer would leave in `site`: the package, and its .dist-info."""
    project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    requires = "".join(f"Requires-Dist: {requirement}\n" for requirement in project["dependencies"])
    head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(head + requires)
    groups = project["entry-points"].items()
    (info / "entry_points.txt").write_text(
        "".join(f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()) for group, keys in groups)
    )
    path = os.pathsep.join([str(site), str(source / "src")])
    [name] = project["entry-points"]["samspel.drivers"]
    return Installed(name, {**os.environ, "PYTHONPATH": path}, site)


@pytest.fixture(params=["acme", *EXAMPLES])
def plugin(request, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    if request.param == "acme":
        source, _ = new_plugin(PluginName("acme"), tmp_path)
    else:
        source = ROOT / "examples" / request.param
    return install(source, site)


def test_there_is_an_example():
    assert EXAMPLES


def test_it_is_healthy(plugin):
    done = plugin.run("samspel.cli", "plugins", "check", plugin.name, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(done.stdout)["plugins"]
    assert {(row["kind"], row["health"]) for row in rows} == {("driver", "ok"), ("twin", "ok")}


def test_its_twin_is_served_and_refuses_what_it_has_not(plugin):
    done = plugin.run("samspel_sim.command", plugin.name, "--model", "NO-SUCH-MODEL")
    assert done.returncode == 2
    assert "no model 'NO-SUCH-MODEL'; there are" in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_it_passes_the_whole_suite(plugin, tmp_path):
    done = plugin.run("samspel_contract.cli", "run", "--driver", plugin.name, "--report", str(tmp_path / "report.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["missing"] == []
    assert "expected_failure" not in report["outcomes"].values()


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_has_no_python_beyond_the_generated_lines(example, tmp_path):
    """Docstrings aside, which say what the brand is called."""
    folder = ROOT / "examples" / example
    generated, _ = new_plugin(PluginName(example.removeprefix("samspel-").replace("-", "_")), tmp_path)
    files = {path.relative_to(folder) for path in folder.rglob("*.py")}
    assert files == {path.relative_to(generated) for path in generated.rglob("*.py")}
    for path in files:
        assert statements(folder / path) == statements(generated / path), path


def statements(path: Path) -> list[str]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return [
        ast.unparse(node) for node in body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
