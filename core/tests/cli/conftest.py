"""Running the program in this process, as a test: arguments in, exit code and both outputs out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from samspel.cli import main


@dataclass(frozen=True)
class Ran:
    """How it ended, and what it wrote."""

    code: int
    out: str
    err: str


@pytest.fixture
def samspel(capsys) -> Callable[..., Ran]:
    """`samspel("read", url, "--json")`; every argument becomes text, so `-1500` may be a number."""
    root, own = logging.getLogger(), logging.getLogger("samspel")
    before = (root.handlers[:], root.level, own.level)

    def run(*argv: object) -> Ran:
        code = main([str(word) for word in argv])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    yield run
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    own.setLevel(before[2])
