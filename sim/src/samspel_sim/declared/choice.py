"""Which of the declared devices a user asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from samspel_sim.behaviour import LinkTraits, OptionError, TwinOptions
from samspel_sim.declared.declaration import Declaration, Model
from samspel_sim.wanted import one_of

__all__ = ["Choice", "choose"]

LINK_SETTINGS = ("connect_wait_s", "pace_s", "answer_s")
PV = ("steady", "day")


@dataclass(frozen=True, slots=True)
class Choice:
    """One device, before it runs."""

    model: Model
    firmware: str
    unit: int
    link: LinkTraits
    by_day: bool


def choose(declared: Declaration, options: TwinOptions) -> Choice:
    """The device that was asked for. OptionError says what there is to choose from."""
    if options.path is not None:
        raise OptionError(f"{declared.brand} has one path only, so there is none to choose, not {options.path!r}")
    settings = dict(options.settings)
    link = _link(declared.link, settings)
    pv = settings.pop("pv", "steady")
    if pv not in PV:
        raise OptionError(f"pv wants {' or '.join(PV)}, not {pv!r}")
    if settings:
        known = ", ".join([*LINK_SETTINGS, "pv"])
        raise OptionError(f"{declared.brand} has no setting {', '.join(map(repr, settings))}; there are {known}")
    return Choice(
        model=declared.models[_chosen("model", options.model, tuple(declared.models))],
        firmware=_chosen("firmware", options.firmware, declared.firmware),
        unit=declared.unit if options.unit is None else options.unit,
        link=link,
        by_day=pv == "day",
    )


def _chosen(what: str, name: str | None, known: tuple[str, ...]) -> str:
    return known[0] if name is None else one_of(what, name, known)


def _link(link: LinkTraits, settings: dict[str, float | str]) -> LinkTraits:
    """The link with what the user sets of it, which is taken out of the settings."""
    given = {key: settings.pop(key) for key in LINK_SETTINGS if key in settings}
    for key, value in given.items():
        if not isinstance(value, int | float):
            raise OptionError(f"{key} wants seconds, not {value!r}")
    return replace(link, **given)  # type: ignore[arg-type]  # they are numbers
