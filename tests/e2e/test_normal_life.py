"""A day on which nothing is wrong has no alarm in it."""

from __future__ import annotations

import pytest
from samspel_contract.target import installed

from .delivery_matrix import BRANDS
from .normal_life import HONEST, live, what_was_said

pytestmark = pytest.mark.looptime(noop_cycles=1)


@pytest.mark.parametrize("brand", BRANDS)
async def test_twenty_minutes_without_a_false_alarm(brand: str) -> None:
    site = await live(installed(brand), hours=1 / 3, seed=11)
    assert set(what_was_said(site)) <= set(HONEST)
    assert any(one.get("stage") == "delivered" for one in site.messages), "the day was not an idle one"


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("brand", BRANDS)
async def test_a_day_without_a_false_alarm(brand: str) -> None:
    site = await live(installed(brand), hours=24.0, seed=2)
    assert set(what_was_said(site)) <= set(HONEST)
