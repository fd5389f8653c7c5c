"""From the contract's dataclasses to JSON bytes.

Instants are UTC with milliseconds and Z. A field that is `None` where `None` is its default is left out; a
required one is written as null. A number that is not finite does not exist in JSON and is written as null too.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from samspel.contract.fault import FAULT_SCHEMA
from samspel.contract.outcome import OUTCOME_SCHEMA

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["dump", "mark_duplicate"]

_MARKED = tuple(schema.split("/")[0] for schema in (OUTCOME_SCHEMA, FAULT_SCHEMA))
"""What is never dropped, and therefore may come twice."""


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
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # A device's raw text may hold half a surrogate pair, which UTF-8 cannot carry.
    return text.encode("utf-8", errors="replace")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dict(_fields(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _fields(message: DataclassInstance) -> Iterator[tuple[str, object]]:
    for field in dataclasses.fields(message):
        value = getattr(message, field.name)
        if value is not None or field.default is not None:
            yield field.name, _plain(value)


def _instant(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError(f"expected an aware time, found the naive {value.isoformat()}")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
