"""One day in the life of a battery, the same on every driver, and what a dispatcher heard of it, in plain words.

Numbers, times, ids, serials and models are gone from a transcript; what is left has to be the same for every brand,
except where a capability says otherwise (see `differential`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from samspel.contract.capability import Direction
from samspel.contract.telemetry import Quality

from samspel_contract.capabilities import Capability, signals_of
from samspel_contract.site import TOLERANCE_W, Message, Site, open_site
from samspel_contract.target import Target

__all__ = ["Step", "Transcript", "play"]

POWER_W = 1500.0
MOST_W = 2000.0
BEYOND_W = -3000.0
LOAD_W = 4000.0
PATIENT_S = 900.0
SHORT_S = 60.0
OUTAGE_S = 45.0
SETTLE_S = 90.0

ROUTE_WORDS = ("authority", "pv_effect", "verify", "deadman", "write_life", "reversal_dwell_s")
"""What of a route may explain a difference."""


@dataclass(slots=True)
class Step:
    """One command and everything that was said of it; words only.

    `power` and `battery` say how the power written, and the battery at the end of the step, stand to what was wanted.
    """

    step: str
    direction: str = ""
    accept: str = ""
    stages: list[str] = field(default_factory=list)
    verification: str = ""
    power: str = ""
    deviations: list[str] = field(default_factory=list)
    end: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    phase: str = ""
    battery: str = ""


@dataclass(slots=True)
class Transcript:
    """`record` is what the driver says of itself, `telemetry` the quality of each signal that a capability names."""

    record: dict[str, str]
    steps: list[Step]
    telemetry: dict[str, str]


Play = Callable[["_Stage"], Awaitable[None]]


@dataclass
class _Stage:
    """The site, and what has been played on it. Commands are told apart by their step."""

    site: Site
    steps: dict[str, Step] = field(default_factory=dict)
    commands: dict[str, str] = field(default_factory=dict)
    wanted_w: dict[str, float | None] = field(default_factory=dict)
    own_logic_w: float = 0.0
    last_w: float = 0.0
    heard: int = 0

    async def say(self, name: str, kind: str, *, settle_s: float = SETTLE_S, **fields: Any) -> None:  # noqa: ANN401 - the command's
        """One step: a command, and time for it."""
        step = self.steps[name] = Step(name)
        command = self.site.command(kind, **fields)
        step.accept = str(command.get("accept", ""))
        wanted_w = self.wanted_w[name] = fields.get("power_w", 0.0 if kind == "stop" else None)
        step.direction = "" if wanted_w is None else Direction.of(wanted_w).value
        self.commands[name] = await self.site.publish(command)
        await self.site.wait(settle_s + self._dwell_s(wanted_w))
        self.look(step)

    def _dwell_s(self, wanted_w: float | None) -> float:
        """A reversal may have to wait at zero, as long as its route says."""
        if not wanted_w:
            return 0.0
        reverses, self.last_w = wanted_w * self.last_w < 0, wanted_w
        return self.site.route(wanted_w).reversal_dwell_s if reverses else 0.0

    def look(self, step: Step) -> None:
        """What the device and the faults say at the end of a step."""
        new, self.heard = self.site.messages[self.heard :], len(self.site.messages)
        step.faults += [f"{one['code']} {one['state']}" for one in new if one["_leaf"] == "fault"]
        step.phase = self.site.life.phase
        step.battery = self._motion(self.wanted_w[step.step])

    def _motion(self, wanted_w: float | None) -> str:
        battery_w = self.site.battery_w
        if wanted_w is not None and abs(battery_w - wanted_w) <= max(TOLERANCE_W, 0.1 * abs(wanted_w)):
            return "as wanted"
        if abs(battery_w - self.own_logic_w) <= max(TOLERANCE_W, 0.1 * abs(self.own_logic_w)):
            return "own logic"
        return f"something else: {Direction.of(round(battery_w, -2)).value}"


async def play(target: Target) -> Transcript:
    """Play the scenario in simulated time; call it inside a simulated loop."""
    async with open_site(target, most_w=MOST_W, load_w=LOAD_W) as site:
        await site.settled()
        await site.wait(60)
        stage = _Stage(site, own_logic_w=site.battery_w, heard=len(site.messages))
        for act in (_commands, _refusals, _stop, _lost_link, _limits):
            await act(stage)
        for name, command in stage.commands.items():
            _tell(stage.steps[name], site.outcomes(command), stage.wanted_w[name])
        return Transcript(_record(site), list(stage.steps.values()), _telemetry(site))


async def _commands(stage: _Stage) -> None:
    await stage.say("charge", "set_power", power_w=-POWER_W, ttl_s=PATIENT_S)
    await stage.say("change", "set_power", power_w=-POWER_W / 2, ttl_s=PATIENT_S)
    await stage.say("repeat", "set_power", power_w=-POWER_W / 2, ttl_s=PATIENT_S)
    await stage.say("discharge", "set_power", power_w=POWER_W, ttl_s=PATIENT_S)
    await stage.say("zero", "set_power", power_w=0.0, ttl_s=PATIENT_S)
    await stage.say("give back", "release")


async def _refusals(stage: _Stage) -> None:
    await stage.say("too late", "set_power", power_w=-POWER_W, age_s=SHORT_S + 1, ttl_s=SHORT_S)
    await stage.say("stranger", "set_power", power_w=-POWER_W, issuer="nobody")


async def _stop(stage: _Stage) -> None:
    await stage.say("charge before the stop", "set_power", power_w=-POWER_W, ttl_s=PATIENT_S)
    await stage.say("stop", "stop")
    await stage.say("charge against the stop", "set_power", power_w=-POWER_W, settle_s=10)
    await stage.say("lift the stop", "release")


async def _lost_link(stage: _Stage) -> None:
    await stage.say("charge over a lost link", "set_power", power_w=-POWER_W, ttl_s=300, on_expiry="release")
    step = stage.steps["charge over a lost link"]
    stage.site.life.wire.cut()
    await stage.site.wait(OUTAGE_S)
    stage.site.life.wire.mend()
    await stage.site.wait(SETTLE_S)
    stage.look(step)
    await stage.site.wait(300)


async def _limits(stage: _Stage) -> None:
    await stage.say("beyond the limit", "set_power", power_w=BEYOND_W, ttl_s=SETTLE_S, on_expiry="release", settle_s=80)
    await stage.site.wait(SETTLE_S)
    await stage.say("short", "set_power", power_w=POWER_W, ttl_s=SHORT_S, hold_s=30.0, settle_s=SHORT_S + 15)
    await stage.site.wait(SETTLE_S)
    stage.look(stage.steps["short"])


# --- into words -----------------------------------------------------------------------------------------------------


def _tell(step: Step, outcomes: list[Message], wanted_w: float | None) -> None:
    """What was said of one command, repetitions by the broker left out."""
    said = {(one["boot_id"], one["seq"]): one for one in outcomes}
    for one in said.values():
        if one.get("stage") == "verified":
            step.verification = str(one.get("verification"))
        elif "stage" in one:
            step.stages.append(" ".join(filter(None, [one["stage"], one.get("reason")])))
        elif "deviation" in one:
            step.deviations.append(" ".join(filter(None, [one["deviation"], one.get("reason")])))
        else:
            step.end.append(" ".join(filter(None, [one["end"], one.get("reason")])))
        if one.get("stage") == "written":
            step.power = _power(one.get("target_power_w"), wanted_w)


def _power(written_w: float | None, wanted_w: float | None) -> str:
    if written_w is None or wanted_w is None:
        return ""
    if abs(written_w - wanted_w) <= TOLERANCE_W:
        return "as wanted"
    return "less" if abs(written_w) < abs(wanted_w) and written_w * wanted_w >= 0 else "something else"


def _record(site: Site) -> dict[str, str]:
    """What may explain a difference: the routes in words, and the capabilities that are missing."""
    record: dict[str, str] = {}
    for direction in Direction:
        route = site.capabilities.route(direction)
        record |= {f"{direction}.{word}": str(getattr(route, word)) if route else "none" for word in ROUTE_WORDS}
    missing = site.target.declaration.missing
    return record | {str(one): "missing" if one in missing else "full" for one in Capability}


def _telemetry(site: Site) -> dict[str, str]:
    """The quality of each named signal in the last cycle that had it."""
    found: Mapping[str, Message] = {}
    for one in site.messages:
        found = {**found, **one.get("readings", {})} if one["_leaf"] == "telemetry" else found
    names = {name for capability in Capability for name in signals_of(capability)}
    return {name: str(found[name]["quality"]) if name in found else Quality.ABSENT.value for name in sorted(names)}
