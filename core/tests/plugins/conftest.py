"""Toy distributions: real packages with real metadata, in a folder that is put on sys.path.

What the environment itself has installed is hidden, so that these tests see their toys and nothing else.
"""

from __future__ import annotations

import importlib
import sys
from importlib import metadata
from pathlib import Path

import pytest

TOY = Path(__file__).parent / "toy"
"""The data of a healthy driver."""


class Toys:
    """A folder of installed distributions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.packages: list[str] = []

    def dist(self, name: str, version: str = "1.0", *, entry_points: str = "", metadata: str = "") -> Path:
        """The .dist-info folder that an installer would have written."""
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}\n")
        (info / "entry_points.txt").write_text(entry_points)
        return info

    def package(self, name: str, code: str = "", **files: str) -> Path:
        """An importable package; `files` are its data, by stem: `driver="..."` writes driver.toml."""
        package = self.folder / name
        package.mkdir()
        (package / "__init__.py").write_text(code)
        for stem, text in files.items():
            (package / f"{stem}.toml").write_text(text)
        self.packages.append(name)
        return package

    def driver(self, brand: str = "acme", code: str = "", metadata: str = "", **files: str | None) -> Path:
        """A driver package called toy_BRAND, in the distribution toy-BRAND; `files` replace or drop its data."""
        data = {path.stem: path.read_text() for path in TOY.glob("*.toml")}
        data["driver"] = data["driver"].replace('name = "acme"', f'name = "{brand}"')
        data |= files
        package = self.package(f"toy_{brand}", code, **{stem: text for stem, text in data.items() if text})
        self.dist(
            f"toy-{brand}",
            entry_points=f"[samspel.drivers]\n{brand} = toy_{brand}:driver.toml\n",
            metadata=metadata,
        )
        return package

    def extension(self, name: str = "extra", code: str = "", metadata: str = "") -> None:
        """An extension package called toy_NAME, in the distribution toy-NAME."""
        self.package(f"toy_{name}", code)
        self.dist(f"toy-{name}", entry_points=f"[samspel.extensions]\n{name} = toy_{name}\n", metadata=metadata)


@pytest.fixture
def toys(tmp_path, monkeypatch):
    """An empty site-packages folder in front of everything, and the only one whose metadata is seen."""
    real = metadata.distributions
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("samspel.plugins.metadata.metadata.distributions", lambda: real(path=[str(tmp_path)]))
    for variable in ("SAMSPEL_DISABLED_PLUGINS", "SAMSPEL_STRICT_PLUGINS"):
        monkeypatch.delenv(variable, raising=False)
    made = Toys(tmp_path)
    importlib.invalidate_caches()
    yield made
    for name in [known for known in sys.modules if known.partition(".")[0] in made.packages]:
        del sys.modules[name]
