"""One edge, one street of inverters, each with another trouble at the same time: none of them concerns the others.

A silence is certain only after five unanswered requests of ten seconds: those scenes are the slow ones.
Every trouble comes while its inverter is under control. It is reported in the contract's words, it heals, and control
goes on or ends as it should; the twin says what was really written.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from samspel_sim.twin import Twin

from .dispatcher import Dispatcher
from .patience import until
from .real import RealHome, battery_w, quick_twin, real_home
from .registers import HELD_ZERO, registers
from .scenes import Backstage, Scenes

TROUBLES = (
    "mute", "reset", "half_open", "busy", "refuse_writes", "refuse_connections", "other_serial", "reboot",
    "reboot_and_stop", "second_master", "black_hole", "healthy",
)  # fmt: skip
FOLLOWED = {"forcible_discharge_power": 3000, "forcible_command": 2}


@dataclass(frozen=True)
class House:
    """One device of the street, under control with 3000 W."""

    name: str
    twin: Twin
    dispatcher: Dispatcher
    home: RealHome
    command: str
    untouched: dict[str, int]

    async def says(self, **wanted: object) -> None:
        await self.dispatcher.outcome(self.command, **wanted)

    async def raised(self, code: str, state: str = "raised") -> None:
        await until(lambda: state in self.dispatcher.faults(code, self.name), f"{code} {state} by {self.name}")

    async def follows(self) -> None:
        await until(lambda: registers(self.twin).items() >= FOLLOWED.items(), f"{self.name}: {registers(self.twin)}")
        await until(lambda: abs(battery_w(self.twin) - 3000) < 100, f"{self.name}: {battery_w(self.twin)} W")

    async def obeys(self, power_w: float) -> None:
        """A new command is written, verified and followed."""
        command = await self.send("set_power", power_w=power_w, ttl_s=300.0)
        await self.dispatcher.outcome(command, stage="verified")
        await until(lambda: abs(battery_w(self.twin) - power_w) < 100, f"{self.name}: {battery_w(self.twin)} W")

    async def send(self, kind: str, **fields: object) -> str:
        return await self.dispatcher.send(kind, device=self.name, **fields)

    async def given_back(self) -> None:
        await until(lambda: registers(self.twin) == self.untouched, f"{self.name}: {registers(self.twin)}")


@asynccontextmanager
async def street(backstage: Backstage) -> AsyncIterator[dict[str, House]]:
    async with AsyncExitStack() as stack:
        twins = {name: await stack.enter_async_context(quick_twin()) for name in TROUBLES}
        port = backstage.make_broker().port
        home = await stack.enter_async_context(
            real_home(backstage.folder, port, twins, site="street", check_s=1.0, stop_hold_max_s=600.0)
        )
        untouched = {name: registers(served.twin) for name, served in twins.items()}
        houses = {}
        for name, served in twins.items():
            command = await home.dispatcher.send("set_power", device=name, power_w=3000.0, ttl_s=300.0)
            houses[name] = House(name, served.twin, home.dispatcher, home, command, untouched[name])
        for house in houses.values():
            await house.says(stage="delivered")
        yield houses
        assert "Traceback" not in home.edge.log, home.edge.log[-4000:]


scenes = Scenes(street, at_once=len(TROUBLES))
stage = scenes.stage()


@scenes.slow
async def mute(houses: dict[str, House]) -> None:
    house = houses["mute"]
    house.twin.misbehave("mute", True)
    await house.says(deviation="lost_link")
    await house.raised("comms.device_lost")
    house.twin.misbehave("mute", False)
    await house.says(reason="adopted")
    await house.raised("comms.device_lost", "cleared")
    await house.obeys(2000.0)


@scenes
async def reset(houses: dict[str, House]) -> None:
    house = houses["reset"]
    house.twin.misbehave("reset", True)
    await house.says(deviation="lost_link")
    house.twin.misbehave("reset", False)
    await house.says(reason="adopted")
    await house.obeys(-2000.0)


@scenes.slow
async def half_open(houses: dict[str, House]) -> None:
    """the device forgets the connection without a word: the dead socket is dropped and a new one is made"""
    house = houses["half_open"]
    house.twin.misbehave("half_open", True)
    house.twin.misbehave("half_open", False)
    await house.says(deviation="lost_link")
    await house.says(reason="adopted")
    await house.obeys(2000.0)


@scenes
async def refuse_connections(houses: dict[str, House]) -> None:
    house = houses["refuse_connections"]
    house.twin.misbehave("refuse_connections", True)
    house.twin.misbehave("reset", True)
    await house.says(deviation="lost_link")
    house.twin.misbehave("reset", False)
    stop = await house.send("stop")
    await house.dispatcher.outcome(stop, stage="pending")
    await house.raised("control.stop_failed")
    before = len(house.twin.writes)
    house.twin.misbehave("refuse_connections", False)
    await house.dispatcher.outcome(stop, stage="verified")
    assert (first := list(house.twin.writes)[before])["name"] == "forcible_command", first
    assert registers(house.twin).items() >= HELD_ZERO.items()
    await house.raised("control.stop_failed", "cleared")


@scenes
async def busy(houses: dict[str, House]) -> None:
    """half of all requests are turned away: polling steps back, commands get through"""
    house = houses["busy"]
    house.twin.misbehave("busy", True, share=0.5)
    stop = await house.send("stop")
    await house.dispatcher.outcome(stop, stage="verified")
    assert registers(house.twin).items() >= HELD_ZERO.items()
    house.twin.misbehave("busy", False)
    await house.dispatcher.outcome(await house.send("release"), end="completed")
    await house.given_back()


@scenes
async def refuse_writes(houses: dict[str, House]) -> None:
    """a locked device: the new command fails aloud, the release is repeated until the lock is off"""
    house = houses["refuse_writes"]
    house.twin.misbehave("refuse_writes", True, code=4)
    command = await house.send("set_power", power_w=1000.0, ttl_s=300.0)
    await house.dispatcher.outcome(command, end="failed", reason="device")
    await house.raised("comms.write_refused")
    await house.raised("control.release_failed")
    assert registers(house.twin).items() >= FOLLOWED.items()
    house.twin.misbehave("refuse_writes", False)
    await house.given_back()
    await house.raised("control.release_failed", "cleared")
    await house.raised("comms.write_refused", "cleared")


@scenes
async def other_serial(houses: dict[str, House]) -> None:
    """the address belongs to somebody else after a lost link: not one write, until the right one is back"""
    house = houses["other_serial"]
    house.twin.misbehave("other_serial", True, serial="SIM999999999")
    house.twin.refresh()
    house.twin.misbehave("reset", True)
    await house.says(deviation="lost_link")
    before = len(house.twin.writes)
    house.twin.misbehave("reset", False)
    await house.raised("comms.wrong_device")
    stop = await house.send("stop")
    await house.dispatcher.outcome(stop, stage="pending")
    assert len(house.twin.writes) == before
    house.twin.misbehave("other_serial", False)
    await house.dispatcher.outcome(stop, stage="verified")
    await house.raised("comms.wrong_device", "cleared")


@scenes
async def reboot(houses: dict[str, House]) -> None:
    """what is volatile is gone: seen as overridden, taken again for the remaining time"""
    house = houses["reboot"]
    house.twin.misbehave("reboot")
    await house.says(deviation="overridden", reason="default")
    await house.follows()
    await house.dispatcher.outcome(await house.send("release"), end="completed")
    await house.given_back()


@scenes
async def reboot_and_stop(houses: dict[str, House]) -> None:
    house = houses["reboot_and_stop"]
    stop = await house.send("stop")
    await house.dispatcher.outcome(stop, stage="verified")
    house.twin.misbehave("reboot")
    house.twin.set({"registers": {"storage_max_charging_power": 5000, "storage_max_discharging_power": 5000}})
    await until(lambda: registers(house.twin).items() >= HELD_ZERO.items(), "zero is held again")
    assert house.dispatcher.ends(stop) == []


@scenes
async def second_master(houses: dict[str, House]) -> None:
    """somebody else writes our registers: stand back, say so, write nothing"""
    house = houses["second_master"]
    house.twin.set({"registers": {"forcible_charge_power": 777, "forced_period": 60, "forcible_command": 1}})
    await house.says(end="interrupted", reason="foreign")
    await house.raised("control.foreign_master")
    before = len(house.twin.writes)
    refused = await house.send("set_power", power_w=1000.0)
    await house.dispatcher.outcome(refused, end="refused", reason="foreign")
    assert len(house.twin.writes) == before
    house.twin.set({"registers": {"forcible_charge_power": 0, "forced_period": 0, "forcible_command": 0}})
    await house.raised("control.foreign_master", "cleared")


@scenes
async def healthy(houses: dict[str, House]) -> None:
    """the house next door answers nothing at all, and never again; this one is commanded as ever"""
    house = houses["healthy"]
    houses["black_hole"].twin.misbehave("mute", True)
    begun = house.dispatcher.latest["telemetry"]["at"]
    await house.obeys(1000.0)
    await house.dispatcher.outcome(await house.send("stop"), stage="verified")
    await house.dispatcher.outcome(await house.send("release"), end="completed")
    await house.given_back()
    await until(lambda: _measured(house, begun) > 5, "its telemetry goes on")
    faults = {
        one["code"] for one in house.dispatcher.messages if one["_leaf"] == "fault" and one["device"] == "healthy"
    }
    assert faults == set()


def _measured(house: House, since: str) -> int:
    mine = (one for one in house.dispatcher.messages if one["_leaf"] == "telemetry" and one["device"] == house.name)
    return sum(one["at"] > since for one in mine)


test_scene = scenes.test()
