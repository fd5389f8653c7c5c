"""The codec, the table and the reading of dossier files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel_sim.registers import CodecError, Register, Space, Table, read_csv

COUNTS = {"u16": 1, "i16": 1, "u32": 2, "i32": 2, "u64": 4, "i64": 4}


@st.composite
def integers_in_registers(draw):
    kind = draw(st.sampled_from(sorted(COUNTS)))
    row = Register("r", 0, COUNTS[kind], kind, low_word_first=draw(st.booleans()))
    bits = 16 * row.count
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if row.signed else (0, (1 << bits) - 1)
    return row, draw(st.integers(low, high))


@given(integers_in_registers())
def test_an_integer_comes_back(pair):
    row, raw = pair
    words = row.encode_raw(raw)
    assert len(words) == row.count
    assert all(0 <= word <= 0xFFFF for word in words)
    assert row.decode_raw(words) == raw


@given(integers_in_registers(), st.sampled_from([0.001, 0.01, 0.1, 1.0, 10.0]))
def test_a_scaled_value_comes_back_within_half_a_step(pair, scale):
    row, raw = pair
    row = Register("r", 0, row.count, row.kind, low_word_first=row.low_word_first, scale=scale)
    value = raw * scale
    if abs(raw) < 1 << 50:  # beyond, a float has no half steps
        assert row.decode(row.encode(value)) == pytest.approx(value, abs=scale / 2)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20))
def test_text_comes_back(text):
    row = Register("r", 0, 10, "string")
    assert row.decode(row.encode(text)) == text


@given(st.floats(width=32, allow_nan=False), st.booleans())
def test_a_float_comes_back(value, low_first):
    row = Register("r", 0, 2, "f32", low_word_first=low_first)
    assert row.decode(row.encode(value)) == value


def test_word_orders_are_what_they_are_called():
    assert Register("r", 0, 2, "u32").encode(0x12345678) == (0x1234, 0x5678)
    assert Register("r", 0, 2, "u32", low_word_first=True).encode(0x12345678) == (0x5678, 0x1234)
    assert Register("r", 0, 2, "i32").encode(-2) == (0xFFFF, 0xFFFE)


def test_text_ends_at_the_first_nul():
    row = Register("r", 0, 3, "string")
    assert row.decode((0x4142, 0x0058, 0x5958)) == "AB"


@pytest.mark.parametrize(
    ("kind", "words"),
    [("u16", (0xFFFF,)), ("i16", (0x7FFF,)), ("u32", (0xFFFF, 0xFFFF)), ("i32", (0x7FFF, 0xFFFF)), ("string", (0, 0))],
)
def test_not_available_marks(kind, words):
    assert Register("r", 0, len(words), kind).not_available() == words


@pytest.mark.parametrize(
    ("kind", "value"), [("u16", -1), ("u16", 65536), ("i16", 40000), ("u16", "text"), ("string", 5), ("block", (1, 2))]
)
def test_what_does_not_fit_is_refused_by_name(kind, value):
    with pytest.raises(CodecError, match="grid_power"):
        Register("grid_power", 0, 1, kind).encode(value)


def test_a_string_too_long_is_refused():
    with pytest.raises(CodecError, match="holds 4 characters"):
        Register("name", 0, 2, "string").encode("ABCDE")


def test_two_registers_may_not_cover_one_address():
    with pytest.raises(ValueError, match="a and b both cover address 5"):
        Table([Register("b", 4, 2, "u32"), Register("a", 5, 1, "u16")])


def test_the_two_spaces_do_not_collide():
    table = Table([Register("a", 5, 1, "u16"), Register("b", 5, 1, "u16", space=Space.INPUT)])
    assert table.at(5).name == "a"
    assert table.at(5, Space.INPUT).name == "b"


HEAD = "name,{address},count,function,access,type,word_order,scale,unit,meaning,models,confidence,source\n"


@pytest.mark.parametrize(
    ("address", "row", "want"),
    [
        (
            "address",
            "p,7,2,3 read; 16 write,RW,i32,big (high word first),1,W,,m,high,s",
            (Space.HOLDING, False, False, True),
        ),
        ("address", "p,7,1,6 or 16,W,u16,n/a,1,,,m,high,s", (Space.HOLDING, False, True, True)),
        ("wire_address", "p,7,2,04,R,u32,low-word-first,0.1,W,,m,high,s", (Space.INPUT, True, False, False)),
        ("address_dec", "p,7,1,03/06 (10h per doc),RW,u16,-,1,W,,m,high,s", (Space.HOLDING, False, True, True)),
        ("address_dec", "p,7,1,10h,W,u16,-,1,W,,m,high,s", (Space.HOLDING, False, False, True)),
    ],
)
def test_rows_of_all_dossiers_are_understood(tmp_path, address, row, want):
    path = tmp_path / "r.csv"
    path.write_text(HEAD.format(address=address) + row + "\n")
    (register,) = read_csv(path)
    got = (register.space, register.low_word_first, register.single_write, register.block_write)
    assert (register.address, got) == (7, want)
    assert (register.confidence, register.source) == ("high", "s")


def test_several_words_of_one_kind_are_one_block(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text(HEAD.format(address="address") + "clock,7,6,3/6/16,RW,u16,n/a,1,s,,m,high,s\n")
    (register,) = read_csv(path)
    assert (register.kind, register.count, register.numeric) == ("block", 6, False)


def test_a_bad_row_is_named(tmp_path: Path):
    path = tmp_path / "r.csv"
    path.write_text(HEAD.format(address="address") + "p,7,1,3,R,u32,n/a,1,W,,m,high,s\n")
    with pytest.raises(ValueError, match=r"r\.csv line 2 .*u32 does not take 1 words"):
        read_csv(path)
