"""A brand's name, and what follows from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from samspel.contract import CONTRACT_VERSION
from samspel.contract.errors import ConfigError
from samspel.plugins.metadata import installed_version
from samspel.registers.model import MAP_SCHEMA

__all__ = ["PluginName"]

_SHAPE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_MOST_LETTERS = 30
_MODEL_LETTERS = 12
_TAKEN = frozenset({"sim", "contract", "contract_tests", "prequal", "fleet"})
"""What would make a distribution or package of our own."""


@dataclass(frozen=True, slots=True)
class PluginName:
    """The word in site.toml, checked. Raises ConfigError for one that cannot be a driver's name."""

    name: str

    def __post_init__(self) -> None:
        if not _SHAPE.fullmatch(self.name) or len(self.name) > _MOST_LETTERS:
            raise ConfigError(
                f"a driver cannot be called {self.name!r}: use small letters, digits and single underscores, a letter "
                f"first, at most {_MOST_LETTERS} of them, for instance acme"
            )
        if self.name in _TAKEN:
            raise ConfigError(
                f"a driver cannot be called {self.name!r}: {self.dist} is a distribution of samspel's own"
            )

    @property
    def dist(self) -> str:
        """Name of the distribution, and of its folder."""
        return f"samspel-{self.name.replace('_', '-')}"

    @property
    def package(self) -> str:
        """Name of the Python package."""
        return f"samspel_{self.name}"

    def words(self) -> Mapping[str, str]:
        """What the templates may use."""
        shown = self.name.replace("_", " ").title()
        return {
            "name": self.name,
            "dist": self.dist,
            "package": self.package,
            "title": shown,
            "model": self.name.upper()[:_MODEL_LETTERS],
            "serial": self.name.replace("_", "").upper()[:3],
            "contract": CONTRACT_VERSION,
            "map_schema": MAP_SCHEMA,
            "range": _range(),
        }


def _range() -> str:
    """This minor version, as a plugin requires it: `>=1.0,<1.1`."""
    major, minor = (int(part) for part in (installed_version("samspel") or "0.1").split(".")[:2])
    return f">={major}.{minor},<{major}.{minor + 1}"
