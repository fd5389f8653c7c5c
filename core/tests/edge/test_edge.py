"""The loops of a site: watched, begun again, and ended within five seconds. In simulated time."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from samspel.admission.gate import Admission, Order, Rules
from samspel.clock import LoopClock
from samspel.contract.errors import DriverError, NoAnswer, TransportError
from samspel.contract.ports import TransportState
from samspel.edge import Edge, Rates, Station, offline_message
from samspel.outlet import Outlet
from samspel.store.memory import MemoryStore

pytestmark = pytest.mark.looptime(noop_cycles=1)

FOREVER = 1e6


class Controller:
    def __init__(self) -> None:
        self.state = SimpleNamespace(
            link_up=False,
            phase=SimpleNamespace(value="released"),
            lease=None,
            stop=None,
            give_back=None,
            written_w=None,
        )
        self.handed_over = self.disk_hangs = False
        self.takes_s = 0.0

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def hand_over(self) -> None:
        await asyncio.sleep(self.takes_s)
        self.handed_over = True


class Device:
    """What an edge asks of a device; `trouble` is raised by the next calls."""

    def __init__(self, name: str) -> None:
        self.name, self.controller = name, Controller()
        self.readings, self.versions = {}, {}
        self.calls: list[str] = []
        self.alarms: list[str] = []
        self.trouble: list[Exception] = []

    async def link_up(self) -> None:
        self._call("link_up")
        self.controller.state.link_up = True

    def link_down(self) -> None:
        self._call("link_down")
        self.controller.state.link_up = False

    async def poll(self, groups) -> None:
        self._call(f"poll {groups[0]}")

    async def poll_faults(self) -> None:
        self._call("faults")

    def headroom(self):
        raise RuntimeError("a defect, which the edge has to outlive")

    def birth(self):
        from samspel.contract.site import DeviceBirth  # noqa: PLC0415

        return DeviceBirth(device=self.name, identity=None, capabilities=None)

    def alarm(self, alarm) -> None:
        self.alarms.append(alarm.code.value)

    def clear(self, code) -> None:
        self.alarms = [one for one in self.alarms if one != code.value]

    def _call(self, what: str) -> None:
        self.calls.append(what)
        if self.trouble:
            raise self.trouble.pop(0)


class Transport:
    def __init__(self) -> None:
        self.farewell, self.on_state = None, None
        self.published = []
        self.refuses = "nothing"

    async def start(self, subscriptions, on_message, on_state) -> None:
        self.on_state = on_state
        on_state(TransportState.UP)

    async def publish(self, message) -> None:
        if message.topic.endswith(self.refuses):
            raise TransportError("Not authorized", refused=True)
        self.published.append(json.loads(message.payload))

    async def close(self, farewell=None) -> None:
        self.farewell = farewell


@asynccontextmanager
async def running(*names: str, serve=None, store=None, order=None, lease=None, faults_s=FOREVER):
    clock, store, transport = LoopClock(), store or MemoryStore(), Transport()
    outlet = Outlet("home", "run-1", store.outbox, clock)
    links, stations = {}, {}
    for name in names:
        stations[name] = Station(
            device=Device(name),
            rates=Rates(fast_s=2, slow_s=FOREVER, static_s=FOREVER, faults_s=faults_s),
            serve=serve or asyncio.Event().wait,
            watch=lambda tell, name=name: links.update({name: tell}),
        )
    edge = Edge(
        site="home",
        stations=stations,
        transport=transport,
        admission=Admission(
            Rules(site="home", devices=frozenset(names), ranks={}), dict.fromkeys(names, order or Order())
        ),
        outlet=outlet,
        outbox=store.outbox,
        journal=store.journal,
        clock=clock,
        rng=random.Random(1),
        versions={},
        nonce_s=30.0,
        log_sample=lambda *_: None,
        store_lost=lambda: store.journal.lost.sentences,
    )
    for device in edge.devices.values():
        device.controller.state.lease = lease
    await edge.start()
    await asyncio.sleep(0)
    try:
        yield SimpleNamespace(edge=edge, links=links, transport=transport, clock=clock, **edge.devices)
    finally:
        await edge.stop()


async def test_polling_begins_with_the_link_and_ends_with_it():
    async with running("one") as site:
        await asyncio.sleep(10)
        assert site.one.calls == []
        site.links["one"](True)
        await asyncio.sleep(5)
        assert site.one.calls[0] == "link_up"
        assert site.one.calls.count("poll fast") == 3
        site.links["one"](False)
        before = len(site.one.calls)
        await asyncio.sleep(20)
        assert site.one.calls[before:] in ([], ["poll fast"]), "a poll that had begun, and no more"


@pytest.mark.parametrize("trouble", [None, NoAnswer("silence")])
async def test_faults_are_looked_for_after_the_first_telemetry_whatever_came_of_it(trouble):
    async with running("one", faults_s=30) as site:
        begun, may_end = asyncio.Event(), asyncio.Event()
        plain = site.one.poll

        async def slow(groups):
            begun.set()
            await may_end.wait()
            await plain(groups)
            if trouble is not None:
                raise trouble

        site.one.poll = slow
        site.links["one"](True)
        await begun.wait()
        await asyncio.sleep(5)
        assert "faults" not in site.one.calls
        may_end.set()
        await asyncio.sleep(1)
        assert site.one.calls.index("faults") > site.one.calls.index("poll fast")
        may_end.clear()
        site.links["one"](False)
        site.links["one"](True)
        site.one.calls.clear()
        await asyncio.sleep(31)
        assert "faults" in site.one.calls, "later they wait for no telemetry"


async def test_a_failed_greeting_is_tried_again():
    async with running("one") as site:
        site.one.trouble = [NoAnswer("silence"), DriverError("what is this?")]
        site.links["one"](True)
        await asyncio.sleep(5)
        assert site.one.calls[:3] == ["link_up"] * 3
        assert "poll fast" in site.one.calls


async def test_a_poll_that_fails_is_repeated_in_its_own_time():
    async with running("one") as site:
        site.links["one"](True)
        await asyncio.sleep(0.5)
        site.one.trouble = [NoAnswer("silence"), ZeroDivisionError("defect")]
        await asyncio.sleep(20)
        assert site.one.calls.count("poll fast") >= 8


async def test_one_device_that_breaks_leaves_the_other_alone(caplog):
    async def broken():
        raise ZeroDivisionError("defect")

    async with running("one", "two", serve=broken) as site:
        site.links["two"](True)
        await asyncio.sleep(9)
        assert site.two.calls.count("poll fast") == 5
        assert "task failed and is begun again" in caplog.text


async def test_a_refusal_of_ours_is_one_line_and_no_traceback(caplog):
    async def waits():
        raise NoAnswer("somebody else has the address")

    with caplog.at_level(logging.WARNING):
        async with running("one", serve=waits):
            await asyncio.sleep(3)
    mine = [record for record in caplog.records if record.message == "task waits"]
    assert len(mine) >= 3
    assert all(record.exc_info is None for record in mine)


async def test_a_device_that_never_answers_is_lost():
    async with running("one") as site:
        await asyncio.sleep(59)
        assert "link_down" not in site.one.calls
        await asyncio.sleep(2)
        assert site.one.calls.count("link_down") == 1


async def test_a_broker_that_refuses_some_of_what_is_said_is_a_fault_until_it_takes_all():
    async with running("one") as site:
        site.links["one"](True)
        site.transport.refuses = "/birth"
        await asyncio.sleep(10)
        assert set(site.one.alarms) == {"site.transport"}
        site.transport.refuses = "nothing"
        await asyncio.sleep(61)
        assert site.one.alarms == []


async def test_the_status_says_what_is_missing():
    async with running("one", "two") as site:
        site.links["two"](True)
        await asyncio.sleep(1)
        site.clock.is_synchronised = False
        status = site.edge._status("n")
        assert (status.condition.value, status.why) == ("degraded", ("clock", "device:one"))
        site.clock.is_synchronised = True
        site.one.controller.state.link_up = True
        assert site.edge._status("n").condition.value == "online"


async def test_goodbye_hands_over_and_says_offline():
    async with running("one") as site:
        pass
    assert site.one.controller.handed_over
    assert b'"offline"' in site.transport.farewell.payload
    assert site.transport.farewell.retain


async def test_goodbye_never_takes_longer_than_five_seconds():
    async with running("one") as site:
        site.one.controller.takes_s = FOREVER
        began = site.clock.monotonic()
        await site.edge.stop()
        assert site.clock.monotonic() - began < 5
        site.one.controller.takes_s = 0.0


def test_the_last_will_is_the_farewell():
    clock = SimpleNamespace(wall=LoopClock().epoch.replace, monotonic=lambda: 0.0)
    message = offline_message("home", Outlet("home", "run-9", MemoryStore().outbox, clock), clock)
    assert (message.topic, message.retain) == ("samspel/v1/home/status", True)
    assert b"run-9" in message.payload


async def test_the_end_that_a_killed_process_did_not_say_is_said_at_the_start():
    store, order = MemoryStore(), Order(seen=("fleet-a/1/1/a", "fleet-a/1/2/b"))
    store.journal.note("untold", {"one": ["a", "b"]})
    async with running("one", store=store, order=order, lease=SimpleNamespace(command_id="b", stations={})) as site:
        await asyncio.sleep(1)
        said = site.transport.published
    assert [(one["command_id"], one["end"], one["reason"]) for one in said if "end" in one] == [
        ("a", "interrupted", "recovered")
    ]
    assert store.journal.get("untold") == {"one": ["b"]}


async def test_a_document_that_could_not_be_read_is_a_fault_that_stands():
    store = MemoryStore()
    store.journal.doubt("one/control", "it is damaged")
    async with running("one", store=store) as site:
        await asyncio.sleep(30)
        assert set(site.one.alarms) == {"site.store"}
