"""The outbox reaches the broker whatever the wire does, in simulated time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import groupby, pairwise

import pytest
from samspel.clock import LoopClock
from samspel.contract.errors import TransportError
from samspel.contract.ports import Inbound, Outbound
from samspel.outlet import LINGER_S, Outlet
from samspel.store.memory import MemoryStore
from samspel.store.outbox import Outbox, OutboxLimits
from samspel.transport.memory import MemoryBroker, MemoryTransport
from samspel.transport.outbox_pump import drain

pytestmark = pytest.mark.looptime


class Home:
    """A site whose outbox is drained, and a listener."""

    def __init__(self, outbox: Outbox | None = None) -> None:
        self.clock = LoopClock()
        self.broker = MemoryBroker(self.clock, max_queued=100_000, max_in_flight=100_000)
        self.site = MemoryTransport(self.broker, "site")
        self.reader = MemoryTransport(self.broker, "reader")
        self.outbox = MemoryStore().outbox if outbox is None else outbox
        self.heard: list[Inbound] = []

    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.heard]

    def add(self, payload: bytes, *, droppable: bool = False, **options) -> None:
        self.outbox.add(Outbound(topic="t/1", payload=payload, **options), droppable=droppable)


@asynccontextmanager
async def home(transport: object = None, rate_per_s: float = 50.0, outbox: Outbox | None = None) -> AsyncIterator[Home]:
    made = Home(outbox)
    await made.reader.start(["t/+", "samspel/v1/#"], made.heard.append, lambda _: None)
    await made.site.start([], lambda _: None, lambda _: None)
    pump = asyncio.create_task(drain(made.outbox, transport or made.site, made.clock, rate_per_s=rate_per_s))
    yield made
    assert not pump.done()
    pump.cancel()
    await asyncio.wait([pump])


async def test_what_is_added_is_sent_once_and_deleted():
    async with home() as site:
        for number in range(20):
            site.add(b"%d" % number)
        await asyncio.sleep(1)
        assert site.payloads() == [b"%d" % number for number in range(20)]
        assert len(site.outbox) == 0


async def test_an_outage_delays_and_loses_nothing():
    async with home() as site:
        site.broker.cut("site")
        for number in range(20):
            site.add(b"%d" % number)
        await asyncio.sleep(600)
        assert site.payloads() == []
        site.broker.heal("site")
        await asyncio.sleep(3)
        assert site.payloads() == [b"%d" % number for number in range(20)]


async def test_outcomes_overtake_telemetry_after_an_outage():
    async with home() as site:
        site.broker.cut("site")
        site.add(b"telemetry 1", droppable=True)
        site.add(b"outcome 1")
        site.add(b"telemetry 2", droppable=True)
        site.add(b"outcome 2")
        site.broker.heal("site")
        await asyncio.sleep(3)
        assert site.payloads() == [b"outcome 1", b"outcome 2", b"telemetry 1", b"telemetry 2"]


async def test_replay_keeps_to_its_rate():
    async with home(rate_per_s=10.0) as site:
        for number in range(1000):
            site.add(b"%d" % number, droppable=True)
        await asyncio.sleep(20)
        assert 190 <= len(site.heard) <= 220
        await asyncio.sleep(85)
        assert len(site.heard) == 1000


async def test_after_an_outage_everything_tells_when_it_happened_and_only_the_oldest_telemetry_is_gone():
    outbox = MemoryStore(OutboxLimits(max_rows=100)).outbox
    async with home(outbox=outbox, rate_per_s=10.0) as site:
        outlet = Outlet("home", "run-1", outbox, site.clock)
        site.broker.cut("site")
        for number in range(150):
            outlet.telemetry("battery", {})
            if number % 3 == 0:
                outlet.received("battery", f"c-{number}")
            await asyncio.sleep(10)
        site.broker.heal("site")
        healed_at = site.clock.monotonic()
        await asyncio.sleep(5)
        assert len(site.heard) < 10 + 5 * 10 + 8, "the replay is slow"
        await asyncio.sleep(60)
    told = [json.loads(message.payload) for message in site.heard]
    assert all(message.received_at >= healed_at for message in site.heard)
    outcomes = [one for one in told if one["schema"].startswith("outcome")]
    cycles = [one for one in told if one["schema"].startswith("telemetry")]
    assert [one["seq"] for one in outcomes] == list(range(50))
    assert [one["seq"] for one in cycles] == list(range(100, 150))
    began = LoopClock().epoch
    assert [_tens_of_seconds(one, began) for one in outcomes] == list(range(0, 150, 3))
    assert [_tens_of_seconds(one, began) for one in cycles] == list(range(100, 150))


def _tens_of_seconds(message: dict[str, str], began: datetime) -> int:
    return round((datetime.fromisoformat(message["at"]) - began).total_seconds() / 10)


async def test_normal_running_waits_for_nothing():
    async with home() as site:
        for _ in range(60):
            site.add(b"x")
            made_at = site.clock.monotonic()
            await asyncio.sleep(0.1)
            assert site.heard[-1].received_at == pytest.approx(made_at)


async def test_what_is_said_about_one_set_point_goes_out_together():
    outbox = MemoryStore().outbox
    async with home(outbox=outbox) as site:
        outlet = Outlet("home", "run-1", outbox, site.clock)
        began_at = site.clock.monotonic()
        for command_id in ("received", "accepted"):
            outlet.received("battery", command_id)
            await asyncio.sleep(0.002)
        assert site.heard == []
        await asyncio.sleep(0.01)
        assert [one.received_at for one in site.heard] == pytest.approx(2 * [began_at + LINGER_S])


class Forgetful:
    """Delivers, and then says that no answer came: as often as asked."""

    def __init__(self, times: int, error: Exception) -> None:
        self.times = times
        self.error = error
        self.sent: list[bytes] = []

    async def publish(self, message: Outbound) -> None:
        self.sent.append(message.payload)
        if len(self.sent) <= self.times:
            raise self.error


async def test_an_outcome_that_may_have_arrived_is_marked_when_it_is_sent_again():
    wire = Forgetful(1, TransportError("no answer", may_have_arrived=True))
    async with home(wire) as site:
        site.add(b'{"schema":"outcome/1.0","duplicate":false}')
        await asyncio.sleep(5)
    assert [json.loads(payload)["duplicate"] for payload in wire.sent] == [False, True]


async def test_an_outcome_that_was_never_sent_is_not_marked():
    wire = Forgetful(3, TransportError("no connection"))
    async with home(wire) as site:
        site.add(b'{"schema":"outcome/1.0","duplicate":false}')
        await asyncio.sleep(10)
    assert [json.loads(payload)["duplicate"] for payload in wire.sent] == [False] * 4


async def test_an_unexpected_error_is_logged_and_the_message_stays(caplog):
    wire = Forgetful(1, ZeroDivisionError("a defect"))
    async with home(wire) as site:
        site.add(b"x")
        await asyncio.sleep(5)
    assert wire.sent == [b"x", b"x"]
    assert "a defect" in caplog.text


class Choosy(MemoryTransport):
    """Refuses what contains a word that it does not like, and tells how often it was asked."""

    word: bytes | None = b"bad"

    def __init__(self, broker: MemoryBroker, client_id: str) -> None:
        super().__init__(broker, client_id)
        self.asked_at: list[float] = []

    async def publish(self, message: Outbound) -> None:
        self.asked_at.append(round(asyncio.get_running_loop().time(), 3))
        if self.word is not None and self.word in message.payload:
            raise TransportError("the broker refused the message: Not authorized", refused=True)
        await super().publish(message)


@asynccontextmanager
async def choosy_home(outbox: Outbox | None = None) -> AsyncIterator[tuple[Home, Choosy]]:
    made = Home(outbox)
    wire = Choosy(made.broker, "choosy")
    await made.reader.start(["t/+"], made.heard.append, lambda _: None)
    await wire.start([], lambda _: None, lambda _: None)
    pump = asyncio.create_task(drain(made.outbox, wire, made.clock))
    yield made, wire
    assert not pump.done()
    pump.cancel()
    await asyncio.wait([pump])


async def test_messages_that_are_refused_do_not_stop_those_behind_them():
    async with choosy_home() as (site, _):
        for number in range(20):
            site.add(b"bad %d" % number)
        site.add(b"bad status", retain=True)
        site.add(b"outcome")
        site.add(b"telemetry", droppable=True)
        await asyncio.sleep(1)
        assert site.payloads() == [b"outcome", b"telemetry"]
        assert len(site.outbox) == 21, "no outcome is dropped"
        made_at = site.clock.monotonic()
        site.add(b"next")
        await asyncio.sleep(1)
        assert site.heard[-1].payload == b"next"
        assert site.heard[-1].received_at == pytest.approx(made_at), "nothing waits for what is refused"


async def test_what_is_refused_is_tried_again_ever_more_seldom_and_arrives_when_it_is_taken():
    async with choosy_home() as (site, wire):
        for number in range(100):
            site.add(b"bad %d" % number)
        await asyncio.sleep(3600)
        again_at = [at for at, _ in groupby(wire.asked_at)]
        pauses_s = [late - early for early, late in pairwise(again_at)]
        assert len(wire.asked_at) <= 100 + 8 * (60 + 2 * 6), pauses_s
        assert pauses_s[-20:] == pytest.approx([60.0] * 20), "in the end eight a minute"
        wire.word = None
        await asyncio.sleep(60 + 20)
        assert len(site.outbox) == 0
        assert sorted(site.payloads()) == sorted(b"bad %d" % number for number in range(100))


async def test_each_refused_message_gets_its_turn():
    """One that will never be taken must not bar the way for those refused with it."""
    async with choosy_home() as (site, wire):
        for number in range(20):
            site.add(b"bad %d" % number)
        site.add(b"not so bad after all")
        await asyncio.sleep(10)
        wire.word = b"bad 1"
        await asyncio.sleep(300)
        assert len(site.outbox) == 11
        assert b"not so bad after all" in site.payloads()


async def test_a_refusal_is_warned_about_once_and_again_when_it_comes_back(caplog):
    async with choosy_home() as (site, wire):
        for _ in range(20):
            site.add(b"bad")
        await asyncio.sleep(3600)
        assert [record.message for record in caplog.records if "Not authorized" in record.message] == [
            "the broker refuses t/1: the broker refused the message: Not authorized; what was said there is kept and "
            "tried again: check the broker's access rules, and that site.name is the name it knows us by"
        ]
        wire.word = None
        await asyncio.sleep(120)
        wire.word = b"bad"
        site.add(b"bad")
        await asyncio.sleep(10)
        assert len([record for record in caplog.records if "Not authorized" in record.message]) == 2


async def test_a_new_status_replaces_the_one_that_was_refused():
    async with choosy_home() as (site, wire):
        for payload in (b"bad online", b"bad degraded"):
            site.add(payload, retain=True)
            await asyncio.sleep(1)
        assert len(site.outbox) == 1
        wire.word = None
        site.add(b"online again", retain=True)
        await asyncio.sleep(120)
        assert site.payloads() == [b"online again"]


async def test_a_new_status_replaces_the_one_that_waits():
    async with home() as site:
        site.broker.cut("site")
        for payload in (b"online", b"degraded", b"online again"):
            site.add(payload, retain=True)
        site.broker.heal("site")
        await asyncio.sleep(3)
        assert site.payloads() == [b"online again"]
