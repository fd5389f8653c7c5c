"""Bytes of requests and frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel_sim.pdu import BadPduError, Deframer, Frame, GarbageError, ReadRequest, WriteRequest, parse, read_reply

frames = st.builds(Frame, st.integers(0, 65535), st.integers(0, 255), st.binary(min_size=1, max_size=253))


@given(st.lists(frames, max_size=6), st.data())
def test_frames_come_back_however_the_stream_is_cut(sent, data):
    stream = b"".join(frame.encode() for frame in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    deframer, got = Deframer(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += list(deframer.feed(stream[start:end]))
    assert got == sent


def test_good_frames_before_garbage_still_come_out():
    stream = Deframer().feed(Frame(1, 1, b"\x03").encode() + b"GET / HTTP/1.1\r\n")
    assert next(stream).transaction == 1
    with pytest.raises(GarbageError):
        next(stream)


@pytest.mark.parametrize("length", [0, 1, 255, 65535])
def test_impossible_lengths_are_garbage(length):
    with pytest.raises(GarbageError):
        list(Deframer().feed(b"\0\1\0\0" + length.to_bytes(2, "big") + b"\1\3"))


def test_requests_are_understood():
    assert parse(bytes.fromhex("0375300002")) == ReadRequest(3, 30000, 2)
    assert parse(bytes.fromhex("0600010005")) == WriteRequest(6, 1, (5,))
    assert parse(bytes.fromhex("10000100020400010002")) == WriteRequest(16, 1, (1, 2))
    assert parse(b"\x2b\x0e\x01\x00") is None


@pytest.mark.parametrize(
    "pdu",
    ["", "03", "0300010000", "030001007e", "03ffff0002", "0300010001ff", "06000100", "1000010002020001", "10000100"],
)
def test_malformed_requests_are_refused(pdu):
    with pytest.raises(BadPduError):
        parse(bytes.fromhex(pdu))


def test_a_read_reply():
    assert read_reply(3, (1, 0xFFFF)) == bytes.fromhex("03040001ffff")
