"""The worker in simulated time: order, deadlines, pacing, shedding, loss of the connection."""

import asyncio
import logging

import pytest
from samspel.contract.errors import (
    BadAnswer,
    BusError,
    DeadlinePassed,
    DeviceBusy,
    DeviceRefused,
    LinkDown,
    NoAnswer,
    RegisterAbsent,
)
from samspel.contract.ports import Priority, Table

pytestmark = pytest.mark.looptime

HOLDING = Table.HOLDING
FAST, SLOW = Priority.FAST_TELEMETRY, Priority.SLOW_TELEMETRY


def now() -> float:
    return asyncio.get_running_loop().time()


def read(link, address, priority=FAST, not_after=None):
    return asyncio.create_task(link.read(HOLDING, address, 1, priority=priority, not_after=not_after))


def write(link, address, priority, not_after=None):
    return asyncio.create_task(link.write(address, [1], function=6, priority=priority, not_after=not_after))


async def opened(endpoint):
    link = endpoint.link(1)
    await endpoint.wait_open()
    return link


async def test_read_write_and_exchange_reach_the_device(running, device):
    link = await opened(running())
    assert await link.read(HOLDING, 10, 3, priority=FAST) == (10, 11, 12)
    await link.write(40, [1, 2], function=16, priority=Priority.SET_POINT)
    assert await link.exchange(0x41, b"hello", priority=Priority.SET_POINT) == b"ok:hello"
    assert [sent.function for sent in device.log] == [3, 16, 0x41]


async def test_most_urgent_goes_first_and_equals_in_order_of_arrival(running, device):
    link = await opened(running())
    tasks = [read(link, 0)]
    await asyncio.sleep(0.01)
    tasks += [read(link, 1, SLOW), read(link, 2, FAST), read(link, 3, FAST), read(link, 4, Priority.VERIFICATION)]
    tasks += [write(link, 5, Priority.SET_POINT), write(link, 6, Priority.RELEASE), write(link, 7, Priority.STOP)]
    await asyncio.gather(*tasks)
    assert device.addresses == [0, 7, 6, 5, 4, 2, 3, 1]


async def test_a_set_point_waits_for_the_transaction_in_flight_and_the_declared_gap_only(running, device):
    link = await opened(running(gap_s=0.05, gap_max_s=2.0))
    polls = [read(link, address) for address in range(5)]
    await asyncio.sleep(0.01)
    await write(link, 100, Priority.SET_POINT)
    assert device.addresses[:2] == [0, 100]
    assert device.log[1].at - device.log[0].ended == pytest.approx(0.05)
    await asyncio.gather(*polls)


async def test_a_cancelled_caller_takes_its_waiting_request_back(running, device):
    link = await opened(running())
    first, second = read(link, 1), read(link, 2)
    await asyncio.sleep(0.01)
    second.cancel()
    await first
    await read(link, 3)
    assert device.addresses == [1, 3]


async def test_a_cancelled_caller_does_not_cancel_the_transaction_in_flight(running, device):
    endpoint = running()
    link = await opened(endpoint)
    device.latency_s = 2.0
    first = write(link, 1, Priority.SET_POINT)
    await asyncio.sleep(0.5)
    first.cancel()
    await read(link, 2)
    assert device.log[0].ended - device.log[0].at == pytest.approx(2.0)
    assert device.log[1].at >= device.log[0].ended + 0.05 - 1e-6
    assert endpoint.stats.answers == 2


async def test_a_deadline_that_passes_while_waiting_fails_promptly_and_sends_nothing(running, device):
    link = await opened(running())
    device.latency_s = 4.0
    poll = read(link, 1)
    await asyncio.sleep(0.1)
    deadline = now() + 1.0
    with pytest.raises(DeadlinePassed):
        await write(link, 2, Priority.SET_POINT, not_after=deadline)
    assert now() == pytest.approx(deadline)
    await poll
    assert device.addresses == [1]


async def test_the_deadline_is_checked_at_the_instant_of_sending(running, device, helpers, monkeypatch):
    """The timer that fails waiting requests is a courtesy; take it away and nothing may be sent late even so."""
    endpoint = running()
    link = await opened(endpoint)
    monkeypatch.setattr(endpoint._intake, "_set_timer", lambda ticket: None)
    device.latency_s = 4.0
    poll = read(link, 1)
    await asyncio.sleep(0.1)
    with pytest.raises(DeadlinePassed):
        await write(link, 2, Priority.SET_POINT, not_after=now() + 1.0)
    await poll
    assert device.addresses == [1]


async def test_without_connection_every_request_fails_at_once(running, device):
    device.refuse_connects = 1000
    endpoint = running()
    link = endpoint.link(1)
    await asyncio.sleep(5.0)
    started = now()
    for priority in (Priority.STOP, Priority.RELEASE, Priority.SET_POINT, SLOW):
        with pytest.raises(LinkDown, match="refused"):
            await read(link, 1, priority)
    assert now() == started
    assert endpoint.waiting == 0


async def test_a_lost_connection_fails_what_waits_and_says_so(running, device):
    endpoint = running()
    link = await opened(endpoint)
    heard = []
    link.on_link(heard.append)
    endpoint.on_link(lambda up: heard.append(("endpoint", up)))
    await read(link, 1)
    assert link.connected
    assert endpoint.connected
    device.script = ["lost"]
    waiting, in_flight = write(link, 2, Priority.SET_POINT), write(link, 3, Priority.STOP)
    results = await asyncio.gather(in_flight, waiting, return_exceptions=True)
    assert [type(result) for result in results] == [NoAnswer, LinkDown]
    assert heard == [("endpoint", True), True, ("endpoint", False), False]
    assert not endpoint.connected


async def test_an_idle_connection_that_is_lost_is_noticed_and_replaced(running, device):
    endpoint = running()
    link = await opened(endpoint)
    await read(link, 1)
    device.connections[0].lose()
    await asyncio.sleep(2.0)
    assert len(device.connections) == 2
    await read(link, 2)
    assert device.log[-1].connection == 1
    assert endpoint.stats.connects == 2


async def test_silence_is_never_answered_with_a_repetition(running, device):
    link = await opened(running(timeout_s=3.0))
    device.script = [None]
    with pytest.raises(NoAnswer):
        await read(link, 1)
    await asyncio.sleep(10.0)
    assert device.addresses == [1]


async def test_a_half_open_socket_is_dropped_after_so_many_silent_requests(running, device):
    endpoint = running(drop_after_timeouts=3)
    link = await opened(endpoint)
    device.script = [None, None, None]
    for _ in range(3):
        with pytest.raises(NoAnswer):
            await read(link, 1)
    await endpoint.wait_open()
    await asyncio.sleep(2.0)
    assert device.connections[0].ending == "reset"
    await read(link, 2)
    assert device.log[-1].connection == 1


async def test_one_answer_in_between_starts_the_count_of_silent_requests_again(running, device, helpers):
    link = await opened(running(drop_after_timeouts=2))
    device.script = [None, helpers.refusal(3, 2), None, helpers.refusal(3, 2)]
    for error in (NoAnswer, RegisterAbsent, NoAnswer, RegisterAbsent):
        with pytest.raises(error):
            await read(link, 1)
    assert len(device.connections) == 1


@pytest.mark.parametrize("bad", [None, "function"])
async def test_framing_without_transaction_ids_drops_the_socket_at_once(running, device, helpers, bad):
    link = await opened(running(framing="rtu"))
    device.script = [None if bad is None else helpers.good_answer(4, b"\0\1\0\1")]
    with pytest.raises(NoAnswer if bad is None else BadAnswer):
        await read(link, 1)
    await asyncio.sleep(2.0)
    assert device.connections[0].ending == "reset"
    await read(link, 2)
    assert device.log[-1].connection == 1


async def test_the_timeout_follows_the_latency_and_starts_again_at_the_ceiling_after_silence(running, device):
    endpoint = running(timeout_s=10.0, min_timeout_s=1.0, drop_after_timeouts=9)
    link = await opened(endpoint)
    device.latency_s = 0.5
    for _ in range(20):
        await read(link, 1)
    assert device.log[0].timeout_s == 10.0
    assert device.log[-1].timeout_s == pytest.approx(2.0)
    assert endpoint.latency_s == pytest.approx(0.5)
    device.script = [None]
    with pytest.raises(NoAnswer):
        await read(link, 1)
    await read(link, 1)
    assert device.log[-1].timeout_s == 10.0


async def test_a_busy_device_is_asked_again_after_growing_waits_and_then_given_up(running, device, helpers):
    endpoint = running(backoff_s=(1.0, 10.0), busy_tries=3)
    link = await opened(endpoint)
    device.script = [helpers.refusal(3, 6)] * 3
    with pytest.raises(DeviceBusy):
        await read(link, 1)
    waits = [later.at - earlier.ended for earlier, later in zip(device.log, device.log[1:], strict=False)]
    assert waits == pytest.approx([1.0, 2.0])
    assert endpoint.stats.busy == 3


async def test_busy_answers_widen_the_gap_before_telemetry_and_good_ones_narrow_it(running, device, helpers):
    endpoint = running(gap_s=0.05, gap_max_s=1.0)
    link = await opened(endpoint)
    device.script = [helpers.refusal(3, 6), helpers.refusal(3, 6)]
    await read(link, 1)
    await read(link, 2)
    widened = device.log[-1].at - device.log[-2].ended
    assert widened == pytest.approx(0.05 + 0.15 * 0.9)
    await write(link, 3, Priority.SET_POINT)
    assert device.log[-1].at - device.log[-2].ended == pytest.approx(0.05)
    for _ in range(100):
        await read(link, 1)
    assert device.log[-1].at - device.log[-2].ended == pytest.approx(0.05, abs=0.001)


async def test_a_poll_in_back_off_does_not_hold_up_a_set_point(running, device, helpers):
    link = await opened(running(backoff_s=(5.0, 10.0)))
    device.script = [helpers.refusal(3, 6)]
    poll = read(link, 1)
    await asyncio.sleep(0.5)
    started = now()
    await write(link, 2, Priority.SET_POINT)
    assert now() - started < 0.2
    await poll
    assert device.addresses == [1, 2, 1]


async def test_a_stop_is_repeated_after_the_first_back_off_for_as_long_as_the_device_is_busy(running, device, helpers):
    link = await opened(running(backoff_s=(1.0, 10.0), busy_tries=2))
    device.script = [helpers.refusal(6, 6)] * 8
    stop, poll = write(link, 1, Priority.STOP), read(link, 2)
    await asyncio.gather(stop, poll)
    assert device.addresses == [1] * 9 + [2]
    waits = [later.at - earlier.ended for earlier, later in zip(device.log[:8], device.log[1:9], strict=True)]
    assert waits == pytest.approx([1.0] * 8)


async def test_an_exchange_is_never_repeated(running, device, helpers):
    link = await opened(running())
    device.script = [helpers.refusal(0x41, 6)]
    with pytest.raises(DeviceBusy):
        await link.exchange(0x41, b"x", priority=Priority.SET_POINT)
    assert len(device.log) == 1


async def test_a_busy_set_point_is_not_repeated_after_its_deadline(running, device, helpers):
    link = await opened(running(backoff_s=(5.0, 10.0)))
    device.script = [helpers.refusal(6, 6)]
    with pytest.raises(DeviceBusy):
        await write(link, 1, Priority.SET_POINT, not_after=now() + 2.0)
    await asyncio.sleep(20.0)
    assert len(device.log) == 1


async def test_a_newer_poll_pushes_out_a_waiting_one_of_the_same_registers(running, device):
    endpoint = running()
    link = await opened(endpoint)
    in_flight = read(link, 0)
    await asyncio.sleep(0.01)
    older, other, newer = read(link, 1, SLOW), read(link, 2, SLOW), None
    await asyncio.sleep(0.01)
    newer = read(link, 1, SLOW)
    with pytest.raises(BusError, match="newer poll"):
        await older
    await asyncio.gather(in_flight, other, newer)
    assert device.addresses == [0, 2, 1]
    assert endpoint.stats.shed == 1


async def test_a_slow_poll_does_not_push_out_a_fast_one_and_set_points_push_out_nothing(running, device):
    link = await opened(running())
    in_flight = read(link, 0)
    await asyncio.sleep(0.01)
    await asyncio.gather(in_flight, read(link, 1, FAST), read(link, 1, SLOW), read(link, 1, Priority.VERIFICATION))
    assert device.addresses == [0, 1, 1, 1]


async def test_polls_that_wait_too_long_are_dropped_slow_ones_first(running, device):
    link = await opened(running(telemetry_patience_s=10.0, timeout_s=5.0))
    device.latency_s = 4.0
    tasks = {address: read(link, address, SLOW if address > 2 else FAST) for address in range(6)}
    results = await asyncio.gather(*tasks.values(), return_exceptions=True)
    assert [isinstance(result, BusError) for result in results] == [False] * 3 + [True] * 3
    assert device.addresses == [0, 1, 2]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (5, DeviceBusy),
        (6, DeviceBusy),
        (2, RegisterAbsent),
        *((code, DeviceRefused) for code in (0, 1, 3, 4, 0x80, 255)),
    ],
)
async def test_exception_codes_become_errors_that_carry_them(running, device, helpers, code, error):
    link = await opened(running(busy_tries=1))
    device.script = [helpers.refusal(3, code)]
    with pytest.raises(DeviceRefused) as caught:
        await read(link, 1)
    assert type(caught.value) is error
    assert caught.value.code == code
    assert link.connected, "a refusal is an answer"


async def test_function_06_refused_as_unknown_falls_back_to_16_and_stays_there(running, device, helpers):
    link = await opened(running(write_function_fallback=True))
    device.script = [helpers.refusal(6, 1)]
    await write(link, 1, Priority.SET_POINT)
    await write(link, 2, Priority.SET_POINT)
    assert [sent.function for sent in device.log] == [6, 16, 16]


async def test_without_the_fallback_the_refusal_comes_through(running, device, helpers):
    link = await opened(running())
    device.script = [helpers.refusal(6, 1)]
    with pytest.raises(DeviceRefused):
        await write(link, 1, Priority.SET_POINT)


@pytest.mark.parametrize(
    "call",
    [
        lambda link: link.read(HOLDING, 0, 0, priority=FAST),
        lambda link: link.read(HOLDING, 65535, 2, priority=FAST),
        lambda link: link.write(1, [1, 2], function=6, priority=FAST),
        lambda link: link.write(1, [70000], function=16, priority=FAST),
        lambda link: link.exchange(0x80, b"", priority=FAST),
    ],
)
async def test_bad_arguments_are_our_mistake_and_send_nothing(running, device, call):
    link = await opened(running())
    with pytest.raises(ValueError, match=r"outside|exactly"):
        await call(link)
    assert device.log == []


async def test_connect_attempts_back_off_to_the_limit_with_jitter_and_start_again_after_an_answer(running, device):
    device.refuse_connects = 12
    endpoint = running(reconnect_s=(1.0, 30.0))
    await endpoint.wait_open()
    waits = [later - earlier for earlier, later in zip(device.connects, device.connects[1:], strict=False)]
    for index, wait in enumerate(waits):
        limit = min(30.0, 2.0**index)
        assert limit / 2 <= wait <= limit
    assert len({round(wait, 6) for wait in waits}) == len(waits)
    await read(endpoint.link(1), 1)
    lost_at = now()
    device.connections[0].lose()
    await asyncio.sleep(1.1)
    assert device.connects[-1] - lost_at <= 1.0


async def test_a_connection_that_closes_before_any_answer_is_not_up_and_counts_as_failure(running, device):
    endpoint = running(reconnect_s=(1.0, 30.0))
    heard = []
    endpoint.on_link(heard.append)
    endpoint.link(1)

    def hang_up():
        if device.connections and device.connections[-1].alive:
            device.connections[-1].lose()

    for _ in range(400):
        await asyncio.sleep(0.1)
        hang_up()
    assert heard == []
    assert len(device.connects) < 10, "the wait must grow"


async def test_the_first_request_waits_until_the_device_is_ready_after_the_connect(running, device):
    endpoint = running(connect_wait_s=1.5)
    link = endpoint.link(1)
    with pytest.raises(LinkDown):
        await read(link, 1)
    await endpoint.wait_open()
    assert now() == pytest.approx(1.5)


async def test_close_lets_the_transaction_in_flight_finish(running, device):
    endpoint = running()
    link = await opened(endpoint)
    device.latency_s = 3.0
    in_flight, waiting = write(link, 1, Priority.SET_POINT), write(link, 2, Priority.SET_POINT)
    await asyncio.sleep(1.0)
    await endpoint.close()
    await in_flight
    with pytest.raises(LinkDown, match="closed"):
        await waiting
    with pytest.raises(LinkDown, match="closed"):
        await read(link, 3)
    assert device.connections[0].ending == "closed"


async def test_a_cancelled_worker_leaves_nobody_waiting(running, device, helpers):
    endpoint = running()
    link = await opened(endpoint)
    device.latency_s = 3.0
    in_flight, waiting = read(link, 1), read(link, 2)
    await asyncio.sleep(1.0)
    endpoint._worker.cancel()
    results = await asyncio.gather(in_flight, waiting, return_exceptions=True)
    assert [type(result) for result in results] == [NoAnswer, LinkDown]


async def test_close_ends_run_quietly_in_every_phase(running, device):
    device.refuse_connects = 1000
    backing_off = running()
    await asyncio.sleep(3.0)
    await backing_off.close()
    device.refuse_connects = 0
    never_used = running(connect_wait_s=5.0)
    await asyncio.sleep(1.0)
    await never_used.close()


async def test_an_unforeseen_error_costs_the_connection_but_not_the_worker(running, device, caplog):
    endpoint = running()
    link = await opened(endpoint)
    device.script = [ZeroDivisionError("a bug")]
    with caplog.at_level(logging.CRITICAL, "samspel.bus"), pytest.raises(NoAnswer):
        await read(link, 1)
    await asyncio.sleep(2.0)
    await read(link, 2)
    assert device.log[-1].connection == 1


async def test_a_listener_that_fails_harms_nobody(running, device, caplog):
    link = await opened(running())
    link.on_link(lambda up: 1 / 0)
    heard = []
    link.on_link(heard.append)
    with caplog.at_level(logging.CRITICAL, "samspel.bus"):
        await read(link, 1)
    assert heard == [True]


async def test_one_unit_has_one_state_and_one_check(running):
    endpoint = running()

    async def check(link):
        pass

    async def other(link):
        pass

    endpoint.link(1, check)
    endpoint.link(1)
    with pytest.raises(ValueError, match="another identity check"):
        endpoint.link(1, other)
    with pytest.raises(ValueError, match="outside 0 to 255"):
        endpoint.link(256)


async def test_a_peer_that_closes_while_we_wait_after_the_connect_never_counts_as_open(running, device):
    endpoint = running(connect_wait_s=1.0)
    link = endpoint.link(1)
    await asyncio.sleep(0.5)
    device.connections[0].lose()
    await asyncio.sleep(0.6)
    with pytest.raises(LinkDown, match="another client"):
        await read(link, 1)
    assert (endpoint.stats.connects, endpoint.stats.failed_connects) == (0, 1)
