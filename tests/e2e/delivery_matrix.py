"""Every misbehaviour on every twin, in simulated time: which deviation the site calls it, and how soon.

`python tests/e2e/delivery_matrix.py` runs all of it and writes the table into docs/delivery.md.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import looptime
from samspel.contract.capability import Direction
from samspel.edge import Rates
from samspel_contract.site import Site, open_site
from samspel_contract.target import Target, installed

CYCLE_S = 2.0
RATES = Rates(fast_s=CYCLE_S, slow_s=10.0, static_s=3600.0, faults_s=30.0)
BRANDS = ("huawei", "sungrow", "saj")
DOCS = Path(__file__).parents[2] / "docs" / "delivery.md"
BEGIN, END = "<!-- matrix: begin -->", "<!-- matrix: end -->"
CHARGE_W = -2000.0
LOAD_W = 3000.0

NOTHING = "nothing"


@dataclass
class Found:
    """What the site said first, how long after the trouble began, and how long it might take."""

    words: str
    after_s: float | None = None
    allowed_s: float = 0.0

    @property
    def in_time(self) -> bool:
        return self.after_s is None or self.after_s <= self.allowed_s


@dataclass
class Scene:
    """One cell while it runs. `began` is when the battery first did something else than it should."""

    site: Site
    brand: str
    command: str = ""
    began: float = 0.0

    @property
    def now(self) -> float:
        return self.site.now

    async def tell(self, power_w: float = CHARGE_W) -> None:
        """Command a power; the trouble is there already and begins to show with the write."""
        self.command = await self.site.send("set_power", power_w=power_w, ttl_s=3000.0)
        try:
            await self.site.outcome(self.command, within_s=500.0, stage="written")
        except AssertionError:
            if not self.site.ends(self.command):
                raise
        self.began = self.now

    async def followed(self, power_w: float = CHARGE_W) -> None:
        self.command = await self.site.followed(power_w, ttl_s=3000.0)
        await self.site.outcome(self.command, stage="delivered")
        await self.site.wait(3 * CYCLE_S)
        self.began = self.now

    async def until_it_leaves(self, power_w: float) -> None:
        await self.site.until(lambda: abs(self.site.battery_w - power_w) > 200.0, 600.0, "it leaves its target")
        self.began = self.now

    def latency_s(self, power_w: float = CHARGE_W) -> float:
        route = self.site.capabilities.route(Direction.of(power_w))
        return 30.0 if route is None or route.latency_s is None else route.latency_s


Play = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True)
class Row:
    """One misbehaviour. `expected` by brand, or for all; `wait_s` is how long nothing may be said where that is right.

    `extra_s`: by what else it may come later than latency and cycle.
    """

    name: str
    how: str
    play: Play
    expected: dict[str, str] | str
    home: dict[str, Any] = field(default_factory=dict)
    extra_s: float = 0.0

    def expects(self, brand: str) -> str:
        return self.expected if isinstance(self.expected, str) else self.expected[brand]


# --- the misbehaviours ----------------------------------------------------------------------------------------------


async def _well(scene: Scene) -> None:
    await scene.tell()


async def _ignored(scene: Scene) -> None:
    scene.site.twin.misbehave("ignore_setpoint")
    await scene.tell()


async def _let_go(scene: Scene) -> None:
    await scene.followed()
    scene.site.twin.misbehave("ignore_setpoint")
    await scene.until_it_leaves(CHARGE_W)


async def _full(scene: Scene) -> None:
    ceiling = {"huawei": ("charge_cutoff_soc", 900), "sungrow": ("max_soc", 900), "saj": ("soc_max", 90)}
    name, raw = ceiling[scene.brand]
    scene.site.twin.set({"soc_pct": 89.0, "registers": {name: raw}})
    await scene.site.wait(15.0)
    await scene.followed()
    await scene.until_it_leaves(CHARGE_W)


async def _hot(scene: Scene) -> None:
    await scene.followed(-4000.0)
    scene.site.twin.set({"temperature_c": 53.0})
    await scene.until_it_leaves(-4000.0)


async def _too_much(scene: Scene) -> None:
    await scene.tell(-14000.0)


async def _hidden_limit(scene: Scene) -> None:
    scene.site.twin.misbehave("clamp", watts=1000.0)
    await scene.tell(-4000.0)


async def _panels(scene: Scene) -> None:
    """One brand throttles by itself; on the others the panels are made to yield with the write."""
    scene.site.twin.set({"pv_power_w": 6000.0})
    await scene.site.wait(30.0)
    if scene.brand == "huawei":
        await scene.tell()
        return
    await scene.tell()
    scene.site.twin.set({"pv_power_w": 400.0})


async def _cloud(scene: Scene) -> None:
    scene.site.twin.set({"pv_power_w": 2000.0})
    await scene.site.wait(30.0)
    await scene.followed()
    await scene.site.wait(2 * scene.latency_s())
    scene.site.twin.set({"pv_power_w": 300.0})


MODE = {"huawei": {"forcible_command": 0}, "sungrow": {"ems_mode": 0}, "saj": {"app_mode": 0}}
OTHER = {
    "huawei": {"forcible_charge_power": 600},
    "sungrow": {"charge_discharge_power": 600},
    "saj": {"charge_slot7_days_power": 0x7F05},
}


async def _mode(scene: Scene) -> None:
    await scene.followed()
    scene.site.twin.set({"registers": MODE[scene.brand]})
    await scene.until_it_leaves(CHARGE_W)


async def _second_master(scene: Scene) -> None:
    await scene.followed()
    scene.site.twin.misbehave("second_master", period_s=5.0, registers=OTHER[scene.brand])
    await scene.until_it_leaves(CHARGE_W)


async def _by_itself(scene: Scene) -> None:
    await scene.followed()
    scene.site.twin.misbehave("calibration", watts=-4000.0)
    await scene.until_it_leaves(CHARGE_W)


async def _reversed(scene: Scene) -> None:
    scene.site.twin.misbehave("reverse")
    await scene.tell()


async def _turned_later(scene: Scene) -> None:
    await scene.followed()
    scene.site.twin.misbehave("reverse")
    await scene.until_it_leaves(CHARGE_W)


async def _stuck(scene: Scene) -> None:
    scene.site.twin.misbehave("stuck")
    await scene.tell()


async def _slow_battery(scene: Scene) -> None:
    behaviour: Any = scene.site.twin.behaviour
    taus = {name: scene.latency_s() * 1.5 for name in behaviour.profile.timing.__slots__ if name.endswith("_tau_s")}
    behaviour.profile = replace(behaviour.profile, timing=replace(behaviour.profile.timing, **taus))
    await scene.tell(-4000.0)


async def _slow_link(scene: Scene) -> None:
    scene.site.twin.misbehave("slow", seconds=0.3)
    await scene.tell()


async def _partial(scene: Scene) -> None:
    """The trigger is acknowledged and not carried out; everything before it is."""
    scene.site.twin.misbehave("forget", registers=[next(iter(MODE[scene.brand]))])
    await scene.tell()


async def _sticky(scene: Scene) -> None:
    left = {
        "huawei": {"storage_max_charging_power": 500},
        "sungrow": {"max_charge_power": 50},
        "saj": {"battery_charge_limit": 50},
    }
    scene.site.twin.set({"registers": left[scene.brand]})
    await scene.tell()


async def _asleep(scene: Scene) -> None:
    await scene.followed()
    scene.site.twin.misbehave("sleep")
    await scene.until_it_leaves(CHARGE_W)


async def _broken(scene: Scene) -> None:
    await scene.followed()
    scene.site.twin.misbehave("battery_fault")
    await scene.until_it_leaves(CHARGE_W)


async def _cut(scene: Scene) -> None:
    await scene.followed()
    scene.site.life.wire.cut()
    scene.began = scene.now


async def _turned_round(scene: Scene) -> None:
    """From one direction to the other, with nothing wrong."""
    await scene.followed(1500.0)
    await scene.tell()


ASLEEP = {"huawei": "unresponsive: sleep", "sungrow": "clamped: live_limit", "saj": "clamped: live_limit"}
"""Only one of them says that it sleeps; the others say that the battery takes 0 W now."""

BROKEN = {"huawei": "interrupted: fault", "sungrow": "clamped: live_limit", "saj": "clamped: live_limit"}
"""Where the fault is read first, it takes the device out; else the live limit of 0 W is seen first."""

ROWS = (
    Row("none", "nothing is wrong", _well, NOTHING),
    Row(
        "reversal",
        "nothing is wrong: from discharging to charging",
        _turned_round,
        {"huawei": "dwell", "sungrow": NOTHING, "saj": "dwell"},
    ),
    Row("ignored", "the command is stored and not followed", _ignored, "unresponsive"),
    Row("let go", "followed, then its own logic again while the registers stand", _let_go, "overridden"),
    Row("state of charge", "the device's own ceiling is reached", _full, "clamped: soc"),
    Row("temperature", "53 degrees Celsius: the live limit falls", _hot, "clamped: live_limit"),
    Row("live limit", "more than the battery takes", _too_much, "clamped: live_limit", {"most_w": 20000.0}),
    Row("hidden limit", "1000 W at most, and no register says it", _hidden_limit, "clamped: unknown"),
    Row("PV ceiling", "the panels are throttled with the command", _panels, "side_effect: pv"),
    Row("cloud", "the panels fall long after the command", _cloud, NOTHING),
    Row("mode overridden", "somebody sets the mode back", _mode, "overridden"),
    Row("second master", "somebody writes another power every 5 s", _second_master, "overridden: foreign"),
    Row("by itself", "a calibration runs the battery", _by_itself, "overridden: other"),
    Row("reversed", "the sign is turned round", _reversed, "reversed"),
    Row("reversed later", "the sign turns while it is followed", _turned_later, "reversed"),
    Row("stuck", "measurements freeze before the command", _stuck, "unresponsive"),
    Row("slow battery", "a time constant of 1.5 latencies", _slow_battery, "unresponsive: slow"),
    Row("slow link", "each answer 0.3 s later", _slow_link, NOTHING),
    Row("partial sequence", "the trigger is acknowledged and forgotten", _partial, "failed"),
    Row("sticky leftovers", "a charging limit that somebody left", _sticky, "clamped: unknown"),
    Row("asleep", "the battery falls asleep", _asleep, ASLEEP),
    Row("battery fault", "the battery reports a fault", _broken, BROKEN),
    Row("cable out", "the connection breaks", _cut, "lost_link"),
)


# --- one cell -------------------------------------------------------------------------------------------------------


async def cell(row: Row, target: Target) -> Found:
    """Play it, and give the first word that fits none but trouble."""
    most_w = row.home.get("most_w", 5000.0)
    async with open_site(target, rates=RATES, load_w=LOAD_W, most_w=most_w) as site:
        site.twin.behaviour.home.household.mean_w = LOAD_W
        site.twin.set({"load_power_w": None})
        await site.settled()
        scene = Scene(site, target.name)
        await row.play(scene)
        allowed_s = scene.latency_s() + CYCLE_S + row.extra_s
        give_up = scene.now + 3 * scene.latency_s() + 3 * CYCLE_S
        while _first(scene) is None and scene.now < give_up:  # noqa: ASYNC110 - simulated time
            await asyncio.sleep(0.25)
        if (said := _first(scene)) is None:
            return Found(NOTHING)
        return Found(_words(said), round(said["_at"] - scene.began, 2), allowed_s)


def _first(scene: Scene) -> dict[str, Any] | None:
    said = scene.site.outcomes(scene.command)
    return next((one for one in said if "deviation" in one or one.get("end") in ("failed", "interrupted")), None)


def _words(said: dict[str, Any]) -> str:
    return f"{said.get('deviation') or said['end']}: {said['reason']}"


def fits(found: Found, expected: str) -> bool:
    """Whether it is what was expected: the class, and the reason where one is named."""
    return found.words == expected or found.words.partition(":")[0] == expected


# --- the table ------------------------------------------------------------------------------------------------------


def table(found: dict[tuple[str, str], Found]) -> str:
    """The confusion table in Markdown."""
    heads = " | ".join(f"{brand} twin" for brand in BRANDS)
    lines = [f"| misbehaviour | what the twin does | {heads} |", "|---|---|" + "---|" * len(BRANDS)]
    for row in ROWS:
        cells = " | ".join(found[row.name, brand].words.removesuffix(": ") for brand in BRANDS)
        lines.append(f"| {row.name} | {row.how} | {cells} |")
    return "\n".join(lines)


def _shown(found: Found) -> str:
    return found.words if found.after_s is None else f"{found.words} ({found.after_s:.1f} of {found.allowed_s:.1f} s)"


def written() -> str:
    """The table as it stands in the docs."""
    text = DOCS.read_text(encoding="utf-8")
    return text.partition(BEGIN)[2].partition(END)[0].strip()


def write(text: str) -> None:
    """Put it there."""
    whole = DOCS.read_text(encoding="utf-8")
    DOCS.write_text(re.sub(f"{BEGIN}.*{END}", f"{BEGIN}\n{text}\n{END}", whole, flags=re.DOTALL), encoding="utf-8")


def _in_simulated_time(work: Callable[[], Awaitable[Found]]) -> Found:
    loop = looptime.new_event_loop(start=0, noop_cycles=1)
    try:
        return loop.run_until_complete(work())
    finally:
        loop.close()


def main(names: list[str]) -> int:
    """All rows, or those named; the table is written only for all of them."""
    found, wrong = {}, 0
    for row in ROWS:
        for brand in BRANDS:
            if names and row.name not in names:
                continue
            one = _in_simulated_time(lambda row=row, brand=brand: cell(row, installed(brand)))  # type: ignore[misc]
            found[row.name, brand] = one
            right = fits(one, row.expects(brand)) and one.in_time
            wrong += not right
            print(f"{'ok   ' if right else 'WRONG'} {row.name:17} {brand:8} {_shown(one)}", flush=True)
    if not names and not wrong:
        write(table(found))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
