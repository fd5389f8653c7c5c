"""A word of the command line that names a member of an enumeration which is slow to import."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

import typer

__all__ = ["named"]

_Name = TypeVar("_Name", bound=StrEnum)


def named(kind: type[_Name], text: str) -> _Name:
    """The member of that value; `typer.BadParameter` with the list when there is none."""
    try:
        return kind(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r}: expected one of {', '.join(kind)}") from None
