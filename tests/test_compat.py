"""What compat.toml promises covers every plugin, and what it cannot show yet it says."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROMISED = tomllib.loads((ROOT / "compat.toml").read_text(encoding="utf-8"))
PLUGINS = {
    tomllib.loads(path.read_text(encoding="utf-8"))["project"]["name"] for path in ROOT.glob("plugins/*/pyproject.toml")
}


def test_every_plugin_has_a_row():
    assert set(PROMISED) == PLUGINS


def test_a_commit_comes_with_its_version():
    for plugin, promise in PROMISED.items():
        version, commit = promise["oldest"]["version"], promise["oldest"]["commit"]
        assert bool(version) == bool(commit), (
            f"{plugin}: an oldest core is a version and the commit that it was built from"
        )


def test_every_plugin_is_in_the_matrix():
    text = (ROOT / "tox.ini").read_text(encoding="utf-8")
    brands = sorted(name.removeprefix("samspel-") for name in PLUGINS)
    for brand in brands:
        assert f"{brand}: python tools/against_wheels.py newest {brand}" in text
        assert f"{brand}-local: python -m pytest" in text


def test_without_a_release_the_row_says_so():
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "against_wheels.py", "oldest"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = done.stdout.splitlines()
    without = [plugin for plugin, promise in PROMISED.items() if not promise["oldest"]["commit"]]
    assert [row for row in rows if "n/a" in row] == [
        f"{plugin}: oldest supported core: n/a (no core has been released)" for plugin in without
    ]
