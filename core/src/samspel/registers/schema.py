"""The TOML of a register map as it may be written: map schema 1.0. Meaning is checked in `rows`, `steps`, `loader`.

Keys are those of docs/decisions/0001-three-families-one-vocabulary.md and 0004-what-the-next-two-brands-asked-for.md.
Every table refuses keys it does not know.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from samspel.contract.ports import Table
from samspel.contract.signals import Positive
from samspel.registers.model import Authority, Confidence, DataType, Life, OnRelease, Verb, WordOrder

__all__ = [
    "BitsDoc",
    "BlockDoc",
    "CompareDoc",
    "ControlDoc",
    "DefaultsDoc",
    "FeedDoc",
    "FieldDoc",
    "GuardDoc",
    "HeadDoc",
    "HhmmDoc",
    "LadderDoc",
    "LimitsDoc",
    "MapDoc",
    "NeutralDoc",
    "OverlayDoc",
    "PackDoc",
    "RangeDoc",
    "RestoreDoc",
    "RowDoc",
    "SequencesDoc",
    "SignDoc",
    "SignalDoc",
    "StepDoc",
    "ValueDoc",
    "VerifyDoc",
    "WaitDoc",
    "WriteDoc",
]


class Doc(BaseModel):
    """A table that refuses unknown keys and never converts types on the quiet."""

    # A table is validated as part of its file; built for itself too, each would only stay in the edge's memory.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


def _number(text: object) -> object:
    """TOML keys are text: `0xAA` and `170` name the same raw number."""
    if not isinstance(text, str):
        return text
    try:
        return int(text, 0)
    except ValueError:
        raise PydanticCustomError("raw_key", "a key here is a raw number such as 2 or 0xAA") from None


RawKey = Annotated[int, BeforeValidator(_number)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Scalar = Number | str
Pair = Annotated[list[Number], Field(min_length=2, max_length=2)]


# --- head and rows ---


class RangeDoc(Doc):
    """A closed range of firmware strings."""

    low: str = Field(alias="from", pattern="[0-9]")
    high: str = Field(alias="to", pattern="[0-9]")


class HeadDoc(Doc):
    """`[map]`."""

    map_schema: str = Field(alias="schema")
    id: str = Field(min_length=1)
    version: str = Field(min_length=1)
    models: list[str] = Field(min_length=1)
    firmware: list[RangeDoc]


class DefaultsDoc(Doc):
    """`[defaults]`: what a row says when it does not say it."""

    table: Table = Field(default=Table.HOLDING, strict=False)
    words: WordOrder = Field(default=WordOrder.HIGH_FIRST, strict=False)


class LimitsDoc(Doc):
    """`[limits]`: words in one request. The protocol itself stops at 125 read and 123 written."""

    read_words: int = Field(default=64, ge=1, le=125)
    gap_words: int = Field(default=0, ge=0, le=124)
    write_words: int = Field(default=64, ge=1, le=123)


class FieldDoc(Doc):
    """Named bits in a word."""

    shift: int = Field(ge=0, le=63)
    width: int = Field(ge=1, le=64)
    scale: Annotated[Number, Field(gt=0)] = 1.0


class GuardDoc(Doc):
    """`only_if`: another register and the label or raw number it must hold."""

    register_name: str = Field(alias="register")
    wanted: int | str = Field(alias="is")


class SignDoc(Doc):
    """`sign_from`: another register, and which of its bits say that the number is negative or positive."""

    register_name: str = Field(alias="register")
    negative: int = Field(ge=0, le=63)
    positive: int = Field(ge=0, le=63)


class SignalDoc(Doc):
    """`{ signal = NAME, clamp_to = NAME, share_of = NAME }`."""

    signal: str
    clamp_to: str | None = None
    share_of: str | None = None


class RowDoc(Doc):
    """`[registers.NAME]`."""

    address: int = Field(ge=0, le=65535)
    type: DataType = Field(strict=False)
    count: int | None = Field(default=None, ge=1, le=125)
    table: Table | None = Field(default=None, strict=False)
    words: WordOrder | None = Field(default=None, strict=False)
    scale: Number = 1.0
    offset: Number = 0.0
    unit: str = ""
    signal: str | None = None
    positive: Positive | None = Field(default=None, strict=False)
    magnitude: bool = False
    invalid: list[int] = []
    valid: Pair | None = None
    labels: dict[RawKey, str] = {}
    states: dict[RawKey, str] = {}
    other_state: str | None = None
    fields: dict[Name, FieldDoc] = {}
    poll: Literal["fast", "slow", "static", "never"] | None = None
    alone: bool = False
    optional: bool = False
    only_if: GuardDoc | None = None
    times: str | None = None
    between: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None
    sign_from: SignDoc | None = None
    instead_of: str | None = None
    at: Name | None = None
    readable: bool = True
    write: Literal[6, 16] | None = None
    never_write: str | None = Field(default=None, min_length=1)
    authority: Authority | None = Field(default=None, strict=False)
    life: Life | None = Field(default=None, strict=False)
    on_release: OnRelease | None = Field(default=None, strict=False)
    neutral: NeutralDoc | None = None
    ceiling: str | None = None
    trigger: bool = False
    resting: list[str] = []
    confidence: Confidence = Field(strict=False)
    source: str = Field(min_length=1)


# --- values ---


class RestoreDoc(Doc):
    """`{ snapshot = true, otherwise = … }`, or `snapshot = "other_register"`."""

    snapshot: Literal[True] | str
    otherwise: NeutralDoc | None = None


class HhmmDoc(Doc):
    """`{ hhmm_after_s = 600, floor_s = 300, clock = "NAME" }`."""

    hhmm_after_s: int = Field(ge=0, le=86_400)
    floor_s: int = Field(default=60, ge=60, le=3600)
    clock: str | None = None


class PackDoc(Doc):
    """`{ pack = { field = value, … } }`."""

    pack: dict[str, FieldValueDoc] = Field(min_length=1)


# Tags begin with a colon, so that they can be told from keys where an error is reported.
_VALUE_KEYS = {"signal": ":signal", "snapshot": ":snapshot", "hhmm_after_s": ":hhmm", "pack": ":pack"}


def _value_tag(value: object) -> str | None:
    if isinstance(value, Doc):
        return next(tag for key, tag in _VALUE_KEYS.items() if key in type(value).model_fields)
    if not isinstance(value, dict):
        return ":scalar"
    tags = [tag for key, tag in _VALUE_KEYS.items() if key in value]
    return tags[0] if len(tags) == 1 else None


def _one_of(described: str) -> dict[str, Any]:
    return {"custom_error_type": "shape", "custom_error_message": described}


ValueDoc = Annotated[
    Annotated[Scalar, Tag(":scalar")]
    | Annotated[SignalDoc, Tag(":signal")]
    | Annotated[RestoreDoc, Tag(":snapshot")]
    | Annotated[HhmmDoc, Tag(":hhmm")]
    | Annotated[PackDoc, Tag(":pack")],
    Discriminator(
        _value_tag,
        **_one_of("a value is a number, a label, or a table with one of signal, snapshot, hhmm_after_s, pack"),
    ),
]
NeutralDoc = Annotated[
    Annotated[Scalar, Tag(":scalar")] | Annotated[SignalDoc, Tag(":signal")],
    Discriminator(_value_tag, **_one_of("this value is a number, a label or { signal = NAME }")),
]
FieldValueDoc = Annotated[
    Annotated[Number, Tag(":scalar")] | Annotated[SignalDoc, Tag(":signal")],
    Discriminator(_value_tag, **_one_of("the value of a field is a number or { signal = NAME }")),
]


# --- steps ---

Seconds = Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)]


def _list_tag(value: object) -> str:
    return ":list" if isinstance(value, list) else ":one"


OneOrMore = Annotated[
    Annotated[Scalar, Tag(":one")] | Annotated[list[Scalar], Field(min_length=1), Tag(":list")],
    Discriminator(_list_tag),
]
OneOrMoreNames = Annotated[
    Annotated[str, Tag(":one")] | Annotated[list[str], Field(min_length=1), Tag(":list")],
    Discriminator(_list_tag),
]


class WriteDoc(Doc):
    """`{ write = "x", value = … }` and `write_if_differs`."""

    write: str | None = None
    write_if_differs: str | None = None
    value: ValueDoc


class BlockDoc(Doc):
    """`{ write_block = [...], values = [...], fallback = [...] }`."""

    write_block: list[str] = Field(min_length=2)
    values: list[ValueDoc]
    fallback: list[str] = []


class BitsDoc(Doc):
    """`{ set_bits = "x", bits = [...] }` and `clear_bits`."""

    set_bits: str | None = None
    clear_bits: str | None = None
    bits: list[int] = Field(min_length=1)


class WaitDoc(Doc):
    """`{ wait = 2 }`."""

    wait: Seconds


class CompareDoc(Doc):
    """`{ wait_until = "x", is = …, within_s = 150 }` and `require`."""

    wait_until: str | None = None
    require: str | None = None
    wanted: OneOrMore | None = Field(default=None, alias="is")
    unwanted: OneOrMore | None = Field(default=None, alias="is_not")
    within_s: Seconds | None = None
    because: str = ""


class VerifyDoc(Doc):
    """`{ verify = ["x", "y"], within_s = 2 }`, with `is` for what this sequence has not written itself."""

    verify: OneOrMoreNames
    wanted: OneOrMore | None = Field(default=None, alias="is")
    within_s: Seconds


def _verb(step: object) -> str | None:
    if isinstance(step, Doc):
        return next(f":{verb}" for verb in Verb if getattr(step, verb.value, None) is not None)
    verbs = [f":{verb}" for verb in Verb if isinstance(step, dict) and verb.value in step]
    return verbs[0] if len(verbs) == 1 else None


StepDoc = Annotated[
    Annotated[WriteDoc, Tag(":write")]
    | Annotated[WriteDoc, Tag(":write_if_differs")]
    | Annotated[BlockDoc, Tag(":write_block")]
    | Annotated[BitsDoc, Tag(":set_bits")]
    | Annotated[BitsDoc, Tag(":clear_bits")]
    | Annotated[WaitDoc, Tag(":wait")]
    | Annotated[CompareDoc, Tag(":wait_until")]
    | Annotated[CompareDoc, Tag(":require")]
    | Annotated[VerifyDoc, Tag(":verify")],
    Discriminator(_verb, **_one_of("a step has exactly one of the verbs " + ", ".join(Verb))),
]


class LadderDoc(Doc):
    """One rung of `zero` or `stop`."""

    rung: Name
    steps: list[StepDoc] = Field(min_length=1)


FeedDoc = Annotated[
    Annotated[Literal["repeat"], Tag(":one")] | Annotated[list[StepDoc], Tag(":list")],
    Discriminator(_list_tag),
]


class SequencesDoc(Doc):
    """`[sequences]`; in an overlay, those that it replaces."""

    take: list[StepDoc] | None = None
    wake: list[StepDoc] | None = None
    charge: list[StepDoc] | None = None
    discharge: list[StepDoc] | None = None
    reverse: list[StepDoc] | None = None
    zero: list[LadderDoc] | None = None
    stop: list[LadderDoc] | None = None
    feed: FeedDoc | None = None
    release: list[StepDoc] | None = None


class ControlDoc(Doc):
    """`[controls.NAME]`: another way of control; sequences that it leaves out are the map's own."""

    needs_guard: bool = False
    sequences: SequencesDoc


class OverlayDoc(Doc):
    """`[[overlays]]`: whole rows and whole sequences for some models and firmware."""

    models: list[str] | None = Field(default=None, min_length=1)
    firmware: RangeDoc | None = None
    registers: dict[Name, RowDoc] = {}
    sequences: SequencesDoc = SequencesDoc()


class MapDoc(Doc):
    """A whole file."""

    map: HeadDoc
    defaults: DefaultsDoc = DefaultsDoc()
    limits: LimitsDoc = LimitsDoc()
    registers: dict[Name, RowDoc]
    sequences: SequencesDoc
    controls: dict[Name, ControlDoc] = {}
    overlays: list[OverlayDoc] = []


for _doc in (RowDoc, RestoreDoc, PackDoc):
    _doc.model_rebuild()
