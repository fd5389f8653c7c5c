"""RTU frames on a TCP connection: lengths, checksums, and what a transparent gateway drops."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel_sim.framing import RtuDeframer, checksum, encode_rtu
from samspel_sim.pdu import Frame

REQUESTS = [
    struct.pack(">BHH", 3, 0x8F00, 29),
    struct.pack(">BHH", 4, 13000, 2),
    struct.pack(">BHH", 6, 0x3647, 3),
    struct.pack(">BHHB2H", 16, 0x3639, 2, 4, 500, 1000),
]


def test_the_checksum_of_a_known_request():
    assert checksum(bytes.fromhex("010300000001")) == bytes.fromhex("840a")


@given(st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=4), st.data())
def test_frames_come_back_whole_however_they_were_cut(pdus, data):
    stream = b"".join(encode_rtu(Frame(0, 1, pdu)) for pdu in pdus)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    deframer, got = RtuDeframer(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += deframer.feed(stream[start:end])
    assert [frame.pdu for frame in got] == pdus


def test_of_an_unknown_function_all_that_arrived_is_one_frame():
    assert [frame.pdu for frame in RtuDeframer().feed(encode_rtu(Frame(0, 9, b"\x2b\x0e\x01\x00")))] == [
        b"\x2b\x0e\x01\x00"
    ]


@pytest.mark.parametrize("foreign", [Frame(1, 1, REQUESTS[0]).encode(), Frame(3, 1, REQUESTS[0]).encode()])
def test_wrong_bytes_are_dropped_and_the_next_request_is_understood(foreign):
    deframer = RtuDeframer()
    assert list(deframer.feed(foreign)) == []
    assert [frame.pdu for frame in deframer.feed(encode_rtu(Frame(0, 1, REQUESTS[2])))] == [REQUESTS[2]]
