"""The server with raw sockets: cut, joined and foreign bytes, closing and resetting."""

import asyncio
import struct
from contextlib import asynccontextmanager

import pytest
from samspel_sim.framing import RTU_OVER_TCP, encode_rtu
from samspel_sim.pdu import Deframer, Frame
from samspel_sim.server import ModbusServer

READ = struct.pack(">BHH", 3, 10, 2)
WAIT_S = 10.0


class Raw:
    """A client that sends bytes as it likes."""

    def __init__(self, reader, writer):
        self.reader, self.writer, self._deframer, self._frames = reader, writer, Deframer(), []

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def frame(self):
        while not self._frames:
            data = await asyncio.wait_for(self.reader.read(1024), WAIT_S)
            if not data:
                raise ConnectionError("closed")
            self._frames += self._deframer.feed(data)
        return self._frames.pop(0)

    async def ask(self, pdu=READ, unit=1, transaction=1):
        await self.send(Frame(transaction, unit, pdu).encode())
        return await self.frame()

    async def ended(self):
        """What the end of the connection looks like: b"" when orderly, an error when reset."""
        return await asyncio.wait_for(self.reader.read(1), WAIT_S)


@pytest.fixture
def serve(make_toy):
    @asynccontextmanager
    async def serving(**link):
        twin = make_toy(clock=asyncio.get_running_loop().time, **link)
        server = ModbusServer(twin)
        port = await server.start()
        clients = []

        async def connect():
            clients.append(Raw(*await asyncio.open_connection("127.0.0.1", port)))
            return clients[-1]

        try:
            yield twin, connect
        finally:
            for client in clients:
                client.writer.close()
            await server.close()

    return serving


async def test_an_answer_carries_transaction_and_unit(serve):
    async with serve() as (_, connect):
        frame = await (await connect()).ask(transaction=0xBEEF)
        assert (frame.transaction, frame.unit, frame.pdu) == (0xBEEF, 1, bytes.fromhex("030400000000"))


async def test_several_frames_in_one_segment_are_answered_in_order(serve):
    async with serve(answer_s=0.01) as (_, connect):
        client = await connect()
        write = struct.pack(">BHHBi", 16, 10, 2, 4, 77)
        await client.send(b"".join(Frame(n, 1, pdu).encode() for n, pdu in enumerate([READ, write, READ])))
        frames = [await client.frame() for _ in range(3)]
        assert [frame.transaction for frame in frames] == [0, 1, 2]
        assert [frame.pdu[-1] for frame in frames] == [0, 2, 77]


async def test_overlapping_requests_do_not_mix(serve):
    async with serve() as (twin, connect):
        twin.misbehave("slow", seconds=0.05)
        client = await connect()
        await client.send(Frame(1, 1, READ).encode())
        await client.send(Frame(2, 1, struct.pack(">BHH", 4, 10, 1)).encode())
        first, second = await client.frame(), await client.frame()
        assert (first.transaction, first.pdu[0]) == (1, 3)
        assert (second.transaction, second.pdu[0]) == (2, 4)


async def test_a_request_before_the_last_answer_is_lost_where_only_one_may_be_in_flight(serve):
    async with serve(answer_s=0.2, pipelined=False) as (twin, connect):
        client = await connect()
        await client.send(Frame(1, 1, READ).encode() + Frame(2, 1, READ).encode())
        assert (await client.frame()).transaction == 1
        assert (await client.ask(transaction=3)).transaction == 3
        assert [entry["event"] for entry in twin.events].count("a request is lost: it came before the last answer") == 1
        twin.misbehave("reset")
        with pytest.raises(ConnectionResetError):
            await client.ended()


async def test_rtu_frames_over_tcp(serve):
    async with serve(framing=RTU_OVER_TCP) as (_, connect):
        client = await connect()
        await client.send(encode_rtu(Frame(0, 1, READ)))
        wanted = encode_rtu(Frame(0, 1, bytes.fromhex("030400000000")))
        assert await asyncio.wait_for(client.reader.readexactly(len(wanted)), WAIT_S) == wanted


async def test_a_frame_byte_by_byte(serve):
    async with serve() as (_, connect):
        client = await connect()
        for byte in Frame(5, 1, READ).encode():
            await client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert (await client.frame()).transaction == 5


async def test_garbage_closes_the_connection_after_the_good_frames(serve):
    async with serve() as (_, connect):
        client = await connect()
        await client.send(Frame(1, 1, READ).encode() + b"GET / HTTP/1.1\r\n\r\n")
        assert (await client.frame()).transaction == 1
        assert await client.ended() == b""
        assert (await (await connect()).ask()).pdu[0] == 3


async def test_an_unknown_unit_gets_silence_and_the_next_request_its_own_answer(serve):
    async with serve() as (_, connect):
        client = await connect()
        await client.send(Frame(1, 9, READ).encode())
        assert (await client.ask(transaction=2)).transaction == 2


async def test_a_second_client_closes_the_first(serve):
    async with serve(clients=1) as (twin, connect):
        first = await connect()
        await first.ask()
        second = await connect()
        assert await first.ended() == b""
        assert (await second.ask()).pdu[0] == 3
        assert twin.connections == 1


async def test_a_client_that_leaves_makes_room(serve):
    async with serve() as (twin, connect):
        client = await connect()
        await client.ask()
        client.writer.close()
        while twin.connections:  # noqa: ASYNC110 - the twin has no event to wait for
            await asyncio.sleep(0.01)


async def test_reset_is_a_reset_on_the_wire(serve):
    async with serve(clients=2) as (twin, connect):
        client = await connect()
        await client.ask()
        twin.misbehave("reset")
        with pytest.raises(ConnectionResetError):
            await client.ended()
        later = await connect()
        await later.send(Frame(1, 1, READ).encode())
        with pytest.raises(ConnectionResetError):
            await later.ended()


async def test_refused_connections_end_at_once(serve):
    async with serve() as (twin, connect):
        twin.misbehave("refuse_connections")
        assert await (await connect()).ended() == b""


async def test_the_device_hangs_up(serve):
    async with serve() as (twin, connect):
        twin.behaviour.hang_up_at = 10
        client = await connect()
        await client.send(Frame(1, 1, READ).encode())
        assert await client.ended() == b""


async def test_answers_under_another_unit(serve):
    async with serve() as (twin, connect):
        twin.misbehave("answer_unit", unit=0)
        assert (await (await connect()).ask()).unit == 0


async def test_closing_the_server_ends_its_connections(make_toy):
    server = ModbusServer(make_toy())
    port = await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(Frame(1, 1, READ).encode())
    await reader.readexactly(13)
    await server.close()
    assert await asyncio.wait_for(reader.read(), WAIT_S) == b""
    writer.close()
    with pytest.raises(OSError, match=r"."):
        await asyncio.open_connection("127.0.0.1", port)


async def test_pymodbus_reads_and_writes(serve):
    client_module = pytest.importorskip("pymodbus.client")
    async with serve() as (_, connect):
        port = (await connect()).writer.get_extra_info("peername")[1]
        client = client_module.AsyncModbusTcpClient("127.0.0.1", port=port, retries=0)
        await client.connect()
        assert not (await client.write_registers(10, [0, 321], device_id=1)).isError()
        assert (await client.read_holding_registers(10, count=2, device_id=1)).registers == [0, 321]
        assert (await client.read_holding_registers(9, count=1, device_id=1)).exception_code == 2
        client.close()
