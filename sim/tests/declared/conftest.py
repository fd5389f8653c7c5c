"""Makes the toy: `toy()` as it is, `toy((find, replace), ...)` edited; `toy_folder` gives the two files alone."""

from __future__ import annotations

from functools import partial

import pytest
from samspel_sim.behaviour import TwinOptions

from .kit import DeclaredBench, write_toy


@pytest.fixture
def toy_folder(tmp_path):
    return partial(write_toy, tmp_path)


@pytest.fixture
def toy(toy_folder):
    def make(*edits, **options):
        chosen = TwinOptions(**{"soc_pct": 50, **options})
        return DeclaredBench(toy_folder(*edits), chosen).house(0, 1000)

    return make
