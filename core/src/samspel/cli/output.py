"""What every command says at its end: exit codes, JSON for programs, tables for people.

Programs read standard output: with `--json` it holds JSON and nothing else. Everything meant for people beside
the answer (errors, progress, logs) goes to standard error.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum, IntEnum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from samspel.contract.errors import BusError, ConfigError, DeviceRefused, DriverError, PluginError

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["ExitCode", "console", "exit_code_of", "print_json", "print_rows", "to_json"]

NARROW_COLUMNS = 70
"""Below this many columns a table becomes blocks of `name: value` lines."""


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    FAILED = 1
    """The job was understood and did not succeed."""
    USAGE = 2
    """An option, a configuration file, a map or an installed package is wrong; nothing was done."""
    UNREACHABLE = 3
    """The device did not answer, or another one did."""
    REFUSED = 4
    """The device is there, and refused the command or did not follow it."""
    INTERRUPTED = 130
    """Ctrl-C."""


def exit_code_of(error: BaseException) -> ExitCode:
    """The code for an error that ended a command."""
    if isinstance(error, (ConfigError, PluginError)):
        return ExitCode.USAGE
    if isinstance(error, (DriverError, DeviceRefused)):
        return ExitCode.REFUSED
    return ExitCode.UNREACHABLE if isinstance(error, BusError) else ExitCode.FAILED


def to_json(value: object, *, indent: int | None = None) -> str:
    """JSON of dataclasses, enums, mappings, sequences and UTC times. ValueError for NaN and infinity."""
    return json.dumps(_plain(value), indent=indent, allow_nan=False, ensure_ascii=False)


def print_json(value: object, *, indent: int | None = None) -> None:
    """One JSON document on standard output, sent at once: the way to print a line per event, too."""
    print(to_json(value, indent=indent), flush=True)


def console(*, stderr: bool = False) -> Console:
    """A terminal that shows text as it is: no markup is read from values, and nothing is highlighted."""
    from rich.console import Console  # noqa: PLC0415 - only commands that print for people pay for it

    return Console(stderr=stderr, markup=False, highlight=False, emoji=False)


def print_rows(columns: Sequence[str], rows: Sequence[Sequence[object]], to: Console | None = None) -> None:
    """A table, or on a narrow terminal a block of lines per row. Long cells are folded, never cut."""
    out = to or console()
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if out.width < NARROW_COLUMNS:
        _print_blocks(columns, texts, out)
    else:
        _print_table(columns, texts, out)


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], out: Console) -> None:
    from rich.table import Table  # noqa: PLC0415 - see console()

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row)
    out.print(table)


def _print_blocks(columns: Sequence[str], rows: Sequence[Sequence[str]], out: Console) -> None:
    for row in rows:
        for name, text in zip(columns, row, strict=True):
            if text:
                out.print(f"{name}: {text}", soft_wrap=True)
        out.print()


def _plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON has
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {part.name: _plain(getattr(value, part.name)) for part in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value) if isinstance(value, PurePath) else value
