"""Topic names: `samspel/v1/{site}/{device}/command` and its siblings.

`{site}` is the client id and the thing name of the broker's account; at most five levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from samspel.contract.errors import ConfigError

__all__ = ["MAX_NAME_CHARACTERS", "ROOT", "Address", "Leaf", "Topics", "check_name", "parse_topic"]

ROOT = "samspel/v1"

MAX_NAME_CHARACTERS = 63
"""So that "site/device" fits in the 128 characters of a command's target."""


class Leaf(StrEnum):
    """The last level of a topic: what kind of message it carries."""

    COMMAND = "command"
    OUTCOME = "outcome"
    TELEMETRY = "telemetry"
    FAULT = "fault"
    HEADROOM = "headroom"
    BIRTH = "birth"
    STATUS = "status"


_OF_DEVICE = frozenset((Leaf.COMMAND, Leaf.OUTCOME, Leaf.TELEMETRY, Leaf.FAULT))


@dataclass(frozen=True, slots=True)
class Address:
    """A topic taken apart. `device` is `None` for what concerns the whole site."""

    site: str
    device: str | None
    leaf: Leaf

    @property
    def target(self) -> str:
        """What a command's `target` must say: "site/device"."""
        return self.site if self.device is None else f"{self.site}/{self.device}"


def name_trouble(name: str) -> str | None:
    """Why `name` cannot be one level of a topic, or nothing."""
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS:
        return f"has {len(name)} characters; allowed are 1 to {MAX_NAME_CHARACTERS}"
    bad = sorted({character for character in name if character in "+#/" or not character.isprintable()})
    return f"contains {bad}; +, #, / and invisible characters are not allowed" if bad else None


def check_name(name: str, what: str) -> str:
    """Return `name`; raise ConfigError, saying `what` it names, when it cannot be one level of a topic."""
    if trouble := name_trouble(name):
        raise ConfigError(f"the {what} name {name!r} {trouble}")
    return name


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one site. Raises ConfigError for a name that cannot stand in a topic."""

    site: str

    def __post_init__(self) -> None:
        check_name(self.site, "site")

    def command_filter(self) -> str:
        """What the site subscribes to: the commands of all its devices."""
        return f"{ROOT}/{self.site}/+/{Leaf.COMMAND}"

    def command(self, device: str) -> str:
        """Where the commands of one device arrive."""
        return self._of_device(device, Leaf.COMMAND)

    def outcome(self, device: str) -> str:
        """Where one device's outcomes go."""
        return self._of_device(device, Leaf.OUTCOME)

    def telemetry(self, device: str) -> str:
        """Where one device's telemetry goes."""
        return self._of_device(device, Leaf.TELEMETRY)

    def fault(self, device: str) -> str:
        """Where one device's faults go."""
        return self._of_device(device, Leaf.FAULT)

    def headroom(self) -> str:
        """Where the site's headroom goes; retained."""
        return f"{ROOT}/{self.site}/{Leaf.HEADROOM}"

    def birth(self) -> str:
        """Where the site says what it is; retained."""
        return f"{ROOT}/{self.site}/{Leaf.BIRTH}"

    def status(self) -> str:
        """Where the site says how it is; retained, and the last will."""
        return f"{ROOT}/{self.site}/{Leaf.STATUS}"

    def _of_device(self, device: str, leaf: Leaf) -> str:
        return f"{ROOT}/{self.site}/{check_name(device, 'device')}/{leaf}"


def parse_topic(topic: str) -> Address | None:
    """Take a topic apart; nothing when it is none of ours."""
    if not topic.startswith(ROOT + "/"):
        return None
    site, *middle, leaf_name = topic[len(ROOT) + 1 :].split("/") if topic.count("/") in (3, 4) else ("",) * 2
    if leaf_name not in set(Leaf) or any(name_trouble(name) for name in (site, *middle)):
        return None
    leaf = Leaf(leaf_name)
    device = middle[0] if middle else None
    return Address(site, device, leaf) if (device is not None) is (leaf in _OF_DEVICE) else None
