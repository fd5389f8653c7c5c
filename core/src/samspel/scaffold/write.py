"""Writing a plugin: all of it, or nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

from samspel.contract.errors import ConfigError
from samspel.scaffold.name import PluginName

__all__ = ["FILES", "new_plugin", "written_files"]

FILES: Mapping[str, str] = {
    "project.toml": "pyproject.toml",
    "readme.md": "README.md",
    "changelog.md": "CHANGELOG.md",
    "ignore.txt": ".gitignore",
    "ci.yml": ".github/workflows/ci.yml",
    "test_contract.txt": "tests/test_contract.py",
    "package.txt": "src/$package/__init__.py",
    "typed.txt": "src/$package/py.typed",
    "driver.toml": "src/$package/driver.toml",
    "map.toml": "src/$package/maps/$name.toml",
    "faults.toml": "src/$package/faults.toml",
    "symptoms.toml": "src/$package/symptoms.toml",
    "contract.toml": "src/$package/contract.toml",
    "twin.txt": "src/$package/twin/__init__.py",
    "twin.toml": "src/$package/twin/twin.toml",
    "registers.csv": "src/$package/twin/registers.csv",
}
"""Every template, and where it goes."""


def written_files(name: PluginName) -> Mapping[Path, str]:
    """The text of every file of the plugin, by its place in the plugin's folder."""
    templates, words = files("samspel.scaffold") / "templates", name.words()
    return {
        Path(Template(target).substitute(words)): Template((templates / source).read_text(encoding="utf-8")).substitute(
            words
        )
        for source, target in FILES.items()
    }


def new_plugin(name: PluginName, into: Path) -> tuple[Path, tuple[Path, ...]]:
    """Write the plugin to a new folder in `into`; the folder, and its files relative to it.

    Raises ConfigError where that folder exists or cannot be written; then nothing has been left behind.
    """
    target = into / name.dist
    if not into.is_dir():
        raise ConfigError(f"{into} is not a folder; make it first, or name another with --into")
    if target.exists() or target.is_symlink():
        raise ConfigError(f"{target} exists already and is left as it is; move it away, or name another with --into")
    texts = written_files(name)
    try:
        _write(texts, target)
    except OSError as error:
        raise ConfigError(f"{target} cannot be written: {error}") from error
    return target, tuple(texts)


def _write(texts: Mapping[Path, str], target: Path) -> None:
    """Beside the target first, so that a full disk or a Ctrl-C leaves no half of it."""
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for path, text in texts.items():
            (draft / path).parent.mkdir(parents=True, exist_ok=True)
            (draft / path).write_text(text, encoding="utf-8")
        draft.chmod(0o755)
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
