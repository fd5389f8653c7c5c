"""The shell: what is on disk before what is written, and a stop that waits for nothing. In simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from itertools import count
from typing import Any

import pytest
from samspel.clock import LoopClock
from samspel.contract.capability import Capabilities
from samspel.contract.command import OnExpiry
from samspel.contract.driver import ControlState
from samspel.contract.errors import NoAnswer, SequenceAbandoned, StoreError
from samspel.contract.fault import FaultCode
from samspel.contract.outcome import End, Stage
from samspel.control.events import Alarm, Follow, Followed, Intended, LinkDown, LinkUp, Say
from samspel.control.shell import INBOX_LIMIT, JOURNAL_WAIT_S, STOP_JOURNAL_WAIT_S, Controller, Reports
from samspel.control.state import Phase, Policy
from samspel.store.memory import MemoryJournal

from .kit import BASELINE, CAPABLE, SNAPSHOT, admit, reading, release, report, set_power, stop

pytestmark = pytest.mark.looptime


class WatchedJournal(MemoryJournal):
    """A journal that tells when it has finished a document, and that can hang or refuse."""

    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self.log = log
        self.delay_s = 0.0
        self.refusing = False

    async def put(self, name: str, document: Any, *, durable: bool = False) -> None:
        await asyncio.sleep(self.delay_s)
        if self.refusing:
            raise StoreError("the disk is full (simulated)")
        await super().put(name, document, durable=durable)
        self.log.append(f"disk {name}{' durable' if durable else ''}")


class Site:
    """A controller, a driver that does what it is told, and one log of everything in its order."""

    def __init__(self, journal: WatchedJournal | None = None) -> None:
        self.log: list[str] = journal.log if journal else []
        self.journal = journal or WatchedJournal(self.log)
        self.clock = LoopClock()
        self.said: list[Say] = []
        self.alarms: list[Alarm] = []
        self.acknowledged: list[str] = []
        self.found = ControlState.DEFAULT
        self.before_action: Callable[[str], Awaitable[None]] | None = None
        reports = Reports(self.said.append, self.alarms.append, lambda _: None, lambda: self.log.append("reset"))
        self.controller = Controller("battery", self, reports, self.journal, self.clock, Policy())
        self.running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Site:
        self.running = asyncio.create_task(self.controller.run())
        self.controller.submit(LinkUp(CAPABLE))
        await asyncio.sleep(0.1)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def kill(self) -> None:
        """As kill -9: nothing more happens."""
        for task in (self.running, *self.controller._tasks, *self.controller._savings):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def give(self, command: Any) -> None:
        self.controller.submit(
            admit(command, now=self.clock.monotonic()), then=lambda: self.acknowledged.append(command.id)
        )

    def end(self, command_id: str) -> End | None:
        ends = [say.end for say in self.said if say.command_id == command_id and say.end is not None]
        assert len(ends) <= 1
        return ends[0] if ends else None

    def acted(self, action: str) -> int:
        """Where in the log an action of the driver first began. Raises ValueError when it never did."""
        return self.log.index(f"driver {action}")

    # --- control.shell.Actions ---

    async def _begin(self, action: str) -> None:
        self.log.append(f"driver {action}")
        if self.before_action is not None:
            await self.before_action(action)

    async def look(self, state):
        await self._begin("look")
        return reading(self.found), dict(BASELINE) if self.found is ControlState.DEFAULT else None

    async def take(self):
        await self._begin("take")
        return dict(SNAPSHOT)

    async def follow(self, order, state):
        await self._begin("follow")
        await self.controller.intend(order, {"mark": order.power_w})
        self.log.append("driver writes")
        self.found = ControlState.OURS
        return Followed(order.action_id, report(order.power_w))

    async def halt(self, state, *, feed):
        await self._begin("halt")
        self.found = ControlState.OURS
        return report(mark="zero")

    async def give_back(self, order, state):
        await self._begin("give_back")
        self.found = ControlState.DEFAULT
        return report()


@pytest.fixture
def site() -> Site:
    return Site()


def in_action(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Run the test with its site running; simulated time begins with the test, after its fixtures."""

    @wraps(test)
    async def running(**fixtures: Any) -> None:
        async with fixtures["site"]:
            await test(**fixtures)

    return running


def hanging_driver(action: str) -> tuple[Callable[[str], Awaitable[None]], asyncio.Event]:
    """A driver that stays in one action until told."""
    let_go = asyncio.Event()

    async def before(current: str) -> None:
        if current == action:
            await let_go.wait()

    return before, let_go


# --- the disk comes first -------------------------------------------------------------------------------------------


@in_action
async def test_the_snapshot_is_durable_and_the_mark_on_disk_before_the_first_write(site):
    site.journal.delay_s = 0.2
    site.give(set_power())
    await asyncio.sleep(3)
    durable = site.log.index("disk battery/snapshot durable")
    first_write = site.log.index("driver writes")
    assert durable < site.acted("follow") < first_write
    assert "disk battery/control" in site.log[site.acted("follow") : first_write], "the intended mark"
    assert site.journal.get("battery/control")["marks"] == [{"mark": 3000.0}]


@in_action
async def test_the_release_order_is_on_disk_before_the_release(site):
    site.give(set_power())
    await asyncio.sleep(1)
    site.log.clear()
    site.journal.delay_s = 0.2
    site.give(release())
    await asyncio.sleep(2)
    assert site.log.index("disk battery/control durable") < site.acted("give_back")


@in_action
async def test_a_command_is_acknowledged_once_it_is_on_disk(site):
    site.journal.delay_s = 0.2
    site.give(set_power())
    await asyncio.sleep(0.1)
    assert site.acknowledged == []
    await asyncio.sleep(0.2)
    assert site.acknowledged == ["sp"]


@in_action
async def test_a_turn_that_changes_nothing_worth_keeping_writes_nothing(site):
    site.give(set_power(ttl_s=600))
    await asyncio.sleep(2)
    site.log.clear()
    await asyncio.sleep(5)
    assert [line for line in site.log if line.startswith("disk")] == []


# --- a disk that is full, or hangs ----------------------------------------------------------------------------------


@in_action
async def test_a_full_disk_refuses_take(site):
    site.journal.full = True
    site.give(set_power())
    await asyncio.sleep(1)
    assert site.end("sp") is End.FAILED
    assert "driver follow" not in site.log
    assert site.controller.state.phase is Phase.RELEASED
    assert site.controller.state.snapshot is None
    assert FaultCode.SITE_STORE in {alarm.code for alarm in site.alarms}


@pytest.mark.parametrize("fault", ["refusing", "hanging"])
@pytest.mark.parametrize("command", [stop(), release()], ids=["stop", "release"])
@in_action
async def test_a_broken_disk_refuses_neither_stop_nor_release(site, fault, command):
    site.give(set_power(ttl_s=600))
    await asyncio.sleep(1)
    site.journal.refusing = fault == "refusing"
    site.journal.delay_s = 1e6 if fault == "hanging" else 0.0
    site.give(command)
    await asyncio.sleep(JOURNAL_WAIT_S + 0.5)
    assert ("driver halt" if command.kind == "stop" else "driver give_back") in site.log
    await asyncio.sleep(2)
    assert FaultCode.SITE_STORE in {alarm.code for alarm in site.alarms}


@in_action
async def test_a_hanging_disk_refuses_take(site):
    site.journal.delay_s = 1e6
    site.give(set_power(ttl_s=600))
    await asyncio.sleep(3 * JOURNAL_WAIT_S)
    assert site.end("sp") is End.FAILED
    assert "driver follow" not in site.log


@in_action
async def test_a_hanging_disk_is_not_waited_for_twice(site):
    site.give(set_power(ttl_s=600))
    await asyncio.sleep(1)
    site.journal.delay_s = 1e6
    site.give(set_power("one", 1000, ttl_s=600))
    await asyncio.sleep(JOURNAL_WAIT_S + 1)
    begun = site.clock.monotonic()
    site.give(set_power("two", 2000, ttl_s=600))
    async with asyncio.timeout(60):
        while site.controller.state.written_w != 2000:  # noqa: ASYNC110 - simulated time
            await asyncio.sleep(0.01)
    assert site.clock.monotonic() - begun < 1


# --- stop -----------------------------------------------------------------------------------------------------------


async def _seconds_until_halt(site: Site) -> float:
    begun = site.clock.monotonic()
    async with asyncio.timeout(60):
        while "driver halt" not in site.log:  # noqa: ASYNC110 - simulated time
            await asyncio.sleep(0.005)
    return site.clock.monotonic() - begun


@in_action
async def test_a_stop_does_not_wait_for_its_own_journal_entry(site):
    site.journal.delay_s = 10.0
    site.give(stop())
    assert await _seconds_until_halt(site) <= STOP_JOURNAL_WAIT_S + 0.01
    assert site.acknowledged == [], "it is not on disk yet"
    await asyncio.sleep(11)
    assert site.acknowledged == ["stop"]
    assert site.journal.get("battery/control")["stop"]["command_id"] == "stop"


@in_action
async def test_a_stop_does_not_wait_for_an_earlier_turn_that_waits_for_the_disk(site):
    site.journal.delay_s = 1e6
    site.give(set_power())
    await asyncio.sleep(0.1)
    site.give(stop())
    assert await _seconds_until_halt(site) <= STOP_JOURNAL_WAIT_S + 0.01
    assert site.end("sp") is End.SUPERSEDED
    await asyncio.sleep(2 * JOURNAL_WAIT_S)
    assert "driver take" not in site.log, "what the stop took over from never begins"


@in_action
async def test_the_outcomes_keep_their_order_when_a_stop_interrupts_a_turn(site):
    site.journal.delay_s = 1.0
    site.give(set_power())
    await asyncio.sleep(0.1)
    site.give(stop())
    await asyncio.sleep(5)
    about = [say.stage or say.end for say in site.said if say.command_id == "sp"]
    assert about == [Stage.ACCEPTED, End.SUPERSEDED]


@in_action
async def test_a_stop_jumps_the_queue(site):
    for number in range(20):
        site.give(set_power(f"sp-{number}", number))
    site.give(stop())
    await asyncio.sleep(1)
    assert site.acknowledged[0] == "stop"
    assert all(site.end(f"sp-{number}") is End.REFUSED for number in range(20))
    assert "driver take" not in site.log


@in_action
async def test_two_stops_keep_their_order(site):
    site.give(set_power())
    site.give(stop("first", seq=1))
    site.give(stop("second", seq=2))
    await asyncio.sleep(1)
    assert site.acknowledged == ["first", "second", "sp"]
    assert site.end("first") is End.SUPERSEDED
    assert site.controller.state.stop.command_id == "second"


@in_action
async def test_a_set_point_whose_mark_is_still_being_written_does_not_follow_a_stop(site):
    site.give(set_power(ttl_s=600))
    await asyncio.sleep(1)
    site.log.clear()
    before, let_go = hanging_driver("follow")
    site.before_action = before
    site.give(set_power("newer", -1000, ttl_s=600))
    await asyncio.sleep(0.1)
    site.journal.delay_s = 0.3
    let_go.set()  # The follow is now in its journal entry, with the stop behind it.
    await asyncio.sleep(0.1)
    site.give(stop())
    await asyncio.sleep(2)
    assert "driver halt" in site.log
    assert "driver writes" not in site.log
    assert site.controller.state.phase is Phase.STOPPED


@in_action
async def test_intend_refuses_an_order_that_is_over(site):
    with pytest.raises(SequenceAbandoned):
        await site.controller.intend(Follow(-1, "sp", 1000, 10, force=False), {"mark": 1})


@in_action
async def test_an_action_that_was_taken_over_before_it_began_never_begins(site):
    site.give(set_power(ttl_s=600))
    await asyncio.sleep(1)
    site.log.clear()
    controller = site.controller
    await controller.handle(admit(set_power("newer", -1000), now=site.clock.monotonic()))
    await controller.handle(admit(stop(), now=site.clock.monotonic()))
    await asyncio.sleep(0.5)
    assert "driver writes" not in site.log


# --- the inbox ------------------------------------------------------------------------------------------------------


async def test_a_full_inbox_drops_the_oldest_set_points_and_nothing_else():
    site = Site()
    site.give(release("release", seq=0))
    for number in range(INBOX_LIMIT + 10):
        site.give(set_power(f"sp-{number}"))
    site.give(release("late release", seq=0))
    site.give(stop())
    dropped = [say.command_id for say in site.said if say.reason == "inbox"]
    assert dropped == [f"sp-{number}" for number in range(13)]
    assert site.acknowledged == dropped, "what is dropped is answered and acknowledged"
    assert all(say.end is End.SUPERSEDED for say in site.said)
    kept = [letter.event.command.id for letter in site.controller._inbox]
    assert kept[:2] == ["stop", "release"]
    assert kept[-1] == "late release"


@in_action
async def test_a_flood_does_not_starve_the_clock(site):
    site.give(set_power(ttl_s=2, on_expiry=OnExpiry.RELEASE))
    await asyncio.sleep(1)

    marks = count()  # Each is journaled, so that the inbox fills faster than it empties.

    async def flood() -> None:
        while True:
            site.controller.submit(Intended({"mark": next(marks)}))
            site.controller.submit(Intended({"mark": next(marks)}))
            await asyncio.sleep(0.001)

    flooding = asyncio.create_task(flood())
    site.journal.delay_s = 0.002
    await asyncio.sleep(4)
    flooding.cancel()
    assert site.end("sp") is End.COMPLETED


# --- failures of the driver -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [RuntimeError("a slip"), NoAnswer("silence"), KeyError("x")])
@in_action
async def test_a_defect_becomes_a_failure_is_retried_and_given_back(site, error):
    tries = 0

    async def fail(action: str) -> None:
        nonlocal tries
        if action == "follow":
            tries += 1
            raise error

    site.before_action = fail
    site.give(set_power(ttl_s=600))
    await asyncio.sleep(60)
    assert tries == 3
    assert site.end("sp") is End.FAILED
    assert "driver give_back" in site.log
    assert site.controller.state.phase is Phase.RELEASED


@in_action
async def test_a_defect_in_a_stop_is_retried_until_it_holds(site):
    tries = 0

    async def fail(action: str) -> None:
        nonlocal tries
        if action == "halt":
            tries += 1
            if tries < 4:
                raise ZeroDivisionError

    site.before_action = fail
    site.give(stop())
    await asyncio.sleep(30)
    assert tries == 4
    assert site.controller.state.stop.asserted


@in_action
async def test_an_abandoned_sequence_is_harmless(site):
    before, let_go = hanging_driver("follow")

    async def abandoned(action: str) -> None:
        await before(action)
        if action == "follow":
            raise SequenceAbandoned("a stop took over")

    site.before_action = abandoned
    site.give(set_power())
    await asyncio.sleep(0.5)
    site.give(stop())
    await asyncio.sleep(0.1)
    let_go.set()
    await asyncio.sleep(2)
    assert site.controller.state.phase is Phase.STOPPED
    assert site.controller.state.stop.asserted
    assert site.controller.state.failures == 0


@in_action
async def test_a_late_result_after_a_lost_link_changes_nothing(site):
    before, let_go = hanging_driver("follow")
    site.before_action = before
    site.give(set_power())
    await asyncio.sleep(0.5)
    site.controller.submit(LinkDown())
    await asyncio.sleep(0.1)
    let_go.set()
    await asyncio.sleep(0.5)
    assert site.controller.state.phase is Phase.LOST
    assert "driver writes" not in site.log, "its mark was refused: the order was over"


# --- the end --------------------------------------------------------------------------------------------------------


async def test_hand_over_leaves_what_the_successor_needs():
    site = Site()
    async with site:
        site.give(set_power(ttl_s=600))
        await asyncio.sleep(1)
        assert site.controller.holds
        site.running.cancel()
        await site.controller.hand_over()
    async with Site(site.journal) as successor:
        await asyncio.sleep(0.5)
        assert successor.controller.state.phase is Phase.CONTROLLING or successor.found is ControlState.DEFAULT
        assert successor.controller.state.lease.command_id == "sp"
        assert successor.controller.state.snapshot == SNAPSHOT


async def test_hand_over_ends_what_runs():
    async with Site() as site:
        before, _ = hanging_driver("follow")
        site.before_action = before
        site.give(set_power())
        await asyncio.sleep(0.5)
        await site.controller.hand_over()
        await asyncio.sleep(0)
        assert not site.controller._tasks


@in_action
async def test_capabilities_reach_the_state(site):
    site.controller.submit(LinkUp(Capabilities(routes=())))
    await asyncio.sleep(0.1)
    assert site.controller.state.capabilities.routes == ()


async def test_of_two_turns_that_wait_for_the_disk_the_one_that_waits_longer_still_hears_of_a_stop():
    """Control's own turn, and that of a follow which is about to write."""
    site = Site()
    loop, controller = asyncio.get_running_loop(), site.controller
    savings = [loop.create_future(), loop.create_future()]
    longer, shorter = (asyncio.create_task(controller._saved_or_stopped(saving, 5.0)) for saving in savings)
    await asyncio.sleep(0.1)
    savings[1].set_result(None)
    assert await shorter
    site.give(stop())
    assert not await longer
    assert loop.time() == pytest.approx(0.1)


async def test_what_an_earlier_process_left_is_known_also_once_it_is_over():
    """The broker brings it again, where that process died before it let it go: its end is said once."""
    async with Site() as first:
        first.give(set_power(ttl_s=20))
        await asyncio.sleep(1)
    await asyncio.sleep(60)
    async with Site(first.journal) as second:
        second.found = ControlState.OURS
        await asyncio.sleep(3)
        assert second.controller.state.lease is None
        assert second.controller.has(set_power(ttl_s=20))
        assert not second.controller.has(set_power("another", 1000.0, seq=2))
