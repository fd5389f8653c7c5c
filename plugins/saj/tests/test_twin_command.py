"""`samspel sim saj` as a process, and the twin behind its real server."""

import asyncio
import signal
import struct

import pytest
from samspel_sim.behaviour import TwinOptions
from samspel_sim.command import command
from samspel_sim.pdu import Deframer, Frame
from samspel_sim.testing import served_twin, spawned_twin

READ_MODE = struct.pack(">BHH", 3, 0x4004, 1)


async def test_ready_line_control_port_and_orderly_end():
    async with spawned_twin("saj", "--seed", "7", "--model", "HS2-8K-T2", "--set", "packs=2") as twin:
        ready = twin.ready
        assert (ready["ready"], ready["brand"], ready["model"], ready["unit"]) == (True, "saj", "HS2-8K-T2", 1)
        await twin.set(faults={"fault_h": [5]}, soc_pct=33)
        state = await twin.state()
        assert (state["faults"], state["soc_pct"]) == ({"fault_h": [5]}, pytest.approx(33, abs=0.5))
        twin.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(twin.process.wait(), 15) == 0


def test_wrong_choices_exit_2(capsys):
    assert command(["saj", "--model", "X"]) == 2
    assert "no model 'X'; there are H2-5K-T2" in capsys.readouterr().err


async def frames(reader, count):
    deframer, got = Deframer(), []
    while len(got) < count:
        got += deframer.feed(await asyncio.wait_for(reader.read(1024), 10))
    return got


async def test_one_request_in_flight_and_one_client():
    async with served_twin("saj", TwinOptions(settings={"answer_s": 0.2})) as (host, port, twin):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(Frame(1, 1, READ_MODE).encode() + Frame(2, 1, READ_MODE).encode())
        assert [frame.transaction for frame in await frames(reader, 1)] == [1]
        writer.write(Frame(3, 9, READ_MODE).encode())
        assert [(frame.transaction, frame.unit) for frame in await frames(reader, 1)] == [(3, 9)]
        later = await asyncio.open_connection(host, port)
        assert await asyncio.wait_for(reader.read(), 10) == b""
        assert twin.connections == 1
        for stream in (writer, later[1]):
            stream.close()
