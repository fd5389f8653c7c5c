"""A broker on 127.0.0.1 for the length of the play."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Broker", "find_mosquitto", "open_broker"]

HOST = "127.0.0.1"
START_S = 10.0
FOLDERS = ("/usr/sbin", "/usr/local/sbin")


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it listens, and what it is."""

    kind: str
    port: int


def find_mosquitto() -> str | None:
    """The program: PATH first, then the folders that an ordinary user's PATH leaves out."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=os.pathsep.join(FOLDERS))


@contextmanager
def open_broker(folder: Path, kind: str = "auto") -> Iterator[Broker]:
    """Mosquitto when found (or demanded), else amqtt. RuntimeError with a sentence when it does not start."""
    program = find_mosquitto()
    if kind == "mosquitto" and program is None:
        raise RuntimeError("mosquitto is neither in PATH nor in /usr/sbin: sudo apt-get install mosquitto")
    port = _free_port()
    if program is not None and kind != "amqtt":
        with _mosquitto(program, folder, port):
            yield Broker("mosquitto", port)
    else:
        with _amqtt(port):
            yield Broker("amqtt", port)


@contextmanager
def _mosquitto(program: str, folder: Path, port: int) -> Iterator[None]:
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} {HOST}\nallow_anonymous true\npersistence false\nlog_type error\n")
    process = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_listening(port, "mosquitto")
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextmanager
def _amqtt(port: int) -> Iterator[None]:
    """Amqtt in a thread of its own with its own loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_run_amqtt, args=(loop, port), name="amqtt", daemon=True)
    thread.start()
    try:
        _wait_listening(port, "amqtt")
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=5)


def _run_amqtt(loop: asyncio.AbstractEventLoop, port: int) -> None:
    import logging  # noqa: PLC0415 - only to quieten what is imported next

    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    from amqtt.broker import Broker as Amqtt  # noqa: PLC0415 - heavy, and not needed beside mosquitto

    asyncio.set_event_loop(loop)
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    broker = Amqtt(config, loop=loop)
    loop.run_until_complete(broker.start())
    loop.run_forever()
    loop.run_until_complete(broker.shutdown())
    loop.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_listening(port: int, name: str) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{name} did not start within {START_S:g} s")
