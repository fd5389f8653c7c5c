"""A home that answers a dispatcher at once, in time that passes only when somebody sleeps.

It is inverter, edge and clock in one, behaves well, and can be made to misbehave in one way (`sin`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from samspel_sim.demo.dispatcher import Dispatcher
from samspel_sim.demo.inbox import Inbox, Message
from samspel_sim.demo.play import Play
from samspel_sim.demo.record import Record

TAU_STEP = 0.2
READY_S = 2.0


class Home:
    """Everything that a play needs, in one."""

    def __init__(self, sin: str = "") -> None:
        self.sin = sin
        self.now_s = 100.0
        self.inbox = Inbox(self)
        self.dispatcher = Dispatcher(self.inbox, self.publish, target="home/battery", issuer="me")
        self.battery_w, self.target_w, self.load_w = 0.0, None, 100.0
        self.lease: str | None = None
        self.latched: str | None = None
        self.running, self.linked = False, True
        self.child: int | None = None
        self.most_w, self.foreign = math.inf, False
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.registers = {"power": 0, "limit": 5000}
        self.write_log: list[dict[str, Any]] = []
        self.seq = 0
        self.pids = count(1)
        self.scenes: list[str] = []
        self.routes = [
            {"direction": direction, "authority": "exact", "deadman": "none"} for direction in ("charge", "discharge")
        ]

    def play(self) -> Record:
        record = Record(self.inbox, self, self.scenes.append)
        Play(self.dispatcher, self, self, record).run()
        return record

    # --- time ---

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float, /) -> None:
        until = self.now_s + seconds
        while self.now_s < until - 1e-9:
            self.now_s += min(0.1, until - self.now_s)
            self._step()

    def _step(self) -> None:
        due = [work for at_s, work in self.later if at_s <= self.now_s]
        self.later = [(at_s, work) for at_s, work in self.later if at_s > self.now_s]
        for work in due:
            work()
        aim_w = self.load_w - 100.0 if self.target_w is None else self.target_w
        aim_w = max(-self.most_w, min(self.most_w, aim_w))
        before_w = self.battery_w
        self.battery_w += (TAU_STEP if self.sin != "slow to follow" else 0.0005) * (aim_w - self.battery_w)
        if abs(aim_w - self.battery_w) < 100 <= abs(aim_w - before_w) and self.lease:
            self.outcome(self.lease, stage="delivered", target_power_w=aim_w)
        if self.running and self.linked and round(self.now_s * 10) % 20 == 0:
            self.telemetry()

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        self.later.append((self.now_s + seconds, work))

    # --- the inverter's control port ---

    def state(self) -> dict[str, Any]:
        return {
            "battery_power_w": self.battery_w,
            "load_power_w": self.load_w,
            "pv_power_w": 100.0,
            "time_s": self.now_s,
            "mode": "own" if self.target_w is None else "forced",
            "registers": dict(self.registers),
            "write_log": [dict(one) for one in self.write_log],
        }

    def set(self, *, load_power_w: float) -> None:
        self.load_w = load_power_w

    def misbehave(self, name: str, *, on: bool, **parameters: Any) -> None:
        match name:
            case "reset":
                self._cut() if on else self._heal()
            case "clamp":
                self._clamp(parameters["watts"] if on else math.inf)
            case "second_master" if on:
                self._other_master(parameters["registers"])

    def _cut(self) -> None:
        self.linked = False
        self.outcome(self.lease, deviation="lost_link")
        self.fault("raised")

    def _heal(self) -> None:
        self.linked = True
        if self.sin != "fault stays":
            self.fault("cleared")
        self.after(1.0, lambda: self.outcome(self.lease, stage="accepted", reason="adopted"))

    def _clamp(self, most_w: float) -> None:
        if self.sin == "does not clamp":
            return
        self.most_w = most_w
        if most_w < math.inf and self.sin != "hides the clamp":
            self.after(20.0, lambda: self.outcome(self.lease, deviation="clamped", reason="unknown"))

    def _other_master(self, registers: Mapping[str, int]) -> None:
        self.registers |= registers
        self.target_w = registers["power"]
        if self.sin == "does not see the other":
            return
        self.foreign = True
        self.outcome(self.lease, deviation="overridden", reason="foreign")
        self._end_lease("interrupted", "foreign")
        self.fault("raised", "control.foreign_master")
        if self.sin == "fights the other":
            self.after(1.0, lambda: self.write(-2000.0))

    def write(self, power_w: float) -> None:
        self.target_w = self.registers["power"] = power_w
        self.write_log.append({"at_s": self.now_s, "name": "power", "values": [power_w]})

    # --- the edge ---

    def start(self) -> None:
        self.running, self.child = True, next(self.pids)
        self.after(READY_S, self._ready)

    def kill(self) -> None:
        self.running, self.child = False, None
        if self.sin == "drops on kill":
            self.target_w = None
        if self.sin == "gives way for a moment":
            self.battery_w = 0.0

    def kill_child(self) -> int | None:
        child = self.child
        self.kill()
        if self.sin != "the guard sleeps":
            self.after(0.5, self.start)
        return child

    def _ready(self) -> None:
        self.say("birth", devices=[{"identity": {"model": "M1"}, "capabilities": {"routes": self.routes}}])
        self.say("status", condition="online", nonce="n", control={"battery": "released"})
        if self.lease is not None:
            self.outcome(self.lease, stage="accepted", reason="adopted")

    def publish(self, command: Mapping[str, Any]) -> None:
        self.outcome(command["id"], stage="received")
        match command["kind"]:
            case "set_power":
                self._set_power(command)
            case "stop":
                self._halt(command["id"])
            case "release":
                self._release(command["id"])

    def _set_power(self, command: Mapping[str, Any]) -> None:
        if command["ttl_s"] < 10 and self.sin != "follows the stale":
            self.outcome(command["id"], end="refused", reason="stale")
            return
        if self.foreign:
            self.outcome(command["id"], end="refused", reason="foreign")
            return
        if self.latched and command.get("ends_stop") != self.latched:
            self.outcome(command["id"], end="refused", reason="stopped")
            return
        if self.latched:
            self.outcome(self.latched, end="completed", reason="ended_by_command")
            self.latched = None
        self._end_lease("superseded", "newer")
        self.lease = command["id"]
        sign = -1.0 if self.sin == "wrong sign" else 1.0
        self.write(sign * command["power_w"])
        for stage in ("accepted", "written", "verified"):
            self.outcome(self.lease, stage=stage, target_power_w=command["power_w"])

    def _halt(self, command_id: str) -> None:
        self._end_lease("superseded", "stop")
        self.latched = command_id

        def act() -> None:
            self.write(0.0 if self.sin != "ignores the stop" else -1000.0)
            self.outcome(command_id, stage="written")

        self.after(5.0 if self.sin == "late stop" else 0.5, act)

    def _release(self, command_id: str) -> None:
        self._end_lease("completed", "released")
        if self.foreign:
            self.foreign = False
            self.fault("cleared", "control.foreign_master")
        self.target_w = None
        self.registers = {"power": 0, "limit": 5000}
        if self.sin == "forgets a register":
            self.registers["power"] = 1500
        self.outcome(command_id, end="completed")

    def _end_lease(self, end: str, reason: str) -> None:
        if self.lease is None:
            return
        for _ in range({"ends twice": 2, "never ends": 0}.get(self.sin, 1)):
            self.outcome(self.lease, end=end, reason=reason)
        self.lease = None

    # --- what it says ---

    def say(self, leaf: str, **body: Any) -> None:
        self.inbox.put(Message(leaf, body))

    def outcome(self, command_id: str | None, **fields: Any) -> None:
        self.seq += 1
        self.say("outcome", command_id=command_id, boot_id="b", seq=self.seq, monotonic_s=self.now_s, **fields)

    def fault(self, state: str, code: str = "comms.device_lost") -> None:
        self.say("fault", code=code, state=state, severity="major", detail={"text": "gone"})

    def telemetry(self) -> None:
        measured_w = -self.battery_w if self.sin == "measures the wrong sign" else self.battery_w
        self.say(
            "telemetry",
            readings={
                "battery_power_w": {"value": measured_w, "quality": "good"},
                "soc_pct": {"value": 60.0, "quality": "good"},
            },
        )
