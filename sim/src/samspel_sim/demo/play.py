"""The scenes. Each states what it expects; the play goes on whatever happens and tells in the end.

What the edge says is held against the truth of the simulated home, wherever the two could differ.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from samspel_sim.demo.children import Edge, TwinProcess
from samspel_sim.demo.dispatcher import Dispatcher
from samspel_sim.demo.record import Record
from samspel_sim.demo.truth import Truth

__all__ = ["SCENES", "Play"]

SCENES = 9
FIRST_MOVE_S = 10.0
MOVING_W = 150.0
"""From here on a movement is more than noise."""
AGREE_W = 300.0
"""The edge's last reading may be two seconds older than the truth."""
AT_ONCE_S = 3.0
"""A stop's way from the dispatcher to its first write, while every answer of the inverter takes `SLOW_S` more."""
SLOW_S = 0.4
MID_POLL_S = 0.7
"""From the end of one cycle of polling to the middle of the next."""
STEP_S = 4.0
STUCK_S, GOOD_FOR_S = 8.0, 5.0
CUT_S = 5.0
REST_S = 4.0
APPLAUSE_S = 5.0
WATCHED_REST_S = 30.0
DINNER_W = 2600.0
"""More than what is commanded meanwhile, so that it shows who is at the wheel."""


@dataclass(slots=True)
class Play:
    """Runs the scenes in order. The curtain rises when `run` is called: broker and inverter are there, no edge yet."""

    dispatcher: Dispatcher
    twin: TwinProcess
    edge: Edge
    record: Record
    _curtain_s: float = 0.0
    _found_s: float = 0.0
    _untouched: Truth = field(default_factory=lambda: Truth({}))
    _stop: str = ""
    routes: Sequence[Mapping[str, Any]] = ()
    """The device's capability record, once it has said who it is."""

    def run(self) -> None:
        """All scenes."""
        for scene in (
            self._begin,
            self._charge,
            self._ramp,
            self._stale,
            self._cut,
            self._halt,
            self._kill,
            self._release,
            self._settle_accounts,
        ):
            scene()

    # --- scenes ---

    def _begin(self) -> None:
        self._curtain_s = self.record.pace.monotonic()
        self.record.scene("a quiet evening: the edge starts and finds its inverter")
        self._untouched = self._truth()
        self.edge.start()
        birth = self.record.inbox.wait_for(
            "birth",
            30,
            fits=lambda body: all(one.get("identity") and one.get("capabilities") for one in body["devices"]),
        )
        self._found_s = self.record.pace.monotonic()
        who = birth["devices"][0]["identity"].get("model", "?") if birth else "nothing heard"
        self.routes = birth["devices"][0]["capabilities"].get("routes", ()) if birth else ()
        self.record.expect("the site says who it is", birth is not None, who)

    def _charge(self) -> None:
        self.record.scene("charge with 2000 W")
        command = self._set_power(-2000.0)
        self._expect_stage(command, "verified", within_s=15)
        moved = self.record.until(lambda: self._truth().battery_w < -MOVING_W, FIRST_MOVE_S - self._known_s())
        self.record.expect(f"it charges within {FIRST_MOVE_S:g} s of being found", moved, self._power_and_time())
        self._expect_stage(command, "delivered", within_s=40)
        self._expect_near("the battery really charges", -2000.0)
        agrees = self.record.until(lambda: self._is_near(self._measured_w(), AGREE_W), 10)
        self.record.expect("telemetry says the same, in sign and size", agrees, f"{self._measured_w():.0f} W")

    def _ramp(self) -> None:
        self.record.scene("three steps up, each before the last is reached")
        *overtaken, last = [self._step(power_w) for power_w in (-2500.0, -3000.0, -3500.0)]
        for command in overtaken:
            self.record.expect_outcome(f"{command} is superseded", command, 10, end="superseded")
        self._expect_stage(last, "delivered", within_s=40)
        self._expect_near("the battery follows the last step", -3500.0)

    def _step(self, power_w: float) -> str:
        command = self._set_power(power_w)
        self.record.inbox.outcome(command, 10, stage="written")
        self.record.pace.sleep(STEP_S)
        return command

    def _stale(self) -> None:
        self.record.scene(f"a set-point gets stuck for {STUCK_S:g} s; it was good for {GOOD_FOR_S:g}")
        written = self.dispatcher.write("set_power", power_w=3000.0, ttl_s=GOOD_FOR_S)
        self.record.pace.sleep(STUCK_S)
        before = self._truth()
        command = self.dispatcher.deliver(written)
        self.record.expect_outcome("it is refused as stale", command, 10, end="refused", reason="stale")
        self.record.pace.sleep(REST_S / 2)
        new = self._truth().new_writes_since(before)
        fed = " but for what feeds its timer" if self._is_fed() else ""
        self.record.expect(f"nothing of it reached the inverter{fed}", not new or bool(fed), f"{len(new)} new writes")
        self._expect_near("the battery goes on as before", -3500.0, within_s=0)

    def _cut(self) -> None:
        self.record.scene("the link to the inverter fails, and heals")
        command = self._set_power(-1000.0)
        self._expect_stage(command, "delivered", within_s=40)
        since = self.record.inbox.position()
        self.twin.misbehave("reset", on=True)
        self.record.expect_outcome("the loss is reported", command, 20, since=since, deviation="lost_link")
        self._expect_fault("a fault is raised", since, "raised")
        self.record.pace.sleep(CUT_S)
        healed = self.record.inbox.position()
        self.twin.misbehave("reset", on=False)
        self.record.expect_outcome("the command is taken up again", command, 30, since=healed, reason="adopted")
        self._expect_fault("the fault is cleared", since, "cleared")
        self._expect_telemetry(healed)
        self._expect_near("the battery followed all the while", -1000.0)

    def _halt(self) -> None:
        self.record.scene("stop, while a slow inverter is being polled")
        self.twin.misbehave("slow", on=True, seconds=SLOW_S)
        self.record.inbox.wait_for("telemetry", 10, since=self.record.inbox.position())
        self.record.pace.sleep(MID_POLL_S)
        before = self._truth()
        self._stop = self.dispatcher.send("stop")
        self._expect_stage(self._stop, "written", within_s=20)
        first = [one["at_s"] - before.time_s for one in self._truth().writes_since(before)][:1]
        shown = f"{first[0]:.1f} s" if first else "no write"
        self.record.expect(f"its first write came within {AT_ONCE_S:g} s", bool(first) and first[0] < AT_ONCE_S, shown)
        self.twin.misbehave("slow", on=False)
        self._expect_near("the battery comes to rest", 0.0, MOVING_W)
        self.record.pace.sleep(REST_S)
        self._expect_near("and stays there", 0.0, MOVING_W, within_s=0)
        command = self._set_power(1000.0)
        self.record.expect_outcome("who does not name the stop is refused", command, 10, end="refused")

    def _kill(self) -> None:
        self.record.scene("somebody cooks; the other way with 1500 W, then the edge is killed")
        self.twin.set(load_power_w=DINNER_W)
        power_w = self._turned_w(1500.0)
        command = self._set_power(power_w, ends_stop=self._stop)
        self._expect_stage(command, "delivered", within_s=40)
        self._expect_near("the battery really follows", power_w)
        since = self.record.inbox.position()
        self.edge.kill()
        self.edge.start()
        self.record.expect_outcome("its successor adopts the command", command, 30, since=since, reason="adopted")
        self._expect_telemetry(since)
        self._expect_near("the battery noticed nothing", power_w)

    def _release(self) -> None:
        self.record.scene("release: its own logic covers the household")
        command = self.dispatcher.send("release")
        self.record.expect_outcome("control is given back and verified", command, 40, end="completed")
        now = self._truth()
        self.record.expect("its own mode is in force", now.mode == self._untouched.mode, now.mode)
        changed = now.not_restored_since(self._untouched)
        self.record.expect("every register written is as it was", not changed, ", ".join(changed) or "all compared")
        covers = self.record.until(lambda: self._is_near(self._truth().uncovered_w, MOVING_W), 40)
        self.record.expect("the battery covers the household", covers, f"{self._truth().battery_w:.0f} W")
        self.record.pace.sleep(APPLAUSE_S)

    def _settle_accounts(self) -> None:
        self.record.scene("the accounts")
        self.record.until(lambda: not self._without_one_end(), 10)
        sent, wrong = self.dispatcher.sent, self._without_one_end()
        self.record.expect("each command ended exactly once", not wrong, ", ".join(wrong) or f"{len(sent)} of them")
        standing = self._standing_faults()
        self.record.expect("no fault is left", not standing, ", ".join(standing) or "none")

    # --- what is expected more than once ---

    def _expect_stage(self, command: str, stage: str, within_s: float) -> None:
        self.record.expect_outcome(f"{command} is {stage}", command, within_s + self._pause_s(), stage=stage)

    def _expect_near(self, text: str, power_w: float, tolerance_w: float = AGREE_W, within_s: float = 40) -> None:
        near = self.record.until(lambda: self._is_near(power_w, tolerance_w), within_s)
        self.record.expect(text, near, f"{self._truth().battery_w:.0f} W")

    def _expect_telemetry(self, since: int) -> None:
        measured = self.record.inbox.wait_for(
            "telemetry", 20, since=since, fits=lambda body: "battery_power_w" in body["readings"]
        )
        self.record.expect("telemetry flows again", measured is not None, "heard" if measured else "nothing heard")

    def _expect_fault(self, text: str, since: int, state: str) -> None:
        fault = self.record.inbox.wait_for("fault", 20, since=since, fits=lambda body: body["state"] == state)
        self.record.expect(text, fault is not None, fault["code"] if fault else "nothing heard")

    # --- helpers ---

    def _set_power(self, power_w: float, **fields: object) -> str:
        """Ask for exactly what the device can do: a route that only follows the load is asked for no more."""
        direction = "discharge" if power_w > 0 else "charge"
        authority = next((str(route["authority"]) for route in self.routes if route["direction"] == direction), "exact")
        return self.dispatcher.send("set_power", power_w=power_w, ttl_s=120, accept=authority, **fields)

    def _pause_s(self) -> float:
        """How long a device may want to be left alone between two changes of power."""
        return max((float(route.get("spacing_s", 0.0)) for route in self.routes), default=0.0)

    def _turned_w(self, power_w: float) -> float:
        """The other way, unless the inverter has to rest longer for that than anybody wants to watch."""
        rest_s = max((float(route.get("reversal_dwell_s", 0.0)) for route in self.routes), default=0.0)
        return power_w if rest_s <= WATCHED_REST_S else -power_w

    def _is_fed(self) -> bool:
        """Whether the device has a timer of its own, which is fed with writes."""
        return any(route.get("deadman") == "timeout" for route in self.routes)

    def _truth(self) -> Truth:
        return Truth.now(self.twin.state)

    def _measured_w(self) -> float:
        """What the edge says; far from everything while it says nothing."""
        measured_w = self.record.inbox.reading("battery_power_w")
        return math.inf if measured_w is None else measured_w

    def _is_near(self, power_w: float, tolerance_w: float) -> bool:
        return abs(self._truth().battery_w - power_w) < tolerance_w

    def _known_s(self) -> float:
        """How long the site has known its inverter."""
        return self.record.pace.monotonic() - self._found_s

    def _power_and_time(self) -> str:
        now_s = self.record.pace.monotonic()
        return f"{self._truth().battery_w:.0f} W, {now_s - self._curtain_s:.1f} s after the curtain"

    def _without_one_end(self) -> list[str]:
        ended = [one["command_id"] for one in self.record.inbox.outcomes() if one.get("end")]
        return [command for command in self.dispatcher.sent if ended.count(command) != 1]

    def _standing_faults(self) -> list[str]:
        states = {one.body["code"]: one.body["state"] for one in self.record.inbox.messages if one.leaf == "fault"}
        return sorted(code for code, state in states.items() if state == "raised")
