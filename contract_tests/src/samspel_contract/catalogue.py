"""The catalogue: every test's id, promise, first version and whether it belongs to the safety set.

The docstrings of the tests are the source of the words; `catalogue.toml` is committed, so that a change of what the
suite promises shows in a review. `python -m samspel_contract.catalogue DOCS_PAGE` writes both files anew.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from samspel_contract import SUITE_VERSION

__all__ = ["Catalogue", "Promise", "SuiteTest", "catalogue", "catalogue_text", "page_text", "suite_tests"]

SuiteTest = Callable[..., None]

IF_THIS_FAILS = "If this fails:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One test. `room` is the part of the suite it stands in; a `preview` that fails does not fail the run yet."""

    room: str
    promise: str
    if_this_fails: str
    since: str
    safety: bool
    preview: bool = False


Catalogue = Mapping[str, Promise]


@cache
def catalogue() -> Catalogue:
    """The committed catalogue: id to promise."""
    document = tomllib.loads((files("samspel_contract") / "catalogue.toml").read_text(encoding="utf-8"))
    return {name: Promise(**row) for name, row in document.items()}


def suite_tests() -> dict[str, SuiteTest]:
    """Every test function of the suite by id: its name without `test_`. Ids are unique over all files."""
    found: dict[str, SuiteTest] = {}
    for name, test in _functions():
        if name in found:
            raise ValueError(f"two tests of the suite are called {name}")
        found[name] = test
    return found


def _functions() -> Iterator[tuple[str, SuiteTest]]:
    folder = files("samspel_contract") / "suite"
    for file in sorted(item.name for item in folder.iterdir() if item.name.startswith("test_")):
        module = importlib.import_module(f"samspel_contract.suite.{file.removesuffix('.py')}")
        for name, value in vars(module).items():
            if name.startswith("test_") and getattr(value, "__module__", "") == module.__name__:
                yield name.removeprefix("test_"), value


def current() -> dict[str, Promise]:
    """What the catalogue would be now: words from the docstrings, `since` kept, safety from the tests."""
    return {name: _promise(name, test) for name, test in suite_tests().items()}


def _promise(name: str, test: SuiteTest) -> Promise:
    text = inspect.getdoc(test) or ""
    promise, mark, advice = text.partition(IF_THIS_FAILS)
    if not mark or not promise.strip() or not advice.strip():
        raise ValueError(f'{name}: its docstring wants a promise and a part that begins with "{IF_THIS_FAILS}"')
    known = catalogue().get(name)
    return Promise(
        room=test.__module__.rpartition(".test_")[2],
        promise=" ".join(promise.split()),
        if_this_fails=" ".join(advice.split()),
        since=known.since if known else SUITE_VERSION,
        safety=bool(getattr(test, "safety", False)),
        preview=bool(getattr(test, "preview", False)),
    )


def catalogue_text(promises: Catalogue) -> str:
    """`catalogue.toml` as it is committed."""
    head = "# Generated from the suite's docstrings: python -m samspel_contract.catalogue docs/contract-suite.md\n"
    return head + "".join(_row(name, promise) for name, promise in promises.items())


def _row(name: str, promise: Promise) -> str:
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in asdict(promise).items()]
    return "\n".join(["", f"[{name}]", *lines, ""])


def page_text(promises: Catalogue) -> str:
    """The page of the docs."""
    lines = [
        "# What the contract suite tests",
        "",
        "Generated from the suite's docstrings. *Safety* tests can never be excused in `contract.toml`.",
        "A *preview* is new: its failure is reported, and fails the run from the next minor version on.",
        "How to run it: [contract_tests/README.md](../contract_tests/README.md).",
    ]
    room = ""
    for name, promise in promises.items():
        if promise.room != room:
            room = promise.room
            lines += ["", f"## {room.replace('_', ' ').capitalize()}"]
        mark = (" · *safety*" if promise.safety else "") + (" · *preview*" if promise.preview else "")
        lines += ["", f"### `{name}`{mark}", "", promise.promise, ""]
        lines += [f"If this fails: {promise.if_this_fails} (since {promise.since})"]
    return "\n".join([*lines, ""])


def main() -> None:
    """Write catalogue and page."""
    promises = current()
    Path(str(files("samspel_contract") / "catalogue.toml")).write_text(catalogue_text(promises), encoding="utf-8")
    for page in sys.argv[1:]:
        Path(page).write_text(page_text(promises), encoding="utf-8")


if __name__ == "__main__":
    main()
