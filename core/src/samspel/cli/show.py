"""`samspel plugins show NAME`: a driver's capabilities and what they rest on, its maps, and what is off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from samspel.cli.output import console, print_rows
from samspel.contract.capability import Route
from samspel.plugins.brand import Brand
from samspel.registers.model import Confidence

if TYPE_CHECKING:
    from samspel.plugins.survey import Row

__all__ = ["Shown", "print_brand", "shown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRoute:
    """One route, for whom it is and in which way of control (empty: the map's own), and whether it is off until the
    site allows what rests on low confidence.
    """

    models: tuple[str, ...]
    firmware: tuple[str, ...]
    paths: tuple[str, ...]
    control: str
    confidence: str
    off: bool
    route: Route


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMap:
    """One map file. `digest` is the SHA-256 of its text; `off` are its rows that rest on low confidence. `controls`
    and `units` are the further ways of control and the further units that a site may name.
    """

    id: str
    version: str
    digest: str
    models: tuple[str, ...]
    firmware: tuple[str, ...]
    overlays: tuple[str, ...]
    controls: tuple[str, ...]
    units: tuple[str, ...]
    registers: int
    off: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Everything that `show` says, in the form of its JSON."""

    plugin: Row
    title: str
    brand: str
    contract: str
    words: tuple[str, ...]
    models: tuple[str, ...]
    paths: tuple[str, ...]
    routes: tuple[ShownRoute, ...]
    maps: tuple[ShownMap, ...]


def shown(row: Row, brand: Brand) -> Shown:
    """What there is to say about an installed driver."""
    manifest = brand.manifest
    maps = tuple(_maps(brand))
    return Shown(
        plugin=row,
        title=manifest.title,
        brand=manifest.brand,
        contract=manifest.contract,
        words=manifest.words,
        models=tuple(dict.fromkeys(model for one in maps for model in one.models)),
        paths=tuple(manifest.paths),
        routes=tuple(_routes(brand)),
        maps=maps,
    )


def _routes(brand: Brand) -> Iterator[ShownRoute]:
    for rule in brand.manifest.capabilities:
        for route, confidence in rule.routes:
            yield ShownRoute(
                models=rule.models,
                firmware=_ranges(rule.firmware),
                paths=rule.paths,
                control=rule.control,
                confidence=confidence,
                off=confidence is Confidence.LOW,
                route=route,
            )


def _maps(brand: Brand) -> Iterator[ShownMap]:
    for plain, *others in brand.maps:
        yield ShownMap(
            id=plain.id,
            version=plain.version,
            digest=plain.digest,
            models=plain.models,
            firmware=_ranges(plain.firmware),
            overlays=_named(one.overlay for one in others),
            controls=_named(one.control for one in others),
            units=_named(row.at for row in plain.registers.values()),
            registers=len(plain.registers),
            off=tuple(name for name, row in plain.registers.items() if row.confidence is Confidence.LOW),
        )


def _named(words: Iterable[str | None]) -> tuple[str, ...]:
    """Each word once."""
    return tuple(dict.fromkeys(filter(None, words)))


def _ranges(firmware: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    return tuple(f"{low}..{high}" for low, high in firmware)


def print_brand(facts: Shown) -> None:
    """The same for people."""
    out = console()
    row = facts.plugin
    out.print(
        f"{facts.title}: driver {row.name!r} of {row.dist} {row.version}, contract {facts.contract}: {row.health}"
    )
    if row.error:
        out.print(f"{row.stage}: {row.error}")
    out.print(f"models  {', '.join(facts.models)}")
    out.print(f"paths   {', '.join(facts.paths)}")
    out.print(f"words   {', '.join(facts.words)} (never in anything published)")
    out.print("\nRoutes", style="bold")
    columns = ["route", "direction", "authority", "reference", "evidence", "confidence", "models", "source"]
    print_rows(columns, [_route_cells(one) for one in facts.routes], out)
    out.print("\nMaps", style="bold")
    columns = ["map", "version", "SHA-256", "models", "firmware", "registers", "overlays"]
    print_rows(columns, [_map_cells(one) for one in facts.maps], out)
    for one in facts.maps:
        if one.controls or one.units:
            named = f"control = {', '.join(one.controls) or 'none'}; units = {', '.join(one.units) or 'none'}"
            out.print(f"{one.id}: a site may name {named}", soft_wrap=True)
    _print_off(facts)


def _route_cells(one: ShownRoute) -> list[str]:
    route = one.route
    confidence = f"{one.confidence} (off)" if one.off else one.confidence
    models = ", ".join(one.models)
    name = f"{route.name} ({one.control})" if one.control else route.name
    return [
        name, route.direction, route.authority, route.reference, route.evidence, confidence, models, route.source
    ]  # fmt: skip


def _map_cells(one: ShownMap) -> list[str]:
    return [
        one.id,
        one.version,
        one.digest[:12],
        ", ".join(one.models),
        ", ".join(one.firmware),
        str(one.registers),
        ", ".join(one.overlays),
    ]


def _print_off(facts: Shown) -> None:
    out = console()
    routes = [f"route {one.route.name} ({one.route.direction})" for one in facts.routes if one.off]
    rows = [f"{one.id}: {name}" for one in facts.maps for name in one.off]
    out.print("\nOff unless the site switches it on, because it rests on low confidence", style="bold")
    out.print("\n".join([*routes, *rows]) or "nothing")
