"""A broker on 127.0.0.1 for the length of a measurement: mosquitto when found, else amqtt, both as processes.

`python -m benchmarks.broker PORT` is amqtt.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Broker", "open_broker"]

HOST = "127.0.0.1"
START_S = 15.0
FOLDERS = ("/usr/sbin", "/usr/local/sbin")
"""Where an ordinary user's PATH does not look."""


@dataclass(frozen=True, slots=True)
class Broker:
    """What it is, and where it listens."""

    kind: str
    port: int

    @property
    def mqtt5(self) -> bool:
        """Whether it speaks version 5."""
        return self.kind == "mosquitto"


def kind() -> str:
    """The broker that a measurement would use."""
    return "amqtt" if _mosquitto() is None else "mosquitto"


def _mosquitto() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=os.pathsep.join(FOLDERS))


@contextmanager
def open_broker(folder: Path) -> Iterator[Broker]:
    """Serve until the block ends. RuntimeError when it does not start."""
    port = _free_port()
    process = subprocess.Popen(_command(folder, port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_listening(port)
        yield Broker(kind(), port)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _command(folder: Path, port: int) -> list[str]:
    program = _mosquitto()
    if program is None:
        return [sys.executable, "-m", "benchmarks.broker", str(port)]
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} {HOST}\nallow_anonymous true\npersistence false\nlog_type error\n")
    return [program, "-c", str(config)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_listening(port: int) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the {kind()} broker did not start within {START_S:g} s")


async def _serve_amqtt(port: int) -> None:
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    from amqtt.broker import Broker as Amqtt  # noqa: PLC0415 - heavy, and needed in this process only

    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    await Amqtt(config).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve_amqtt(int(sys.argv[1])))
