"""Finding a brand's twin by name, through the entry-point group ``samspel.twins``."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import cast

from samspel_sim.behaviour import Behaviour, OptionError, TwinOptions
from samspel_sim.twin import Clock, Twin

Factory = Callable[[TwinOptions], Behaviour]
GROUP = "samspel.twins"


def twin_names() -> list[str]:
    """Names of the twins installed."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def find(name: str) -> Factory:
    """The factory of a brand's behaviour. OptionError names those installed."""
    found = list(entry_points(group=GROUP, name=name))
    if not found:
        raise OptionError(f"no twin {name!r} is installed; there are: {', '.join(twin_names()) or 'none'}")
    return cast("Factory", found[0].load())


def make_twin(
    name: str, options: TwinOptions, *, clock: Clock = time.monotonic, speed: float = 1.0, step_s: float = 0.1
) -> Twin:
    """A twin of the brand ``name``. OptionError for an option that it does not have."""
    return Twin(find(name)(options), clock=clock, seed=options.seed, speed=speed, step_s=step_s)


def random_seed() -> int:
    """A seed for those who give none; it is printed, so that a run can be had again."""
    return random.SystemRandom().randrange(1_000_000)
