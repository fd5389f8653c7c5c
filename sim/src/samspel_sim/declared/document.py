"""Reading `twin.toml` strictly: what is wrong is noted with its key, and everything is told at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from samspel_sim.behaviour import OptionError

__all__ = ["DeclarationError", "Problems", "Section"]

T = TypeVar("T")


class DeclarationError(OptionError):
    """A `twin.toml` or `registers.csv` that cannot be understood; one line for each problem, each with its key."""


class Problems:
    """What is wrong with one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[str] = []

    def add(self, where: str, text: str) -> None:
        """Note one problem."""
        self.found.append(f"{self.file}: {where}: {text}")

    def check(self) -> None:
        """Raise DeclarationError when there are any."""
        if self.found:
            raise DeclarationError("\n".join(self.found))


class Section:
    """One table of the file. A getter that finds something wrong notes it and goes on with a harmless value."""

    def __init__(self, where: str, data: Mapping[str, object], problems: Problems) -> None:
        self.where = where
        self._data = data
        self._problems = problems
        self._asked: set[str] = set()

    def __contains__(self, key: object) -> bool:
        return key in self._data

    @property
    def keys(self) -> tuple[str, ...]:
        """Its keys, in the order of the file."""
        return tuple(self._data)

    def text(self, key: str, default: str | None = None, *, of: Iterable[str] = ()) -> str:
        """A text; required without a default, and one `of` these if any are given."""
        found: str = self._one(key, str, "a text", default, "")
        allowed = sorted(of)
        if allowed and found and found not in allowed:
            self.complain(key, f"found {found!r}{_meant(found, allowed)}; allowed: {', '.join(allowed)}")
        return found

    def number(self, key: str, default: float | None = None, *, low: float = 0.0, high: float = math.inf) -> float:
        """A number within low..high; required without a default."""
        found = float(self._one(key, (int, float), "a number", default, low))
        if not low <= found <= high:
            self.complain(key, f"found {found:g}, allowed: {low:g} to {high:g}")
        return found

    def whole(self, key: str, default: int | None = None, *, low: int = 0, high: int = 0xFFFF) -> int:
        """A whole number within low..high; required without a default."""
        found = int(self._one(key, int, "a whole number", default, low))
        if not low <= found <= high:
            self.complain(key, f"found {found}, allowed: {low} to {high}")
        return found

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        self._asked.add(key)
        found = self._data.get(key, default)
        if isinstance(found, bool):
            return found
        self.complain(key, f"found {found!r}, expected true or false")
        return default

    def bound(self, key: str, known: Iterable[str]) -> float | str | None:
        """A number, or one of the names `known`; None where the key is absent."""
        if key not in self:
            self._asked.add(key)
            return None
        found = self._one(key, (int, float, str), "a number or a name", None, 0.0)
        return self.text(key, of=known) if isinstance(found, str) else float(found)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty where the key is absent."""
        return tuple(self._list(key, str, "a list of texts"))

    def wholes(self, key: str) -> tuple[int, ...]:
        """One whole number or a list of them, empty where the key is absent."""
        return tuple(self._list(key, int, "a whole number or a list of them"))

    def pairs(self, key: str) -> tuple[tuple[int, int], ...]:
        """A list of pairs of whole numbers, empty where the key is absent."""
        found = self._list(key, list, "a list of pairs, such as [[100, 8]]")
        good = [pair for pair in found if len(pair) == 2 and all(_is(part, int) for part in pair)]
        if len(good) != len(found):
            self.complain(key, f"found {found!r}, expected pairs of whole numbers, such as [[100, 8]]")
        return tuple((pair[0], pair[1]) for pair in good)

    def section(self, key: str) -> Section:
        """A table in this one; an empty one where it is absent."""
        found = self._one(key, Mapping, "a table", {}, {})
        return Section(f"{self.where}{key}." if self.where else f"[{key}] ", found, self._problems)

    def sections(self, known: Iterable[str] = (), what: str = "key") -> dict[str, Section]:
        """Every key as a table of its own; with `known`, under these names only."""
        names = set(known)
        for key in self.keys:
            self._asked.add(key)
            if names and key not in names:
                self.complain(key, f"there is no such {what}{_meant(key, names)}")
        return {key: self.section(key) for key in self.keys if not names or key in names}

    def complain(self, key: str, text: str) -> None:
        """Note a problem with one key; with the whole table where the key is empty."""
        self._problems.add(f"{self.where}{key}".rstrip(" ."), text)

    def close(self) -> None:
        """Everything has been asked for: what nobody asked for is a mistake of the author's."""
        for key in self._data:
            if key not in self._asked:
                self.complain(key, f"unknown{_meant(key, self._asked)}; allowed: {', '.join(sorted(self._asked))}")

    def _one(self, key: str, kind: type | tuple[type, ...], expected: str, default: object, instead: object) -> Any:  # noqa: ANN401 - `kind` says
        self._asked.add(key)
        found = self._data.get(key, default)
        if _is(found, kind):
            return found
        self.complain(
            key, f"is missing; expected {expected}" if found is None else f"found {found!r}, expected {expected}"
        )
        return instead

    def _list(self, key: str, kind: type[T], expected: str) -> list[T]:
        self._asked.add(key)
        found = self._data.get(key, [])
        items: list[Any] = found if isinstance(found, list) else [found]
        good = [item for item in items if _is(item, kind)]
        if len(good) != len(items):
            self.complain(key, f"found {found!r}, expected {expected}")
        return good


def _is(value: object, kind: type | tuple[type, ...]) -> bool:
    """True and false are numbers to Python, and not to us."""
    return isinstance(value, kind) and not isinstance(value, bool)


def _meant(found: str, known: Iterable[str]) -> str:
    near = get_close_matches(found, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
