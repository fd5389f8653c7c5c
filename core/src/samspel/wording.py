"""What messages about a mistake in a file have in common."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["did_you_mean"]


def did_you_mean(found: object, allowed: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing when no allowed word is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - an edge whose files have no mistake never needs it

    near = get_close_matches(str(found), list(allowed), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
