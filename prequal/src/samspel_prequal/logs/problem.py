"""One thing that is wrong with a log, where it is and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Problem", "Severity"]


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"  # what the log says is uncertain: it is not read
    DEFECT = "defect"  # the log can be read, but the TSO may send it back
    NOTE = "note"  # allowed, and worth knowing


@dataclass(frozen=True, slots=True)
class Problem:
    """What was expected, what was found, what to do next.

    `line` and `column` count from 1, the header being line 1; 0 means the whole file. `column` is the field's number,
    `header` its name. `count` is how many lines have the same problem; the first one is shown.
    """

    code: str
    severity: Severity
    message: str
    line: int = 0
    column: int = 0
    header: str = ""
    count: int = 1

    def __str__(self) -> str:
        place = [f"line {self.line}"] if self.line else []
        place += [f"column {self.column}" + (f" ({self.header})" if self.header else "")] if self.column else []
        more = f" (and {self.count - 1} more)" if self.count > 1 else ""
        where = ", ".join(place) or "file"
        return f"{self.severity}: {where}: {self.message}{more} [{self.code}]"
