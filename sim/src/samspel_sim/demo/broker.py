"""A broker on 127.0.0.1 for the length of the play."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from samspel_sim.demo.children import end, start

__all__ = ["KINDS", "Broker", "find_mosquitto", "open_broker"]

HOST = "127.0.0.1"
KINDS = ("auto", "mosquitto", "amqtt")
START_S = 10.0
FOLDERS = ("/usr/sbin", "/usr/local/sbin")


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it listens, what it is, and whether it speaks MQTT 5."""

    kind: str
    port: int
    mqtt5: bool


def find_mosquitto() -> str | None:
    """The program: PATH first, then the folders that an ordinary user's PATH leaves out."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=os.pathsep.join(FOLDERS))


@contextmanager
def open_broker(folder: Path, kind: str = "auto") -> Iterator[Broker]:
    """Mosquitto when found (or demanded), else amqtt. RuntimeError with a sentence when it does not start."""
    program = None if kind == "amqtt" else find_mosquitto()
    if kind == "mosquitto" and program is None:
        raise RuntimeError("mosquitto is neither in PATH nor in /usr/sbin: sudo apt-get install mosquitto")
    port = _free_port()
    if program is not None:
        with _mosquitto(program, folder, port):
            yield Broker("mosquitto", port, mqtt5=True)
    else:
        with _amqtt(port):
            yield Broker("amqtt", port, mqtt5=False)


@contextmanager
def _mosquitto(program: str, folder: Path, port: int) -> Iterator[None]:
    config, log = folder / "mosquitto.conf", folder / "mosquitto.log"
    # Started by root it would become another user, and the kernel would then take it off its leash.
    user = "user root\n" if os.geteuid() == 0 else ""
    config.write_text(f"listener {port} {HOST}\nallow_anonymous true\npersistence false\nlog_dest stderr\n{user}")
    with log.open("w") as opened:
        process = start([program, "-c", str(config)], stdout=opened, stderr=opened)
    try:
        _wait_listening(port, "mosquitto", lambda: process.poll() is None, log.read_text)
        yield
    finally:
        end(process)


@contextmanager
def _amqtt(port: int) -> Iterator[None]:
    """Amqtt in a thread of its own with its own loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_run_amqtt, args=(loop, port), name="amqtt", daemon=True)
    thread.start()
    try:
        _wait_listening(port, "amqtt", thread.is_alive, lambda: "")
        yield
    finally:
        if thread.is_alive():
            loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=5)


def _run_amqtt(loop: asyncio.AbstractEventLoop, port: int) -> None:
    for name in ("amqtt", "transitions"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
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


def _wait_listening(port: int, name: str, alive: Callable[[], bool], log: Callable[[], str]) -> None:
    until = time.monotonic() + START_S
    while alive() and time.monotonic() < until:
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{name} did not start within {START_S:g} s on {HOST}:{port}. {log()}".rstrip())
