"""Random traffic in simulated time: order, one in flight, the gap, deadlines, and one ending for every request."""

from __future__ import annotations

import asyncio
import itertools
import random
from dataclasses import dataclass

import looptime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samspel.bus.endpoint import Endpoint
from samspel.bus.profile import BusProfile
from samspel.bus.queue import GIVES_WAY_S
from samspel.contract.errors import BusError, DeadlinePassed
from samspel.contract.ports import Priority, Table

GAP_S = 0.05
EPSILON_S = 1e-5
FOREVER = float("inf")


@dataclass(frozen=True)
class Job:
    """One caller: when it asks, how urgent, until when it may be sent, when it gives up waiting."""

    at: float
    priority: Priority
    lasts_s: float | None
    patience_s: float | None


@dataclass
class Ending:
    """What became of a job: when and in which order it was really asked, until when, and how it ended."""

    order: int
    asked_at: float
    not_after: float
    gives_up_at: float
    at: float
    error: BaseException | None


TIMES = st.integers(0, 60).map(lambda tenths: tenths / 10)
SPANS = st.none() | st.integers(1, 30).map(lambda tenths: tenths / 10)
JOBS = st.lists(st.builds(Job, TIMES, st.sampled_from(Priority), SPANS, SPANS), max_size=25)
LATENCIES = st.lists(st.sampled_from([0.0, 0.01, 0.37, 1.13]), min_size=1, max_size=5)


async def play(helpers, jobs: list[Job], latencies: list[float], busy: set[int]):
    device = helpers.Device()
    endpoint = Endpoint(
        "device",
        502,
        BusProfile(gap_s=GAP_S, gap_max_s=GAP_S, write_gap_s=GAP_S, backoff_s=(0.2, 0.2)),
        helpers.LoopClock(),
        rng=random.Random(1),
        connector=device.connect,
    )
    answer = helpers.good_answer

    def act(function, payload):
        request = len(device.log)
        device.latency_s = latencies[request % len(latencies)]
        return helpers.refusal(function, 6) if request in busy else answer(function, payload)

    device.script = Always(act, device)
    worker = asyncio.create_task(endpoint.run())
    link = endpoint.link(1)
    await endpoint.wait_open()
    start = asyncio.get_running_loop().time()
    orders = itertools.count()
    endings = await asyncio.gather(*(ask(link, start, orders, n, job) for n, job in enumerate(jobs)))
    await asyncio.sleep(20)  # what was in flight when its caller left comes to its end
    await endpoint.close()
    await worker
    return start, device.log, endings


class Always:
    """A script that never runs out and decides by the request."""

    def __init__(self, act, device) -> None:
        self.act, self.device = act, device

    def pop(self, _index):
        last = self.device.log[-1]
        return self.act(last.function, last.payload)


async def ask(link, start: float, orders, number: int, job: Job) -> Ending:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(start + job.at - loop.time())
    asked_at, order = loop.time(), next(orders)
    not_after = None if job.lasts_s is None else asked_at + job.lasts_s
    error: BaseException | None = None
    try:
        async with asyncio.timeout(job.patience_s):
            await link.write(number, [1], function=6, priority=job.priority, not_after=not_after)
    except (BusError, TimeoutError) as caught:
        error = caught
    gives_up_at = FOREVER if job.patience_s is None else asked_at + job.patience_s
    return Ending(order, asked_at, not_after or FOREVER, gives_up_at, loop.time(), error)


def run(helpers, *arguments):
    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0)) as runner:
        return runner.run(play(helpers, *arguments))


BUSY = st.sets(st.integers(1, 12), max_size=4)
relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@relaxed
@given(jobs=JOBS, latencies=LATENCIES, busy=BUSY)
def test_nothing_is_sent_at_or_after_its_deadline_and_the_gap_is_kept(helpers, jobs, latencies, busy):
    _, log, endings = run(helpers, jobs, latencies, busy)
    for sent in log:
        assert sent.at < endings[sent.address].not_after
        assert sent.at <= endings[sent.address].gives_up_at + EPSILON_S
    for earlier, later in itertools.pairwise(log):
        assert later.at >= earlier.ended + GAP_S - EPSILON_S
    sent_numbers = {sent.address for sent in log}
    for number, ending in enumerate(endings):
        if ending.error is None:
            assert number in sent_numbers
        if isinstance(ending.error, DeadlinePassed):
            assert number not in sent_numbers
            assert ending.at == pytest.approx(ending.not_after)


@relaxed
@given(jobs=JOBS, latencies=LATENCIES)
def test_whoever_is_sent_was_the_most_urgent_and_oldest_of_those_waiting(helpers, jobs, latencies):
    _, log, endings = run(helpers, jobs, latencies, set())

    def rank(number):
        priority, ending = jobs[number].priority, endings[number]
        if priority < Priority.FAST_TELEMETRY:
            return priority, 0.0, ending.order
        gives_way_s = GIVES_WAY_S * (priority is Priority.SLOW_TELEMETRY)
        return Priority.FAST_TELEMETRY, round(ending.asked_at + gives_way_s, 6), ending.order

    sent_at = {sent.address: sent.at for sent in log}
    assert len(sent_at) == len(log), "nothing is sent twice"
    for sent in log:
        for number, ending in enumerate(endings):
            waited_before = ending.asked_at < sent.at - EPSILON_S
            left_after = min(ending.at, sent_at.get(number, FOREVER)) > sent.at + EPSILON_S
            if waited_before and left_after:
                assert rank(sent.address) < rank(number)


@relaxed
@given(jobs=JOBS, latencies=LATENCIES, busy=BUSY)
def test_a_stop_waits_for_one_transaction_and_the_gap_at_most(helpers, jobs, latencies, busy):
    stop = Job(3.0, Priority.STOP, None, None)
    calmer = [job for job in jobs if job.priority is not Priority.STOP]
    start, log, endings = run(helpers, [stop, *calmer], latencies, busy)
    first = next(sent for sent in log if sent.address == 0)
    assert first.at <= start + 3.0 + max(latencies) + GAP_S + EPSILON_S
    assert endings[0].error is None


@relaxed
@given(jobs=JOBS, latencies=LATENCIES)
def test_a_set_point_waits_for_one_transaction_and_the_gap_at_most_whatever_is_polled(helpers, jobs, latencies):
    polls = [job for job in jobs if job.priority >= Priority.FAST_TELEMETRY]
    start, log, _ = run(helpers, [Job(3.0, Priority.SET_POINT, None, None), *polls], latencies, set())
    first = next(sent for sent in log if sent.address == 0)
    assert first.at <= start + 3.0 + max(latencies) + GAP_S + EPSILON_S


POLLERS = st.lists(st.tuples(st.sampled_from([Priority.FAST_TELEMETRY, Priority.SLOW_TELEMETRY]), st.integers(1, 7)))
PLAYED_S = 200.0


async def poll_for_ever(link, number: int, priority: Priority, blocks: int, waits: list[float]) -> None:
    """As the edge polls a group: block by block, and again at once when a round took longer than its period."""
    loop = asyncio.get_running_loop()
    while True:
        for block in range(blocks):
            asked_at = loop.time()
            await link.read(Table.HOLDING, 100 * number + block, 1, priority=priority)
            waits.append(loop.time() - asked_at)
        await asyncio.sleep(0.01)


async def poll(helpers, pollers: list[tuple[Priority, int]], latency_s: float) -> list[list[float]]:
    device = helpers.Device()
    device.latency_s = latency_s
    profile = BusProfile(gap_s=GAP_S, gap_max_s=GAP_S, write_gap_s=GAP_S)
    endpoint = Endpoint("d", 502, profile, helpers.LoopClock(), rng=random.Random(1), connector=device.connect)
    worker, link = asyncio.create_task(endpoint.run()), endpoint.link(1)
    await endpoint.wait_open()
    waits: list[list[float]] = [[] for _ in pollers]
    tasks = [
        asyncio.create_task(poll_for_ever(link, number, *poller, waits[number]))
        for number, poller in enumerate(pollers)
    ]
    await asyncio.sleep(PLAYED_S)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await endpoint.close()
    await worker
    return waits


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pollers=POLLERS.filter(lambda pollers: 1 <= len(pollers) <= 6), latency_s=st.sampled_from([0.3, 1.3, 3.0]))
def test_nothing_polled_starves_on_a_slow_link(helpers, pollers, latency_s):
    """Each request waits for its moment of giving way and for one request of every other poller, besides its own."""
    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0)) as runner:
        waits = runner.run(poll(helpers, pollers, latency_s))
    longest_s = GIVES_WAY_S + (len(pollers) + 1) * (latency_s + GAP_S) + latency_s + EPSILON_S
    for each in waits:
        assert max(each) <= longest_s
        assert len(each) >= (PLAYED_S - longest_s) // (longest_s + 0.01)
