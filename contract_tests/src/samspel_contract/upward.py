"""What may leave a site: messages of the contract, nothing more in them, and no word of any brand.

A brand may show in three places only: `identity.*`, `birth.versions.*` and `fault.detail.raw`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from samspel.contract.errors import MalformedMessage
from samspel.contract.ports import Inbound
from samspel.contract.signals import SIGNALS
from samspel.control.state import Phase
from samspel.transport.topics import parse_topic
from samspel.transport.wire import dump, parse_published

__all__ = ["brand_words", "leaks"]

MAY_NAME_A_BRAND = (
    re.compile(r"birth\.devices\.\d+\.identity\..*"),
    re.compile(r"birth\.versions\..*"),
    re.compile(r"fault\.detail\.raw"),
)


def leaks(messages: Iterable[Inbound], words: Sequence[str]) -> list[str]:
    """Every trouble with these messages, each one once, in sentences."""
    found: dict[str, None] = {}
    for message in messages:
        found.update(dict.fromkeys(_troubles(message, words)))
    return list(found)


def brand_words(text: str, words: Iterable[str]) -> list[str]:
    """The words that occur in a text as the beginning of a word."""
    wanted, lowered = tuple(words), text.lower()
    if not wanted or _any_of(wanted).search(lowered) is None:
        return []
    return [word for word in wanted if _any_of((word,)).search(lowered)]


@cache
def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    either = "|".join(re.escape(word.lower()) for word in words)
    return re.compile(f"(?<![a-z0-9])(?:{either})")


def _troubles(message: Inbound, words: Sequence[str]) -> Iterator[str]:
    leaf = message.topic.rsplit("/", 1)[-1]
    parse_topic(message.topic)
    for word in brand_words(message.topic, words):
        yield f"topic {message.topic}: holds {word!r}"
    document = json.loads(message.payload)
    yield from _beyond_the_contract(message.payload, document, leaf)
    for place, text in _texts(document, leaf):
        hits = brand_words(text, words)
        if hits and not any(allowed.fullmatch(place) for allowed in MAY_NAME_A_BRAND):
            yield from (f"{place}: holds {word!r}: {text!r}" for word in hits)


def _beyond_the_contract(payload: bytes, document: dict[str, Any], leaf: str) -> Iterator[str]:
    """Closed enums are checked by the parser; a key that the contract does not know is lost on the way back."""
    if str(document.get("schema")).split("/")[0] != leaf:
        yield f"{leaf}: carries schema {document.get('schema')!r}"
    try:
        understood = json.loads(dump(parse_published(payload)))
    except MalformedMessage as error:
        yield f"{leaf}: {error}"
        return
    if understood != document:
        yield f"{leaf}: {sorted(_paths(document) ^ _paths(understood))} is not of the contract"
    unknown = set(document.get("readings", ())) - set(SIGNALS)
    yield from (f"telemetry: {name!r} is no signal of the contract" for name in sorted(unknown))
    phases = set(document.get("control", {}).values()) - {phase.value for phase in Phase}
    yield from (f"status: {name!r} is no state of control" for name in sorted(phases))


def _paths(document: object) -> set[str]:
    return {place for place, _ in _texts(document, "")}


def _texts(value: object, place: str) -> Iterator[tuple[str, str]]:
    """Every key and every value, each with where it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{place}.{key}", str(key)
            yield from _texts(inner, f"{place}.{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{place}.{number}")
    else:
        yield place, str(value)
