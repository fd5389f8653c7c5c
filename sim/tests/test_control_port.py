"""HTTP on 127.0.0.1."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from samspel_sim.control_port import ControlPort
from samspel_sim.testing import ControlError, ask


@pytest.fixture
def control(make_toy):
    @asynccontextmanager
    async def serving():
        twin = make_toy()
        port = ControlPort(twin)
        number = await port.start()

        async def request(path, body=None):
            return await asyncio.to_thread(ask, number, path, body)

        try:
            yield twin, request, number
        finally:
            await port.close()

    return serving


async def test_state_and_log(control):
    async with control() as (twin, request, _):
        twin.handle(1, bytes.fromhex("06000c0003"))
        state, log = await request("/state"), await request("/log")
        assert state["mode"] == 3
        assert state["write_log"] == log["writes"]
        assert {"battery_power_w", "soc_pct", "pv_power_w", "load_power_w", "grid_power_w", "temperature_c"} <= set(
            state
        )


async def test_set_and_misbehave(control):
    async with control() as (twin, request, _):
        await request("/set", {"soc_pct": 33})
        assert twin.state()["soc_pct"] == pytest.approx(33)
        answer = await request("/misbehave", {"name": "slow", "on": True, "seconds": 3})
        assert answer["misbehaviours"] == {"slow": {"seconds": 3}}
        await request("/misbehave", {"name": "slow", "on": False})
        assert (await request("/state"))["misbehaviours"] == {}


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("/set", {"soc_pct": 200}, "soc_pct wants a number"),
        ("/set", {"nonsense": 1}, "nothing called 'nonsense'"),
        ("/misbehave", {"name": "dance"}, "no misbehaviour 'dance'"),
        ("/misbehave", {"name": "firmware"}, "firmware wants a version"),
        ("/misbehave", {"name": "firmware", "version": "unknown"}, "no such firmware"),
        ("/misbehave", {"on": True}, "misbehave wants"),
        ("/misbehave", {"name": "mute", "on": "yes"}, "misbehave wants"),
        ("/elsewhere", None, "there is no /elsewhere; there are GET /state"),
        ("/state", {}, "/state does not take POST"),
    ],
)
async def test_wrong_requests_get_a_sentence(control, path, body, sentence):
    async with control() as (_, request, _number):
        with pytest.raises(ControlError, match=sentence):
            await request(path, body)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"POST /set HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST /set HTTP/1.1\r\nContent-Length: 5\r\n\r\n{oops", 400),
        (b"POST /set HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]", 400),
        (b"POST /set HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"GET /nowhere HTTP/1.1\r\n\r\n", 404),
        (b"GET /set HTTP/1.1\r\n\r\n", 405),
        (b"GET /state?x=1 HTTP/1.1\r\n\r\n", 200),
    ],
)
async def test_status_codes(control, data, status):
    async with control() as (_, _request, number):
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        writer.write(data)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        assert int(head.split()[1]) == status
        assert ("error" in json.loads(body)) is (status != 200)
