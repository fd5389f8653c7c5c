"""Every filter of core has its page, and says there what a protection has to say."""

from pathlib import Path

import pytest
from samspel.builtins import samspel_register_filters
from samspel.config.shaping import STANDARD_ORDER

PAGES = Path(__file__).parents[1] / "docs" / "filters"
NAMES = [package.name for package in samspel_register_filters()]


def test_every_filter_and_nothing_else_has_a_page():
    assert {page.stem for page in PAGES.glob("*.md")} == {"README", *NAMES}
    assert set(NAMES) == set(STANDARD_ORDER)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_says_what_a_protection_has_to_say(name):
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {name}\n")
    for word in ("unsafe condition", "limit", "reaction", "recovery", "outranked by"):
        assert word in page.lower(), word


def test_the_overview_lists_them_in_the_standard_order():
    rows = [line for line in (PAGES / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| [")]
    assert [row.split("]")[0][3:] for row in rows] == list(STANDARD_ORDER)
