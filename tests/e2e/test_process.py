"""The process itself: killed, told to go, cut off from its broker; its successor takes over where it ended."""

from __future__ import annotations

from .patience import in_seconds, now, until
from .real import RealHome, battery_w, one_home
from .registers import HELD_ZERO, registers
from .scenes import Backstage, Scenes

scenes = Scenes()
stage = scenes.stage()

FOLLOWED = {"forcible_discharge_power": 3000, "forcible_command": 2}


@scenes.slow
async def killed_before_any_write(backstage: Backstage) -> None:
    """the twin is slow, so that each kill lands between two writes; the successor adopts and ends it in time"""
    await _killed_between_writes(backstage, 0)


@scenes
async def killed_after_the_first_parameter(backstage: Backstage) -> None:
    await _killed_between_writes(backstage, 1)


@scenes
async def killed_before_the_trigger(backstage: Backstage) -> None:
    await _killed_between_writes(backstage, 2)


@scenes
async def killed_after_the_trigger(backstage: Backstage) -> None:
    await _killed_between_writes(backstage, 3)


async def _killed_between_writes(backstage: Backstage, writes: int) -> None:
    async with one_home(backstage.folder / f"after-{writes}", backstage.make_broker().port) as home:
        before = registers(home.twin)
        home.twin.misbehave("slow", True, seconds=0.1)
        command = await home.dispatcher.send("set_power", power_w=3000.0, ttl_s=120.0)
        await home.dispatcher.outcome(command, stage="accepted")
        await until(lambda: len(home.twin.writes) >= writes, f"{writes} writes")
        await home.edge.kill()
        lease = home.edge.documents()["battery/control"]["lease"]
        assert lease["command_id"] == command
        home.twin.misbehave("slow", False)
        first_life = home.dispatcher.outcomes(command)[0]["boot_id"]
        await home.edge.start()
        await until(lambda: _verified_since(home, command, first_life), f"followed after {writes} writes")
        assert registers(home.twin).items() >= FOLLOWED.items()
        await until(lambda: abs(battery_w(home.twin) - 3000) < 100, "the battery moves")
        assert (
            home.edge.documents()["battery/control"]["lease"]["deadline"]["monotonic"] == lease["deadline"]["monotonic"]
        )
        await home.dispatcher.outcome(await home.dispatcher.send("release"), end="completed")
        await until(lambda: registers(home.twin) == before, f"given back: {registers(home.twin)}")
        await until(lambda: home.phase() == "released")
        assert home.dispatcher.ends(command) == ["completed"]


def _verified_since(home: RealHome, command: str, first_life: str) -> bool:
    outcomes = home.dispatcher.outcomes(command)
    return any(one.get("stage") == "verified" and one["boot_id"] != first_life for one in outcomes)


@scenes
async def killed_until_too_late(backstage: Backstage) -> None:
    """the deadline passes while nobody runs: given back, and no forcing write any more"""
    async with one_home(backstage.folder / "late", backstage.make_broker().port) as home:
        before = registers(home.twin)
        command = await home.discharging(ttl_s=8.0, on_expiry="release")
        await home.edge.kill()
        forced = len(home.twin.writes)
        at = home.dispatcher.outcomes(command)[0]["at"]
        await until(lambda: now() > in_seconds(at) + 8.0, "the deadline passes")
        await home.edge.start()
        ended = await home.dispatcher.outcome(command, end="completed")
        assert ended["boot_id"] != home.dispatcher.outcomes(command)[0]["boot_id"]
        await until(lambda: registers(home.twin) == before, f"given back: {registers(home.twin)}")
        later = list(home.twin.writes)[forced:]
        assert not [one for one in later if one["name"] == "forcible_command" and one["values"] != [0]]


@scenes
async def stopped_killed_and_started_again(backstage: Backstage) -> None:
    """the latch is on disk before its first write, and the successor holds zero; the last will says offline"""
    async with one_home(backstage.folder / "stopped_killed_and_started_again", backstage.make_broker().port) as home:
        await home.discharging()
        home.twin.misbehave("slow", True, seconds=0.3)
        before = len(home.twin.writes)
        stop = await home.dispatcher.send("stop")
        await until(lambda: len(home.twin.writes) > before, "the stop's first write")
        await home.edge.kill()
        assert home.edge.documents()["battery/control"]["stop"]["command_id"] == stop
        await until(lambda: home.dispatcher.latest["status"]["condition"] == "offline", "the last will")
        home.twin.misbehave("slow", False)
        await home.edge.start()
        await until(lambda: registers(home.twin).items() >= HELD_ZERO.items(), "zero is held again")
        await until(lambda: home.phase() == "stopped")
        await home.dispatcher.outcome(await home.dispatcher.send("release"), end="completed")
        assert home.dispatcher.ends(stop) == ["completed"]


@scenes.slow
async def told_to_go_it_says_offline_and_its_successor_adopts(backstage: Backstage) -> None:
    """SIGTERM: goodbye within five seconds, exit code 0, nothing written to the device, and no gap in control"""
    async with one_home(
        backstage.folder / "told_to_go_it_says_offline_and_its_successor_adopts", backstage.make_broker().port
    ) as home:
        command = await home.discharging()
        await home.dispatcher.outcome(command, stage="delivered")
        writes = len(home.twin.writes)
        asked_at = now()
        assert await home.edge.terminate() == 0
        assert now() - asked_at < 5.0 + 5.0, "five seconds, and as many for a busy machine"
        await until(lambda: home.dispatcher.latest["status"]["condition"] == "offline")
        assert len(home.twin.writes) == writes
        assert registers(home.twin).items() >= FOLLOWED.items()
        await home.edge.start()
        await home.dispatcher.outcome(command, reason="adopted")
        assert abs(battery_w(home.twin) - 3000) < 100
        release = await home.dispatcher.send("release")
        await home.dispatcher.outcome(release, end="completed")
        assert home.dispatcher.ends(command) == ["completed"]
        assert "Traceback" not in home.edge.log


@scenes.slow
async def an_outage_of_the_broker(backstage: Backstage) -> None:
    """control goes on without it; what happened meanwhile arrives with its own times, and nothing unmarked twice"""
    broker = backstage.make_broker()
    async with one_home(backstage.folder / "an_outage_of_the_broker", broker.port) as home:
        before = registers(home.twin)
        command = await home.discharging(ttl_s=12.0, on_expiry="release")
        broker.kill()
        gone_at = now()
        await until(lambda: registers(home.twin) == before, "it ends and is given back without a broker")
        back_at = now()
        broker.start()
        ended = await home.dispatcher.outcome(command, end="completed")
        assert gone_at < in_seconds(ended["at"]) < back_at
        await until(lambda: home.dispatcher.latest["status"]["condition"] != "offline")
        await home.dispatcher.outcome(await home.discharging(), stage="verified")
        _nothing_unmarked_twice(home)


def _nothing_unmarked_twice(home: RealHome) -> None:
    seen = set()
    for one in home.dispatcher.messages:
        if one["_leaf"] == "outcome":
            key = (one["boot_id"], one["seq"])
            assert key not in seen or one.get("duplicate"), one
            seen.add(key)


@scenes
async def a_broker_that_restarts_again_and_again(backstage: Backstage) -> None:
    """commands sent right after each start are heard: the session and the subscription are there again"""
    broker = backstage.make_broker()
    async with one_home(backstage.folder / "a_broker_that_restarts_again_and_again", broker.port) as home:
        for power_w in (1000.0, 2000.0, -1500.0):
            broker.restart()
            command = await home.dispatcher.send("set_power", power_w=power_w)
            await home.dispatcher.outcome(command, stage="verified")
        await until(lambda: abs(battery_w(home.twin) + 1500) < 100, "the last one is followed")
        _nothing_unmarked_twice(home)


test_scene = scenes.test()
