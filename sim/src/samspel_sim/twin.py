"""The engine of every twin: time, connections, register functions, link misbehaviours, write log.

Sans-I/O. A server, or a link in memory, opens a `Session` per connection and passes PDUs to
`Session.receive`, which says what to answer, how late, and whether to hang up. Time is lazy: whoever
asks makes the physics catch up with the clock, in steps of a fixed length, so that one seed gives one
history whatever the asking.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from samspel_sim import pdu as wire
from samspel_sim.behaviour import BURST, Behaviour, HangUp, Ignored, Login, OptionError, Refused, Silence
from samspel_sim.registers import CodecError, Register, Space, Words
from samspel_sim.wanted import number

Clock = Callable[[], float]
_LOG_LENGTH = 2_000
_SPACES = {wire.READ_HOLDING: Space.HOLDING, wire.READ_INPUT: Space.INPUT}


class Close(Enum):
    """What becomes of the connection after an answer."""

    NO = "no"
    ORDERLY = "orderly"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the device does with one request; ``pdu`` None is silence."""

    pdu: bytes | None
    delay_s: float = 0.0
    close: Close = Close.NO


@dataclass(eq=False, slots=True)
class Session:
    """One connection. ``on_drop`` is called when the device ends it of its own accord."""

    twin: Twin
    opened_at_s: float
    on_drop: Callable[[Close], None]
    login: Login = field(default_factory=Login)
    answered_at_s: deque[float] = field(default_factory=lambda: deque(maxlen=BURST))
    dead: bool = False

    def receive(self, unit: int, pdu: bytes) -> Reply:
        """Take one request."""
        return self.twin._receive(self, unit, pdu)

    def answered(self) -> None:
        """Tell that the answer has gone out: the pace of asking is judged by it."""
        self.answered_at_s.append(self.twin._link_clock())

    def overrun(self) -> None:
        """Tell that a request was lost, since the one before it was still being answered."""
        self.twin._log("a request is lost: it came before the last answer")

    def close(self) -> None:
        """The other side has gone."""
        self.twin._forget(self)


class Twin:
    """A device that can be spoken to. ``clock`` is monotonic seconds; ``speed`` makes the physics run faster."""

    def __init__(
        self, behaviour: Behaviour, *, clock: Clock, seed: int, step_s: float = 0.1, speed: float = 1.0
    ) -> None:
        self.behaviour = behaviour
        self.misbehaviours = behaviour.misbehaviours
        self.writes: deque[dict[str, Any]] = deque(maxlen=_LOG_LENGTH)
        self.events: deque[dict[str, Any]] = deque(maxlen=_LOG_LENGTH)
        self._link_clock = clock
        self._started_at_s = clock()
        self._speed = speed
        self._step_s = step_s
        self._steps = 0
        self._rng = random.Random(f"{seed}/twin")
        self._refresh_at_s = 0.0
        self._second_master_at_s = 0.0
        self._sessions: list[Session] = []
        self._own_session = Session(self, float("-inf"), lambda _close: None)
        behaviour.step(step_s)  # so that the first look finds a home that is already running
        behaviour.refresh()

    @property
    def time_s(self) -> float:
        """Simulated seconds since the start."""
        return self._steps * self._step_s

    def advance(self) -> None:
        """Let the physics catch up with the clock."""
        due = int((self._link_clock() - self._started_at_s) * self._speed / self._step_s + 1e-6)
        while self._steps < due:
            self._step(due * self._step_s)

    def _step(self, until_s: float) -> None:
        """One step of those that lead to ``until_s``: before that, nobody can look."""
        self._steps += 1
        self.behaviour.step(self._step_s)
        self._second_master()
        if self.time_s >= self._refresh_at_s:
            self._refresh_at_s = self.time_s + self._rng.uniform(*self.behaviour.link.refresh_s)
            if self._refresh_at_s > until_s:  # else another follows before anybody can read this one
                self.refresh()

    def refresh(self) -> None:
        """Update the measuring registers now, whatever their rhythm (unless they are stuck)."""
        if "stuck" not in self.misbehaviours:
            self.behaviour.refresh()

    def _second_master(self) -> None:
        master = self.misbehaviours.get("second_master")
        if master is None or self.time_s < self._second_master_at_s:
            return
        self._second_master_at_s = self.time_s + float(master["period_s"])
        for name, raw in master["registers"].items():
            self._write_raw(name, int(raw), "second master")

    def _write_raw(self, name: str, raw: int, who: str) -> None:
        bank = self.behaviour.banks[self.behaviour.unit]
        register = bank.table[name]
        words = register.encode_raw(raw)
        bank.store(register, words)
        self.behaviour.written(self.behaviour.unit, [(register, words)], Login(), self._link_clock())
        self._log(who, {"register": name, "raw": raw})

    def _log(self, what: str, detail: dict[str, Any] | None = None) -> None:
        self.events.append({"at_s": round(self.time_s, 3), "event": what, **(detail or {})})

    # -- connections ---------------------------------------------------------------------------

    def open(self, on_drop: Callable[[Close], None]) -> Session | None:
        """A client connects: its session, or None when the device refuses it."""
        self.advance()
        if "refuse_connections" in self.misbehaviours:
            self._log("connection refused")
            return None
        while len(self._sessions) >= self.behaviour.link.clients:
            self._drop(self._sessions[0], Close.ORDERLY, "an older connection is closed for a newer one")
        session = Session(self, self._link_clock(), on_drop, dead="half_open" in self.misbehaviours)
        if not session.dead:
            self._sessions.append(session)
        self._log("connection opened")
        return session

    def _drop(self, session: Session, how: Close, why: str) -> None:
        self._forget(session)
        self._log(why)
        session.on_drop(how)

    def _forget(self, session: Session) -> None:
        if session in self._sessions:
            self._sessions.remove(session)

    @property
    def connections(self) -> int:
        """Connections open now."""
        return len(self._sessions)

    # -- requests ------------------------------------------------------------------------------

    def handle(self, unit: int, pdu: bytes) -> bytes | None:
        """Answer one request without a connection: no wait after connecting, any pace; None is silence.

        Raises HangUp where a device would close the connection.
        """
        self.advance()
        return self._answer(self._own_session, unit, pdu)

    def _receive(self, session: Session, unit: int, pdu: bytes) -> Reply:
        self.advance()
        if session.dead or "mute" in self.misbehaviours or self._too_soon(session):
            return Reply(None)
        if "reset" in self.misbehaviours:
            return Reply(None, close=Close.RESET)
        delay_s = self._delay_s(pdu)
        if unit in self.behaviour.banks and self._is_busy(session):
            return Reply(wire.exception(pdu[0], wire.BUSY), delay_s)
        try:
            return Reply(self._answer(session, unit, pdu), delay_s)
        except HangUp:
            self._log("the device closes the connection")
            return Reply(None, close=Close.ORDERLY)

    def _delay_s(self, pdu: bytes) -> float:
        link = self.behaviour.link
        delay_s = link.answer_s + float((self.misbehaviours.get("slow") or {}).get("seconds", 0.0))
        if pdu[:1] == bytes([wire.READ_HOLDING]) and any(link.holding_read_s):
            delay_s += self._rng.uniform(*link.holding_read_s)
        return delay_s

    def _too_soon(self, session: Session) -> bool:
        return self._link_clock() - session.opened_at_s < self.behaviour.link.connect_wait_s

    def _is_busy(self, session: Session) -> bool:
        busy = self.misbehaviours.get("busy")
        if busy is not None and self._rng.random() < float(busy["share"]):
            return True
        answered = session.answered_at_s
        return len(answered) == BURST and self._link_clock() - answered[0] < BURST * self.behaviour.link.pace_s

    def reply_unit(self, unit: int) -> int:
        """The unit id to put on the answer."""
        other = self.misbehaviours.get("answer_unit")
        return unit if other is None else int(other["unit"])

    def _answer(self, session: Session, unit: int, pdu: bytes) -> bytes | None:
        known = unit in self.behaviour.banks
        try:
            request = wire.parse(pdu)
            if request is None:
                return self.behaviour.other_function(unit, pdu, session.login, self._link_clock(), self._rng)
            return self._registers(session, unit, request) if known else None
        except wire.BadPduError:
            return wire.exception(pdu[0], wire.ILLEGAL_VALUE) if known and pdu else None
        except Refused as refused:
            return wire.exception(pdu[0], refused.code)
        except Silence:
            return None

    def _registers(self, session: Session, unit: int, request: wire.ReadRequest | wire.WriteRequest) -> bytes:
        if isinstance(request, wire.ReadRequest):
            return self._read(unit, request)
        return self._write(session, unit, request)

    def _read(self, unit: int, request: wire.ReadRequest) -> bytes:
        self.behaviour.before_read(unit, range(request.address, request.address + request.count))
        bank, space = self.behaviour.banks[unit], _SPACES[request.function]
        if not bank.has(space):
            return wire.exception(request.function, wire.ILLEGAL_FUNCTION)
        words = bank.read(request.address, request.count, space)
        if words is None:
            return wire.exception(request.function, wire.ILLEGAL_ADDRESS)
        return wire.read_reply(request.function, words) + bank.padding(request.address, request.count, space)

    def _write(self, session: Session, unit: int, request: wire.WriteRequest) -> bytes:
        parts = self.behaviour.banks[unit].covered(request.address, request.words)
        try:
            code = self._refusal(session, unit, request, parts)
        except Ignored:
            self._log_write(unit, request, parts, "ignored")
            return wire.write_reply(self._echoed(request))
        self._log_write(unit, request, parts, f"exception {code}" if code else "ok")
        if code or parts is None:
            return wire.exception(request.function, code)
        self._store(unit, parts)
        self.behaviour.written(unit, parts, session.login, self._link_clock())
        return wire.write_reply(self._echoed(request))

    def _refusal(
        self, session: Session, unit: int, request: wire.WriteRequest, parts: list[tuple[Register, Words]] | None
    ) -> int:
        single = request.function == wire.WRITE_SINGLE
        if parts is None or not all(row.single_write if single else row.block_write for row, _ in parts):
            return wire.ILLEGAL_ADDRESS
        refuse = self.misbehaviours.get("refuse_writes")
        if refuse is not None:
            return int(refuse["code"])
        return self.behaviour.check_write(unit, parts, session.login, self._link_clock())

    def _store(self, unit: int, parts: Sequence[tuple[Register, Words]]) -> None:
        forgotten = (self.misbehaviours.get("forget") or {}).get("registers", [])
        for register, words in parts:
            if register.readable and register.name not in forgotten:
                self.behaviour.banks[unit].store(register, words)

    def _echoed(self, request: wire.WriteRequest) -> wire.WriteRequest:
        if "wrong_echo" not in self.misbehaviours:
            return request
        words = (request.words[0] ^ 1,) if request.function == wire.WRITE_SINGLE else (*request.words, 0)
        return wire.WriteRequest(request.function, request.address, words)

    def _log_write(
        self, unit: int, request: wire.WriteRequest, parts: list[tuple[Register, Words]] | None, result: str
    ) -> None:
        self.writes.append(
            {
                "at_s": round(self.time_s, 3),
                "unit": unit,
                "function": request.function,
                "address": request.address,
                "name": "+".join(register.name for register, _ in parts or []) or None,
                "values": list(request.words),
                "result": result,
            }
        )

    # -- control from outside ------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """The truth: powers in the contract's signs, charge, mode in force, what was written."""
        self.advance()
        device, home = self.behaviour, self.behaviour.home
        return {
            "brand": device.brand,
            "model": device.model,
            "serial": device.serial,
            "firmware": device.firmware,
            "unit": device.unit,
            "time_s": round(self.time_s, 3),
            "battery_power_w": home.flows.battery_w,
            "pv_power_w": home.flows.pv_w,
            "pv_available_w": home.flows.pv_available_w,
            "load_power_w": home.flows.load_w,
            "grid_power_w": home.flows.grid_w,
            "ac_power_w": home.flows.ac_w,
            "soc_pct": home.battery.soc_pct,
            "temperature_c": home.battery.temperature_c,
            **device.state(),
            "connections": self.connections,
            "misbehaviours": self.misbehaviours.on(),
            "write_log": list(self.writes),
        }

    def set(self, values: Mapping[str, object]) -> None:
        """Change the home or the device: keys of `GET /state` that can be set. OptionError in a sentence."""
        self.advance()
        for key, value in values.items():
            self._set_one(key, value)
        self._log("set", dict(values))

    def _set_one(self, key: str, value: object) -> None:
        home = self.behaviour.home
        if key == "soc_pct":
            home.battery.soc_pct = number(key, value, 0, 100)
        elif key == "temperature_c":
            home.battery.temperature_c = home.battery.ambient_c = number(key, value, -40, 90)
        elif key == "pv_power_w":
            home.panels.pinned_w = None if value is None else number(key, value, 0, 100_000)
        elif key == "load_power_w":
            home.household.pinned_w = None if value is None else number(key, value, 0, 100_000)
        elif key == "registers":
            self._set_registers(value)
        elif not self.behaviour.apply(key, value):
            raise OptionError(f"there is nothing called {key!r} to set")

    def _set_registers(self, value: object) -> None:
        bank = self.behaviour.banks[self.behaviour.unit]
        if not isinstance(value, Mapping):
            raise OptionError("registers wants an object of register names and raw integers")
        for name, raw in value.items():
            if name not in bank.table or not bank.table[name].numeric:
                raise OptionError(f"this twin has no numeric register {name!r}")
            if isinstance(raw, bool) or not isinstance(raw, int):
                raise OptionError(f"register {name} wants a raw integer, not {raw!r}")
            try:
                self._write_raw(name, raw, "set from outside")
            except CodecError as error:
                raise OptionError(str(error)) from error

    def misbehave(self, name: str, on: bool = True, **parameters: object) -> None:
        """Switch a misbehaviour on or off; UnknownMisbehaviourError names those that there are."""
        self.advance()
        entry = self.misbehaviours.check(name, parameters)
        self._log("misbehave", {"name": name, "on": on, **parameters})
        if entry.momentary:
            return self._restart(name, parameters) if on else None
        self.misbehaviours.set(name, on, parameters)
        self._second_master_at_s = self.time_s
        if on and name == "reset":
            self._drop_all(Close.RESET, "reset")
        if on and name == "half_open":
            self._lose_all()
        return None

    def _restart(self, name: str, parameters: Mapping[str, object]) -> None:
        version = str(parameters.get("version") or "") if name == "firmware" else ""
        if name == "firmware" and not version:
            raise OptionError("firmware wants a version")
        self.behaviour.restart(version or None)
        self._own_session.login = Login()
        self._drop_all(Close.RESET, "restart")

    def _lose_all(self) -> None:
        """Forget every connection without telling anybody."""
        for session in self._sessions:
            session.dead = True
        self._sessions.clear()

    def _drop_all(self, how: Close, why: str) -> None:
        for session in list(self._sessions):
            self._drop(session, how, why)
