"""One home of the play: its inverter, its edge, its dispatcher and its scenes, in a thread of their own.

The thread ends last: what it has started is tied to it, and is ended in order before.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samspel_sim.demo.broker import Broker
from samspel_sim.demo.children import Edge, TwinProcess
from samspel_sim.demo.inbox import Inbox
from samspel_sim.demo.mqtt import open_dispatcher
from samspel_sim.demo.play import Play
from samspel_sim.demo.record import Expectation, Record
from samspel_sim.demo.screen import Screen
from samspel_sim.demo.transcript import Line, transcript

__all__ = ["Cancelled", "HomePlay", "Patience", "Played"]

DEVICE, ISSUER = "battery", "fleet-a"
SEED = 7
EVENING = {"pv_power_w": 100.0, "load_power_w": 100.0}


class Cancelled(Exception):
    """Somebody has had enough: every wait ends with this."""


class Patience:
    """Time as it is, until `cancelled` is set."""

    def __init__(self, cancelled: threading.Event) -> None:
        self._cancelled = cancelled

    def monotonic(self) -> float:
        """Seconds."""
        return time.monotonic()

    def sleep(self, seconds: float, /) -> None:
        """Let them pass. Raises Cancelled."""
        if self._cancelled.wait(max(seconds, 0.0)):
            raise Cancelled


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it: the expectations, what the site said to each command, and what its capability record says."""

    home: str
    results: tuple[Expectation, ...]
    lines: tuple[Line, ...]
    routes: tuple[Mapping[str, Any], ...]


class HomePlay(threading.Thread):
    """Plays once. `played` is there afterwards, or `error`; `log` holds the edge's last words."""

    def __init__(
        self, site: str, brand: str, broker: Broker, folder: Path, screen: Screen, cancelled: threading.Event
    ) -> None:
        super().__init__(name=brand, daemon=True)
        self._site, self._broker, self._folder, self._screen = site, broker, folder, screen
        self._pace = Patience(cancelled)
        self.played: Played | None = None
        self.error: Exception | None = None
        self.log: deque[str] = deque()

    def run(self) -> None:
        """From curtain to applause; whatever happens, nothing of it stays behind."""
        try:
            with ExitStack() as stack:
                self._play(stack)
        except Cancelled:
            pass
        except Exception as error:  # noqa: BLE001 - handed to the main thread, which tells it
            self.error = error

    def _play(self, stack: ExitStack) -> None:
        twin = stack.enter_context(closing(TwinProcess(self.name, soc_pct=60.0, seed=SEED)))
        twin.set(**EVENING)
        inbox = Inbox(self._pace)
        inbox.listeners.append(lambda message: self._screen.message(self.name, message))
        dispatcher = stack.enter_context(
            open_dispatcher(
                self._broker.port, inbox, site=self._site, device=DEVICE, issuer=ISSUER, mqtt5=self._broker.mqtt5
            )
        )
        edge = Edge(self._write_site(twin.url), self._folder)
        self.log = edge.log
        stack.enter_context(closing(edge))
        record = Record(inbox, self._pace, lambda text: self._screen.scene(self.name, text))
        play = Play(dispatcher, twin, edge, record)
        play.run()
        lines = transcript(dispatcher.said, inbox.outcomes())
        self.played = Played(self.name, tuple(record.results), tuple(lines), tuple(play.routes))

    def _write_site(self, url: str) -> Path:
        """The same file that a real home has. That amqtt speaks 3.1.1 only is said, so that nobody waits for a 5."""
        file = self._folder / "site.toml"
        protocol = "auto" if self._broker.kind == "mosquitto" else "3.1.1"
        file.write_text(
            f"""[site]
name = "{self._site}"
nonce_s = 2
[mqtt]
url = "mqtt://127.0.0.1:{self._broker.port}"
username = "{self._site}"
protocol = "{protocol}"
[issuers]
dispatcher = ["{ISSUER}"]
[devices.{DEVICE}]
driver = "{self.name}"
url = "{url}"
limits = {{ charge_w = 5000, discharge_w = 5000, soc_min_pct = 10, soc_max_pct = 95 }}
"""
        )
        return file
