"""``samspel demo [--forever] [--json]``: the play from curtain to summary; exit code 0 or 1."""

from __future__ import annotations

import tempfile
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from samspel_sim.demo.broker import open_broker
from samspel_sim.demo.children import Edge, TwinProcess
from samspel_sim.demo.dispatcher import Dispatcher
from samspel_sim.demo.play import Play
from samspel_sim.demo.screen import JsonScreen, LineScreen, LiveScreen, Screen

__all__ = ["command"]

SITE, DEVICE, ISSUER = "home-0001", "battery", "fleet-a"
SEED = 7

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def command(argv: list[str]) -> int:
    """Entry point of `samspel demo`; the exit code."""
    try:
        code = typer.main.get_command(app).main(args=argv, prog_name="samspel demo", standalone_mode=False)
    except typer.TyperException as error:
        typer.echo(f"samspel demo: {error.format_message()}", err=True)
        return 2
    except RuntimeError as error:
        typer.echo(f"samspel demo: {error}", err=True)
        return 1
    return int(code or 0)


@app.command(help="Watch a simulated home follow commands for about two minutes.")
def demo(
    brand: Annotated[str | None, typer.Option(help="Whose inverter; default: the first installed.")] = None,
    broker: Annotated[str, typer.Option(help="auto, mosquitto or amqtt.")] = "auto",
    forever: Annotated[bool, typer.Option("--forever", help="Again and again, until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="A line of JSON for each event.")] = False,
) -> int:
    """Play."""
    console = Console(markup=False, highlight=False, emoji=False)
    while True:
        screen: Screen = JsonScreen() if json else LiveScreen(console) if console.is_terminal else LineScreen(console)
        try:
            ok = play_once(brand or first_twin(), broker, screen)
        except KeyboardInterrupt:
            return 0 if forever else 130
        finally:
            screen.close()
        if not forever:
            return 0 if ok else 1


def first_twin() -> str:
    """The first installed simulated inverter. RuntimeError when there is none."""
    names = sorted(entry.name for entry in entry_points(group="samspel.twins"))
    if not names:
        raise RuntimeError("no simulated inverter is installed; a driver package brings its own")
    return names[0]


def play_once(brand: str, broker_kind: str, screen: Screen) -> bool:
    """One performance; whether every expectation was met."""
    with tempfile.TemporaryDirectory(prefix="samspel-demo-") as name, open_broker(Path(name), broker_kind) as broker:
        folder = Path(name)
        screen.scene(f"the broker is {broker.kind}")
        twin = TwinProcess(brand, soc_pct=60.0, seed=SEED)
        edge = Edge(_write_site(folder, brand, twin.url, broker.port), folder)
        dispatcher = Dispatcher(broker.port, site=SITE, device=DEVICE, issuer=ISSUER, mqtt5=broker.kind == "mosquitto")
        dispatcher.listeners.append(screen.message)
        try:
            edge.start()
            play = Play(dispatcher, twin, edge, screen.scene)
            play.run()
        finally:
            edge.close()
            dispatcher.close()
            twin.close()
        screen.summary(play.results)
        if not all(one.met for one in play.results):
            _show_log(edge)
        return all(one.met for one in play.results)


def _write_site(folder: Path, brand: str, url: str, port: int) -> Path:
    """The same file that a real home has."""
    site = folder / "site.toml"
    site.write_text(
        f"""[site]
name = "{SITE}"
nonce_s = 5
[mqtt]
url = "mqtt://127.0.0.1:{port}"
username = "{SITE}"
[issuers]
dispatcher = ["{ISSUER}"]
[devices.{DEVICE}]
driver = "{brand}"
url = "{url}"
limits = {{ charge_w = 5000, discharge_w = 5000, soc_min_pct = 10, soc_max_pct = 95 }}
"""
    )
    return site


def _show_log(edge: Edge) -> None:
    typer.echo("the edge's last words:", err=True)
    for line in list(edge.log)[-40:]:
        typer.echo(f"  {line}", err=True)
