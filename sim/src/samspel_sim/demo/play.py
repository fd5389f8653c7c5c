"""The scenes. Each states what it expects; the play goes on whatever happens and tells in the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from samspel_sim.demo.children import Edge, TwinProcess
from samspel_sim.demo.dispatcher import Dispatcher

__all__ = ["Expectation", "Play"]

MOVING_W = 150.0
"""From here on a movement is more than noise."""
STEP_S = 4.0
CUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Expectation:
    """What was expected, whether it came, and what was seen."""

    scene: str
    text: str
    met: bool
    seen: str


@dataclass(slots=True)
class Play:
    """Runs the scenes in order. `tell` announces each one."""

    dispatcher: Dispatcher
    twin: TwinProcess
    edge: Edge
    tell: Callable[[str], None]
    results: list[Expectation] = field(default_factory=list)
    _scene: str = ""

    def run(self) -> None:
        """All scenes."""
        for scene in (
            self._begin,
            self._charge,
            self._ramp,
            self._stale,
            self._cut,
            self._stop,
            self._kill,
            self._release,
        ):
            scene()

    # --- scenes ---

    def _begin(self) -> None:
        self._announce("an evening: little sun, the edge finds its inverter and its broker")
        self.twin.set(pv_power_w=100.0, load_power_w=600.0)
        online = self.dispatcher.wait_for(
            lambda one: one["_leaf"] == "birth" and all(device.get("identity") for device in one["devices"]), 30
        )
        device = online["devices"][0]["identity"] if online else {}
        self._expect("the site says who it is", bool(online), device.get("model", "nothing heard"))
        measured = self.dispatcher.wait_for(lambda one: one["_leaf"] == "telemetry", 20)
        self._expect("telemetry flows", bool(measured), f"{len((measured or {}).get('readings', {}))} signals")

    def _charge(self) -> None:
        self._announce("charge with 2000 W")
        began = time.monotonic()
        before_w = self._battery_w()
        command = self.dispatcher.send("set_power", power_w=-2000.0, ttl_s=120)
        self._stage(command, "verified", within_s=15)
        moved = self._until(lambda: self._battery_w() < before_w - MOVING_W, 10 - (time.monotonic() - began))
        self._expect("the battery moves within 10 s", moved, f"{self._battery_w():.0f} W after {_since(began)}")
        self._stage(command, "delivered", within_s=40)

    def _ramp(self) -> None:
        self._announce("ramp up in three steps, each before the last is reached")
        commands = [self._step(power_w) for power_w in (-2500.0, -3000.0, -3500.0)]
        for command in commands[:-1]:
            ended = self.dispatcher.outcome(command, 10, end="superseded")
            self._expect(f"{command} is superseded", bool(ended), _seen(ended))
        self._stage(commands[-1], "verified", within_s=15)
        self._stage(commands[-1], "delivered", within_s=40)

    def _step(self, power_w: float) -> str:
        command = self.dispatcher.send("set_power", power_w=power_w, ttl_s=120)
        self.dispatcher.outcome(command, 10, stage="written")
        self._pause(STEP_S)
        return command

    def _stale(self) -> None:
        self._announce("a set-point that is five minutes old")
        writes = self._writes()
        command = self.dispatcher.send("set_power", power_w=3000.0, ttl_s=0.5, age_s=300)
        refused = self.dispatcher.outcome(command, 10, end="refused")
        self._expect("it is refused as stale", (refused or {}).get("reason") == "stale", _seen(refused))
        self._expect("nothing of it was written", not self._discharge_written(writes), "write log of the inverter")

    def _cut(self) -> None:
        self._announce("the network to the inverter fails for a few seconds")
        since = self.dispatcher.position()
        command = self.dispatcher.send("set_power", power_w=-1000.0, ttl_s=120)
        self._stage(command, "verified", within_s=15)
        self.twin.misbehave("reset", on=True)
        lost = self.dispatcher.outcome(command, 20, since=since, deviation="lost_link")
        self._expect("the loss is reported", bool(lost), _seen(lost))
        self._pause(CUT_S)
        self.twin.misbehave("reset", on=False)
        adopted = self.dispatcher.outcome(command, 30, since=since, reason="adopted")
        self._expect("the command is taken up again", bool(adopted), _seen(adopted))

    def _stop(self) -> None:
        self._announce("stop, in the middle of slow polling")
        self.twin.misbehave("slow", on=True, seconds=0.2)
        began = time.monotonic()
        stop = self.dispatcher.send("stop")
        self._stage(stop, "written", within_s=15)
        self._expect("the stop was written at once", time.monotonic() - began < 10, _since(began))
        still = self._until(lambda: abs(self._true_battery_w()) < MOVING_W, 40)
        self._expect("the battery comes to rest", still, f"{self._true_battery_w():.0f} W after {_since(began)}")
        self.twin.misbehave("slow", on=False)
        command = self.dispatcher.send("set_power", power_w=1000.0)
        refused = self.dispatcher.outcome(command, 10, end="refused")
        self._expect("a set-point that does not name the stop is refused", bool(refused), _seen(refused))
        self._stopped_by = stop

    _stopped_by: str = ""

    def _kill(self) -> None:
        self._announce("discharge with 1500 W, then kill the edge without a word")
        command = self.dispatcher.send("set_power", power_w=1500.0, ttl_s=120, ends_stop=self._stopped_by)
        self._stage(command, "verified", within_s=20)
        self._stage(command, "delivered", within_s=40)
        since = self.dispatcher.position()
        self.edge.kill()
        self.edge.start()
        adopted = self.dispatcher.outcome(command, 30, since=since, reason="adopted")
        self._expect("its successor adopts the command", bool(adopted), _seen(adopted))
        held = self._until(lambda: abs(self._true_battery_w() - 1500.0) < MOVING_W, 5)
        self._expect("the battery never noticed", held, f"{self._true_battery_w():.0f} W")

    def _release(self) -> None:
        self._announce("release")
        command = self.dispatcher.send("release")
        ended = self.dispatcher.outcome(command, 40, end="completed")
        self._expect("control is given back and verified", bool(ended), _seen(ended))
        self._expect(
            "the inverter follows its own logic again",
            self._until(lambda: self.twin.state()["mode"] != "forcible", 10),
            f"mode {self.twin.state()['mode']}",
        )

    # --- helpers ---

    def _announce(self, scene: str) -> None:
        self._scene = scene
        self.tell(scene)

    def _stage(self, command: str, stage: str, within_s: float) -> None:
        found = self.dispatcher.outcome(command, within_s, stage=stage)
        self._expect(f"{command} is {stage}", bool(found), _seen(found))

    def _expect(self, text: str, met: bool, seen: str) -> None:
        self.results.append(Expectation(self._scene, text, met, seen))

    def _battery_w(self) -> float:
        return self.dispatcher.reading("battery_power_w") or 0.0

    def _true_battery_w(self) -> float:
        return float(self.twin.state()["battery_power_w"])

    def _writes(self) -> int:
        return len(self.twin.state()["write_log"])

    def _discharge_written(self, since: int) -> bool:
        """Whether 3000 W in any encoding reached the inverter since then."""
        return any(3000 in entry["values"] for entry in self.twin.state()["write_log"][since:])

    def _pause(self, seconds: float) -> None:
        """The play takes its time, as a home does."""
        time.sleep(seconds)

    def _until(self, holds: Callable[[], bool], within_s: float) -> bool:
        until = time.monotonic() + within_s
        while not holds():
            if time.monotonic() >= until:
                return False
            time.sleep(0.2)
        return True


def _seen(message: dict[str, object] | None) -> str:
    if message is None:
        return "nothing came"
    words = [str(message[key]) for key in ("stage", "deviation", "end", "reason", "text") if message.get(key)]
    return " · ".join(words)


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.1f} s"
