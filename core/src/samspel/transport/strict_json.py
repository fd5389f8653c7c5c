"""JSON as it may cross a line: one object, UTF-8, no repeated keys, no NaN, not deep, not large."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NoReturn

from samspel.contract.errors import MalformedMessage

__all__ = ["MAX_DEPTH", "MAX_PAYLOAD_BYTES", "read_object"]

MAX_PAYLOAD_BYTES = 16 * 1024
MAX_DEPTH = 16


class _RepeatedKeyError(ValueError):
    """The same key twice in one object: readers would disagree about which one counts."""


def read_object(payload: bytes, *, max_bytes: int = MAX_PAYLOAD_BYTES) -> dict[str, object]:
    """The JSON object in `payload`. Raises MalformedMessage, and nothing else, whatever the bytes."""
    if len(payload) > max_bytes:
        raise _malformed("too_large", f"the message has {len(payload)} bytes; at most {max_bytes} are read")
    document = _decode(_text(payload))
    if not isinstance(document, dict):
        raise _malformed("not_object", f"expected a JSON object, found a {type(document).__name__}")
    if _is_deeper_than(document, MAX_DEPTH):
        raise _malformed("too_deep", f"the message is nested deeper than {MAX_DEPTH} levels")
    return document


def _text(payload: bytes) -> str:
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _malformed("not_utf8", f"the message is not UTF-8: {error}") from error


def _decode(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError as error:
        raise _malformed("too_deep", f"the message is nested deeper than {MAX_DEPTH} levels") from error
    except _RepeatedKeyError as error:
        raise _malformed("repeated_key", str(error)) from error
    except ValueError as error:
        raise _malformed("not_json", f"the message is not JSON: {error}") from error


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise _RepeatedKeyError("the message holds the same key twice in one object")
    return document


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _is_deeper_than(document: object, limit: int) -> bool:
    level: list[object] = [document]
    for _ in range(limit):
        level = [inner for outer in level for inner in _children(outer)]
    return any(isinstance(item, dict | list) for item in level)


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _malformed(reason: str, text: str) -> MalformedMessage:
    return MalformedMessage(text, reason=reason)
