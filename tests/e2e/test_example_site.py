"""`examples/site.toml`, as it lies there: it checks, and it runs against `samspel sim huawei` and a broker."""

from __future__ import annotations

import asyncio
import json
import sys
import tomllib
from contextlib import suppress
from pathlib import Path

from samspel_sim.testing import spawned_twin

from .dispatcher import Dispatcher
from .edge_process import EdgeProcess, environment
from .scenes import Backstage, Scenes

EXAMPLE = Path(__file__).parents[2] / "examples" / "site.toml"

scenes = Scenes()
stage = scenes.stage()


def test_the_file_says_what_its_first_line_says():
    """its port is the one in the comment, its broker the usual one"""
    text = EXAMPLE.read_text("utf-8")
    site = tomllib.loads(text)
    assert "samspel sim huawei --port 15020" in text.splitlines()[0]
    assert site["devices"]["battery"]["url"] == "modbus-tcp://127.0.0.1:15020?unit=1"
    assert site["mqtt"]["url"] == "mqtt://127.0.0.1:1883"
    assert len([line for line in text.splitlines() if line.strip() and not line.startswith("#")]) <= 15


@scenes
async def it_checks(backstage: Backstage) -> None:
    """--check touches neither broker nor device nor disk"""
    folder = backstage.folder / "check"
    folder.mkdir()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "samspel", "run", str(EXAMPLE), "--check", "--json"),
        stdout=asyncio.subprocess.PIPE,
        env=environment(folder),
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    url = "modbus-tcp://127.0.0.1:15020?unit=1"
    device = {"device": "battery", "driver": "huawei", "url": url, "path": "sdongle"}
    assert json.loads(out) == {"site": "home-0001", "devices": [device]}
    assert list(folder.iterdir()) == []


@scenes
async def it_runs(backstage: Backstage) -> None:
    """with other ports by the environment, so that nobody's 1883 and 15020 are disturbed"""
    folder = backstage.folder / "run"
    folder.mkdir()
    broker = backstage.make_broker()
    async with spawned_twin("huawei", "--port", "0") as twin:
        elsewhere = {
            "SAMSPEL__MQTT__URL": f"mqtt://127.0.0.1:{broker.port}",
            "SAMSPEL__DEVICES__BATTERY__URL": f"modbus-tcp://127.0.0.1:{twin.port}?unit=1",
        }
        edge = EdgeProcess(EXAMPLE, folder, elsewhere)
        told = Dispatcher(broker.port, "home-0001")
        listening = asyncio.create_task(told.listen_for_ever())
        try:
            await edge.start()
            command = await told.send("set_power", power_w=-1200.0)
            await told.outcome(command, stage="verified")
            state = await twin.state()
            assert (state["registers"]["forcible_command"], state["registers"]["forcible_charge_power"]) == (1, 1200)
            await told.outcome(await told.send("release"), end="completed")
            assert (await twin.state())["registers"]["forcible_command"] == 0
            assert await edge.terminate() == 0
        finally:
            await edge.close()
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening


test_scene = scenes.test()
