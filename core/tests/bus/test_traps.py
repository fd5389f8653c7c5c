"""Every known trap of the wire library, against a hand-written device on a real socket.

Each test fails when its guard is taken away. Where a request must stay unanswered the timeout is short; all other
timeouts are far longer than a test, so that a slow machine cannot turn an answer into a silence.
"""

import asyncio
import logging
import random
import socket
import struct

import pytest
from samspel.bus.endpoint import Endpoint
from samspel.bus.profile import BusProfile
from samspel.bus.pymodbus_connection import _RAW_CLASSES, connect
from samspel.contract.errors import BadAnswer, DeviceBusy, DeviceRefused, LinkDown, NoAnswer, RegisterAbsent
from samspel.contract.ports import Priority, Table

LONG_S, SHORT_S = 30.0, 0.3
READ_ONE = b"\x00\x0a\x00\x01"


def frame(chunk: bytes, pdu: bytes, *, unit: int | None = None, tid: int | None = None) -> bytes:
    """The MBAP answer to the request in `chunk`."""
    asked_tid, _, _, asked_unit = struct.unpack(">HHHB", chunk[:7])
    return (
        struct.pack(
            ">HHHB",
            asked_tid if tid is None else tid,
            0,
            len(pdu) + 1,
            asked_unit if unit is None else unit,
        )
        + pdu
    )


def words(*values: int, function: int = 3) -> bytes:
    return bytes([function, 2 * len(values)]) + struct.pack(f">{len(values)}H", *values)


def rtu(unit: int, pdu: bytes) -> bytes:
    crc = 0xFFFF
    for byte in bytes([unit]) + pdu:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return bytes([unit]) + pdu + struct.pack("<H", crc)


def profile(**changes: object) -> BusProfile:
    settings = {"timeout_s": LONG_S, "gap_s": 0.0, "write_gap_s": 0.0, "reconnect_s": (0.01, 0.05)}
    return BusProfile(**{**settings, **changes})


@pytest.fixture
async def dial():
    """Open bare connections; they are closed at the end."""
    opened = []

    async def start(wire, **changes):
        connection = await connect("127.0.0.1", wire.port, profile(**changes), lambda: None)
        opened.append(connection)
        return connection

    yield start
    for connection in opened:
        connection.close()


@pytest.fixture
async def run(helpers):
    """Run whole endpoints; they are closed at the end."""
    running = []

    def start(wire, **changes):
        endpoint = Endpoint("127.0.0.1", wire.port, profile(**changes), helpers.LoopClock(), rng=random.Random(3))
        running.append((endpoint, asyncio.create_task(endpoint.run())))
        return endpoint

    yield start
    for endpoint, worker in running:
        await endpoint.close()
        await worker


async def silent(peer, chunk):
    pass


def answering(pdu: bytes, **header: int):
    async def behave(peer, chunk):
        peer.send(frame(chunk, pdu, **header))

    return behave


# Repeating and reconnecting on its own


async def test_a_silent_device_gets_a_write_once(serve, dial):
    wire = await serve(silent)
    connection = await dial(wire, connect_timeout_s=0.1, timeout_s=0.1, min_timeout_s=0.1)
    # Longer than the library's own timeout, so that its own way of repeating would show.
    with pytest.raises(NoAnswer):
        await connection.transact(1, 6, b"\0\1\0\1", LONG_S)
    assert len(wire.peers[0].frames) == 1


async def test_a_lost_connection_stays_lost(serve, dial):
    async def close(peer, chunk):
        peer.writer.close()

    wire = await serve(close)
    connection = await dial(wire)
    with pytest.raises(NoAnswer):
        await connection.transact(1, 6, b"\0\1\0\1", LONG_S)
    assert not connection.alive
    assert connection._client.ctx.reconnect_task is None
    with pytest.raises(LinkDown):
        await connection.transact(1, 6, b"\0\1\0\1", LONG_S)
    assert len(wire.peers) == 1


async def test_every_connection_has_a_client_object_of_its_own(serve, dial):
    wire = await serve(answering(words(7)))
    first, second = await dial(wire), await dial(wire)
    assert first._client is not second._client
    assert (await second.transact(1, 3, READ_ONE, LONG_S)).payload == b"\x02\x00\x07"
    tids = [struct.unpack(">H", peer.frames[0][:2])[0] for peer in wire.peers if peer.frames]
    assert tids == [1]


async def test_a_refused_connection_says_why():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(LinkDown, match="Connection refused"):
            await connect("127.0.0.1", port, profile(), lambda: None)


async def test_a_connection_lost_in_mid_request_ends_the_wait_at_once(serve, dial):
    async def close(peer, chunk):
        peer.writer.close()

    wire = await serve(close)
    connection = await dial(wire)
    async with asyncio.timeout(LONG_S / 3):
        with pytest.raises(NoAnswer, match="closed before an answer"):
            await connection.transact(1, 3, READ_ONE, LONG_S)


async def test_a_dongle_that_accepts_and_closes_is_never_up(serve, run, helpers):
    wire = await serve(helpers.hang_up)
    endpoint = run(wire)
    heard = []
    endpoint.on_link(heard.append)

    async def check(link):
        await link.read(Table.HOLDING, 1, 1, priority=Priority.SET_POINT)

    link = endpoint.link(1, check)
    await wire.wait_accepted(4)
    assert heard == []
    assert not link.connected
    assert not endpoint.connected


async def test_a_half_open_socket_is_given_up_and_a_new_one_works(serve, run):
    async def behave(peer, chunk):
        if peer.number > 0:
            peer.send(frame(chunk, words(7)))

    wire = await serve(behave)
    endpoint = run(wire, timeout_s=1.0, drop_after_timeouts=2)
    link = endpoint.link(1)
    await endpoint.wait_open()
    for _ in range(2):
        with pytest.raises(NoAnswer):
            await link.read(Table.HOLDING, 10, 1, priority=Priority.STOP)
    await wire.wait_accepted(2)
    await endpoint.wait_open()
    assert await link.read(Table.HOLDING, 10, 1, priority=Priority.STOP) == (7,)
    assert [len(peer.frames) for peer in wire.peers] == [2, 1]


async def test_a_dropped_connection_is_reset_so_that_nothing_arrives_late(serve, dial):
    wire = await serve(silent)
    connection = await dial(wire)
    await wire.wait_accepted(1)
    connection.reset()
    assert await wire.endings.get() == "reset"


async def test_an_orderly_close_is_no_reset(serve, dial):
    wire = await serve(silent)
    connection = await dial(wire)
    await wire.wait_accepted(1)
    connection.close()
    assert await wire.endings.get() == "end of file"


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="a Linux option")
async def test_the_kernel_gives_up_delivering_when_nobody_waits_any_more(serve, dial):
    wire = await serve(silent)
    connection = await dial(wire, timeout_s=4.0)
    sock = connection._client.ctx.transport.get_extra_info("socket")
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 4000


# Believing wrong answers


@pytest.mark.parametrize(
    "pdu",
    [
        pytest.param(words(1, 2, function=4), id="another function"),
        pytest.param(words(1), id="too few registers"),
        pytest.param(words(1, 2, 3), id="too many registers"),
        pytest.param(b"\x03\x04\x00\x01", id="length byte beyond the data"),
        pytest.param(b"\x03\x02\x00\x01\x00\x02", id="length byte short of the data"),
        pytest.param(b"\x84\x02", id="exception to another function"),
        pytest.param(b"\x55\x00", id="unknown function"),
        pytest.param(b"\x80\x01", id="function 0x80"),
        pytest.param(b"\x00\x01", id="function 0"),
    ],
)
async def test_a_read_is_not_answered_by_something_else(serve, run, pdu):
    wire = await serve(answering(pdu))
    endpoint = run(wire)
    link = endpoint.link(1)
    await endpoint.wait_open()
    for _ in range(2):
        with pytest.raises(BadAnswer):
            await link.read(Table.HOLDING, 10, 2, priority=Priority.STOP)
    assert len(wire.peers) == 1, "with transaction ids the connection is still good"
    assert not endpoint.connected


@pytest.mark.parametrize(
    ("function", "pdu"),
    [
        pytest.param(6, b"\x06\x00\x05\x00\x63", id="06 another value"),
        pytest.param(6, b"\x06\x00\x06\x00\x07", id="06 another address"),
        pytest.param(6, b"\x06\x00\x05", id="06 short"),
        pytest.param(16, b"\x10\x00\x06\x00\x01", id="16 another address"),
        pytest.param(16, b"\x10\x00\x05\x00\x02", id="16 another count"),
        pytest.param(16, b"\x06\x00\x05\x00\x07", id="06 for 16"),
    ],
)
async def test_a_write_is_not_confirmed_by_another_echo(serve, run, function, pdu):
    wire = await serve(answering(pdu))
    endpoint = run(wire)
    await endpoint.wait_open()
    with pytest.raises(BadAnswer):
        await endpoint.link(1).write(5, [7], function=function, priority=Priority.STOP)


@pytest.mark.parametrize(
    ("code", "error"),
    [(0, DeviceRefused), (2, RegisterAbsent), (4, DeviceRefused), (6, DeviceBusy), (0x80, DeviceRefused)],
)
@pytest.mark.parametrize("function", [3, 6, 0x41])
async def test_an_exception_is_an_error_and_not_an_answer(serve, run, function, code, error):
    wire = await serve(answering(bytes([function | 0x80, code])))
    endpoint = run(wire, busy_tries=1)
    await endpoint.wait_open()
    link = endpoint.link(1)
    call = {
        3: lambda: link.read(Table.HOLDING, 1, 1, priority=Priority.SET_POINT),
        6: lambda: link.write(1, [1], function=6, priority=Priority.SET_POINT),
        0x41: lambda: link.exchange(0x41, b"x", priority=Priority.SET_POINT),
    }[function]
    with pytest.raises(DeviceRefused) as caught:
        await call()
    assert type(caught.value) is error
    assert caught.value.code == code


async def test_a_malformed_exception_costs_the_connection_and_not_the_timeout(serve, dial, caplog):
    wire = await serve(answering(b"\x83"))
    connection = await dial(wire)
    caplog.set_level(logging.CRITICAL, "asyncio")
    async with asyncio.timeout(LONG_S / 3):
        with pytest.raises(NoAnswer):
            await connection.transact(1, 3, READ_ONE, LONG_S)
    assert not connection.alive


async def test_a_late_answer_with_another_transaction_id_is_passed_over(serve, dial):
    async def behave(peer, chunk):
        if len(peer.frames) == 2:
            peer.send(frame(peer.frames[0], words(1111)) + frame(chunk, words(2222)))

    wire = await serve(behave)
    connection = await dial(wire)
    with pytest.raises(NoAnswer):
        await connection.transact(1, 3, READ_ONE, SHORT_S)
    assert (await connection.transact(1, 3, READ_ONE, LONG_S)).payload == b"\x02" + struct.pack(">H", 2222)


async def test_an_answer_without_transaction_id_is_not_taken_for_ours(serve, dial):
    wire = await serve(answering(words(1111), tid=0))
    connection = await dial(wire)
    with pytest.raises(BadAnswer, match="transaction id"):
        await connection.transact(1, 3, READ_ONE, LONG_S)


@pytest.mark.parametrize(("asked", "answers", "patience_s"), [(1, 0, SHORT_S), (1, 2, SHORT_S), (0, 1, LONG_S)])
async def test_another_units_answer_is_no_answer(serve, dial, asked, answers, patience_s):
    wire = await serve(answering(words(7), unit=answers))
    connection = await dial(wire)
    with pytest.raises(NoAnswer):
        await connection.transact(asked, 3, READ_ONE, patience_s)


@pytest.mark.parametrize(("asked", "answers"), [(1, 0), (1, 2), (0, 1), (1, 1)])
async def test_a_device_may_be_declared_to_answer_as_any_unit(serve, dial, asked, answers):
    wire = await serve(answering(words(7), unit=answers))
    connection = await dial(wire, any_unit_answers=True)
    assert (await connection.transact(asked, 3, READ_ONE, LONG_S)).payload == b"\x02\x00\x07"
    assert wire.peers[0].frames[0][6] == asked


# Framing without transaction ids


async def test_a_late_answer_is_not_handed_to_the_next_request(serve, run):
    """Asked for 2222, the library hands over the 1111 of before, and stays one off for ever."""

    async def behave(peer, chunk):
        if peer.number == 0:
            if len(peer.frames) == 2:
                peer.send(rtu(1, words(1111)))
        else:
            peer.send(rtu(1, words(2222)))

    wire = await serve(behave)
    endpoint = run(wire, framing="rtu", timeout_s=1.0)
    link = endpoint.link(1)
    await endpoint.wait_open()
    with pytest.raises(NoAnswer):
        await link.read(Table.HOLDING, 1111, 1, priority=Priority.STOP)
    await wire.wait_accepted(2)
    await endpoint.wait_open()
    assert await link.read(Table.HOLDING, 2222, 1, priority=Priority.STOP) == (2222,)
    assert len(wire.peers) == 2


@pytest.mark.parametrize("split", [1, 2, 3, 5])
async def test_rtu_answers_in_pieces_are_put_together_for_vendor_functions_too(serve, dial, split):
    async def behave(peer, chunk):
        whole = rtu(1, b"\x41challenge" if chunk[1] == 0x41 else words(7))
        peer.send(whole[:split])
        await peer.writer.drain()
        peer.send(whole[split:])

    wire = await serve(behave)
    connection = await dial(wire, framing="rtu")
    assert (await connection.transact(1, 3, READ_ONE, LONG_S)).payload == b"\x02\x00\x07"
    assert (await connection.transact(1, 0x41, b"login", LONG_S)).payload == b"challenge"


@pytest.mark.parametrize("pdu", [b"\x41challenge", b"\x41", words(1, 2), b"\x06\0\5\0\7", b"\x10\0\5\0\2"])
def test_no_beginning_of_an_rtu_answer_is_taken_for_the_whole(pdu):
    whole = rtu(1, pdu)
    raw_class = _RAW_CLASSES[pdu[0]]
    assert raw_class.calculateRtuFrameSize(whole) == len(whole)
    for length in range(4, len(whole)):
        assert raw_class.calculateRtuFrameSize(whole[:length]) in (0, len(whole))


@pytest.mark.parametrize("function", [0x41, 0x2B])
async def test_vendor_functions_travel_as_they_are(serve, run, function):
    wire = await serve(answering(bytes([function]) + b"\x0e\x01answer"))
    endpoint = run(wire)
    await endpoint.wait_open()
    answer = await endpoint.link(0).exchange(function, b"\x0e\x01\x00", priority=Priority.SET_POINT)
    assert answer == b"\x0e\x01answer"
    assert wire.peers[0].frames[0][6:] == bytes([0, function]) + b"\x0e\x01\x00"


# Its logger


async def test_the_library_logs_through_ours_as_detail_only(serve, dial, caplog, capfd):
    wire = await serve(answering(words(7), unit=2))
    caplog.set_level(logging.DEBUG, "samspel.bus.wire")
    connection = await dial(wire)
    with pytest.raises(NoAnswer):
        await connection.transact(1, 3, READ_ONE, SHORT_S)
    spoken = [record for record in caplog.records if not record.name.startswith("asyncio")]
    assert any("Skipping" in record.message for record in spoken)
    assert {(record.name, record.levelno) for record in spoken} == {("samspel.bus.wire", logging.DEBUG)}
    assert capfd.readouterr().err == ""


async def test_the_library_says_nothing_unless_asked_for_detail(serve, dial, caplog):
    wire = await serve(answering(words(7), unit=2))
    caplog.set_level(logging.INFO)
    connection = await dial(wire)
    with pytest.raises(NoAnswer):
        await connection.transact(1, 3, READ_ONE, SHORT_S)
    assert caplog.records == []


async def test_a_unit_that_was_never_heard_costs_nobody_else_the_connection(serve, run):
    async def behave(peer, chunk):
        if chunk[6] == 1:
            peer.send(frame(chunk, words(7)))

    wire = await serve(behave)
    endpoint = run(wire, timeout_s=1.0, drop_after_timeouts=1)
    device, pack = endpoint.link(1), endpoint.link(200)
    await endpoint.wait_open()
    for _ in range(2):
        assert await device.read(Table.HOLDING, 10, 1, priority=Priority.STOP) == (7,)
        with pytest.raises(NoAnswer):
            await pack.read(Table.HOLDING, 10, 1, priority=Priority.STOP)
    assert len(wire.peers) == 1
