"""From JSON bytes to the contract's dataclasses, and their JSON Schemas: the only place that validates.

Whatever bytes come in, the result is a message or a `MalformedMessage`. Strict: nothing is coerced. Forward
compatible: unknown fields and a newer minor version are accepted, another major version is refused.

The reasons of a `MalformedMessage` are a closed list: too_large, not_utf8, not_json, repeated_key, too_deep,
not_object, schema_missing, schema_unknown, schema_too_new, schema_too_old, field_missing, field_invalid.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Union, cast

from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter, ValidationError

from samspel.contract.command import COMMAND_SCHEMA, Command
from samspel.contract.errors import MalformedMessage
from samspel.contract.fault import FAULT_SCHEMA, Fault
from samspel.contract.outcome import OUTCOME_SCHEMA, Outcome
from samspel.contract.site import BIRTH_SCHEMA, HEADROOM_SCHEMA, STATUS_SCHEMA, Birth, Headroom, Status
from samspel.contract.telemetry import TELEMETRY_SCHEMA, Telemetry
from samspel.transport.dump import dump, mark_duplicate
from samspel.transport.strict_json import MAX_PAYLOAD_BYTES, read_object

__all__ = [
    "MAX_PAYLOAD_BYTES",
    "MAX_PUBLISHED_BYTES",
    "Published",
    "dump",
    "mark_duplicate",
    "parse_command",
    "parse_published",
    "schemas",
]

Published = Outcome | Telemetry | Fault | Birth | Status | Headroom
"""What a site sends."""

MAX_PUBLISHED_BYTES = 128 * 1024
"""The smallest limit of the brokers in use."""

_TYPES: dict[str, Any] = {
    "command": Annotated[Command, Field(discriminator="kind")],
    "outcome": Outcome,
    "telemetry": Telemetry,
    "fault": Fault,
    "birth": Birth,
    "status": Status,
    "headroom": Headroom,
}
_VERSIONS = (
    COMMAND_SCHEMA,
    OUTCOME_SCHEMA,
    TELEMETRY_SCHEMA,
    FAULT_SCHEMA,
    BIRTH_SCHEMA,
    STATUS_SCHEMA,
    HEADROOM_SCHEMA,
)
_OURS = {schema.split("/")[0]: schema for schema in _VERSIONS}
_SCHEMA = re.compile(r"([a-z_]{1,32})/(\d{1,6})\.(\d{1,6})", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:", re.ASCII)
_Message = Command | Published
_YEARS = range(1970, 9000)
_IDENTIFIER_CHARACTERS = 128


def parse_command(payload: bytes) -> Command:
    """The command in a payload of at most 16 kB. Raises MalformedMessage, and nothing else, on any input."""
    return cast(Command, _parse(payload, ("command",), MAX_PAYLOAD_BYTES))


def parse_published(payload: bytes) -> Published:
    """What a site published, for listeners. Raises MalformedMessage, and nothing else, on any input."""
    return cast(Published, _parse(payload, _OURS.keys() - {"command"}, MAX_PUBLISHED_BYTES))


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of every message, by name."""
    return {name: _schema(name) for name in _TYPES}


def _schema(name: str) -> dict[str, Any]:
    body = TypeAdapter(_TYPES[name]).json_schema()
    title = f"samspel {_OURS[name]}"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **body, "title": title}


@cache
def _adapter() -> TypeAdapter[_Message]:
    """One adapter over the union of all messages, chosen by schema name."""
    tagged: Any = Union[tuple(Annotated[kind, Tag(name)] for name, kind in _TYPES.items())]  # noqa: UP007
    return TypeAdapter(
        Annotated[tagged, Discriminator(_name_of)],
        config=ConfigDict(strict=True, allow_inf_nan=False, extra="ignore"),
    )


def _name_of(document: dict[str, object]) -> str:
    return str(document["schema"]).split("/")[0]


def _parse(payload: bytes, names: Collection[str], max_bytes: int) -> _Message:
    document = read_object(payload, max_bytes=max_bytes)
    try:
        _check_schema(document.get("schema"), names)
        return _in_utc(_adapter().validate_json(payload), document)
    except ValidationError as error:
        raise _salvaged(_explain(error), _reason(error), document) from error
    except MalformedMessage as error:
        raise _salvaged(str(error), error.reason, document) from error


def _check_schema(schema: object, names: Collection[str]) -> None:
    if schema is None:
        raise MalformedMessage(f"`schema` is missing; expected one of {_known(names)}", reason="schema_missing")
    match = _SCHEMA.fullmatch(schema) if isinstance(schema, str) else None
    if match is None or match[1] not in names:
        raise MalformedMessage(
            f"`schema` is {_quoted(schema)}; expected one of {_known(names)}", reason="schema_unknown"
        )
    ours = _OURS[match[1]]
    theirs_major, our_major = int(match[2]), int(ours.split("/")[1].split(".")[0])
    if theirs_major > our_major:
        raise MalformedMessage(
            f"{schema} has a newer major version than {ours}, which is what runs here: update this site",
            reason="schema_too_new",
        )
    if theirs_major < our_major:
        raise MalformedMessage(
            f"{schema} has an older major version than {ours}, which is what runs here: update the sender",
            reason="schema_too_old",
        )


def _known(names: Collection[str]) -> str:
    return ", ".join(sorted(_OURS[name] for name in names))


def _in_utc(message: _Message, document: dict[str, object]) -> _Message:
    """The message with its own instants checked and in UTC; those of readings inside are left as they came."""
    instants: dict[str, Any] = {
        field.name: _utc(field.name, getattr(message, field.name), document.get(field.name))
        for field in dataclasses.fields(message)
        if isinstance(getattr(message, field.name), datetime)
    }
    return dataclasses.replace(message, **instants)


def _utc(name: str, value: datetime, raw: object) -> datetime:
    # A string of digits would be read as seconds since 1970, whatever the sender meant by it.
    if not isinstance(raw, str) or not _INSTANT.match(raw) or value.tzinfo is None:
        raise MalformedMessage(
            f"`{name}` is {_quoted(raw)}; expected UTC like 2026-01-31T12:00:00.000Z", reason="field_invalid"
        )
    if value.year not in _YEARS:
        raise MalformedMessage(
            f"`{name}` is {_quoted(raw)}; expected a year from {_YEARS[0]} to {_YEARS[-1]}",
            reason="field_invalid",
        )
    return value.astimezone(UTC)


def _explain(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    if first["type"].startswith("union_tag"):
        return f"`kind`: {first['msg'].lower()}"
    place = ".".join(str(part) for part in first["loc"] if part not in _TYPES) or "the message"
    found = "" if first["type"] == "missing" else f"; found {_quoted(first['input'])}"
    return f"`{place}`: {first['msg'].lower()}{found}"


def _reason(error: ValidationError) -> str:
    missing = error.errors(include_url=False)[0]["type"] in ("missing", "union_tag_not_found")
    return "field_missing" if missing else "field_invalid"


def _quoted(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _salvaged(text: str, reason: str, document: dict[str, object]) -> MalformedMessage:
    return MalformedMessage(
        text,
        reason=reason,
        command_id=_readable(document.get("id")),
        issuer=_readable(document.get("issuer")),
    )


def _readable(value: object) -> str | None:
    """An identifier that can go back out on the wire, or nothing."""
    if not isinstance(value, str) or not 1 <= len(value) <= _IDENTIFIER_CHARACTERS:
        return None
    return value if value.isascii() or value.encode("utf-8", "replace").decode() == value else None
