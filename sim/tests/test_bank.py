"""Which addresses read, and what a write has to cover."""

from hypothesis import given
from hypothesis import strategies as st
from samspel_sim.bank import Bank, Holes
from samspel_sim.registers import Register, Space, Table

WIDE, NARROW, FAR = Register("wide", 10, 2, "i32"), Register("narrow", 14, 1, "u16"), Register("far", 40, 1, "u16")


def bank(**options):
    return Bank(Table([WIDE, NARROW, FAR]), **options)


def test_holes_up_to_the_gap_read_as_zero_and_larger_ones_do_not():
    assert bank(gap=2).read(10, 5) == (0, 0, 0, 0, 0)
    assert bank(gap=1).read(10, 5) is None
    assert bank(gap=2).read(14, 27) is None


def test_nothing_reads_before_or_after_a_block():
    assert bank(gap=16).read(9, 2) is None
    assert bank(gap=16).read(14, 2) is None


def test_holes_may_have_a_word_of_their_own_and_be_no_start():
    holes = Holes(word=lambda space, at: 0xFF00 + at, at_start=False)
    assert bank(gap=2, holes=holes).read(10, 5) == (0, 0, 0xFF0C, 0xFF0D, 0)
    assert bank(gap=2, holes=holes).read(12, 3) is None
    assert bank(gap=2).read(12, 3) == (0, 0, 0)


def test_registers_that_are_not_forwarded_read_as_holes_inside_a_block():
    holes = Holes(at_start=False, inside=(Register("gone", 16, 1, "u16"),))
    assert bank(gap=2, holes=holes).read(14, 3) == (0, 0, 0)
    assert bank(gap=2, holes=holes).read(16, 1) is None
    assert bank(gap=2, holes=Holes(at_start=False)).read(14, 3) is None


def test_a_refused_address_spoils_every_block_it_is_in():
    holes = Holes(refused=frozenset({(Space.HOLDING, 12)}))
    assert bank(gap=2, holes=holes).read(10, 2) == (0, 0)
    assert bank(gap=2, holes=holes).read(10, 5) is None


def test_a_padded_text_is_right_only_alone_and_whole():
    words = bank(gap=2, holes=Holes(padded={(Space.HOLDING, 10): 2}))
    assert words.padding(10, 2, Space.HOLDING) == b""
    assert words.padding(14, 1, Space.HOLDING) == b""
    assert words.padding(10, 2, Space.INPUT) == b""
    assert all(words.padding(10, count, Space.HOLDING) for count in (1, 3))


def test_windows_read_although_undocumented():
    assert bank(windows=[(100, 3)]).read(100, 3) == (0, 0, 0)


def test_an_echo_hides_what_is_stored_from_readers_only():
    words = bank()
    words.put("narrow", 7)
    words.echoes[14] = 3
    assert (words.read(14, 1), words.raw("narrow")) == ((3,), 7)
    words.echoes.clear()
    assert words.read(14, 1) == (7,)


def test_a_device_without_input_registers_has_no_such_space():
    assert bank().has(Space.HOLDING)
    assert not bank().has(Space.INPUT)


def test_a_write_covers_whole_registers():
    assert [row.name for row, _ in bank().covered(10, (1, 2))] == ["wide"]
    assert bank().covered(10, (1,)) is None
    assert bank().covered(11, (1,)) is None
    assert bank(gap=8).covered(12, (1, 2, 3)) is None


def test_hidden_registers_read_as_not_available_and_keep_their_value():
    b = bank()
    b.put("wide", 7)
    b.hidden = range(10, 12)
    assert b.read(10, 2) == (0x7FFF, 0xFFFF)
    b.hidden = range(0)
    assert b.read(10, 2) == (0, 7)


@given(st.floats(-1e12, 1e12))
def test_a_measurement_is_stored_as_the_nearest_that_fits(value):
    b = bank()
    b.put_clamped("wide", value)
    b.put_clamped("narrow", value)
    assert b.number("wide") == max(-(2**31), min(2**31 - 1, round(value)))
    assert b.number("narrow") == max(0, min(65535, round(value)))


def test_what_was_kept_comes_back_as_far_as_there_are_such_registers():
    fresh = bank()
    fresh.restore({"narrow": (7,), "gone": (1, 2)})
    assert (fresh.words("narrow"), fresh.words("far")) == ((7,), (0,))


def test_measurements_are_stored_as_far_as_there_are_such_registers():
    fresh = bank()
    fresh.measure({"narrow": 70_000.0, "gone": 1.0, "wide": -7.4})
    assert (fresh.raw("narrow"), fresh.raw("wide"), fresh.raw("far")) == (0xFFFF, -7, 0)
