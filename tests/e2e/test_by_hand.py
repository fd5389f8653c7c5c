"""`samspel read` and `samspel command` as processes, on a simulated inverter: what they print, do and end with."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from pathlib import Path
from typing import Any

from .commands import ended, samspel, start
from .patience import until
from .real import battery_w, one_home, quick_twin
from .registers import HELD_ZERO, registers
from .scenes import Backstage, Scenes

scenes = Scenes(at_once=4)
stage = scenes.stage()

FOLLOWED = {"forcible_charge_power": 1500, "forcible_command": 1}


async def charging(twin: Any) -> None:
    """As commanded: the battery's own logic may pass this power by chance."""
    await until(lambda: registers(twin.twin).items() >= FOLLOWED.items(), f"{registers(twin.twin)}")
    await until(lambda: abs(battery_w(twin.twin) + 1500) < 100, "it charges")


def url(port: int, unit: str = "?unit=1") -> str:
    return f"modbus-tcp://127.0.0.1:{port}{unit}"


@scenes
async def read(backstage: Backstage) -> None:
    """identity and telemetry, as a table and as JSON with value, unit, time and quality"""
    folder = backstage.folder / "read"
    async with quick_twin() as twin:
        ran = await samspel(folder, "read", url(twin.port), "--json")
        assert (ran.code, ran.err) == (0, "")
        document = json.loads(ran.out)
        assert document["identity"]["serial"] == "SIM000000007"
        assert document["identity"]["model"] == "SUN2000-10KTL-M1"
        soc = document["telemetry"]["soc_pct"]
        assert (soc["unit"], soc["quality"]) == ("%", "good")
        assert abs(soc["value"] - 60) < 2
        assert soc["measured_at"].endswith("Z")
        table = await samspel(folder, "read", url(twin.port, ""))
        assert table.code == 0, "without a unit it is looked for"
        assert "SIM000000007" in table.out
        assert any(line.split()[:1] == ["soc_pct"] and "%" in line for line in table.out.splitlines())
        assert twin.twin.writes == type(twin.twin.writes)(), "reading writes nothing"


@scenes.slow
async def watch(backstage: Backstage) -> None:
    """--watch: a document a reading, until Ctrl-C"""
    async with quick_twin() as twin:
        process = await start(backstage.folder / "watch", "read", url(twin.port), "--watch", "--json")
        assert process.stdout is not None
        for _ in range(2):
            line = await asyncio.wait_for(process.stdout.readline(), 60)
            assert "battery_power_w" in json.loads(line)["telemetry"]
        process.send_signal(signal.SIGINT)
        assert (await ended(process)).code == 130


@scenes
async def set_power(backstage: Backstage) -> None:
    """a negative number charges: taken, followed, shown stage by stage, released and verified at the end"""
    async with quick_twin() as twin:
        before = registers(twin.twin)
        words = ("command", url(twin.port), "set-power", -1500, "--for", 8, "--driver", "huawei")
        process = await start(backstage.folder / "set-power", *words, "--json")
        await charging(twin)
        assert registers(twin.twin).items() >= FOLLOWED.items()
        ran = await ended(process)
        assert (ran.code, ran.err) == (0, ""), ran
        stages = [one.get("stage") or one.get("end") for one in ran.lines]
        assert [stage for stage in stages if stage] == ["accepted", "written", "verified", "delivered", "completed"]
        assert registers(twin.twin) == before


@scenes.slow
async def zero(backstage: Backstage) -> None:
    async with quick_twin() as twin:
        before = registers(twin.twin)
        process = await start(backstage.folder / "zero", "command", url(twin.port), "zero", "--for", 6)
        await until(lambda: registers(twin.twin).items() >= HELD_ZERO.items(), "zero is held")
        ran = await ended(process)
        assert (ran.code, registers(twin.twin)) == (0, before), ran
        assert "delivered" in ran.out
        assert "end: completed" in ran.out


@scenes
async def stop_and_release(backstage: Backstage) -> None:
    """a stop stays when the command has gone; nothing but a release (or a stop) gets past it"""
    folder = backstage.folder / "stop"
    async with quick_twin() as twin:
        before = registers(twin.twin)
        stopped = await samspel(folder, "command", url(twin.port), "stop")
        assert stopped.code == 0, stopped
        assert "zero is held" in stopped.out
        assert registers(twin.twin).items() >= HELD_ZERO.items()
        refused = await samspel(folder, "command", url(twin.port), "set-power", 1000, "--for", 5, "--json")
        assert refused.code == 4, refused
        assert refused.lines[-1]["reason"] == "stopped"
        assert registers(twin.twin).items() >= HELD_ZERO.items()
        released = await samspel(folder, "command", url(twin.port), "release", "--json")
        assert released.code == 0, released
        assert registers(twin.twin) == before


@scenes.slow
async def killed_and_released(backstage: Backstage) -> None:
    """kill -9 of a long command: the next one need not wait for its end"""
    folder = backstage.folder / "killed-1"
    async with quick_twin() as twin:
        before = registers(twin.twin)
        await _killed(folder, twin)
        ran = await samspel(folder, "command", url(twin.port), "release", "--json")
        assert (ran.code, registers(twin.twin)) == (0, before), ran


@scenes.slow
async def killed_and_stopped(backstage: Backstage) -> None:
    folder = backstage.folder / "killed-2"
    async with quick_twin() as twin:
        await _killed(folder, twin)
        ran = await samspel(folder, "command", url(twin.port), "stop", "--json")
        assert ran.code == 0, ran
        assert registers(twin.twin).items() >= HELD_ZERO.items()


@scenes.slow
async def killed_and_commanded_anew(backstage: Backstage) -> None:
    """the next set-point takes over, and gives back what the first one found"""
    folder = backstage.folder / "killed-3"
    async with quick_twin() as twin:
        before = registers(twin.twin)
        await _killed(folder, twin)
        ran = await samspel(folder, "command", url(twin.port), "set-power", 1000, "--for", 8, "--json")
        assert (ran.code, registers(twin.twin)) == (0, before), ran
        ends = {one["command_id"]: one["end"] for one in ran.lines if "end" in one}
        assert list(ends.values()) == ["superseded", "completed"]


@scenes.slow
async def killed_and_another_inverter_at_its_address(backstage: Backstage) -> None:
    """what was left on one device is never given back to another"""
    folder = backstage.folder / "killed-4"
    async with quick_twin() as twin:
        await _killed(folder, twin)
        twin.twin.misbehave("other_serial", True, serial="SIM999999999")
        twin.twin.refresh()
        writes = len(twin.twin.writes)
        ran = await samspel(folder, "command", url(twin.port), "release")
        assert ran.code == 3, ran
        assert "SIM000000007" in ran.err
        assert len(twin.twin.writes) == writes


async def _killed(folder: Path, twin: Any) -> None:
    process = await start(folder, "command", url(twin.port), "set-power", -1500, "--for", 900)
    await charging(twin)
    process.kill()
    await process.communicate()


@scenes.slow
async def interrupted(backstage: Backstage) -> None:
    """Ctrl-C and SIGTERM: give back first, then go"""
    async with quick_twin() as one, quick_twin() as other:
        before = registers(one.twin)
        for twin, number in ((one, signal.SIGINT), (other, signal.SIGTERM)):
            folder = backstage.folder / f"interrupted-{number.name}"
            process = await start(folder, "command", url(twin.port), "set-power", -1500, "--for", 900)
            await charging(twin)
            process.send_signal(number)
            ran = await ended(process)
            assert (ran.code, registers(twin.twin)) == (130, before), ran
            assert "Traceback" not in ran.err


@scenes.slow
async def does_not_follow(backstage: Backstage) -> None:
    """the device takes every write, and the battery does not move: exit code 4"""
    async with quick_twin() as twin:
        twin.twin.misbehave("ignore_setpoint", True)
        words = ("command", url(twin.port), "set-power", -3000, "--for", 6, "--json")
        ran = await samspel(backstage.folder / "ignores", *words)
        assert ran.code == 4, ran
        assert not [one for one in ran.lines if one.get("stage") == "delivered"]


@scenes.slow
async def refuses_writes(backstage: Backstage) -> None:
    async with quick_twin() as twin:
        twin.twin.misbehave("refuse_writes", True, code=4)
        process = await start(backstage.folder / "locked", "command", url(twin.port), "set-power", 900, "--for", 12)
        assert process.stdout is not None
        await until(lambda: any(one["result"] != "ok" for one in twin.twin.writes), "a refused write")
        twin.twin.misbehave("refuse_writes", False)
        ran = await ended(process)
        assert ran.code in (0, 4), ran
        assert "comms.write_refused" in ran.err


@scenes.slow
async def foreign(backstage: Backstage) -> None:
    """another controller holds the device: refused, and nothing is written until somebody releases it"""
    folder = backstage.folder / "foreign"
    async with quick_twin() as twin:
        before = registers(twin.twin)
        twin.twin.set({"registers": {"forced_period": 60, "forcible_charge_power": 777, "forcible_command": 1}})
        ran = await samspel(folder, "command", url(twin.port), "set-power", 900, "--for", 5, "--json")
        assert ran.code == 4, ran
        assert [one["reason"] for one in ran.lines if "end" in one] == ["foreign"]
        assert not twin.twin.writes
        released = await samspel(folder, "command", url(twin.port), "release")
        assert (released.code, registers(twin.twin)) == (0, before), released


@scenes.slow
async def an_edge_runs(backstage: Backstage) -> None:
    """one owner an endpoint: read and command say who has it, and exit with 3"""
    folder = backstage.folder / "busy"
    async with one_home(folder, backstage.make_broker().port) as home:
        port = home.edge.site_file.read_text().split("127.0.0.1:")[2].split("?")[0]
        for words in (["read"], ["command", "stop"]):
            ran = await samspel(folder, words[0], url(int(port)), *words[1:])
            assert ran.code == 3, ran
            assert home.edge.process is not None
            assert f"in use by process {home.edge.child}" in ran.err
        assert not home.twin.writes


@scenes.slow
async def nobody_there(backstage: Backstage) -> None:
    """exit code 3 and a sentence that helps"""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        ran = await samspel(backstage.folder / "nobody", "read", url(probe.getsockname()[1]))
    assert (ran.code, ran.out) == (3, "")
    assert "no connection within 15 s" in ran.err


test_scene = scenes.test()
