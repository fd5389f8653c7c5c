"""``samspel sim NAME``: serve a brand's twin until told to stop.

One JSON line on standard output says that it is ready and where; then it serves until SIGINT or
SIGTERM and exits 0. Wrong options exit 2 with a sentence on standard error.
"""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from samspel_sim.behaviour import OptionError, TwinOptions
from samspel_sim.control_port import ControlPort
from samspel_sim.finder import make_twin, random_seed
from samspel_sim.server import ModbusServer
from samspel_sim.twin import Twin

HOST = "127.0.0.1"

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(name="sim")
def sim(
    name: Annotated[str, typer.Argument(help="brand of the inverter, as its twin is registered")],
    model: Annotated[str | None, typer.Option(help="model of the brand")] = None,
    firmware: Annotated[str | None, typer.Option(help="firmware of the model")] = None,
    port: Annotated[int, typer.Option(help="Modbus TCP port; 0 takes a free one")] = 0,
    control_port: Annotated[int, typer.Option(help="HTTP control port; 0 takes a free one")] = 0,
    unit: Annotated[int | None, typer.Option(help="Modbus unit id")] = None,
    path: Annotated[str | None, typer.Option(help="how the inverter is reached")] = None,
    soc: Annotated[float, typer.Option(min=0, max=100, help="state of charge at the start, percent")] = 65.0,
    seed: Annotated[int | None, typer.Option(help="seed of all noise; drawn and printed if not given")] = None,
    speed: Annotated[float, typer.Option(min=0.01, max=1000, help="run the physics faster than the clock")] = 1.0,
    tls: Annotated[
        Path | None, typer.Option(help="speak TLS: a PEM file with the certificate to show, and its key")
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="brand's own setting, KEY=VALUE; repeatable")
    ] = None,
) -> None:
    """Serve a simulated home with one inverter on 127.0.0.1."""
    options = TwinOptions(
        model=model,
        firmware=firmware,
        unit=unit,
        path=path,
        soc_pct=soc,
        seed=random_seed() if seed is None else seed,
        epoch_s=time.time(),
        settings=dict(_setting(text) for text in setting or []),
    )
    try:
        twin = make_twin(name, options, speed=speed)
        asyncio.run(_serve(twin, options.seed, port, control_port, _tls(tls)))
    except OptionError as error:
        typer.echo(f"samspel sim: {error}", err=True)
        raise typer.Exit(2) from error
    except OSError as error:
        typer.echo(f"samspel sim: cannot listen on {HOST}: {error}", err=True)
        raise typer.Exit(1) from error


def _setting(text: str) -> tuple[str, float | str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"--set wants KEY=VALUE, not {text!r}")
    try:
        return key, float(value)
    except ValueError:
        return key, value


def _tls(file: Path | None) -> ssl.SSLContext | None:
    """What a server needs. OptionError for a file that does not hold both."""
    if file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(file)
    except OSError as error:
        raise OptionError(f"--tls {file}: no certificate with its key can be read from it: {error}") from error
    return context


async def _serve(twin: Twin, seed: int, port: int, control_port: int, tls: ssl.SSLContext | None) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    modbus, control = ModbusServer(twin, tls=tls), ControlPort(twin)
    try:
        ready = {
            "ready": True,
            "brand": twin.behaviour.brand,
            "model": twin.behaviour.model,
            "firmware": twin.behaviour.firmware,
            "serial": twin.behaviour.serial,
            "host": HOST,
            "port": await modbus.start(HOST, port),
            "control_port": await control.start(control_port),
            "unit": twin.behaviour.unit,
            "seed": seed,
        }
        print(json.dumps(ready), flush=True)
        await stopped.wait()
    finally:
        await modbus.close()
        await control.close()


def command(argv: list[str]) -> int:
    """Run with these arguments; the exit code."""
    try:
        code = app(args=argv, prog_name="samspel sim", standalone_mode=False)
    except typer.Exit as stop:
        return int(stop.exit_code)
    except typer.Abort:
        return 130
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        typer.echo(f"samspel sim: {error.format_message()}", err=True)
        return 2
    return int(code or 0)


def main() -> None:
    """For ``python -m samspel_sim``."""
    sys.exit(command(sys.argv[1:]))
