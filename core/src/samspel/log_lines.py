"""What a line of the log looks like. Apart from `samspel.logs`, since a guard writes such lines and is to stay small:
half of what it would import is `logging`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

__all__ = ["Event", "LogFormat", "line"]


class LogFormat(StrEnum):
    """Who reads the log."""

    TEXT = "text"
    JSON = "json"


class Event(NamedTuple):
    """Something that happened at a station. `at_s`: seconds since 1970; `level`: a name of `logging`'s."""

    at_s: float
    level: str
    station: str
    text: str
    values: Mapping[str, object]


def line(event: Event, log_format: LogFormat) -> str:
    """The line, without its end; always one."""
    return _for_programs(event) if log_format is LogFormat.JSON else _for_people(event)


def _for_programs(event: Event) -> str:
    """A value that JSON does not know is written as its text, never refused."""
    head = {"at": _utc(event.at_s), "level": event.level.lower(), "station": event.station, "event": event.text}
    return json.dumps({**head, **event.values}, default=str, ensure_ascii=False)


def _for_people(event: Event) -> str:
    """`time LEVEL station event key=value …`; a line break in a value is written as backslash n."""
    words = [_utc(event.at_s), f"{event.level:<7}", event.station, event.text]
    text = " ".join([*words, *(f"{key}={_shown(value)}" for key, value in event.values.items())])
    return text.replace("\r", "\\r").replace("\n", "\\n")


def _utc(at_s: float) -> str:
    """By hand, since `datetime` would be half a megabyte of a guard that needs no more of it."""
    seconds, microseconds = divmod(round(at_s * 1e6), 1_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{microseconds // 1000:03d}Z"


def _shown(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or set(text) & set(' "=\n\r') else text
