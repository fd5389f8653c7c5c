"""Words by address, as a driver's own tests keep them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel_contract.driver_bench import Words


class High(Words):
    def __init__(self):
        self.words = {}


class Low(High):
    low_first = True


def test_a_number_has_its_high_word_first_unless_the_low_one_is():
    high, low = High(), Low()
    for device in (high, low):
        device.set(10, 0x0001_0002, 2)
    assert (high.words, low.words) == ({10: 1, 11: 2}, {10: 2, 11: 1})


@pytest.mark.parametrize("kind", [High, Low])
@given(value=st.integers(-(2**63), 2**64 - 1))
def test_what_was_set_is_there_without_its_sign(kind, value):
    device = kind()
    device.set(5, value, 4)
    assert device.get(5, 4) == value % 2**64
    assert all(0 <= word <= 0xFFFF for word in device.words.values())


@pytest.mark.parametrize("kind", [High, Low])
def test_a_text_stands_as_it_is_read_and_ends_with_zeros(kind):
    device = kind()
    device.text(1, 3, "abc")
    assert device.words == {1: 0x6162, 2: 0x6300, 3: 0}


def test_a_word_that_was_never_set_is_no_zero():
    with pytest.raises(KeyError):
        High().get(1)
