"""Short ways to say what happens to the control machine, and to see what it asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from samspel.contract.admitted import Admitted
from samspel.contract.capability import Capabilities, Direction
from samspel.contract.command import Arm, Rank, Release, SetPower, Stop
from samspel.contract.driver import ControlReading, ControlState, WriteReport
from samspel.contract.errors import NoAnswer, SamspelError
from samspel.contract.outcome import Deviation, End, Stage, Verification
from samspel.control.events import (
    Effect,
    Event,
    Failed,
    Follow,
    Followed,
    GaveBack,
    GiveBack,
    Halt,
    Halted,
    LinkDown,
    LinkUp,
    Look,
    Looked,
    Say,
    Take,
    Tick,
    Took,
)
from samspel.control.machine import step
from samspel.control.state import Action, Policy, State

from ..routes import route  # noqa: TID252 - the tests of every station share it

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
INF = float("inf")
SNAPSHOT = {"limit_w": 4000}
BASELINE = {"limit_w": 3000}

E = TypeVar("E")


CAPABLE = Capabilities(routes=tuple(route(direction) for direction in Direction))


def admit(command: Any, *, rank: Rank = Rank.DISPATCHER, now: float = 0.0) -> Admitted:
    endless = isinstance(command, Stop | Release)
    return Admitted(command, rank, now, now, INF if endless else now + command.ttl_s, 0.0)


def _envelope(name: str, issuer: str, epoch: int, seq: int, issued_s: float) -> dict[str, Any]:
    return {
        "id": name,
        "issuer": issuer,
        "epoch": epoch,
        "seq": seq,
        "issued_at": EPOCH + timedelta(seconds=issued_s),
        "target": "home/battery",
    }


def set_power(
    name: str = "sp",
    power_w: float = 3000.0,
    *,
    ttl_s: float = 60.0,
    issuer: str = "fleet",
    epoch: int = 1,
    seq: int = 1,
    issued_s: float = 0.0,
    **more: Any,
) -> SetPower:
    return SetPower(**_envelope(name, issuer, epoch, seq, issued_s), ttl_s=ttl_s, power_w=power_w, **more)


def stop(name: str = "stop", *, issuer: str = "fleet", epoch: int = 1, seq: int = 1, issued_s: float = 0.0) -> Stop:
    return Stop(**_envelope(name, issuer, epoch, seq, issued_s), ttl_s=60.0)


def release(
    name: str = "release", *, issuer: str = "fleet", epoch: int = 1, seq: int = 9, issued_s: float = 9.0
) -> Release:
    return Release(**_envelope(name, issuer, epoch, seq, issued_s), ttl_s=60.0)


def arm(name: str = "arm") -> Arm:
    return Arm(
        **_envelope(name, "fleet", 1, 1, 0.0),
        ttl_s=60.0,
        product="fcr",
        capacity_w=1000.0,
        start_at=EPOCH,
        end_at=EPOCH + timedelta(hours=1),
    )


def report(power_w: float = 0.0, mark: str = "m") -> WriteReport:
    return WriteReport(mark={"mark": mark}, power_w=power_w, verification=Verification.READ_BACK)


def reading(state: ControlState, fingerprint: str = "f") -> ControlReading:
    return ControlReading(state=state, fingerprint=fingerprint, text=f"it is {state.value}")


@dataclass
class FakeClock:
    """A clock that only moves when told; `boot` and `synced` may be changed as a reboot would."""

    now: float = 0.0
    boot: str = "boot-1"
    synced: bool = True
    started: datetime = EPOCH

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> datetime:
        return self.started + timedelta(seconds=self.now)

    def synchronised(self) -> bool:
        return self.synced

    def boot_id(self) -> str:
        return self.boot


@dataclass
class Machine:
    """The pure machine with a memory: `effects` of the last event, `said` and `driver` of all."""

    state: State = field(default_factory=State)
    policy: Policy = field(default_factory=Policy)
    now: float = 0.0
    effects: tuple[Effect, ...] = ()
    said: list[Say] = field(default_factory=list)
    driver: list[Effect] = field(default_factory=list)

    def send(self, event: Event) -> tuple[Effect, ...]:
        self.state, self.effects = step(self.state, event, self.now, self.policy)
        self.said += [effect for effect in self.effects if isinstance(effect, Say)]
        self.driver += [effect for effect in self.effects if isinstance(effect, Look | Take | Follow | Halt | GiveBack)]
        return self.effects

    # --- events in few words ---

    def command(self, command: Any, *, rank: Rank = Rank.DISPATCHER) -> tuple[Effect, ...]:
        return self.send(admit(command, rank=rank, now=self.now))

    def wait(self, seconds: float) -> tuple[Effect, ...]:
        self.now += seconds
        return self.send(Tick())

    def up(self, capabilities: Capabilities = CAPABLE) -> tuple[Effect, ...]:
        return self.send(LinkUp(capabilities))

    def down(self) -> tuple[Effect, ...]:
        return self.send(LinkDown())

    def looked(self, found: ControlState = ControlState.DEFAULT, fingerprint: str = "f") -> tuple[Effect, ...]:
        baseline = dict(BASELINE) if found is ControlState.DEFAULT else None
        return self.send(Looked(self.state.action_id, reading(found, fingerprint), baseline))

    def took(self) -> tuple[Effect, ...]:
        return self.send(Took(self.state.action_id, dict(SNAPSHOT)))

    def followed(self, power_w: float = 3000.0) -> tuple[Effect, ...]:
        return self.send(Followed(self.state.action_id, report(power_w)))

    def fed(self) -> tuple[Effect, ...]:
        return self.send(Followed(self.state.action_id, None, fed=True))

    def halted(self, *, fed: bool = False) -> tuple[Effect, ...]:
        return self.send(Halted(self.state.action_id, report(mark="zero"), fed=fed))

    def gave_back(self) -> tuple[Effect, ...]:
        return self.send(GaveBack(self.state.action_id, report()))

    def failed(self, error: SamspelError | None = None) -> tuple[Effect, ...]:
        action = self.state.action
        assert isinstance(action, Action)
        return self.send(Failed(self.state.action_id, action, error or NoAnswer("silence")))

    # --- whole stretches ---

    def settled(self) -> Machine:
        """Link up, control block at its default."""
        self.up()
        self.looked()
        return self

    def controlling(self, command: SetPower | None = None, *, rank: Rank = Rank.DISPATCHER) -> Machine:
        """Following a set-point that has been written."""
        self.settled()
        self.command(command or set_power(), rank=rank)
        self.took()
        self.followed()
        return self

    def stopped(self, command: Stop | None = None, *, rank: Rank = Rank.DISPATCHER) -> Machine:
        """A stop asserted, out of control."""
        self.controlling()
        self.command(command or stop(), rank=rank)
        self.halted()
        return self

    # --- what came of it ---

    def asked(self, kind: type[E]) -> E:
        """The one effect of this kind in the last turn."""
        found = [effect for effect in self.effects if isinstance(effect, kind)]
        assert len(found) == 1, f"expected one {kind.__name__}, found {self.effects}"
        return found[0]

    def asked_driver(self) -> list[type]:
        """The kinds of driver effects of the last turn."""
        return [type(effect) for effect in self.effects if isinstance(effect, Look | Take | Follow | Halt | GiveBack)]

    def stages(self, command_id: str) -> list[Stage]:
        return [say.stage for say in self.said if say.command_id == command_id and say.stage is not None]

    def deviations(self, command_id: str) -> list[Deviation]:
        return [say.deviation for say in self.said if say.command_id == command_id and say.deviation is not None]

    def end(self, command_id: str) -> End | None:
        """The one end of a command, or nothing yet."""
        ends = [say.end for say in self.said if say.command_id == command_id and say.end is not None]
        assert len(ends) <= 1, f"{command_id} ended {ends}"
        return ends[0] if ends else None

    def why(self, command_id: str) -> str:
        """The reason word of its end."""
        return next(say.reason for say in self.said if say.command_id == command_id and say.end is not None)
