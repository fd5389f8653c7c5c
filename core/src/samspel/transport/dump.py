"""From the contract's dataclasses to JSON bytes.

Instants are UTC with milliseconds and Z. A field that is `None` where `None` is its default is left out; a
required one is written as null. A number that is not finite does not exist in JSON and is written as null too.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache

from samspel.contract.fault import FAULT_SCHEMA
from samspel.contract.outcome import OUTCOME_SCHEMA

__all__ = ["dump", "mark_duplicate"]

_MARKED = tuple(schema.split("/")[0] for schema in (OUTCOME_SCHEMA, FAULT_SCHEMA))
"""What is never dropped, and therefore may come twice."""

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_AS_IT_IS = frozenset({str, int, bool, type(None)})
"""Most of what a message holds; asked first."""


def dump(message: object) -> bytes:
    """One message of the contract as compact UTF-8 JSON. Raises TypeError for what is no dataclass."""
    if not dataclasses.is_dataclass(message) or isinstance(message, type):
        raise TypeError(f"expected a message of the contract, found {type(message).__name__}")
    return _encode(_plain(message))


def mark_duplicate(payload: bytes) -> bytes:
    """The same outcome or fault with `duplicate: true`, for a message that may have arrived before.

    Other messages come back as they are: boot id and seq already tell a repetition of telemetry. (A JSON field,
    because MQTT 3.1.1 has no user properties, and because a broker does not pass its sender's DUP flag on.)
    """
    try:
        document = json.loads(payload)
    except ValueError:
        return payload
    schema = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(schema, str) or schema.split("/")[0] not in _MARKED:
        return payload
    return _encode({**document, "duplicate": True})


def _encode(document: object) -> bytes:
    # A device's raw text may hold half a surrogate pair, which UTF-8 cannot carry.
    return _JSON.encode(document).encode("utf-8", errors="replace")


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if type(value) in _AS_IT_IS else _spelled_out(value)


def _spelled_out(value: object) -> object:
    if isinstance(value, datetime):
        return _instant(value)
    # mypy takes a value's unbound __hash__ for that of its class.
    if (names := _names(type(value))) is not None:  # type: ignore[arg-type]
        return dict(_fields(value, names))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _fields(message: object, names: Iterable[tuple[str, bool]]) -> Iterator[tuple[str, object]]:
    for name, may_be_left_out in names:
        value = getattr(message, name)
        if value is not None or not may_be_left_out:
            yield name, _plain(value)


@cache
def _names(kind: type) -> tuple[tuple[str, bool], ...] | None:
    """The fields of a dataclass, each with whether it is left out where it is None; None for another type."""
    if not dataclasses.is_dataclass(kind):
        return None
    return tuple((field.name, field.default is None) for field in dataclasses.fields(kind))


def _instant(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError(f"expected an aware time, found the naive {value.isoformat()}")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
