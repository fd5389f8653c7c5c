"""`samspel-prequal simulate`: the whole programme on a toy plant, from signal to log files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from samspel_prequal.product import Product

__all__ = ["simulate"]


def simulate(
    product: Annotated[Product, typer.Option(help="fcr-n, fcr-d-up or fcr-d-down.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the logs; made when it is not there.")],
    plant: Annotated[str, typer.Option(help="KEY=NUMBER,…: lag, delay, meter [s], gain, backlash, clip, …")] = "",
    capacity_w: Annotated[float, typer.Option(help="Capacity in watts.")] = 5000.0,
    rate: Annotated[float, typer.Option(help="Samples a second, a whole number.")] = 10.0,
    seed: Annotated[int, typer.Option(help="Of noise and grid frequency.")] = 1,
    resource: Annotated[str, typer.Option(help="Name of the entity in file names.")] = "HOME1",
    area: Annotated[str, typer.Option(help="Bidding area.")] = "SE3",
    limited: Annotated[bool, typer.Option("--ler/--no-ler", help="Limited energy reservoir.")] = True,
    non_continuous: Annotated[bool, typer.Option(help="Relay-like: run the staircase too.")] = False,
    combination_w: Annotated[float, typer.Option(help="FCR-N capacity beside FCR-D: run ramps 7 and 8.")] = 0.0,
    mode_shifting: Annotated[bool, typer.Option(help="FCR-D: run the three longest sines too.")] = False,
    compact: Annotated[bool, typer.Option(help="Leave out columns that stay blank.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="List the files as JSON.")] = False,
) -> None:
    """Run every test of a product's programme on a toy plant and write the TSOs' files."""
    from samspel_prequal.cli.progress import written  # noqa: PLC0415
    from samspel_prequal.logs.columns import header_for  # noqa: PLC0415
    from samspel_prequal.plant import PlantSettings, parse_plant  # noqa: PLC0415
    from samspel_prequal.player import Site  # noqa: PLC0415
    from samspel_prequal.simulate import Programme  # noqa: PLC0415

    settings = PlantSettings(product, capacity_w, fcr_n_capacity_w=combination_w)
    settings = parse_plant(plant if limited else f"store=inf,{plant}", settings)
    wanted = Programme(product, limited, non_continuous, combination_w > 0, mode_shifting, seed)
    site = Site(resource, area, modes={header_for("ContMode", product): f"{product.service.upper()}1"})
    output.mkdir(parents=True, exist_ok=True)
    files = written(wanted, settings, site, rate, output, compact=compact)
    typer.echo(json.dumps({"files": files}) if as_json else f"{len(files)} logs in {output}")
