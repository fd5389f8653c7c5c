"""Everything that is wrong with a map file, in the author's words: table, key, found, allowed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from samspel.contract.errors import MapError
from samspel.registers import schema
from samspel.wording import did_you_mean

__all__ = ["Place", "Problems", "listed"]

Place = tuple[str | int, ...]
"""Keys from the top of the file, list positions counted from 0: ("sequences", "charge", 0, "value")."""


def listed(words: Iterable[object]) -> str:
    """Words for a message, in their order."""
    return ", ".join(str(word) for word in words) or "none"


class Problems:
    """Collects the errors of one file, so that its author sees all of them at once."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._lines: dict[str, None] = {}

    def add(self, place: Place, text: str) -> None:
        """Note one problem; the same words twice are one problem."""
        self._lines.setdefault(f"{self._file}: {_place_text(place)}: {text}")

    def add_schema(self, error: ValidationError) -> None:
        """Note what pydantic found, in our words. Branches of a union that all failed become one line."""
        found: dict[Place, list[str]] = {}
        for detail in error.errors():
            found.setdefault(_place_of(dict(detail)), []).append(_schema_text(dict(detail)))
        for place, texts in found.items():
            self.add(place, _merged(texts))

    def raise_any(self) -> None:
        """Raise MapError with one line a problem, if there is any."""
        if self._lines:
            raise MapError("\n".join(self._lines))


# --- where ---


_SCALAR_ERRORS = frozenset({"int_type", "float_type", "string_type", "literal_error"})
_SCALAR_BRANCHES = frozenset({"int", "float", "str", "literal[True]"})


def _place_of(detail: dict[str, Any]) -> Place:
    """The place in the file: union branches and key markers are pydantic's words."""
    loc: Place = detail["loc"]
    if loc and loc[-1] in _SCALAR_BRANCHES and detail["type"] in _SCALAR_ERRORS:
        loc = loc[:-1]
    return tuple(part for part in loc if part != "[key]" and not str(part).startswith(":"))


def _place_text(place: Place) -> str:
    match place:
        case ():
            return "file"
        case ("overlays", int(number), *rest):
            return f"[[overlays]] {number + 1} {_inner(tuple(rest))}".rstrip()
        case ("controls", name, "sequences", *rest):
            return f"[controls.{name}] {_inner(('sequences', *rest))}".rstrip()
        case ("controls", name, *rest):
            return f"[controls.{name}] {_keys(rest)}".rstrip()
        case _:
            return _inner(place)


def _inner(place: Place) -> str:
    match place:
        case ("registers", name, *rest):
            return f"[registers.{name}] {_keys(rest)}".rstrip()
        case ("sequences", "zero" | "stop" as name, int(rung), "steps", int(step), *rest):
            return f"[sequences] {name} rung {rung + 1} step {step + 1} {_keys(rest)}".rstrip()
        case ("sequences", "zero" | "stop" as name, int(rung), *rest):
            return f"[sequences] {name} rung {rung + 1} {_keys(rest)}".rstrip()
        case ("sequences", name, int(step), *rest):
            return f"[sequences] {name} step {step + 1} {_keys(rest)}".rstrip()
        case (table, *rest):
            return f"[{table}] {_keys(rest)}".rstrip()
        case _:
            return ""


def _keys(parts: Iterable[str | int]) -> str:
    text = ""
    for part in parts:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


# --- what ---


def _schema_text(detail: dict[str, Any]) -> str:
    found = repr(detail["input"])
    match detail["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return _unknown_key(detail["loc"])
        case "enum" | "literal_error":
            allowed = detail["ctx"]["expected"]
            words = [word.strip(" '") for word in allowed.replace(" or ", ",").split(",")]
            return f"found {found}, allowed: {listed(words)}{did_you_mean(detail['input'], words)}"
        case "shape" | "raw_key":
            return f"found {found}; {detail['msg']}"
        case _:
            return f"found {found}, expected {_expected(detail)}"


def _expected(detail: dict[str, Any]) -> str:
    if detail["type"] in {"model_type", "dict_type"}:
        return "a table"
    if detail["type"] == "string_pattern_mismatch":
        return f"text that matches {detail['ctx']['pattern']}"
    text = (
        str(detail["msg"]).replace("Input should be ", "").replace(" should have ", " with ").replace("String", "text")
    )
    return text.split(" after validation")[0].removeprefix("a valid ")


def _merged(texts: list[str]) -> str:
    first, *others = texts
    tails = [text.split("expected ", 1)[1] for text in others if "expected " in text]
    return " or ".join([first, *tails])


def _unknown_key(loc: Place) -> str:
    allowed = sorted(field.alias or name for name, field in _table_at(loc[:-1]).model_fields.items())
    near = did_you_mean(loc[-1], allowed) or ";"
    return f"unknown key{near} allowed: {listed(allowed)}"


_TABLES: dict[str, type[BaseModel]] = {
    "map": schema.HeadDoc,
    "defaults": schema.DefaultsDoc,
    "limits": schema.LimitsDoc,
    "firmware": schema.RangeDoc,
    "sequences": schema.SequencesDoc,
    ":signal": schema.SignalDoc,
    ":snapshot": schema.RestoreDoc,
    ":hhmm": schema.HhmmDoc,
    ":pack": schema.PackDoc,
    ":write": schema.WriteDoc,
    ":write_if_differs": schema.WriteDoc,
    ":write_block": schema.BlockDoc,
    ":set_bits": schema.BitsDoc,
    ":clear_bits": schema.BitsDoc,
    ":wait": schema.WaitDoc,
    ":wait_until": schema.CompareDoc,
    ":require": schema.CompareDoc,
    ":verify": schema.VerifyDoc,
}


def _table_at(loc: Place) -> type[BaseModel]:
    """The model of the table at a place: the innermost one that a key or branch names."""
    match loc:
        case ():
            return schema.MapDoc
        case ("overlays" | "controls" as table, _):
            return schema.OverlayDoc if table == "overlays" else schema.ControlDoc
        case ("overlays" | "controls", _, *rest):
            return _table_at(tuple(rest))
        case ("registers", _, *keys):
            return _row_table(keys)
        case ("sequences", "zero" | "stop", int()):
            return schema.LadderDoc
    return next(_TABLES[part] for part in reversed(loc) if isinstance(part, str) and part in _TABLES)


def _row_table(keys: list[str | int]) -> type[BaseModel]:
    match keys:
        case []:
            return schema.RowDoc
        case ["fields", _]:
            return schema.FieldDoc
        case ["only_if"]:
            return schema.GuardDoc
        case ["sign_from"]:
            return schema.SignDoc
        case _:
            return schema.SignalDoc
