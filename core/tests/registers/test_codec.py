import math
import struct
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from samspel.contract.errors import DriverError
from samspel.contract.signals import Positive
from samspel.registers.codec import Rounding, UnwritableValue, decode, encode, label, matches, pack, sign, unpack
from samspel.registers.model import BitField, DataType, Register, WordOrder
from samspel.registers.raw import INTEGERS, WORDS, from_raw, raw_bounds, to_raw

SCALES = st.sampled_from([1.0, 0.1, 0.01, 0.001, 10.0, 1000.0, 0.5, -0.1, -1.0])
OFFSETS = st.sampled_from([0.0, 0.0, 40.0, -0.25, -1000.0])


def register(data_type: DataType = DataType.U16, **changes: object) -> Register:
    base = Register(name="x", address=0, count=WORDS.get(data_type, 4), type=data_type)
    return replace(base, **changes)  # type: ignore[arg-type]


@st.composite
def number_registers(draw: st.DrawFn) -> Register:
    data_type = draw(st.sampled_from(sorted(INTEGERS - {DataType.BITS16, DataType.BITS32})))
    signal, positive = draw(
        st.sampled_from([(None, Positive.NONE), ("battery_power_w", Positive.CHARGING), ("soc_pct", Positive.NONE)])
    )
    return register(
        data_type,
        word_order=draw(st.sampled_from(list(WordOrder))),
        scale=draw(SCALES),
        offset=draw(OFFSETS),
        signal=signal,
        positive=positive,
    )


# --- words ---


@pytest.mark.parametrize(
    ("data_type", "words", "raw"),
    [
        ("u16", (0xFFFE,), 0xFFFE),
        ("i16", (0xFFFE,), -2),
        ("u32", (0x0102, 0x0304), 0x01020304),
        ("i32", (0xFFFF, 0xFFFE), -2),
        ("u48", (1, 2, 3), 0x0001_0002_0003),
        ("i48", (0xFFFF, 0xFFFF, 0xFFFD), -3),
        ("u64", (1, 2, 3, 4), 0x0001_0002_0003_0004),
        ("i64", (0x8000, 0, 0, 0), -(1 << 63)),
        ("bits32", (0x8000, 0x0001), 0x80000001),
    ],
)
def test_words_to_raw_numbers_in_both_orders(data_type: str, words: tuple[int, ...], raw: int) -> None:
    high = register(DataType(data_type))
    low = replace(high, word_order=WordOrder.LOW_FIRST)
    assert to_raw(high, words) == raw == to_raw(low, words[::-1])
    assert from_raw(high, raw) == words
    assert from_raw(low, raw) == words[::-1]


@given(number_registers(), st.data())
def test_every_raw_number_survives_the_wire(row: Register, data: st.DataObject) -> None:
    raw = data.draw(st.integers(*raw_bounds(row)))
    words = from_raw(row, raw)
    assert all(0 <= word <= 0xFFFF for word in words)
    assert to_raw(row, words) == raw


@given(number_registers(), st.integers())
def test_what_does_not_fit_is_refused_and_never_wraps(row: Register, raw: int) -> None:
    low, high = raw_bounds(row)
    assume(not low <= raw <= high)
    with pytest.raises(UnwritableValue, match="does not fit"):
        from_raw(row, raw)


def test_a_wrong_number_of_words_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="expected 2 words, got 1"):
        decode(register(DataType.U32), (1,))
    with pytest.raises(ValueError, match=r"outside 0\.\.65535"):
        decode(register(), (65536,))


# --- numbers ---


@given(number_registers(), st.data())
def test_raw_to_value_and_back(row: Register, data: st.DataObject) -> None:
    raw = data.draw(st.integers(*raw_bounds(row)))
    assume(abs(raw) < 1 << 50)  # beyond that a float cannot tell neighbours apart
    value = decode(row, from_raw(row, raw))
    assert isinstance(value, float)
    assert to_raw(row, encode(row, value)) == raw


@given(number_registers(), st.floats(-1e12, 1e12))
def test_a_written_value_reads_back_within_half_a_step(row: Register, value: float) -> None:
    try:
        words = encode(row, value)
    except UnwritableValue:
        low, high = raw_bounds(row)
        ends = [decode(row, from_raw(row, end)) for end in (low, high)]
        assert value > max(ends) or value < min(ends)
        return
    read = decode(row, words)
    assert abs(Fraction(repr(read)) - Fraction(repr(value))) <= abs(Fraction(repr(row.scale))) / 2


@given(number_registers(), st.floats(-1e12, 1e12))
@example(register(scale=0.1), 0.3)
@example(register(scale=-0.1, signal="battery_power_w", positive=Positive.CHARGING), 0.29)
def test_rounding_toward_zero_never_exceeds_what_was_asked(row: Register, value: float) -> None:
    try:
        read = decode(row, encode(row, value, rounding=Rounding.TOWARD_ZERO))
    except UnwritableValue:
        return
    assert abs(read) <= abs(value)
    assert abs(Fraction(repr(value)) - Fraction(repr(read))) < abs(Fraction(repr(row.scale)))


def test_a_tenth_is_a_tenth() -> None:
    assert decode(register(scale=0.1), (3,)) == 0.3
    assert encode(register(scale=0.1), 0.3, rounding=Rounding.TOWARD_ZERO) == (3,)


def test_the_sign_is_the_contracts() -> None:
    charging = register(DataType.I32, signal="battery_power_w", positive=Positive.CHARGING)
    assert sign(charging) == -1
    assert decode(charging, from_raw(charging, 1500)) == -1500.0
    assert to_raw(charging, encode(charging, -1500.0)) == 1500
    discharging = replace(charging, positive=Positive.DISCHARGING)
    assert sign(discharging) == 1
    assert decode(discharging, from_raw(discharging, 1500)) == 1500.0


def test_magnitude_drops_the_devices_sign() -> None:
    assert decode(register(DataType.I16, magnitude=True), (0xFFF6,)) == 10.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("data_type", ["u16", "i32", "f32"])
def test_what_is_not_a_number_is_refused(data_type: str, value: float) -> None:
    with pytest.raises(UnwritableValue):
        encode(register(DataType(data_type)), value)


def test_refusals_are_driver_errors() -> None:
    assert issubclass(UnwritableValue, DriverError)


def test_sentinels_and_the_valid_range_read_as_nothing_and_cannot_be_written() -> None:
    row = register(DataType.I16, invalid=frozenset({0x7FFF}), valid=(0.0, 100.0))
    assert decode(row, (0x7FFF,)) is None
    assert decode(row, (101,)) is None
    assert decode(row, (100,)) == 100.0
    with pytest.raises(UnwritableValue, match="outside the valid range"):
        encode(row, 100.4)
    with pytest.raises(UnwritableValue, match="not available"):
        encode(replace(row, valid=None), 32767)


def test_rounding_may_not_leave_the_valid_range() -> None:
    with pytest.raises(UnwritableValue, match="outside the valid range"):
        encode(register(valid=(0.0, 99.7)), 99.6)
    assert encode(register(valid=(0.0, 99.7)), 99.6, rounding=Rounding.TOWARD_ZERO) == (99,)


def test_toward_zero_refuses_a_register_without_a_step_there() -> None:
    with pytest.raises(UnwritableValue, match="no step of the register"):
        encode(register(DataType.I16, offset=0.5), 0.2, rounding=Rounding.TOWARD_ZERO)


# --- floats ---


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.sampled_from(list(WordOrder)))
def test_f32_round_trip(value: float, order: WordOrder) -> None:
    row = register(DataType.F32, word_order=order)
    assert decode(row, encode(row, value)) == value


@given(st.floats(-3e38, 3e38))
def test_f32_toward_zero(value: float) -> None:
    row = register(DataType.F32)
    read = decode(row, encode(row, value, rounding=Rounding.TOWARD_ZERO))
    assert isinstance(read, float)
    assert abs(read) <= abs(value)
    assert read == pytest.approx(value, rel=1e-6, abs=1e-44)


def test_f32_oddities() -> None:
    row = register(DataType.F32)
    for odd in (math.nan, math.inf, -math.inf):
        assert decode(row, struct.unpack(">HH", struct.pack(">f", odd))) is None
    with pytest.raises(UnwritableValue, match="does not fit f32"):
        encode(row, 1e39)


# --- words of people ---


def test_labels_are_written_by_word_and_read_as_numbers() -> None:
    row = register(labels={0: "stop", 1: "charge", 0xAA: "charge_more"})
    assert encode(row, "charge_more") == (0xAA,)
    assert decode(row, (1,)) == 1.0
    assert label(row, (1,)) == "charge"
    assert label(row, (7,)) is None
    with pytest.raises(UnwritableValue, match="labels: charge, charge_more, stop"):
        encode(row, "chrage")


def test_a_label_for_two_numbers_can_be_read_but_not_written() -> None:
    row = register(labels={0: "running", 64: "running"})
    assert matches(row, (64,), "running")
    with pytest.raises(UnwritableValue, match="names 2 numbers"):
        encode(row, "running")


def test_states_read_as_the_contracts_words() -> None:
    row = register(signal="inverter_state", states={0: "standby", 512: "on_grid"}, other_state="other")
    assert [decode(row, (raw,)) for raw in (0, 512, 7)] == ["standby", "on_grid", "other"]
    assert decode(replace(row, other_state=None), (7,)) is None
    assert matches(row, (7,), "other")


def test_matching_numbers_within_half_a_step() -> None:
    row = register(scale=0.1, invalid=frozenset({0xFFFF}))
    assert matches(row, (123,), 12.3)
    assert matches(row, (123,), 12.34)
    assert not matches(row, (123,), 12.4)
    assert not matches(row, (0xFFFF,), 6553.5)


def test_bits_are_whole_numbers_and_all_ones_is_a_pattern_like_any_other() -> None:
    row = register(DataType.BITS16)
    assert decode(row, (0xFFFF,)) == 0xFFFF
    assert encode(row, 5) == (5,)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"AB-10\0\0\0", "AB-10"),
        (b"AB\0rubb\xff", "AB"),
        (b"A\xe9B\0\0\0\0\0", "A\N{REPLACEMENT CHARACTER}B"),
        (b"FULLTEXT", "FULLTEXT"),
        (b"AB      ", "AB"),
        (b"\0ABCDEFG", None),
        (b"        ", None),
    ],
)
@pytest.mark.parametrize("order", list(WordOrder))
def test_strings(octets: bytes, text: str | None, order: WordOrder) -> None:
    words = struct.unpack(">4H", octets)
    assert decode(register(DataType.STRING, word_order=order), words) == text


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8))
def test_string_round_trip(text: str) -> None:
    row = register(DataType.STRING)
    assert decode(row, encode(row, text)) == text


@pytest.mark.parametrize("value", ["nine char", "é", 5.0])
def test_text_that_does_not_fit(value: float | str) -> None:
    with pytest.raises(UnwritableValue, match="not ASCII text"):
        encode(register(DataType.STRING), value)


# --- bit fields ---

SLOT = register(fields={"days": BitField(8, 8), "percent": BitField(0, 8, 0.01)})


def test_pack_and_unpack() -> None:
    assert pack(SLOT, {"days": 127, "percent": 0.5}) == (127 << 8 | 50,)
    assert unpack(SLOT, (127 << 8 | 50,)) == {"days": 127.0, "percent": 0.5}


@given(st.integers(0, 255), st.floats(0, 2.55))
def test_packed_fields_never_touch_one_another(days: int, share: float) -> None:
    read = unpack(SLOT, pack(SLOT, {"days": days, "percent": share}, rounding=Rounding.TOWARD_ZERO))
    assert read["days"] == days
    assert share - 0.01 < read["percent"] <= share


@pytest.mark.parametrize("share", [2.56, -0.1, math.nan])
def test_a_field_never_overflows_into_its_neighbour(share: float) -> None:
    with pytest.raises(UnwritableValue):
        pack(SLOT, {"percent": share})
