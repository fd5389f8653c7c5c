"""Whether a distribution fits this samspel and finds what it needs, decided before anything of it is imported."""

from __future__ import annotations

from packaging.requirements import Requirement

from samspel.contract import CONTRACT_VERSION
from samspel.contract.errors import PluginError
from samspel.plugins.metadata import Offer, installed_version

__all__ = ["check_contract", "check_requirements"]


def check_contract(offer: Offer, written_for: object) -> None:
    """The same major and no newer minor is accepted. PluginError says which package to upgrade."""
    theirs, ours = _version(written_for), _version(CONTRACT_VERSION)
    if theirs[0] > ours[0] or (theirs[0] == ours[0] and theirs[1] > ours[1]):
        advice = f"this samspel speaks {CONTRACT_VERSION}: upgrade samspel"
    elif theirs[0] < ours[0]:
        advice = f"this samspel speaks {CONTRACT_VERSION} and no longer {theirs[0]}.x: upgrade {offer.dist}"
    else:
        return
    raise PluginError(f"{offer.dist} {offer.version} is written for contract {written_for}; {advice}", stage="contract")


def check_requirements(offer: Offer) -> None:
    """Every requirement that holds here is installed in a version that fits."""
    for text in offer.requires:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            _check_one(offer, requirement)


def _check_one(offer: Offer, requirement: Requirement) -> None:
    found = installed_version(requirement.name)
    wanted = f"{requirement.name}{requirement.specifier}"
    if found is None:
        problem = f"which is not installed: pip install '{wanted}'"
    elif not requirement.specifier.contains(found, prereleases=True):
        problem = f"and finds {found}: pip install '{wanted}', or another {offer.dist}"
    else:
        return
    raise PluginError(f"{offer.dist} {offer.version} needs {wanted}, {problem}", stage="requirements")


def _version(text: object) -> tuple[int, int]:
    major, dot, minor = str(text).partition(".")
    if isinstance(text, str) and dot and major.isdecimal() and minor.isdecimal():
        return int(major), int(minor)
    raise PluginError(
        f'driver.toml must say contract = "{CONTRACT_VERSION}" (MAJOR.MINOR, in quotes), not {text!r}',
        stage="contract",
    )
