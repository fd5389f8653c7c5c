"""Nothing is written that a successor would not know as ours.

Unsafe condition: the disk takes nothing, and a power would be written whose mark is in memory alone; after a crash the
successor finds a stranger's values and leaves them there, for ever on a route without a timer. Limit: the journal's
last write was refused, or hangs. Reaction: a power that the journal does not know yet is not written; after the usual
tries its command ends as failed and control goes back. Recovery: the disk takes writes again. What outranks it: stop,
release, and the power that stands, which the journal knows.
"""

from __future__ import annotations

from collections.abc import Sequence

from samspel.contract.driver import Mark
from samspel.contract.errors import StoreError

__all__ = ["KeptMarks"]


class KeptMarks:
    """The marks of one device that are on disk; `marks` are those that an earlier life left there."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        self._marks = marks

    def check(self, mark: Mark, marks: Sequence[Mark], *, refuses: bool) -> None:
        """`mark` is about to be written, and `marks`, which holds it, was given to the disk. Raises StoreError."""
        if not refuses:
            self._marks = marks
        elif mark not in self._marks:
            raise StoreError("the disk takes nothing: a power that a successor would not know as ours is not written")
