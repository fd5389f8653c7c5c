"""What becomes of one message: admitted, refused once, or counted; and when the broker may forget it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from samspel.admission.gate import Admission, Rules
from samspel.admission.repeats import Repeats
from samspel.contract.command import Rank
from samspel.outlet import Outlet
from samspel.pipeline import Pipeline
from samspel.reception import DISK_S

from .kit import DEVICE, SITE, Clock, Journal, Outbox, Transport, command, message

pytestmark = pytest.mark.looptime(noop_cycles=1)


class Controller:
    """Takes what is submitted, and decides when told."""

    def __init__(self) -> None:
        self.submitted: list[tuple] = []
        self.held: set[str] = set()

    def submit(self, event, then=None) -> None:
        self.submitted.append((event, then))

    def has(self, command) -> bool:
        return command.id in self.held

    def decide(self) -> None:
        for _, then in self.submitted:
            then()


@pytest.fixture
def site():
    controller, outbox, transport, journal, clock = Controller(), Outbox(), Transport(), Journal(), Clock()
    device = SimpleNamespace(name=DEVICE, controller=controller)
    rules = Rules(site=SITE, devices=frozenset({DEVICE}), ranks={"fleet-a": Rank.DISPATCHER})

    def start():
        return Pipeline(
            transport, Admission(rules), {DEVICE: device}, Outlet(SITE, "run-1", outbox, clock), journal, clock
        )

    return SimpleNamespace(
        pipeline=start(), restart=start, controller=controller, outbox=outbox, transport=transport, journal=journal
    )


async def settle() -> None:
    """Everything that lingers has been written."""
    await asyncio.sleep(1)


async def test_an_admitted_command_is_acknowledged_once_it_is_decided_and_its_order_is_on_disk(site):
    one = message(command())
    site.pipeline.receive(one)
    await settle()
    assert site.outbox.said("c-1") == ["received"]
    assert site.transport.acknowledged == []
    site.controller.decide()
    await settle()
    assert site.journal.documents[f"{DEVICE}/order"]["seen"] == ["fleet-a/1/1/c-1"]
    assert site.transport.acknowledged == [one.payload]


async def test_a_full_disk_does_not_keep_the_broker_waiting(site):
    site.journal.full = True
    site.pipeline.receive(message(command()))
    site.controller.decide()
    await settle()
    assert len(site.transport.acknowledged) == 1


async def test_a_disk_that_hangs_does_not_keep_the_broker_waiting_for_ever(site, monkeypatch):
    """Unacknowledged messages would bar the way for a stop."""
    hanging = asyncio.Event().wait
    monkeypatch.setattr(site.journal, "put", lambda *_: hanging())
    monkeypatch.setattr(site.outbox, "kept", hanging)
    site.pipeline.receive(message(command()))
    site.controller.decide()
    site.pipeline.receive(message(command(id="c-2"), retained=True))
    await asyncio.sleep(DISK_S - 0.1)
    assert site.transport.acknowledged == []
    await asyncio.sleep(0.2)
    assert len(site.transport.acknowledged) == 2


async def test_a_refusal_is_acknowledged_once_its_outcome_is_on_disk(site, monkeypatch):
    disk = asyncio.Event()
    monkeypatch.setattr(site.outbox, "kept", disk.wait)
    site.pipeline.receive(message(command(), retained=True))
    await settle()
    assert site.outbox.said("c-1") == ["received", "refused"]
    assert site.transport.acknowledged == []
    disk.set()
    await settle()
    assert len(site.transport.acknowledged) == 1


async def test_what_control_holds_is_not_refused_when_it_comes_again(site):
    """A crash came between control's journal and the order on disk; meanwhile it has become too old to be new."""
    site.controller.held = {"c-1"}
    old = message(command(issued_at="2020-01-01T00:00:00.000Z"))
    site.pipeline.receive(old)
    await settle()
    assert site.outbox.said("c-1") == ["received"]
    assert site.transport.acknowledged == [old.payload]
    site.controller.held = set()
    site.pipeline.receive(message(command(issued_at="2020-01-01T00:00:00.000Z")))
    await settle()
    assert site.outbox.said("c-1") == ["received", "received", "refused"]


async def test_the_order_on_disk_does_not_run_ahead_of_what_is_decided(site):
    """A command that a crash leaves undecided comes again, and must not then pass for a duplicate."""
    site.pipeline.receive(message(command(id="waits", seq=1)))
    site.pipeline.receive(message(command(id="decided", seq=2)))
    _, then = site.controller.submitted[1]
    then()
    await settle()
    assert site.journal.documents[f"{DEVICE}/order"]["seen"] == ["fleet-a/1/2/decided"]


async def test_a_refusal_is_said_once_however_often_the_same_bytes_come(site):
    for _ in range(3):
        site.pipeline.receive(message(command(), retained=True))
    await settle()
    assert site.outbox.said("c-1") == ["received", "refused", "received", "received"]
    assert [one.get("reason") for one in site.outbox.documents("outcome")][2:] == ["duplicate", "duplicate"]
    assert len(site.transport.acknowledged) == 3
    assert site.controller.submitted == []


async def test_other_bytes_with_the_same_id_are_judged_anew(site):
    site.pipeline.receive(message(command(), retained=True))
    site.pipeline.receive(message(command(seq=2)))
    assert len(site.controller.submitted) == 1


async def test_a_duplicate_is_acknowledged_and_not_acted_on(site):
    for _ in range(2):
        site.pipeline.receive(message(command()))
    assert len(site.controller.submitted) == 1
    assert len(site.transport.acknowledged) == 1


async def test_an_older_one_is_superseded(site):
    site.pipeline.receive(message(command(id="new", seq=5)))
    site.pipeline.receive(message(command(id="old", seq=4)))
    await settle()
    assert site.outbox.said("old") == ["received", "superseded"]


async def test_what_is_malformed_and_names_itself_is_refused_once(site):
    for _ in range(2):
        site.pipeline.receive(message(command(power_w="much")))
    await settle()
    ends = [one for one in site.outbox.documents("outcome") if "end" in one]
    assert [(one["command_id"], one["end"], one["reason"]) for one in ends] == [("c-1", "refused", "field_invalid")]
    assert len(site.transport.acknowledged) == 2


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (message(b"not json"), "not_json"),
        (message(command(), device="heater"), "unknown topic"),
        (message(command(id=7)), "field_invalid"),
    ],
)
async def test_what_names_no_command_of_ours_is_counted_and_acknowledged(site, one, why):
    site.pipeline.receive(one)
    site.pipeline.receive(one)
    assert dict(site.pipeline.dropped) == {why: 2}
    assert len(site.transport.acknowledged) == 2
    assert site.outbox.sent == []


def test_refusals_are_remembered_in_bounded_number():
    repeats = Repeats({}, keep=2)
    for payload in (b"a", b"b", b"c"):
        repeats.remember("t", payload)
    assert [repeats.refused("t", payload) for payload in (b"a", b"b", b"c")] == [False, True, True]
    assert not repeats.refused("another topic", b"c")
    again = Repeats(repeats.to_json(), keep=2)
    assert [again.refused("t", payload) for payload in (b"a", b"b", b"c")] == [False, True, True]


async def test_a_refusal_is_not_repeated_by_the_next_process(site):
    """The broker never heard that the last one had taken it."""
    stale = message(command(issued_at="2020-01-01T00:00:00.000Z"))
    site.pipeline.receive(stale)
    await settle()
    site.restart().receive(stale)
    await settle()
    assert site.outbox.said("c-1") == ["received", "refused", "received"]
    assert len(site.transport.acknowledged) == 2
