"""Requests to the byte, and answers held against them."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.bus.connection import Answer
from samspel.bus.pdu import accept, exchange_request, read_request, write_request
from samspel.bus.profile import BusProfile
from samspel.contract.errors import BadAnswer, BusError, DeviceBusy
from samspel.contract.ports import Table

PROFILE = BusProfile()
WORDS = st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=123)


@given(st.sampled_from(Table), WORDS)
def test_words_come_back_as_the_device_sent_them(table, words):
    request = read_request(table, 100, len(words))
    assert request.function == {Table.HOLDING: 3, Table.INPUT: 4}[table]
    assert request.payload == struct.pack(">HH", 100, len(words))
    data = struct.pack(f">{len(words)}H", *words)
    assert accept(request, Answer(request.function, bytes([len(data)]) + data), PROFILE) == tuple(words)


@given(WORDS)
def test_a_block_write_is_confirmed_by_its_address_and_count(words):
    request = write_request(7, words, 16)
    assert request.payload == struct.pack(f">HHB{len(words)}H", 7, len(words), 2 * len(words), *words)
    accept(request, Answer(16, struct.pack(">HH", 7, len(words))), PROFILE)


@given(st.integers(0, 255), st.binary(max_size=252))
def test_no_answer_whatever_raises_anything_but_a_bus_error(function, payload):
    for request in (read_request(Table.HOLDING, 1, 2), write_request(1, [2], 6), write_request(1, [2, 3], 16)):
        try:
            accept(request, Answer(function, payload), PROFILE)
        except BusError:
            continue
        assert function == request.function


@pytest.mark.parametrize("payload", [b"", b"\x06\x06"])
def test_an_exception_of_another_length_is_a_bad_answer(payload):
    with pytest.raises(BadAnswer):
        accept(read_request(Table.HOLDING, 1, 1), Answer(0x83, payload), PROFILE)


def test_which_codes_mean_busy_is_the_profiles_word():
    with pytest.raises(DeviceBusy, match="read of 1 holding register"):
        accept(read_request(Table.HOLDING, 1, 1), Answer(0x83, b"\x04"), BusProfile(busy_codes=(4,)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: read_request(Table.HOLDING, -1, 1),
        lambda: read_request(Table.HOLDING, 65536, 1),
        lambda: read_request(Table.INPUT, 65500, 37),
        lambda: read_request(Table.INPUT, 0, 0),
        lambda: read_request(Table.INPUT, 0, 126),
        lambda: write_request(0, [], 16),
        lambda: write_request(0, [0] * 124, 16),
        lambda: write_request(0, [1, 2], 6),
        lambda: write_request(0, [-1], 6),
        lambda: write_request(0, [0x10000], 16),
        lambda: write_request(0, [1], 5),
        lambda: exchange_request(0, b""),
        lambda: exchange_request(0x80, b""),
        lambda: exchange_request(0x41, bytes(253)),
    ],
)
def test_bad_arguments_raise_value_error(make):
    with pytest.raises(ValueError, match=r"outside|exactly|at most|not 6 or 16"):
        make()
