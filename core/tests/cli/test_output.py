"""JSON that programs can rely on, and tables that fit."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum, StrEnum
from pathlib import Path

import pytest
from samspel.cli.output import print_json, print_rows, to_json


class Colour(StrEnum):
    RED = "red"


class Number(Enum):
    ONE = 1


@dataclass(frozen=True, slots=True)
class Inner:
    at: datetime
    colour: Colour


@dataclass(frozen=True, slots=True)
class Outer:
    inner: Inner
    parts: tuple[int, ...]


def test_dataclasses_enums_times_and_paths_become_plain_json():
    at = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=1)))
    value = {
        Colour.RED: Outer(Inner(at, Colour.RED), (1, 2)),
        "path": Path("a/b"),
        "one": Number.ONE,
        "none": None,
        "set": frozenset({3}),
    }
    assert json.loads(to_json(value)) == {
        "red": {"inner": {"at": "2026-11-22T11:00:00.123Z", "colour": "red"}, "parts": [1, 2]},
        "path": "a/b",
        "one": 1,
        "none": None,
        "set": [3],
    }


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_json_is_refused(value):
    with pytest.raises(ValueError, match="Out of range"):
        to_json({"power_w": value})


def test_a_type_that_json_lacks_is_refused():
    with pytest.raises(TypeError):
        to_json({"x": object()})


def test_one_event_is_one_line(capsys):
    print_json({"text": "two\nlines", "at": datetime(2026, 1, 1, tzinfo=UTC)})
    out = capsys.readouterr().out
    assert out == '{"text": "two\\nlines", "at": "2026-01-01T00:00:00.000Z"}\n'


@pytest.mark.parametrize("columns", [20, 38, 60, 69, 70, 80, 120])
def test_no_cell_is_ever_cut(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    rows = [["first", "x" * 50, "[bold]not markup[/bold]"], ["second", None, 3]]
    print_rows(["name", "long", "note"], rows)
    out = capsys.readouterr().out
    assert out.count("x") == 50
    joined = "".join(out.split())
    assert "[bold]notmarkup[/bold]" in joined or columns >= 70
    assert "…" not in out
    if columns >= 70:
        assert all(len(line) <= columns for line in out.splitlines())
