"""``samspel demo [--forever] [--json]``: the play from curtain to summary; exit code 0 or 1."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from samspel_sim.demo.broker import KINDS, Broker, open_broker
from samspel_sim.demo.children import Edge, TwinProcess
from samspel_sim.demo.inbox import Inbox
from samspel_sim.demo.mqtt import open_dispatcher
from samspel_sim.demo.play import Play
from samspel_sim.demo.record import Record
from samspel_sim.demo.screen import Screen, choose_screen

__all__ = ["command"]

SITE, DEVICE, ISSUER = "home-0001", "battery", "fleet-a"
SEED = 7
EVENING = {"pv_power_w": 100.0, "load_power_w": 100.0}
INTERRUPTED = 130
INTERVAL_S = 5.0
"""Between two plays, to read the summary."""
LAST_WORDS = 30

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
    """Play. Exit code 0: every expectation was met; 1: not; 130: interrupted (with --forever: 0)."""
    brand = _known_brand(brand)
    if broker not in KINDS:
        raise typer.BadParameter(f"--broker is {broker!r}; allowed: {', '.join(KINDS)}")
    console = Console(markup=False, highlight=False, emoji=False)
    met = True
    with _interruptible():
        try:
            while met:
                met = play_once(brand, broker, console, as_json=json)
                if not forever:
                    break
                time.sleep(INTERVAL_S)
        except KeyboardInterrupt:
            return 0 if forever else INTERRUPTED
    return 0 if met else 1


def _known_brand(wanted: str | None) -> str:
    """This one, or the first installed. A usage error when there is none."""
    names = sorted(entry.name for entry in entry_points(group="samspel.twins"))
    if not names:
        raise RuntimeError("no simulated inverter is installed; a driver package brings its own")
    if wanted is not None and wanted not in names:
        raise typer.BadParameter(f"--brand is {wanted!r}; installed: {', '.join(names)}")
    return wanted or names[0]


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and a closed terminal end the play as Ctrl-C does: in order. A second one cannot spoil the order."""
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for one in wanted:
            signal.signal(one, lambda *_: None)
        raise KeyboardInterrupt

    before = {one: signal.signal(one, interrupt) for one in wanted}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def play_once(brand: str, broker_kind: str, console: Console, *, as_json: bool) -> bool:
    """One performance; whether every expectation was met. Whatever happens, nothing of it stays behind."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="samspel-demo-")))
        twin = stack.enter_context(closing(TwinProcess(brand, soc_pct=60.0, seed=SEED)))
        twin.set(**EVENING)
        broker = stack.enter_context(open_broker(folder, broker_kind))
        inbox = Inbox(time)
        dispatcher = stack.enter_context(
            open_dispatcher(broker.port, inbox, site=SITE, device=DEVICE, issuer=ISSUER, mqtt5=broker.mqtt5)
        )
        edge = stack.enter_context(closing(Edge(_write_site(folder, brand, twin.url, broker), folder)))
        screen = stack.enter_context(closing(choose_screen(console, as_json=as_json)))
        inbox.listeners.append(screen.message)
        record = Record(inbox, time, screen.scene)
        Play(dispatcher, twin, edge, record).run()
        return _close(screen, record, edge)


def _close(screen: Screen, record: Record, edge: Edge) -> bool:
    """The summary; where something was not met, the edge's own words before it."""
    screen.close()
    met = all(one.met for one in record.results)
    if not met:
        typer.echo("the edge's last words:", err=True)
        for line in list(edge.log)[-LAST_WORDS:]:
            typer.echo(f"  {line}", err=True)
    screen.summary(record.results)
    return met


def _write_site(folder: Path, brand: str, url: str, broker: Broker) -> Path:
    """The same file that a real home has. amqtt speaks 3.1.1 only: said, so that nobody waits for its silence to 5."""
    site = folder / "site.toml"
    protocol = "auto" if broker.kind == "mosquitto" else "3.1.1"
    site.write_text(
        f"""[site]
name = "{SITE}"
nonce_s = 2
[mqtt]
url = "mqtt://127.0.0.1:{broker.port}"
username = "{SITE}"
protocol = "{protocol}"
[issuers]
dispatcher = ["{ISSUER}"]
[devices.{DEVICE}]
driver = "{brand}"
url = "{url}"
limits = {{ charge_w = 5000, discharge_w = 5000, soc_min_pct = 10, soc_max_pct = 95 }}
"""
    )
    return site
