"""Rows of the file to registers: defaults filled in, signs resolved, every contradiction inside a row reported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from samspel.contract.ports import Table
from samspel.contract.signals import SIGNALS, Positive
from samspel.registers.codec import sign
from samspel.registers.model import (
    BitField,
    Confidence,
    DataType,
    Life,
    Limits,
    Literal,
    Register,
    SignalValue,
    SignFrom,
)
from samspel.registers.problems import Place, Problems, listed
from samspel.registers.raw import INTEGERS, WORDS, raw_bounds
from samspel.registers.schema import DefaultsDoc, NeutralDoc, RowDoc, SignalDoc, SignDoc
from samspel.registers.vocabulary import STATE_WORDS, UNIT_FACTORS
from samspel.wording import did_you_mean

__all__ = ["PlacedRow", "build_register", "literal_or_signal"]

_WRITE_KEYS = ("authority", "life", "on_release", "neutral", "ceiling")


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A row and where it stands in the file: the map's own table or an overlay's."""

    place: Place
    doc: RowDoc


def build_register(
    name: str, row: PlacedRow, defaults: DefaultsDoc, limits: Limits, problems: Problems, *, switched_on: bool
) -> Register:
    """One register. `switched_on` keeps a low-confidence row's signal and polling."""
    register = _as_written(name, row.doc, defaults)
    for key, text in _row_problems(register, row.doc, limits):
        problems.add((*row.place, key) if key else row.place, text)
    register = _normalised(register)
    low = register.confidence is Confidence.LOW and not switched_on
    return _switched_off(register) if low else register


def literal_or_signal(doc: NeutralDoc) -> Literal | SignalValue:
    """A neutral or fallback value."""
    if isinstance(doc, SignalDoc):
        return SignalValue(doc.signal, clamp_to=doc.clamp_to, share_of=doc.share_of)
    return Literal(doc)


def _as_written(name: str, doc: RowDoc, defaults: DefaultsDoc) -> Register:
    """What stands in the file, and what follows from an omission."""
    spec = SIGNALS.get(doc.signal or "")
    read = Register(
        name=name,
        address=doc.address,
        count=WORDS.get(doc.type, doc.count or 1),
        type=doc.type,
        table=doc.table or defaults.table,
        word_order=doc.words or defaults.words,
        scale=doc.scale or 1.0,  # 0 is reported; nothing after that may stumble over it
        offset=doc.offset,
        unit=doc.unit,
        value_unit=doc.unit,
        signal=doc.signal if spec else None,
        positive=doc.positive or Positive.NONE,
        magnitude=doc.magnitude,
        invalid=frozenset(doc.invalid),
        valid=(doc.valid[0], doc.valid[1]) if doc.valid else None,
        labels=doc.labels,
        states=doc.states,
        other_state=doc.other_state,
        fields={key: BitField(bits.shift, bits.width, bits.scale) for key, bits in doc.fields.items()},
        poll=doc.poll or (spec.group if spec else "never"),
        alone=doc.alone,
        optional=doc.optional,
        times=doc.times,
        between=(doc.between[0], doc.between[1]) if doc.between else None,
        sign_from=_sign_from(doc.sign_from),
        instead_of=doc.instead_of,
        at=doc.at,
        readable=doc.readable,
        confidence=doc.confidence,
        source=doc.source,
    )
    return _under_control(read, doc)


def _under_control(register: Register, doc: RowDoc) -> Register:
    """With who may write it, and how it is given back."""
    return replace(
        register,
        write_function=doc.write,
        never_write=doc.never_write,
        authority=doc.authority,
        life=doc.life or Life.PERSISTENT,
        on_release=doc.on_release,
        neutral=None if doc.neutral is None else literal_or_signal(doc.neutral),
        ceiling=doc.ceiling,
        trigger=doc.trigger,
        resting=frozenset(raw for raw, word in doc.labels.items() if word in doc.resting),
    )


def _sign_from(doc: SignDoc | None) -> SignFrom | None:
    return None if doc is None else SignFrom(doc.register_name, negative=doc.negative, positive=doc.positive)


def _normalised(register: Register) -> Register:
    """Sentinels as signed numbers where the type is signed; the valid range in contract sign."""
    largest = raw_bounds(register)[1]
    wrap = 1 << 16 * register.count
    invalid = frozenset(raw if raw <= largest else raw - wrap for raw in register.invalid)
    return replace(register, invalid=invalid, valid=_turned(register))


def _turned(register: Register) -> tuple[float, float] | None:
    if register.valid is None or sign(register) > 0:
        return register.valid
    low, high = register.valid
    return -high, -low


def _switched_off(register: Register) -> Register:
    """Low confidence: the row stays known, but nothing goes up from it, nobody polls it and it needs nobody."""
    return replace(
        register,
        signal=None,
        positive=Positive.NONE,
        poll="never",
        valid=_turned(register),
        times=None,
        between=None,
        sign_from=None,
        instead_of=None,
    )


# --- checks inside one row: (key, what is wrong) ---

_Found = Iterator[tuple[str, str]]


def _row_problems(register: Register, doc: RowDoc, limits: Limits) -> _Found:
    yield from _place_problems(register, doc, limits)
    yield from _number_problems(register, doc)
    yield from _word_problems(register, doc)
    yield from _field_problems(register)
    yield from _signal_problems(doc)
    yield from _write_problems(register, doc)


def _place_problems(register: Register, doc: RowDoc, limits: Limits) -> _Found:
    text = register.type is DataType.STRING
    if text and doc.count is None:
        yield "count", "is missing: a string says how many words it has"
    if not text and doc.count is not None:
        yield "count", f"found {doc.count}; {register.type} always has {register.count}, leave count out"
    if register.address + register.count > 65536:
        yield "address", f"found {register.address} and {register.count} words; the last address is 65535"
    if register.readable and register.count > limits.read_words:
        yield "count", f"{register.count} words, but [limits] read_words is {limits.read_words}"
    if not register.readable and register.poll != "never":
        yield "poll", f"found {register.poll!r}, but readable is false: only 'never' is allowed"


def _number_problems(register: Register, doc: RowDoc) -> _Found:
    if doc.scale == 0:
        yield "scale", "found 0; every value would be the same"
    if register.valid is not None and register.valid[0] > register.valid[1]:
        yield "valid", f"found {list(register.valid)}; the lower end comes first"
    if register.valid is not None and register.type not in WORDS:
        yield "valid", "a string has no range"
    smallest, largest = raw_bounds(register)
    # A signed type's sentinel may be said as the bit pattern, too.
    highest = largest if smallest == 0 else 2 * largest + 1
    for raw in register.invalid:
        if not smallest <= raw <= highest:
            yield "invalid", f"found {raw}; {register.type} holds {smallest}..{largest}"


def _word_problems(register: Register, doc: RowDoc) -> _Found:
    smallest, largest = raw_bounds(register)
    for key, words in (("labels", register.labels), ("states", register.states)):
        if words and (register.type not in INTEGERS or (register.scale, register.offset) != (1.0, 0.0)):
            yield key, f"{key} name raw numbers: the type must be an integer, without scale or offset"
        for raw in words:
            if not smallest <= raw <= largest:
                yield key, f"found {raw}; {register.type} holds {smallest}..{largest}"
    for word in doc.resting:
        if word not in register.labels.values():
            yield "resting", f"found {word!r}, expected labels of this row: {listed(register.labels.values())}"
    if doc.resting and not doc.trigger:
        yield "resting", "only a trigger has values at which the device follows its own logic"
    if doc.other_state is not None and not doc.states:
        yield "other_state", "says what unlisted codes mean, but the row lists no states"


def _field_problems(register: Register) -> _Found:
    taken = 0
    for name, bits in register.fields.items():
        mask = (1 << bits.width) - 1 << bits.shift
        if bits.shift + bits.width > 16 * register.count or register.type not in INTEGERS:
            yield f"fields.{name}", f"bits {bits.shift}..{bits.shift + bits.width - 1} do not fit {register.type}"
        if taken & mask:
            yield f"fields.{name}", "shares bits with another field"
        taken |= mask


def _signal_problems(doc: RowDoc) -> _Found:
    if doc.signal is None:
        if doc.positive is not None:
            yield "positive", "has a meaning only beside a signal"
        if doc.states:
            yield "states", "have a meaning only beside a signal; use labels for the device's own words"
        return
    if doc.signal not in SIGNALS:
        yield "signal", f"found {doc.signal!r}, which is not in the contract's list{did_you_mean(doc.signal, SIGNALS)}"
        return
    yield from _direction_problems(doc.signal, doc)
    yield from _unit_problems(doc.signal, doc)
    yield from _state_problems(doc.signal, doc)


def _direction_problems(signal: str, doc: RowDoc) -> _Found:
    own = SIGNALS[signal].positive
    if own is Positive.NONE:
        if doc.positive is not None:
            yield "positive", f"found {doc.positive.value!r}, but {signal} has no direction: leave it out"
        return
    allowed = (own.value, own.opposite.value)
    if doc.positive is None:
        yield "positive", f"is missing: say what a positive raw number means, {listed(allowed)}"
    elif doc.positive.value not in allowed:
        yield "positive", f"found {doc.positive.value!r}, allowed for {signal}: {listed(allowed)}"
    if doc.magnitude:
        yield "magnitude", f"{signal} has a direction; an absolute value would hide it"


def _unit_problems(signal: str, doc: RowDoc) -> _Found:
    wanted = SIGNALS[signal].unit
    if doc.unit == wanted or doc.times or doc.between:  # `companions` checks the unit of what comes of those
        return
    factor = UNIT_FACTORS.get((doc.unit, wanted))
    advice = f"; write unit = {wanted!r} and scale = {doc.scale * factor:g}" if factor else ""
    yield "unit", f"found {doc.unit!r}, but {signal} is in {wanted!r}{advice}"


def _state_problems(signal: str, doc: RowDoc) -> _Found:
    words = STATE_WORDS.get(signal)
    if words is None:
        if doc.states:
            yield "states", f"{signal} is a number, not a word"
        if doc.type not in INTEGERS and doc.type is not DataType.F32:
            yield "type", f"found {doc.type.value!r}, but {signal} is a number"
        return
    if not doc.states:
        yield "states", f"are missing: {signal} is a word, one of {listed(words)}"
    for word in dict.fromkeys([*doc.states.values(), *([doc.other_state] if doc.other_state else [])]):
        if word not in words:
            yield "states", f"found {word!r}, allowed for {signal}: {listed(words)}{did_you_mean(word, words)}"


def _write_problems(register: Register, doc: RowDoc) -> _Found:
    if register.write_function is None:
        for key in _WRITE_KEYS:
            if getattr(doc, key) is not None:
                yield key, "has a meaning only on a register that can be written: `write` is missing"
        if doc.trigger:
            yield "trigger", "has a meaning only on a register that can be written: `write` is missing"
        return
    if register.write_function == 6 and register.count > 1:
        yield "write", f"found 6, but {register.type} has {register.count} words: only 16 writes several"
    if register.table is not Table.HOLDING:
        yield "write", "only holding registers can be written"
