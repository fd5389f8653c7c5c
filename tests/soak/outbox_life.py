"""Lives of a site that only talks: it makes outcomes, faults and telemetry, keeps them in a real store and publishes
them to a real broker, until it is killed.

Run as a program it is a nursery: all is imported once, and each line on its standard input is a life, forked off. It
answers with the life's process id, and with "ended" when that is over.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from samspel.clock import SystemClock
from samspel.contract.fault import Effect, Fault, FaultCode, FaultState, Severity
from samspel.contract.outcome import Stage
from samspel.contract.ports import Outbound, OutboxRow, TransportState
from samspel.control.events import Say
from samspel.outlet import Outlet
from samspel.store.outbox import Outbox, OutboxLimits
from samspel.store.store import Store
from samspel.transport import outbox_pump
from samspel.transport.mqtt import MqttTransport
from samspel.transport.mqtt_options import MqttOptions

SITE = "home-0001"
DEVICES = ("battery", "second")
RATE_PER_S = 400.0
outbox_pump._PAUSE_S = 0.02  # A second after each failure would leave little of a life.
LIMITS = OutboxLimits(max_rows=500)


@dataclass(frozen=True)
class Life:
    """`folder` holds the store and the ledger. The last life makes nothing, and ends when nothing waits any more."""

    folder: str
    port: int
    seed: str
    last: bool = False

    def line(self) -> str:
        return json.dumps(asdict(self)) + "\n"


class Witness:
    """An outbox that writes into a ledger what would survive kill -9, word for word and in order."""

    def __init__(self, outbox: Outbox, ledger: Path) -> None:
        self._outbox = outbox
        self._ledger = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._made: list[bytes] = []

    def add(self, message: Outbound, *, droppable: bool) -> None:
        self._outbox.add(message, droppable=droppable)
        if not droppable:
            self._made.append(message.topic.encode() + b"\t" + message.payload + b"\n")

    async def kept(self) -> None:
        made, self._made = self._made, []
        await self._outbox.kept()
        os.write(self._ledger, b"".join(made))  # In one piece: a kill leaves all of it or nothing.

    async def head(self, count: int) -> Sequence[OutboxRow]:
        return await self._outbox.head(count)

    def sent(self, row_id: int) -> None:
        self._outbox.sent(row_id)

    def failed(self, row_id: int) -> None:
        self._outbox.failed(row_id)

    def refuse(self, row_id: int) -> None:
        self._outbox.refuse(row_id)

    def refused(self, count: int) -> Sequence[OutboxRow]:
        return self._outbox.refused(count)


class FrailWire(MqttTransport):
    """Is cut now and then, just when something has been sent."""

    chance_of_a_cut = 0.02

    def __init__(self, options: MqttOptions, clock: SystemClock, rng: random.Random) -> None:
        super().__init__(options, clock)
        self._rng = rng

    async def publish(self, message: Outbound) -> None:
        sending = asyncio.ensure_future(super().publish(message))
        if self._rng.random() < self.chance_of_a_cut and self._connection is not None:
            await asyncio.sleep(0)
            self._connection.abandon("the wire is cut")
        await sending


async def live(life: Life) -> None:
    """Until killed, or, in the last life, until everything is told."""
    folder, clock, rng = Path(life.folder), SystemClock(), random.Random(life.seed)
    store = Store.open(folder / "edge.sqlite", clock, limits=LIMITS)
    witness = Witness(store.outbox, folder / "ledger")
    outlet = Outlet(SITE, f"{rng.getrandbits(64):016x}", witness, clock)
    options = MqttOptions(host="127.0.0.1", port=life.port, client_id=SITE, reconnect_min_s=0.01, reconnect_max_s=0.05)
    transport = FrailWire(options, clock, random.Random(life.seed))
    up = asyncio.Event()
    await transport.start([], lambda _: None, lambda state: up.set() if state is TransportState.UP else None)
    talking = None if life.last else asyncio.create_task(_talk(outlet, rng, clock))
    await up.wait()
    pump = asyncio.create_task(outbox_pump.drain(witness, transport, clock, rate_per_s=RATE_PER_S))
    if talking is not None:
        await talking
    while len(store.outbox):  # noqa: ASYNC110 - an outbox has no event for "empty"
        await asyncio.sleep(0.02)
    pump.cancel()
    await asyncio.wait([pump])
    await transport.close()
    await store.close()


async def _talk(outlet: Outlet, rng: random.Random, clock: SystemClock) -> None:
    for number in range(10**9):
        device = rng.choice(DEVICES)
        match rng.random():
            case chance if chance < 0.6:
                outlet.outcome(device, Say(command_id=f"c-{number}", stage=Stage.WRITTEN, target_power_w=rng.random()))
            case chance if chance < 0.8:
                outlet.fault(_fault(device, rng, clock))
            case _:
                outlet.telemetry(device, {})
        if rng.random() < 0.1:
            await outlet.kept()
        await asyncio.sleep(rng.random() * 0.004)


def _fault(device: str, rng: random.Random, clock: SystemClock) -> Fault:
    return Fault(
        code=rng.choice(list(FaultCode)),
        severity=Severity.MINOR,
        effect=Effect.NONE,
        state=rng.choice(list(FaultState)),
        since=clock.wall(),
        device=device,
    )


def main() -> None:
    logging.getLogger("samspel").setLevel(logging.ERROR)  # Cuts are what we are here for.
    for line in sys.stdin:
        life = Life(**json.loads(line))
        child = os.fork()
        if not child:
            asyncio.run(live(life))
            os._exit(0)
        print(child, flush=True)
        os.waitpid(child, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main()
