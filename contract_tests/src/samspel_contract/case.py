"""What every test gets: the driver under test, and homes to test it in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from samspel.driver.options import DriverOptions

from samspel_contract.capabilities import Capability
from samspel_contract.rig import Rig
from samspel_contract.simulated import simulated
from samspel_contract.site import Site, open_site
from samspel_contract.target import Target
from samspel_contract.view import TwinView

__all__ = ["NOTHING", "DriverCase", "everywhere", "needs", "once", "preview", "safety", "simulated"]

NOTHING = "none"
"""A test that is repeated for what a driver does not have runs once with this, so that it is never missing."""

F = TypeVar("F", bound=Callable[..., object])


@dataclass
class DriverCase:
    """The driver under test. Every rig and site it makes is checked for stray writes when the test is over."""

    target: Target
    rigs: list[TwinView] = field(default_factory=list)

    def rig(
        self,
        *,
        soc_pct: float = 50.0,
        pv_w: float = 1500.0,
        load_w: float = 2500.0,
        seed: int = 1,
        options: DriverOptions | None = None,
        login: Mapping[str, object] | None = None,
    ) -> Rig:
        """A fresh home; see `Rig.make`. Call it inside the test's loop."""
        home = {"soc_pct": soc_pct, "pv_w": pv_w, "load_w": load_w}
        rig = Rig.make(self.target, **home, seed=seed, options=options, login=login)
        self.rigs.append(rig)
        return rig

    @asynccontextmanager
    async def site(self, **home: Any) -> AsyncIterator[Site]:  # noqa: ANN401 - handed through
        """A fresh site; see `open_site`. Whatever left it is held against the contract at the end."""
        async with open_site(self.target, **home) as site:
            self.rigs.append(site)
            yield site
            assert site.leaks() == []

    def stray_writes(self) -> list[str]:
        """Everything that was written in this test and is not the driver's to write."""
        return [text for rig in self.rigs for text in rig.stray_writes()]


def needs(*capabilities: Capability) -> Callable[[F], F]:
    """A test that says nothing about a driver which declares one of these as not there."""

    def mark(test: F) -> F:
        test.__dict__["needs"] = capabilities
        return test

    return mark


def safety(test: F) -> F:
    """A test that no `contract.toml` can excuse."""
    test.__dict__["safety"] = True
    return test


def once(test: F) -> F:
    """A safety test to which it is all the same how the device is controlled."""
    test.__dict__["once"] = True
    return test


def preview(test: F) -> F:
    """A test that is new in this minor version: its failure is reported, and counts from the next minor on."""
    test.__dict__["preview"] = True
    return test


def everywhere(test: F) -> F:
    """A test that runs in every variant, not in the first of each way of control alone."""
    test.__dict__["everywhere"] = True
    return test
