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

SCENES = 12
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
LOST, FOREIGN = "comms.device_lost", "control.foreign_master"
STEP_S = 4.0
STUCK_S, GOOD_FOR_S = 8.0, 5.0
CUT_S = 5.0
REST_S = 4.0
APPLAUSE_S = 5.0
TTL_S = 300.0
"""Longer than a command stands here, however busy the machine."""
CLAMP_W = 1000.0
CYCLE_S = 2.0
UNSTATED_LATENCY_S = 30.0
"""What counts where a record states none."""
BUSY_S = 15.0
"""What a busy machine may take beyond the time that a record allows."""
BACK_S = 60.0
"""Two processes start one after the other, and the second has the inverter and the broker to find."""
INSISTS_S = 5.0
"""How often the second master writes."""
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
    _charging: str = ""
    _stop: str = ""
    _cooking: str = ""
    _cooking_w: float = 0.0
    routes: Sequence[Mapping[str, Any]] = ()
    """The device's capability record, once it has said who it is."""

    def run(self) -> None:
        """All scenes."""
        for scene in (
            self._begin,
            self._charge,
            self._stale,
            self._ramp,
            self._clamp,
            self._cut,
            self._halt,
            self._kill,
            self._cut_power,
            self._second_master,
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
        self._charging = command = self._set_power(-2000.0)
        self._expect_stage(command, "verified", within_s=15)
        moved = self.record.until(lambda: self._truth().battery_w < -MOVING_W, FIRST_MOVE_S - self._known_s())
        self.record.expect(f"it charges within {FIRST_MOVE_S:g} s of being found", moved, self._power_and_time())
        self._expect_stage(command, "delivered", within_s=40)
        self._expect_near("the battery really charges", -2000.0)
        agrees = self.record.until(lambda: self._is_near(self._measured_w(), AGREE_W), 10)
        self.record.expect("telemetry says the same, in sign and size", agrees, f"{self._measured_w():.0f} W")

    def _stale(self) -> None:
        self.record.scene(f"a set-point gets stuck for {STUCK_S:g} s; it was good for {GOOD_FOR_S:g}")
        written = self.dispatcher.write("set_power", power_w=4000.0, ttl_s=GOOD_FOR_S)
        self.record.pace.sleep(STUCK_S)
        before = self._truth()
        command = self.dispatcher.deliver(written)
        self.record.expect_outcome("it is refused as stale", command, 10, end="refused", reason="stale")
        self.record.pace.sleep(REST_S / 2)
        new = self._truth().new_writes_since(before)
        fed = " but for what feeds its timer" if self._is_fed() else ""
        self.record.expect(f"nothing of it reached the inverter{fed}", not new or bool(fed), f"{len(new)} new writes")
        self._expect_near("the battery goes on as before", -2000.0, within_s=0)

    def _ramp(self) -> None:
        self.record.scene("three steps up, each before the last is reached")
        *overtaken, self._charging = [self._step(power_w) for power_w in (-2500.0, -3000.0, -3500.0)]
        for command in overtaken:
            self.record.expect_outcome(f"{command} is superseded", command, 10, end="superseded")
        self._expect_stage(self._charging, "delivered", within_s=40)
        self._expect_near("the battery follows the last step", -3500.0)

    def _step(self, power_w: float) -> str:
        command = self._set_power(power_w)
        self.record.inbox.outcome(command, 10, stage="written")
        self.record.pace.sleep(STEP_S)
        return command

    def _clamp(self) -> None:
        self._outlast(self._charging)
        self.record.scene(f"the inverter gives {CLAMP_W:g} W at most, and no register says so")
        allowed_s = self._latency_s(UNSTATED_LATENCY_S) + CYCLE_S
        since, began_s = self.record.inbox.position(), self.record.pace.monotonic()
        self.twin.misbehave("clamp", on=True, watts=CLAMP_W)
        self._expect_near("the battery gets less", -CLAMP_W)
        left_s = allowed_s + BUSY_S - (self.record.pace.monotonic() - began_s)
        said = self.record.inbox.outcome(self._charging, left_s, since=since, deviation="clamped")
        after_s = self.record.pace.monotonic() - began_s
        shown = f"reason {said['reason']}, {after_s:.0f} s of {allowed_s:g} s" if said else "nothing came"
        self.record.expect("it is called clamped in time", said is not None, shown)
        self.twin.misbehave("clamp", on=False)
        self._expect_near("unclamped it follows again", -3500.0)

    def _cut(self) -> None:
        self.record.scene("the link to the inverter fails, and heals")
        command = self._charging
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
        self._expect_near("the battery followed all the while", -3500.0)

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
        self.record.scene("somebody cooks; the edge alone is killed under 1500 W")
        self.twin.set(load_power_w=DINNER_W)
        self._cooking_w = self._turned_w(1500.0)
        self._cooking = self._set_power(self._cooking_w, ends_stop=self._stop)
        self._expect_stage(self._cooking, "delivered", within_s=40)
        self._expect_near("the battery really follows", self._cooking_w)
        since, began_s = self.record.inbox.position(), self.record.pace.monotonic()
        killed = self.edge.kill_child()
        acts = self.record.until(lambda: self.edge.child not in (None, killed), 30)
        shown = f"another process after {self.record.pace.monotonic() - began_s:.1f} s" if acts else "no other process"
        self.record.expect("the guard has noticed", killed is not None and acts, shown)
        self._expect_adopted(since)

    def _cut_power(self) -> None:
        self.record.scene("the power fails: edge and guard are killed at once")
        self.edge.kill()
        since = self.record.inbox.position()
        self.edge.start()
        self._expect_adopted(since)

    def _second_master(self) -> None:
        """What somebody else would write is what we have written for an earlier command: once it has been given back,
        nothing of it is ours any more.
        """
        self.record.scene("a second master: somebody else commands the inverter")
        theirs, their_w = self._truth().commanded(), self._cooking_w
        self._give_back("control is given back")
        command = self._set_power(-2000.0)
        self._expect_stage(command, "delivered", within_s=40)
        self._outlast(command)
        since = self.record.inbox.position()
        self.twin.misbehave("second_master", on=True, period_s=INSISTS_S, registers=theirs)
        self.record.expect_outcome("our command is overridden", command, 40, deviation="overridden", reason="foreign")
        self.record.expect_outcome("and ends", command, 20, end="interrupted", reason="foreign")
        self._expect_fault("a fault is raised", since, "raised", FOREIGN)
        self._stand_back(their_w)
        self.twin.misbehave("second_master", on=False)
        self._give_back("a release when the other is gone")
        self._expect_fault("the fault is cleared", since, "cleared", FOREIGN)
        self._expect_stage(self._set_power(-1000.0), "delivered", within_s=40)
        self._expect_near("and we command again", -1000.0)

    def _stand_back(self, their_w: float) -> None:
        """As long as the other is there."""
        before = self._truth()
        refused = self._set_power(-1000.0)
        self.record.expect_outcome("a set-point meanwhile is refused", refused, 20, end="refused", reason="foreign")
        self.record.pace.sleep(2 * INSISTS_S)
        ours = self._truth().writes_since(before)
        self.record.expect("nothing is written by us", not ours, f"{len(ours)} writes")
        self._expect_near("the battery follows the other", their_w)

    def _release(self) -> None:
        self.record.scene("release: its own logic covers the household")
        self._give_back("control is given back and verified")
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

    def _expect_adopted(self, since: int) -> None:
        """The next edge takes the command up, and until then the inverter goes on with it."""

        def adopted() -> bool:
            return self.record.inbox.outcome(self._cooking, 0, since=since, reason="adopted") is not None

        def follows() -> bool:
            return self._is_near(self._cooking_w, AGREE_W)

        self.record.until(lambda: adopted() or not follows(), BACK_S)
        noticed = not follows()
        text = "its successor adopts the command"
        self.record.expect_outcome(text, self._cooking, BACK_S, since=since, reason="adopted")
        self._expect_telemetry(self.record.inbox.position())
        self.record.expect("the battery noticed nothing", not noticed and follows(), f"{self._truth().battery_w:.0f} W")

    def _give_back(self, text: str) -> None:
        self.record.expect_outcome(text, self.dispatcher.send("release"), 40, end="completed")

    def _expect_telemetry(self, since: int) -> None:
        measured = self.record.inbox.wait_for(
            "telemetry", 20, since=since, fits=lambda body: "battery_power_w" in body["readings"]
        )
        self.record.expect("telemetry flows again", measured is not None, "heard" if measured else "nothing heard")

    def _expect_fault(self, text: str, since: int, state: str, code: str = LOST) -> None:
        wanted = (code, state)
        fault = self.record.inbox.wait_for(
            "fault", 20, since=since, fits=lambda body: (body["code"], body["state"]) == wanted
        )
        self.record.expect(text, fault is not None, fault["code"] if fault else "nothing heard")

    # --- helpers ---

    def _set_power(self, power_w: float, **fields: object) -> str:
        """Ask for exactly what the device can do: a route that only follows the load is asked for no more."""
        direction = "discharge" if power_w > 0 else "charge"
        authority = next((str(route["authority"]) for route in self.routes if route["direction"] == direction), "exact")
        return self.dispatcher.send("set_power", power_w=power_w, ttl_s=TTL_S, accept=authority, **fields)

    def _outlast(self, command: str) -> None:
        """Let its latency pass: what a command did besides is judged then, and nothing else is to happen meanwhile."""
        written, reached = (self.record.inbox.outcome(command, 0, stage=stage) for stage in ("written", "delivered"))
        if written is not None and reached is not None:
            took_s = reached["monotonic_s"] - written["monotonic_s"]
            self.record.pace.sleep(max(0.0, self._latency_s(0.0) + 2 * CYCLE_S - took_s))

    def _latency_s(self, unstated_s: float) -> float:
        """How long the device may take to charge as it was told."""
        route = next((one for one in self.routes if one["direction"] == "charge"), {})
        return float(route.get("latency_s") or unstated_s)

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
