"""Every misbehaviour on every twin is called by its name, in time, and the page says just that."""

from __future__ import annotations

import pytest
from samspel_contract.target import installed

from .delivery_matrix import BRANDS, ROWS, Found, Row, cell, fits, table, written

pytestmark = pytest.mark.looptime(noop_cycles=1)

FOUND: dict[tuple[str, str], Found] = {}


@pytest.mark.parametrize("brand", BRANDS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_it_is_called_by_its_name_within_latency_and_one_cycle(row: Row, brand: str) -> None:
    found = FOUND[row.name, brand] = await cell(row, installed(brand))
    assert fits(found, row.expects(brand)), found
    assert found.in_time, found


def test_the_page_shows_what_was_found() -> None:
    missing = [(row.name, brand) for row in ROWS for brand in BRANDS if (row.name, brand) not in FOUND]
    if missing:
        pytest.skip(f"not all cells ran: {missing[:3]}")
    assert table(FOUND) == written(), "run: python tests/e2e/delivery_matrix.py"
