"""`samspel sim huawei` as a process, and the twin behind its real server."""

import asyncio
import json
import signal

import pytest
from samspel_sim.behaviour import TwinOptions
from samspel_sim.command import command
from samspel_sim.testing import BRISK, ControlError, served_twin, spawned_twin


async def test_ready_line_control_port_and_orderly_end():
    async with spawned_twin(
        "huawei", "--seed", "7", "--soc", "41", "--model", "SUN2000-8KTL-M1", "--speed", "20"
    ) as twin:
        ready = twin.ready
        assert (ready["ready"], ready["brand"], ready["model"]) == (True, "huawei", "SUN2000-8KTL-M1")
        assert (ready["serial"], ready["host"], ready["unit"]) == ("SIM000000007", "127.0.0.1", 1)
        await twin.set(pv_power_w=0, load_power_w=700)
        await twin.misbehave("slow", seconds=0.2)
        state = await twin.state()
        assert state["soc_pct"] == pytest.approx(41, abs=0.5)
        assert list(state["misbehaviours"]) == ["slow"]
        with pytest.raises(ControlError, match="no misbehaviour 'dance'"):
            await twin.misbehave("dance")
        twin.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(twin.process.wait(), 15) == 0


async def test_sigint_ends_it_too():
    async with spawned_twin("huawei", "--path", "wlan") as twin:
        assert twin.ready["unit"] == 0
        twin.process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(twin.process.wait(), 15) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["huawei", "--model", "X"], "no model 'X'; there are SUN2000-3KTL-M1"),
        (["huawei", "--set", "colour=1"], "no setting 'colour'"),
        (["huawei", "--set", "packs=many"], "packs wants a whole number, not 'many'"),
        (["huawei", "--set", "answer_s=slow"], "answer_s wants a number in 0.0..3600.0, not 'slow'"),
    ],
)
def test_wrong_choices_exit_2(arguments, sentence, capsys):
    assert command(arguments) == 2
    assert sentence in capsys.readouterr().err


async def test_a_port_that_is_taken_exits_1(capsys):
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    process = await asyncio.to_thread(_run_on_port, port)
    server.close()
    await server.wait_closed()
    assert process.returncode == 1
    assert b"cannot listen on 127.0.0.1" in process.stderr


def _run_on_port(port):
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    return subprocess.run(
        [sys.executable, "-m", "samspel_sim", "huawei", "--port", str(port)],
        capture_output=True,
        timeout=30,
        check=False,
    )


async def test_first_requests_after_connecting_are_lost_over_tcp():
    request = bytes.fromhex("000100000006010375300001")
    async with served_twin("huawei", TwinOptions(settings={**BRISK, "connect_wait_s": 0.3}), brisk=False) as (
        host,
        port,
        twin,
    ):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(request)
        await asyncio.sleep(0.4)  # the wait itself is what is tested; longer never hurts
        writer.write(request.replace(b"\0\1", b"\0\2", 1))
        assert (await asyncio.wait_for(reader.readexactly(2), 10)) == b"\0\2"
        writer.close()
    assert json.dumps(twin.state())
