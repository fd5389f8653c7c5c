"""`samspel command URL set-power -1500 --for 60`: a device commanded by hand."""

from __future__ import annotations

import asyncio
import math
import random
import signal
from enum import StrEnum
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from samspel.by_hand import ByHand, Ending, by_hand
from samspel.cli.look import DriverName, Url
from samspel.cli.output import ExitCode, console, print_json
from samspel.cli.shell import typer_command
from samspel.clock import SystemClock
from samspel.config.site import DeviceConfig
from samspel.contract.command import Accept
from samspel.contract.errors import ConfigError
from samspel.control.state import Phase
from samspel.device import DeviceLimits
from samspel.driver.options import DriverOptions

__all__ = ["command"]

app = typer.Typer(add_completion=False, rich_markup_mode=None)
command = typer_command(app, "samspel command")


class Verb(StrEnum):
    """What a person may ask."""

    SET_POWER = "set-power"
    ZERO = "zero"
    RELEASE = "release"
    STOP = "stop"


@app.command(
    help="Power in W at the battery; positive discharges. Exit code 4: refused, or the battery did not follow."
)
def run(
    url: Url,
    verb: Annotated[Verb, typer.Argument(help="What to do.")],
    power_w: Annotated[float | None, typer.Argument(help="With set-power: W; negative charges.")] = None,
    for_s: Annotated[float, typer.Option("--for", min=1, max=3600, help="Seconds to follow.")] = 60.0,
    driver: DriverName = "auto",
    max_w: Annotated[float, typer.Option(min=0, help="No more than this, either way.")] = 25_000.0,
    soc_min: Annotated[float, typer.Option(min=0, max=100, help="Do not discharge at or below, in percent.")] = 10.0,
    control: Annotated[str, typer.Option(help="A further way of control of the driver's map.")] = "",
    constant: Annotated[list[str], typer.Option(help="From the nameplate: rated_power_w=10000.")] = [],  # noqa: B006
    accept: Annotated[Accept, typer.Option(help="How well it has to follow; some devices cannot do it exactly.")] = (
        Accept.EXACT
    ),
    json: Annotated[bool, typer.Option("--json", help="One line of JSON for each stage.")] = False,
) -> ExitCode:
    """Command."""
    if (verb is Verb.SET_POWER) != (power_w is not None):
        raise ConfigError("a power in W belongs to set-power, and to nothing else: samspel command URL set-power -1500")
    if not all(map(math.isfinite, (power_w or 0.0, for_s, max_w, soc_min))):
        raise ConfigError("powers, seconds and percents are numbers, and finite")
    limits = DeviceLimits(charge_w=max_w, discharge_w=max_w, soc_min_pct=soc_min, soc_max_pct=100.0)
    try:
        options = DriverOptions(control=control, constants=_constants(constant))
        ending = asyncio.run(_command(url, driver, limits, options, verb, power_w or 0.0, for_s, accept, json=json))
    except asyncio.CancelledError:
        return ExitCode.INTERRUPTED
    if verb is Verb.STOP and not json:
        console().print("zero is held; it stays so until `samspel command URL release`")
    return _exit_code(verb, ending)


def _constants(texts: list[str]) -> dict[str, float]:
    """NAME=NUMBER as site.toml checks it. Raises ConfigError."""
    stated = {name: number for name, _, number in (text.partition("=") for text in texts)}
    try:
        return DeviceConfig.model_validate({"driver": "by hand", "url": "", "constants": stated}).constants
    except ValidationError as error:
        found = error.errors()[0]
        raise ConfigError(f"--constant: {found['msg'].removeprefix('Value error, ')}; found {texts}") from error


async def _command(
    url: str,
    driver: str,
    limits: DeviceLimits,
    options: DriverOptions,
    verb: Verb,
    power_w: float,
    for_s: float,
    accept: Accept,
    *,
    json: bool,
) -> Ending:
    show = print_json if json else _show
    task = asyncio.current_task()
    if task is not None:
        # SIGTERM is treated as Ctrl-C is: release first, then go.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with by_hand(url, driver, limits, SystemClock(), random.SystemRandom(), show, options) as hand:
        return await _carry_out(hand, verb, power_w, for_s, accept)


async def _carry_out(hand: ByHand, verb: Verb, power_w: float, for_s: float, accept: Accept) -> Ending:
    match verb:
        case Verb.SET_POWER | Verb.ZERO:
            return await hand.set_power(power_w, for_s, accept)
        case Verb.RELEASE:
            return await hand.release()
        case Verb.STOP:
            return await hand.stop()


def _show(event: dict[str, Any]) -> None:
    """One line for people: the stage, and what it carries."""
    if event["schema"].startswith("fault/"):
        console(stderr=True).print(f"fault {event['state']}: {event['code']}: {event['detail'].get('text', '')}")
        return
    word = event.get("stage") or event.get("deviation") or f"end: {event.get('end')}"
    power = f"{event['target_power_w']:.0f} W" if "target_power_w" in event else ""
    battery = event.get("after", {}).get("battery_power_w")
    measured = "" if battery is None else f"battery {battery:.0f} W"
    parts = (word, power, event.get("verification", ""), measured, event.get("reason", ""), event.get("text", ""))
    console().print("  ".join(part for part in parts if part), soft_wrap=True)


def _exit_code(verb: Verb, ending: Ending) -> ExitCode:
    if verb is Verb.STOP:
        return ExitCode.OK
    if ending.end != "completed":
        return ExitCode.REFUSED
    if ending.phase is not Phase.RELEASED:
        return ExitCode.FAILED
    followed = ending.delivered or verb is Verb.RELEASE
    return ExitCode.OK if followed else ExitCode.REFUSED
