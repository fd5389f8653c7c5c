"""Reading a plugin's TOML files: every error of a file at once, in its author's words."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from samspel.contract.errors import MapError
from samspel.wording import did_you_mean

__all__ = ["Doc", "read_document"]


class Doc(BaseModel):
    """A table that refuses unknown keys and never converts types on the quiet."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, table: object) -> object:
        if isinstance(table, dict):
            allowed = [field.alias or name for name, field in cls.model_fields.items()]
            unknown = [str(key) for key in table if key not in allowed]
            if unknown:
                raise PydanticCustomError("unknown_key", "{text}", {"text": _unknown(unknown, allowed)})
        return table


D = TypeVar("D", bound=Doc)


def read_document(path: Traversable, model: type[D]) -> D:
    """The file as `model`. Raises MapError with one line a problem: file, table, key, found, allowed."""
    try:
        return model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise MapError(f"{path.name}: cannot be read: {error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MapError(f"{path.name}: is not TOML: {error}") from error
    except ValidationError as error:
        lines = [f"{path.name}: {_place(detail['loc'])}: {_text(detail)}" for detail in error.errors()]
        raise MapError("\n".join(lines)) from error


def _unknown(found: list[str], allowed: list[str]) -> str:
    near = did_you_mean(found[0], allowed)
    return f"unknown key {', '.join(map(repr, found))}{near}; allowed: {', '.join(allowed)}"


def _place(loc: tuple[str | int, ...]) -> str:
    """`[capabilities] 2 routes 1 direction`, counted from 1."""
    if not loc:
        return "file"
    first, *rest = (str(part + 1) if isinstance(part, int) else part for part in loc)
    return " ".join([f"[{first}]", *rest])


def _text(detail: Mapping[str, Any]) -> str:
    match detail["type"]:
        case "missing":
            return "is missing"
        case "unknown_key":
            return str(detail["msg"])
        case "enum" | "literal_error":
            return f"found {detail['input']!r}, allowed: {detail['ctx']['expected']}"
        case _:
            return f"found {detail['input']!r}, expected {detail['msg'].removeprefix('Input should be ')}"
