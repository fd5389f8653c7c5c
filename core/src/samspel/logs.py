"""One line an event, with the station it happened at, for people or as JSON.

A station logs through `logging.getLogger("samspel.<station>")` and gives its values as `extra`:

    log = logging.getLogger("samspel.bus")
    log.info("link up", extra={"endpoint": "127.0.0.1:502", "waited_s": 3.2})

    2026-11-22T10:11:12.345Z INFO    bus link up endpoint=127.0.0.1:502 waited_s=3.2
    {"at": "2026-11-22T10:11:12.345Z", "level": "info", "station": "bus", "event": "link up", "endpoint": ...}
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any, TextIO

from samspel.log_lines import Event, LogFormat, line

__all__ = ["HumanFormatter", "JsonFormatter", "LogFormat", "configure", "log_format"]

_ORDINARY = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_HANDLER_NAME = "samspel"


def configure(
    log_format: LogFormat = LogFormat.TEXT, *, level: int = logging.INFO, stream: TextIO | None = None
) -> None:
    """Log to `stream` (standard error) from now on; a second call replaces the first.

    `level` is for samspel's own stations. Libraries are heard from WARNING on, or from `level` if that is higher.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.set_name(_HANDLER_NAME)
    handler.setFormatter(JsonFormatter() if log_format is LogFormat.JSON else HumanFormatter())
    root = logging.getLogger()
    for old in [known for known in root.handlers if known.get_name() == _HANDLER_NAME]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger("samspel").setLevel(level)


def log_format() -> LogFormat:
    """How this process logs."""
    handlers = logging.getLogger().handlers
    return LogFormat.JSON if any(isinstance(one.formatter, JsonFormatter) for one in handlers) else LogFormat.TEXT


class JsonFormatter(logging.Formatter):
    """An object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        values = _fields(record)
        if record.exc_info:
            values |= {"error": _error(record), "traceback": self.formatException(record.exc_info)}
        return line(_event(record, values), LogFormat.JSON)


class HumanFormatter(logging.Formatter):
    """An error is in one line too: type, text and where. The traceback is in the JSON format, and here where samspel
    logs at DEBUG.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        values = _fields(record)
        if record.exc_info:
            values |= {"error": _error(record), "where": _where(record)}
        text = line(_event(record, values), LogFormat.TEXT)
        if record.exc_info and logging.getLogger("samspel").isEnabledFor(logging.DEBUG):
            text += "\n" + self.formatException(record.exc_info)
        return text


def _event(record: logging.LogRecord, values: dict[str, Any]) -> Event:
    return Event(record.created, record.levelname, _station(record), record.getMessage(), values)


def _station(record: logging.LogRecord) -> str:
    package, _, rest = record.name.partition(".")
    return rest.partition(".")[0] or package if package == "samspel" else package


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in record.__dict__.items() if key not in _ORDINARY}


def _error(record: logging.LogRecord) -> str:
    error = record.exc_info[1] if record.exc_info else None
    return f"{type(error).__name__}: {error}" if error else ""


def _where(record: logging.LogRecord) -> str:
    trace = record.exc_info[2] if record.exc_info else None
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition(os.sep)[2]}:{trace.tb_lineno}" if trace else ""
