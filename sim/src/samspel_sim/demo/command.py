"""``samspel demo [--forever] [--json]``: the play from curtain to summary; exit code 0 or 1."""

from __future__ import annotations

import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from samspel_sim.demo.broker import KINDS, Broker, open_broker
from samspel_sim.demo.home import HomePlay
from samspel_sim.demo.screen import Screen, choose_screen
from samspel_sim.demo.summary import Summary
from samspel_sim.demo.transcript import differences

__all__ = ["command"]

INTERRUPTED = 130
LOOK_S = 0.2
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


@app.command(help="Watch simulated homes follow commands for about four minutes.")
def demo(
    brand: Annotated[list[str] | None, typer.Option(help="Whose inverter; repeatable; default: all installed.")] = None,
    broker: Annotated[str, typer.Option(help="auto, mosquitto or amqtt.")] = "auto",
    forever: Annotated[bool, typer.Option("--forever", help="Again and again, until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="A line of JSON for each event.")] = False,
) -> int:
    """Play. Exit code 0: every expectation was met; 1: not; 130: interrupted (with --forever: 0)."""
    brands = _known_brands(brand or [])
    if broker not in KINDS:
        raise typer.BadParameter(f"--broker is {broker!r}; allowed: {', '.join(KINDS)}")
    console = Console(markup=False, highlight=False, emoji=False)
    met = True
    with _interruptible():
        try:
            while met:
                met = play_once(brands, broker, console, as_json=json)
                if not forever:
                    break
                time.sleep(INTERVAL_S)
        except KeyboardInterrupt:
            return 0 if forever else INTERRUPTED
    return 0 if met else 1


def _known_brands(wanted: Sequence[str]) -> list[str]:
    """These, or all that are installed. A usage error when there is none."""
    names = sorted(entry.name for entry in entry_points(group="samspel.twins"))
    if not names:
        raise RuntimeError("no simulated inverter is installed; a driver package brings its own")
    for name in wanted:
        if name not in names:
            raise typer.BadParameter(f"--brand is {name!r}; installed: {', '.join(names)}")
    return list(dict.fromkeys(wanted)) or names


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


def play_once(brands: Sequence[str], broker_kind: str, console: Console, *, as_json: bool) -> bool:
    """One performance; whether everything was met. Whatever happens, nothing of it stays behind."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="samspel-demo-")))
        broker = stack.enter_context(open_broker(folder, broker_kind))
        screen = stack.enter_context(closing(choose_screen(console, brands, as_json=as_json)))
        enough = threading.Event()
        homes = [_home(number, brand, broker, folder, screen, enough) for number, brand in enumerate(brands, start=1)]
        _all_play(homes, enough)
        screen.close()
        return _close(screen, homes)


def _home(number: int, brand: str, broker: Broker, folder: Path, screen: Screen, enough: threading.Event) -> HomePlay:
    """Each in a folder of its own: its site file, and what its edge remembers."""
    own = folder / brand
    own.mkdir()
    return HomePlay(f"home-{number:04}", brand, broker, own, screen, enough)


def _all_play(homes: Sequence[HomePlay], enough: threading.Event) -> None:
    """Together; an interruption reaches every one of them, and waits until all have put their things away."""
    try:
        for home in homes:
            home.start()
        while any(home.is_alive() for home in homes):
            for home in homes:
                home.join(timeout=LOOK_S)
    finally:
        enough.set()
        for home in homes:
            home.join()
    errors = [home.error for home in homes if home.error is not None]
    if errors:
        raise errors[0]


def _close(screen: Screen, homes: Sequence[HomePlay]) -> bool:
    """The summary; where something was not met, that edge's own words before it."""
    played = [home.played for home in homes if home.played is not None]
    said = {one.home: one.lines for one in played}
    differing = differences(said, {one.home: one.routes for one in played})
    summary = Summary({one.home: one.results for one in played}, said, differing)
    for home in homes:
        if home.played is not None and not all(one.met for one in home.played.results):
            typer.echo(f"the last words of the edge with {home.name}:", err=True)
            for line in list(home.log)[-LAST_WORDS:]:
                typer.echo(f"  {line}", err=True)
    screen.summary(summary)
    return summary.ok
