"""A register map after loading: frozen, resolved, checked. `loader` makes these; `driver` runs them.

The vocabulary is frozen as map schema 1.0 in docs/decisions/0001-three-families-one-vocabulary.md, with the additions
of 0004-what-the-next-two-brands-asked-for.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from samspel.contract.ports import Table
from samspel.contract.signals import Positive

__all__ = [
    "MAP_SCHEMA",
    "Authority",
    "BitField",
    "Confidence",
    "DataType",
    "HhmmAfter",
    "Life",
    "Limits",
    "Literal",
    "OnRelease",
    "Pack",
    "Register",
    "RegisterMap",
    "Restore",
    "Rung",
    "Sequence",
    "SignFrom",
    "SignalValue",
    "Step",
    "Value",
    "Verb",
    "WordOrder",
]

MAP_SCHEMA = "1.0"


class DataType(StrEnum):
    """How the words of a register become a number or text."""

    U16 = "u16"
    U32 = "u32"
    U48 = "u48"
    U64 = "u64"
    I16 = "i16"
    I32 = "i32"
    I48 = "i48"
    I64 = "i64"
    F32 = "f32"
    STRING = "string"
    BITS16 = "bits16"
    BITS32 = "bits32"


class WordOrder(StrEnum):
    """Which word of a number of several words has the lowest address."""

    HIGH_FIRST = "high_first"
    LOW_FIRST = "low_first"


class Authority(StrEnum):
    """What a written value means to the device."""

    BINDING = "binding"
    ADVISORY = "advisory"
    CEILING = "ceiling"


class Life(StrEnum):
    """Whether a write wears the device's memory. Unknown counts as persistent."""

    VOLATILE = "volatile"
    PERSISTENT = "persistent"


class OnRelease(StrEnum):
    """What release does with a register that a sequence has written."""

    RESTORE = "restore"
    """Back to the snapshot's value, if it still holds our last one."""
    RESET = "reset"
    """To its neutral value."""
    LEAVE = "leave"


class Confidence(StrEnum):
    """How far the source of a row is trusted. What rests on `low` is off unless switched on."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class BitField:
    """Named bits inside one word: `width` bits from `shift`; their number times `scale` is the value."""

    shift: int
    width: int
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class SignFrom:
    """Bit numbers of another register that say which way a magnitude points, in the device's own sign."""

    register: str
    negative: int
    positive: int


# --- values: what a step writes or compares with. No expressions. ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal:
    """A number in the register's own unit, or a label of its enum."""

    value: float | str


@dataclass(frozen=True, slots=True)
class SignalValue:
    """The present value of a signal or register, or the command's own `target_power_w` (magnitude, W >= 0).

    `clamp_to` bounds it by the present value of another; `share_of` divides it by another, for devices that
    count in shares of their rated power (the register's scale then says per mille or percent).
    """

    name: str
    clamp_to: str | None = None
    share_of: str | None = None


@dataclass(frozen=True, slots=True)
class Restore:
    """What the snapshot holds for `register` (default: the register written), else `otherwise`, else its neutral."""

    register: str | None = None
    otherwise: Literal | SignalValue | None = None


@dataclass(frozen=True, slots=True)
class HhmmAfter:
    """A clock's time plus `seconds`, rounded down to `floor_s`, as hour * 256 + minute; 23:59 where that is tomorrow.

    `clock` is the device's own: a register with the bit fields `hour`, `minute` and, if it has one, `second`. Without
    it the site's clock is used.
    """

    seconds: int
    floor_s: int = 60
    clock: str | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """Several values in the named bit fields of one word."""

    fields: Mapping[str, Literal | SignalValue]


Value = Literal | SignalValue | Restore | HhmmAfter | Pack


class Verb(StrEnum):
    """What a step does."""

    WRITE = "write"
    WRITE_BLOCK = "write_block"
    WRITE_IF_DIFFERS = "write_if_differs"
    SET_BITS = "set_bits"
    CLEAR_BITS = "clear_bits"
    WAIT = "wait"
    WAIT_UNTIL = "wait_until"
    REQUIRE = "require"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a sequence.

    write, write_if_differs      one register, one value
    write_block                  neighbours in one frame; `fallback` is the order of single writes if the frame is
                                 refused (empty: no fallback)
    set_bits, clear_bits         one register, bit numbers in `bits`
    wait                         `seconds`
    wait_until                   until the register is one of `values`, at most `seconds`
    require                      the register is one of `values` (or, with `negate`, none of them), else
                                 RequirementFailed with `because`
    verify                       each register reads back as this sequence wrote it, or as `values` say, within
                                 `seconds`
    """

    verb: Verb
    registers: tuple[str, ...] = ()
    values: tuple[Value, ...] = ()
    fallback: tuple[str, ...] = ()
    bits: tuple[int, ...] = ()
    seconds: float = 0.0
    negate: bool = False
    because: str = ""


Sequence = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to reach zero; a ladder is walked down until a rung is accepted by the device."""

    name: str
    steps: Sequence


# --- the map --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """One row.

    Raw to engineering value: `raw * scale + offset`, then negated where `positive` is the opposite of the signal's
    own direction. `invalid` are raw values that mean "not available"; `valid` is the closed range of the resulting
    value (the map states it as the device does, the loader has turned the sign) outside which a reading is invalid
    and a write is refused. `ceiling` names the signal or register whose
    present value bounds every write. `only_if` = (register, value): read only while that register has that value
    (a read otherwise is refused or drops the session). `labels` maps raw numbers to enum words, `states` raw
    numbers to the contract's words for an upward state signal.

    Companions: `sign_from` says which way the number points; then it is multiplied with the value of `times`, or is a
    percentage of the way `between` two others. `value_unit` is the unit after that; everything else here is about the
    row's own number. `resting` are the values of a trigger, beside its neutral one, at which the device follows its own
    logic: another mode of the household's. `instead_of` names the row that carries the same signal where the device has
    it. `at` names another unit of the same endpoint.
    """

    name: str
    address: int
    count: int
    type: DataType
    table: Table = Table.HOLDING
    word_order: WordOrder = WordOrder.HIGH_FIRST
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    signal: str | None = None
    positive: Positive = Positive.NONE
    magnitude: bool = False
    invalid: frozenset[int] = frozenset()
    valid: tuple[float, float] | None = None
    labels: Mapping[int, str] = field(default_factory=dict)
    states: Mapping[int, str] = field(default_factory=dict)
    other_state: str | None = None
    fields: Mapping[str, BitField] = field(default_factory=dict)
    poll: str = "never"
    alone: bool = False
    optional: bool = False
    only_if: tuple[str, int] | None = None
    times: str | None = None
    between: tuple[str, str] | None = None
    sign_from: SignFrom | None = None
    value_unit: str = ""
    instead_of: str | None = None
    at: str | None = None
    readable: bool = True
    write_function: int | None = None
    never_write: str | None = None
    authority: Authority | None = None
    life: Life = Life.PERSISTENT
    on_release: OnRelease | None = None
    neutral: Literal | SignalValue | None = None
    ceiling: str | None = None
    trigger: bool = False
    resting: frozenset[int] = frozenset()
    confidence: Confidence = Confidence.LOW
    source: str = ""

    @property
    def companions(self) -> tuple[str, ...]:
        """The registers without which this one means nothing."""
        sign = () if self.sign_from is None else (self.sign_from.register,)
        factor = () if self.times is None else (self.times,)
        return (*sign, *factor, *(self.between or ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request may ask of this device, in words. `gap_words` unwanted words may be read to save a request."""

    read_words: int = 64
    gap_words: int = 0
    write_words: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterMap:
    """One family's map with the overlay for one firmware already applied.

    What rests on low confidence and is not switched on keeps its row, but without signal and never polled.

    `sequences` holds take, wake, charge, discharge, reverse, feed and release; `zero` and `stop` are ladders.
    `feed` empty with `feed_repeats` true: feeding repeats the running direction's sequence. `owned` are the
    registers that any sequence writes, in the order in which release treats them after its own steps: triggers that
    those have not written, then parameters in the order of the rows, then what those have written, in their order.
    `digest` is the SHA-256 of `text`, the TOML itself, kept so that a release can use the map its snapshot was
    taken with (loaded again with the same model, firmware and control, it gives the same `overlay` and sequences).
    `control` names the way of control that the sequences are of (empty: the map's own); one that `needs_guard` may
    only command while somebody watches.
    """

    id: str
    version: str
    models: tuple[str, ...]
    firmware: tuple[tuple[str, str], ...]
    registers: Mapping[str, Register]
    limits: Limits
    sequences: Mapping[str, Sequence]
    zero: tuple[Rung, ...]
    stop: tuple[Rung, ...]
    feed_repeats: bool
    owned: tuple[str, ...]
    digest: str
    text: str
    overlay: str | None = None
    control: str = ""
    needs_guard: bool = False

    def signal(self, name: str) -> Register | None:
        """The register that carries a signal, if any: the preferred one, where another may stand in for it."""
        return next((row for row in self.registers.values() if row.signal == name and row.instead_of is None), None)

    def carriers(self, name: str) -> tuple[Register, ...]:
        """The registers behind a name in the order in which they are tried: `source`, then its stand-in."""
        first = self.source(name)
        second = None if first is None else self.stand_in(first.name)
        return tuple(row for row in (first, second) if row is not None)

    def stand_in(self, name: str) -> Register | None:
        """The row that is read `instead_of` this one where the device does not have it."""
        return next((row for row in self.registers.values() if row.instead_of == name), None)

    def source(self, name: str) -> Register | None:
        """The register behind a name in `clamp_to`, `share_of`, `ceiling` or a value: of a signal, else its own."""
        return self.signal(name) or self.registers.get(name)
