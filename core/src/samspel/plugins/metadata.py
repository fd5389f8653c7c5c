"""What is installed and what it offers, read from metadata alone: nothing of a plugin is imported here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from importlib.metadata import Distribution
from pathlib import PurePath

__all__ = [
    "COMMANDS",
    "DISABLED",
    "DRIVERS",
    "EXTENSIONS",
    "RESERVED_COMMANDS",
    "TWINS",
    "Offer",
    "installed_version",
    "offers",
]

DRIVERS = "samspel.drivers"
EXTENSIONS = "samspel.extensions"
TWINS = "samspel.twins"
COMMANDS = "samspel.commands"

RESERVED_COMMANDS = frozenset({"run", "read", "faults", "command", "plugins"})
"""What the program itself answers to; an entry point of such a name is never called."""

DISABLED = "SAMSPEL_DISABLED_PLUGINS"
"""Environment variable: names of entry points or distributions, with commas between, that are left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One entry point, and the distribution that declares it.

    `unreadable` says why its metadata cannot be used; `rivals` are the distributions that offer the same name,
    itself included.
    """

    group: str
    name: str
    value: str
    dist: str
    version: str
    requires: tuple[str, ...] = ()
    unreadable: str = ""
    rivals: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The group in one word: driver, extension, twin or command."""
        return self.kind_of(self.group)

    @staticmethod
    def kind_of(group: str) -> str:
        """The word for a group."""
        return group.rpartition(".")[2].removesuffix("s")

    @property
    def package(self) -> str:
        """The module part of the value."""
        return self.value.partition(":")[0].strip()

    @property
    def attribute(self) -> str:
        """What stands behind the colon, without extras."""
        return self.value.partition(":")[2].partition("[")[0].strip()

    @property
    def disabled(self) -> bool:
        """Whether the environment asks to leave it alone."""
        names = {_normal(name) for name in os.environ.get(DISABLED, "").split(",") if name.strip()}
        return bool(names & {_normal(self.name), _normal(self.dist)})


def offers(*groups: str) -> list[Offer]:
    """Everything that is offered in these groups, by group, name and distribution; disabled ones included."""
    found = [offer for dist in _distributions() for offer in _offers_of(dist, groups)]
    active = [offer for offer in found if not offer.disabled]
    judged = [replace(offer, rivals=_rivals(offer, active)) for offer in found]
    return sorted(judged, key=lambda offer: (groups.index(offer.group), offer.name, offer.dist))


def _rivals(offer: Offer, active: list[Offer]) -> tuple[str, ...]:
    same = [other for other in active if (other.group, other.name) == (offer.group, offer.name)]
    return tuple(sorted(f"{other.dist} {other.version}" for other in same))


def installed_version(dist: str) -> str | None:
    """The version of a distribution, or nothing where it is not installed."""
    try:
        return metadata.version(dist)
    except metadata.PackageNotFoundError:
        return None


def _distributions() -> Iterator[Distribution]:
    """Each name once: what comes first on the path is what an import would find."""
    seen = set()
    for dist in metadata.distributions():
        text = dist.read_text("entry_points.txt") or ""
        if "samspel." in text and (name := _normal(_name(dist))) not in seen:
            seen.add(name)
            yield dist


def _offers_of(dist: Distribution, groups: tuple[str, ...]) -> list[Offer]:
    try:
        version, requires = _stated(dist, "Version"), tuple(dist.requires or ())
        return [
            Offer(
                group=entry.group,
                name=entry.name,
                value=entry.value,
                dist=_name(dist),
                version=version,
                requires=requires,
            )
            for entry in dist.entry_points
            if entry.group in groups
        ]
    except Exception as error:  # noqa: BLE001 - metadata of strangers breaks in any way; it becomes a row
        why = f"its metadata cannot be read: {type(error).__name__}: {error}"
        return [Offer(group=groups[0], name=_name(dist), value="", dist=_name(dist), version="?", unreadable=why)]


def _stated(dist: Distribution, field: str) -> str:
    """What its metadata says. ValueError where it does not; some Pythons answer nothing instead."""
    says = dist.metadata
    if field not in says:
        raise ValueError(f"it has no {field}")
    return says[field]


def _name(dist: Distribution) -> str:
    try:
        return _stated(dist, "Name")
    except Exception:  # noqa: BLE001 - then the folder's name tells people which one it is
        return PurePath(str(getattr(dist, "_path", "unknown"))).name


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
