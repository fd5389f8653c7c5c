"""The table of docs/guard.md, tried again: every brand and route, everything that can happen to its edge.

What is compared is what happens to the battery, not the seconds: those belong to the machine that measured them. It
takes some six minutes of waiting, so `make soak` runs it; the scenes of the other files are a slice of it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from .guard_table import HAPPENINGS, ROUTES, Route, name_of
from .scenes import Backstage, Scenes

scenes = Scenes(at_once=len(ROUTES))
stage = scenes.stage()

PAGE = Path(__file__).parents[2] / "docs" / "guard.md"


def table() -> dict[str, dict[str, str]]:
    """What the page says: by route, then by what happens."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ") and "`twin`" in line]
    titles = next(line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| route |"))
    rows = [_cells(line) for line in lines]
    return {row[0]: dict(zip(_cells(titles), row, strict=True)) for row in rows}


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def kind(text: str) -> str:
    """Adopted, released, never: without the seconds, and without what only depends on them."""
    return re.sub(r"\d+", "N", text.removesuffix(" (it had ended by itself)"))


def _scene(route: Route, title: str, number: int) -> Callable[[Backstage], Awaitable[None]]:
    async def scene(backstage: Backstage) -> None:
        folder = backstage.folder / f"{number}-{route.driver}-{route.control or 'own'}"
        came = await HAPPENINGS[title](route, folder, backstage.make_broker().port)
        if came == "not tried":
            pytest.skip("a full disk needs the right to mount one")
        assert kind(came) == kind(table()[name_of(route)][title])

    scene.__name__ = f"{name_of(route)}: {title}"
    return scene


for number, title in enumerate(HAPPENINGS):
    for route in ROUTES:
        scenes(_scene(route, title, number))


def test_the_page_has_every_route_and_everything_that_can_happen():
    assert {route: set(row) - {"route", "device's timer", "evidence"} for route, row in table().items()} == {
        name_of(route): set(HAPPENINGS) for route in ROUTES
    }


def test_a_route_without_a_timer_in_a_dark_box_is_never_released():
    """whatever is measured: the page may not say anything else"""
    for route in ROUTES:
        row = table()[name_of(route)]
        assert (row["device's timer"], row["whole box dark"] == "never") == (route.timer, route.timer == "none")


test_scene = pytest.mark.soak(scenes.test())
