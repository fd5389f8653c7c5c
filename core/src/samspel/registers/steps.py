"""Steps of the file to steps of the model. A change of shape only; `checks` says whether they make sense."""

from __future__ import annotations

from collections.abc import Sequence

from samspel.registers.model import (
    HhmmAfter,
    Literal,
    Pack,
    Restore,
    Rung,
    SignalValue,
    Step,
    Value,
    Verb,
)
from samspel.registers.problems import Place, Problems
from samspel.registers.rows import literal_or_signal
from samspel.registers.schema import (
    BitsDoc,
    BlockDoc,
    CompareDoc,
    HhmmDoc,
    LadderDoc,
    PackDoc,
    RestoreDoc,
    SignalDoc,
    StepDoc,
    ValueDoc,
    VerifyDoc,
    WaitDoc,
    WriteDoc,
)

__all__ = ["build_ladder", "build_sequence"]

_Scalars = float | str | list[float | str]


def build_sequence(docs: Sequence[StepDoc], place: Place, problems: Problems) -> tuple[Step, ...]:
    """The steps of one sequence, in order."""
    return tuple(_step(doc, (*place, number), problems) for number, doc in enumerate(docs))


def build_ladder(docs: Sequence[LadderDoc], place: Place, problems: Problems) -> tuple[Rung, ...]:
    """The rungs of `zero` or `stop`, first choice first."""
    return tuple(
        Rung(doc.rung, build_sequence(doc.steps, (*place, number, "steps"), problems))
        for number, doc in enumerate(docs)
    )


def _step(doc: StepDoc, place: Place, problems: Problems) -> Step:
    match doc:
        case WriteDoc():
            return _write(doc)
        case BlockDoc():
            values = tuple(_value(value) for value in doc.values)
            return Step(
                verb=Verb.WRITE_BLOCK, registers=tuple(doc.write_block), values=values, fallback=tuple(doc.fallback)
            )
        case BitsDoc():
            return _bits(doc)
        case WaitDoc():
            return Step(verb=Verb.WAIT, seconds=doc.wait)
        case CompareDoc():
            return _compare(doc, place, problems)
        case VerifyDoc():
            return _verify(doc, place, problems)


def _write(doc: WriteDoc) -> Step:
    verb, name = (Verb.WRITE, doc.write) if doc.write is not None else (Verb.WRITE_IF_DIFFERS, doc.write_if_differs)
    return Step(verb=verb, registers=(name or "",), values=(_value(doc.value),))


def _bits(doc: BitsDoc) -> Step:
    verb, name = (Verb.SET_BITS, doc.set_bits) if doc.set_bits is not None else (Verb.CLEAR_BITS, doc.clear_bits)
    return Step(verb=verb, registers=(name or "",), bits=tuple(doc.bits))


def _compare(doc: CompareDoc, place: Place, problems: Problems) -> Step:
    verb, name = (Verb.REQUIRE, doc.require) if doc.require is not None else (Verb.WAIT_UNTIL, doc.wait_until)
    if (doc.wanted is None) is (doc.unwanted is None):
        problems.add(place, f"{verb} needs exactly one of `is` and `is_not`")
    if verb is Verb.WAIT_UNTIL and doc.within_s is None:
        problems.add((*place, "within_s"), "is missing: no step waits for ever")
    if verb is Verb.REQUIRE and not doc.because:
        problems.add((*place, "because"), "is missing: say what a person should read when this does not hold")
    return Step(
        verb=verb,
        registers=(name or "",),
        values=_literals(doc.wanted if doc.wanted is not None else doc.unwanted),
        seconds=doc.within_s or 0.0,
        negate=doc.unwanted is not None,
        because=doc.because,
    )


def _verify(doc: VerifyDoc, place: Place, problems: Problems) -> Step:
    names = (doc.verify,) if isinstance(doc.verify, str) else tuple(doc.verify)
    values = _literals(doc.wanted)
    if values and len(values) != len(names):
        problems.add((*place, "is"), f"found {len(values)} values for {len(names)} registers; one each is expected")
    return Step(verb=Verb.VERIFY, registers=names, values=values, seconds=doc.within_s)


def _literals(scalars: _Scalars | None) -> tuple[Literal, ...]:
    if scalars is None:
        return ()
    return tuple(Literal(value) for value in (scalars if isinstance(scalars, list) else [scalars]))


def _value(doc: ValueDoc) -> Value:
    match doc:
        case RestoreDoc():
            register = doc.snapshot if isinstance(doc.snapshot, str) else None
            otherwise = None if doc.otherwise is None else literal_or_signal(doc.otherwise)
            return Restore(register, otherwise)
        case HhmmDoc():
            return HhmmAfter(doc.hhmm_after_s, doc.floor_s, doc.clock)
        case PackDoc():
            return Pack({name: _field_value(value) for name, value in doc.pack.items()})
        case _:
            return literal_or_signal(doc)


def _field_value(doc: float | SignalDoc) -> Literal | SignalValue:
    if isinstance(doc, SignalDoc):
        return SignalValue(doc.signal, clamp_to=doc.clamp_to, share_of=doc.share_of)
    return Literal(doc)
