"""Kill a talking site again and again: no outcome or fault is lost, and none comes twice without its mark.

    python -m tests.soak.outbox --runs 300 --seed 1

What is proved, for every outcome and fault of which the site knew that it would survive kill -9: it arrives; its first
arrival is word for word what was written, times included; each further arrival says `duplicate: true`; and what was
made for one device arrives first in the order in which it was made.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiomqtt

from .outbox_life import DEVICES, SITE, Life

PATIENCE_S = 60.0
LONGEST_TALK_BYTES = 40_000
TOLD = "samspel/v1/{}/{}/{}"


@dataclass
class Heard:
    """What a listener heard: topic and payload, in order."""

    messages: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass(frozen=True)
class Result:
    """How many lives were killed, how much was kept and came more than once. `troubles`: the broken promises."""

    killed: int
    kept: int
    repeated: int
    marked: int
    troubles: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.killed} kills, {self.kept} outcomes and faults on disk, {self.repeated} arrived more than once, "
            f"{self.marked} arrivals with a mark, {len(self.troubles)} troubles"
        )


async def kill_and_listen(port: int, folder: Path, *, runs: int, seed: int) -> Result:
    """Play `runs` lives that are killed, and a last one that is not, against the broker on `port`."""
    heard = Heard()
    async with aiomqtt.Client("127.0.0.1", port, identifier="listener", protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe(f"samspel/v1/{SITE}/#", qos=1)
        listening = asyncio.create_task(_listen(client, heard))
        try:
            await _play(port, folder, runs, seed)
            await client.publish(f"samspel/v1/{SITE}/the/end", b"", qos=1)
            await asyncio.wait_for(listening, PATIENCE_S)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    return judge((folder / "ledger").read_bytes().splitlines(), heard.messages, runs)


async def _listen(client: aiomqtt.Client, heard: Heard) -> None:
    async for message in client.messages:
        topic = str(message.topic)
        if topic.endswith("/the/end"):
            return
        heard.messages.append((topic, bytes(message.payload)))


async def _play(port: int, folder: Path, runs: int, seed: int) -> None:
    rng = random.Random(seed)
    nursery = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("outbox_life.py"))),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    child = 0
    try:
        for number in range(runs + 1):
            last = number == runs
            nursery.stdin.write(Life(str(folder), port, f"{seed}/{number}", last).line().encode())
            child = int(await nursery.stdout.readline())
            if not last:
                await _some_time(rng, folder / "ledger")
                os.kill(child, signal.SIGKILL)
            ended = await asyncio.wait_for(nursery.stdout.readline(), PATIENCE_S)
            assert ended == b"ended\n", ended
            child = 0
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
        nursery.stdin.close()
        await nursery.wait()


async def _some_time(rng: random.Random, ledger: Path) -> None:
    """A moment of its start, or one after it has kept so much: a slow machine gets no less done."""
    if rng.random() < 0.8:
        wanted = _size(ledger) + rng.randrange(LONGEST_TALK_BYTES)
        async with asyncio.timeout(PATIENCE_S):
            while _size(ledger) < wanted:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.002)
    await asyncio.sleep(rng.uniform(0, 0.05))


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def judge(ledger: Iterable[bytes], heard: Iterable[tuple[str, bytes]], killed: int) -> Result:
    """Compare what was kept with what arrived."""
    kept = [(topic.decode(), json.loads(payload)) for topic, payload in (line.split(b"\t", 1) for line in ledger)]
    arrivals = [(topic, json.loads(payload)) for topic, payload in heard if not topic.endswith("/telemetry")]
    firsts: dict[str, dict[str, Any]] = {}
    troubles: list[str] = []
    repeated: set[str] = set()
    for topic, document in arrivals:
        identity = _identity(topic, document)
        if identity not in firsts:
            firsts[identity] = document
            continue
        repeated.add(identity)
        if not document["duplicate"]:
            troubles.append(f"came again without a mark: {identity}")
    troubles += [
        f"lost: {identity}" for topic, document in kept if (identity := _identity(topic, document)) not in firsts
    ]
    troubles += _out_of_order([_identity(*one) for one in kept], list(firsts))
    marked = sum(document["duplicate"] for _, document in arrivals)
    return Result(killed, len(kept), len(repeated), marked, tuple(troubles))


def _identity(topic: str, document: dict[str, Any]) -> str:
    """The whole message but its mark, so that a changed word or time shows as one lost and one unknown."""
    return f"{topic} {json.dumps({**document, 'duplicate': False}, sort_keys=True)}"


def _out_of_order(kept: list[str], firsts: list[str]) -> list[str]:
    """Within each device, outcomes and faults together."""
    place = {identity: number for number, identity in enumerate(kept)}
    troubles = []
    for device in DEVICES:
        root = TOLD.format(SITE, device, "")
        came = [place[identity] for identity in firsts if identity.startswith(root) and identity in place]
        troubles += [
            f"out of order: {kept[later]} before {kept[earlier]}"
            for later, earlier in pairwise(came)
            if later > earlier
        ]
    return troubles


def main() -> int:
    """The command; 1 when a promise was broken."""
    from conftest import TOOLS, Mosquitto  # noqa: PLC0415 - the workspace's own, found from its root only

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="samspel-outbox-") as folder:
        broker = Mosquitto(TOOLS["mosquitto"].find() or "mosquitto", Path(folder), UNBOUNDED)
        broker.start()
        try:
            result = asyncio.run(kill_and_listen(broker.port, Path(folder), runs=asked.runs, seed=asked.seed))
        finally:
            broker.kill()
    print(*result.troubles[:20], f"outbox: {result}", sep="\n")
    if result.troubles:
        print(f"again: python -m tests.soak.outbox --runs {asked.runs} --seed {asked.seed}")
    return 1 if result.troubles else 0


UNBOUNDED = "max_queued_messages 0\nautosave_on_changes false"
"""The broker must not drop what the listener has not taken yet, nor be slowed down by saving at every message."""


if __name__ == "__main__":
    sys.exit(main())
