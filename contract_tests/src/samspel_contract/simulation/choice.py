"""Which device a scenario runs on, and the command line that chooses the same one again."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace

from samspel.contract.errors import ConfigError
from samspel.plugins.metadata import DRIVERS, TWINS, offers

from samspel_contract.simulation.plan import Plan
from samspel_contract.simulation.record import span_of
from samspel_contract.target import Target, installed

__all__ = ["Choice", "choices", "command_line", "drivers", "seconds_of", "target_of"]

SPAN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


@dataclass(frozen=True, slots=True)
class Choice:
    """A driver and the number of one of its variants (`None`: as the scenario's `[[devices]]` say, or the first)."""

    driver: str
    variant: int | None = None
    device: int | None = None


def drivers() -> list[str]:
    """Every installed driver that has a twin of the same name."""
    twins = {offer.name for offer in offers(TWINS) if not offer.disabled}
    return sorted(offer.name for offer in offers(DRIVERS) if offer.name in twins and not offer.disabled)


def choices(plan: Plan, driver: str | None, variant: int | None, device: int | None = None) -> list[Choice]:
    """What the options and the scenario ask for. Raises ConfigError where that is nothing."""
    if variant is not None and driver is None:
        raise ConfigError("--variant needs --driver: a variant is a number in a driver's contract.toml, from 0")
    if device is not None:
        if not 0 <= device < len(plan.devices):
            raise ConfigError(f"--device: the scenario has {len(plan.devices)} [[devices]], counted from 0")
        return [Choice(plan.devices[device].driver, device=device)]
    if driver is None and plan.devices:
        return [Choice(device.driver, device=number) for number, device in enumerate(plan.devices)]
    found = [driver] if driver is not None else drivers()
    if not found:
        raise ConfigError("no driver with a twin is installed: pip install 'samspel-huawei[twin]', for instance")
    return [Choice(name, variant) for name in found]


def target_of(plan: Plan, choice: Choice) -> Target:
    """The driver with that device. Raises ConfigError or PluginError."""
    whole = installed(choice.driver)
    if choice.device is not None:
        return replace(whole, variant=plan.devices[choice.device].variant())
    if choice.variant is None:
        return whole
    if not 0 <= choice.variant < len(whole.variants):
        raise ConfigError(f"{choice.driver} has the variants 0 to {len(whole.variants) - 1}, not {choice.variant}")
    return whole.variants[choice.variant]


def command_line(scenario: str, choice: Choice, seed: int, until_s: float) -> str:
    """What repeats a run up to this moment."""
    words = ["samspel", "simulate", scenario, "--driver", choice.driver]
    words += [] if choice.variant is None else ["--variant", str(choice.variant)]
    if choice.device is not None:
        words = ["samspel", "simulate", scenario, "--device", str(choice.device)]
    return shlex.join([*words, "--seed", str(seed), "--until", span_of(until_s + 1)])


def seconds_of(text: str) -> float:
    """`3d04h`, `90m`, `20s`. Raises ConfigError."""
    match = SPAN.fullmatch(text)
    if not text or match is None:
        raise ConfigError(f"--until: found {text!r}, expected days, hours, minutes and seconds, as in 3d04h or 90m")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return days * 86_400 + hours * 3600 + minutes * 60 + seconds
