"""The broker as `deploy/mosquitto` configures it, with certificates made for this test, and clients of it."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samspel.clock import SystemClock
from samspel.contract.ports import Inbound, Outbound, TransportState
from samspel.transport.mqtt import MqttTransport
from samspel.transport.mqtt_options import MqttOptions

DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Authority:
    """One folder of certificates, made by the script that is deployed."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Authority:
        made = cls(folder)
        made.run("authority")
        return made

    def run(self, *words: str, **environment: str) -> None:
        """`make-certificates`; raises with its words when it refuses."""
        command = [str(DEPLOY / "make-certificates"), str(self.folder), *words]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **environment})
        if done.returncode:
            raise AssertionError(done.stderr)

    def expired(self, name: str) -> None:
        """A client whose certificate ended long ago."""
        self.run("client", name, SAMSPEL_START="20200101000000Z", SAMSPEL_END="20210101000000Z")

    def files(self, name: str) -> dict[str, Path]:
        """What a client needs, in the transport's terms."""
        return {
            "ca_file": self.folder / "authority.pem",
            "cert_file": self.folder / f"{name}.pem",
            "key_file": self.folder / f"{name}.key",
        }


def deployed(certificates: Path, folder: Path) -> str:
    """`mosquitto.conf` as it is shipped, with this test's folders and a port of its own."""
    text = (DEPLOY / "mosquitto.conf").read_text("utf-8")
    moves = {
        "listener 8883": "listener {port} 127.0.0.1",
        "/etc/mosquitto/samspel/acl": str(DEPLOY / "acl"),
        "/etc/mosquitto/samspel/": f"{certificates}/",
        "/var/lib/mosquitto/": f"{folder}/",
    }
    for shipped, here in moves.items():
        assert shipped in text, f"mosquitto.conf no longer says {shipped}"
        text = text.replace(shipped, here)
    return text + ("user root\n" if os.geteuid() == 0 else "")  # else it may not read this test's folders


@dataclass
class Client:
    """One certificate's holder: what it heard, and waiting for more."""

    transport: MqttTransport
    heard: list[Inbound] = field(default_factory=list)
    states: list[TransportState] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, *subscriptions: str) -> Client:
        await self.transport.start(subscriptions, self._on_message, self._on_state)
        return self

    async def up(self, times: int = 1) -> Client:
        await self.until(lambda: self.states.count(TransportState.UP) >= times)
        return self

    async def hears(self, payload: bytes) -> None:
        """Wait for this payload."""
        await self.until(lambda: payload in self.payloads)

    async def say(self, topic: str, payload: bytes, **options: Any) -> None:
        await self.transport.publish(Outbound(topic=topic, payload=payload, **options))

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._news.clear()
                await self._news.wait()

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.heard]

    def _on_message(self, message: Inbound) -> None:
        self.heard.append(message)
        self.transport.acknowledge(message)
        self._news.set()

    def _on_state(self, state: TransportState) -> None:
        self.states.append(state)
        self._news.set()


@dataclass
class Fleet:
    """A broker with its authority; `client` makes one that goes by a certificate's name."""

    authority: Authority
    broker: Any
    clients: list[Client] = field(default_factory=list)

    def client(self, name: str, *, will: Outbound | None = None, **options: Any) -> Client:
        settings: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.broker.port,
            "client_id": name,
            "reconnect_min_s": 0.05,
            "reconnect_max_s": 0.1,
            **self.authority.files(name),
            **options,
        }
        made = Client(MqttTransport(MqttOptions(**settings), SystemClock(), will))
        self.clients.append(made)
        return made

    async def close(self) -> None:
        await asyncio.gather(*(one.transport.close() for one in self.clients))
        self.clients.clear()
