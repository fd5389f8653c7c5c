"""`samspel-prequal design`: what a home or a fleet could be qualified for, before anything is measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samspel_prequal.product import FCR_PRODUCTS, Product
from samspel_prequal.rules import DEFAULT_FREQUENCY_METER_S, MIN_BID_W

if TYPE_CHECKING:
    from samspel_prequal.design import DesignVerdict, FleetSize, HomeSize, Loop, Suitability
    from samspel_prequal.design.records import Unread

    Models = tuple[list[Suitability], tuple[Unread, ...]]

__all__ = ["design"]

PICTURE_DPI = 180


def design(
    product: Annotated[list[Product] | None, typer.Option(help="Of these products only; may be repeated.")] = None,
    delay: Annotated[float, typer.Option(help="Dead time from frequency to first power, s.")] = 0.0,
    lag: Annotated[float, typer.Option(help="Time constant after that, s.")] = 0.0,
    travel: Annotated[float, typer.Option(help="Straight way to the target, s.")] = 0.0,
    meter: Annotated[float, typer.Option(help="Time constant of the frequency meter, s.")] = DEFAULT_FREQUENCY_METER_S,
    period: Annotated[float, typer.Option(help="Control period, s.")] = 0.0,
    spread: Annotated[float, typer.Option(help="Dead times lie evenly within ± so much, s: a fleet.")] = 0.0,
    gain: Annotated[float, typer.Option(help="Steady gain.")] = 1.0,
    fleet: Annotated[Path | None, typer.Option(help="CSV: homes,delay_s,lag_s,…; one row a kind of home.")] = None,
    mean_ticks: Annotated[bool, typer.Option(help="Control ticks fall anywhere (a fleet), not at the worst.")] = False,
    external: Annotated[bool, typer.Option(help="The test signal goes through the meter: ramps see it too.")] = False,
    chart: Annotated[Path | None, typer.Option(help="Picture of the allowed region (.png, .svg, .pdf).")] = None,
    drivers: Annotated[bool, typer.Option("--drivers/--no-drivers", help="Judge the installed drivers.")] = True,
    home_w: Annotated[float, typer.Option(help="Power of a home each way, W.")] = 5000.0,
    home_wh: Annotated[float, typer.Option(help="Usable energy of a home, Wh.")] = 10_000.0,
    available: Annotated[float, typer.Option(help="Share of homes that can be counted on.")] = 1.0,
    bid_w: Annotated[float, typer.Option(help="The bid, W.")] = MIN_BID_W,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Say which products pass, with which margin, what a millisecond costs, and how many homes a bid needs."""
    from samspel_prequal.design import HomeSize, Loop, Ticks, judge, read_fleet  # noqa: PLC0415

    loop = Loop(
        delay, lag, travel, meter, period, spread, gain, not external, Ticks.MEAN if mean_ticks else Ticks.WORST
    )
    chosen = list(product or FCR_PRODUCTS)
    entity = loop if fleet is None else read_fleet(fleet, loop)
    verdicts = [judge(entity, one) for one in chosen]
    sizes = _sizes(verdicts, HomeSize(home_w, home_w, home_wh), bid_w, available)
    if chart is not None:
        _draw(loop, chosen, chart, marked=fleet is None)
    _say(verdicts, sizes, _models(loop, chosen) if drivers else None, as_json=as_json)


def _sizes(verdicts: list[DesignVerdict], home: HomeSize, bid_w: float, available: float) -> list[FleetSize]:
    """Each product alone, with what its dynamics leave of it, and the usual company."""
    from samspel_prequal.design import fleet_size  # noqa: PLC0415
    from samspel_prequal.evaluate.verdict import Outcome  # noqa: PLC0415

    left = {one.product: one.reduction.remaining or 1.0 for one in verdicts}
    passing = {one.product for one in verdicts if one.outcome is not Outcome.FAIL}
    alone = [(one,) for one in left]
    both = (Product.FCR_D_UP, Product.FCR_D_DOWN)
    mixes = [*alone, *(mix for mix in (both, FCR_PRODUCTS) if set(mix) <= set(left))]
    return [
        fleet_size(
            home,
            dict.fromkeys(mix, 1.0),
            bid_w=bid_w,
            available=available,
            reduction=min(left[product] for product in mix),
            possible=set(mix) <= passing,
        )
        for mix in mixes
    ]


def _models(loop: Loop, chosen: list[Product]) -> Models:
    from samspel_prequal.design import installed_records, suitability  # noqa: PLC0415

    records, unread = installed_records()
    return [one for record in records for one in suitability(record, loop) if one.product in chosen], unread


def _draw(loop: Loop, chosen: list[Product], path: Path, *, marked: bool) -> None:
    from samspel_prequal.design.chart import design_chart  # noqa: PLC0415

    panels = [one for one in chosen if one is not Product.FCR_D_DOWN or Product.FCR_D_UP not in chosen]
    design_chart(loop, panels, mark="as given" if marked else "").figure().savefig(path, dpi=PICTURE_DPI)


def _say(verdicts: list[DesignVerdict], sizes: list[FleetSize], models: Models | None, *, as_json: bool) -> None:
    from samspel_prequal.design import show  # noqa: PLC0415

    if as_json:
        found = {"products": [show.as_data(one) for one in verdicts], "sizes": show.sizes_data(sizes)}
        typer.echo(json.dumps(found | (show.models_data(*models) if models else {})))
        return
    from rich.console import Console  # noqa: PLC0415

    console = Console()
    for one in verdicts:
        console.print(show.verdict_tables(one))
    console.print(show.sizes_table(sizes))
    if models and any(models):
        console.print(show.models_table(*models))
    elif models is not None:
        console.print("No driver is installed: nothing is known about models.")
