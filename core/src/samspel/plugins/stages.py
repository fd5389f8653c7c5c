"""The loader's steps, and the fence around each: whatever a stranger's code raises becomes a PluginError."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from enum import StrEnum

from samspel.contract.errors import PluginError, SamspelError
from samspel.plugins.metadata import Offer

__all__ = ["Stage", "blaming", "isolated"]


class Stage(StrEnum):
    """The steps, in order."""

    METADATA = "metadata"
    """The distribution can be read, its entry point is well formed and nobody else offers the name."""
    MANIFEST = "manifest"
    """driver.toml stands beside the package, which is not imported, and is TOML."""
    CONTRACT = "contract"
    """It was written for a contract that this samspel speaks."""
    REQUIREMENTS = "requirements"
    """What it needs is installed."""
    LOAD = "load"
    """Manifest, maps and fault tables are valid."""
    IMPORT = "import"
    """Its code runs."""
    REGISTER = "register"
    """Its hooks exist, ask for nothing that core does not give, and return what they promise."""


@contextmanager
def isolated(stage: Stage) -> Iterator[None]:
    """Turn everything but Ctrl-C into a PluginError of this stage, `SystemExit` included.

    What the plugin prints goes to standard error: standard output belongs to the command.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (PluginError, KeyboardInterrupt):
        raise
    except SamspelError as error:
        raise PluginError(str(error), stage=stage) from error
    except BaseException as error:
        raise PluginError(f"{type(error).__name__}: {error}", stage=stage) from error


@contextmanager
def blaming(offer: Offer) -> Iterator[None]:
    """Say in a PluginError which plugin it is about."""
    try:
        yield
    except PluginError as error:
        who = f"{offer.kind} {offer.name!r} of {offer.dist} {offer.version}"
        raise PluginError(f"{who} cannot be used ({error.stage}): {error}", stage=error.stage) from error
