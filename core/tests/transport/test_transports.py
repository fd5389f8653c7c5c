"""What every transport must do, whichever broker is behind it."""

from __future__ import annotations

import asyncio

import pytest
from samspel.contract.errors import TransportError
from samspel.contract.ports import Outbound

WILL = Outbound(topic="t/status", payload=b"offline", retain=True)


async def test_a_message_arrives_with_its_topic_and_payload(rig):
    peer = await (await rig.peer("a").start("t/+")).up()
    await peer.say(b"hello", "t/1")
    await peer.has_heard(1)
    (message,) = peer.heard
    assert (message.topic, message.payload, message.retained, message.duplicate) == ("t/1", b"hello", False, False)


async def test_messages_keep_their_order(rig):
    peer = await (await rig.peer("a").start("t/+")).up()
    payloads = [b"%d" % number for number in range(100)]
    for payload in payloads:
        await peer.say(payload)
    assert await peer.has_heard(100) == payloads


async def test_what_nobody_subscribed_to_does_not_arrive(rig):
    peer = await (await rig.peer("a").start("t/+")).up()
    await peer.say(b"no", "u/1")
    await peer.say(b"no", "t/1/2")
    await peer.say(b"yes", "t/1")
    assert await peer.has_heard(1) == [b"yes"]


async def test_a_session_keeps_messages_while_its_client_is_away(rig):
    site = await (await rig.peer("site").start("t/+")).up()
    sender = await (await rig.peer("sender").start()).up()
    rig.cut("site")
    await site.down()
    for number in range(5):
        await sender.say(b"%d" % number)
    rig.heal("site")
    await site.up(times=2)
    assert await site.has_heard(5) == [b"0", b"1", b"2", b"3", b"4"]


async def test_a_new_process_finds_the_session_of_the_old_one(rig):
    old = await (await rig.peer("site").start("t/+")).up()
    await old.transport.close()
    sender = await (await rig.peer("sender").start()).up()
    await sender.say(b"while you were away")
    new = await rig.peer("site").start("t/+")
    assert await new.has_heard(1) == [b"while you were away"]


async def test_what_was_not_acknowledged_comes_again_as_a_duplicate(rig):
    site = await (await rig.peer("site", acknowledging=False).start("t/+")).up()
    await site.say(b"decide me")
    await site.has_heard(1)
    rig.cut("site")
    await site.down()
    rig.heal("site")
    await site.has_heard(2)
    assert [(message.payload, message.duplicate) for message in site.heard] == [
        (b"decide me", False),
        (b"decide me", True),
    ]


async def test_what_was_acknowledged_does_not_come_again(rig):
    site = await (await rig.peer("site").start("t/+")).up()
    await site.say(b"done")
    await site.has_heard(1)
    await site.say(b"marker")  # answered after the acknowledgement, which went out first
    await site.has_heard(2)
    await site.say(b"marker")
    rig.cut("site")
    await site.down()
    rig.heal("site")
    await site.up(times=2)
    await site.say(b"last")
    await site.until(lambda: site.payloads[-1] == b"last")
    assert site.payloads.count(b"done") == 1


async def test_an_acknowledgement_of_an_earlier_connection_means_nothing_now(rig):
    """Message ids begin anew with a connection: a late acknowledgement must not take away another message."""
    site = await (await rig.peer("site", acknowledging=False).start("t/+")).up()
    await site.say(b"first")
    await site.has_heard(1)
    rig.cut("site")
    await site.down()
    rig.heal("site")
    await site.up(times=2)
    await site.has_heard(2)
    site.transport.acknowledge(site.heard[0])
    await site.say(b"marker")
    await site.has_heard(3)
    rig.cut("site")
    await site.down(times=2)
    rig.heal("site")
    await site.has_heard(5)
    assert site.payloads[3:] == [b"first", b"marker"]


async def test_a_retained_message_waits_for_those_who_come_later(rig):
    site = await (await rig.peer("site").start()).up()
    await site.say(b"online", "t/status", retain=True)
    reader = await rig.peer("reader").start("t/status")
    await reader.has_heard(1)
    assert (reader.payloads, reader.heard[0].retained) == ([b"online"], True)


async def test_an_empty_retained_message_takes_the_old_one_away(rig):
    site = await (await rig.peer("site").start()).up()
    await site.say(b"online", "t/status", retain=True)
    await site.say(b"", "t/status", retain=True)
    reader = await (await rig.peer("reader").start("t/+")).up()
    await site.say(b"marker", "t/1")
    assert await reader.has_heard(1) == [b"marker"]


async def test_a_broken_connection_publishes_the_last_will(rig):
    reader = await (await rig.peer("reader").start("t/status")).up()
    site = await (await rig.peer("site", will=WILL).start()).up()
    rig.cut("site")
    assert await reader.has_heard(1) == [b"offline"]
    late = await rig.peer("late").start("t/status")
    assert await late.has_heard(1) == [b"offline"]
    await site.down()


async def test_an_orderly_leave_publishes_the_farewell_and_no_will(rig):
    reader = await (await rig.peer("reader").start("t/+")).up()
    site = await (await rig.peer("site", will=WILL).start()).up()
    await site.transport.close(Outbound(topic="t/status", payload=b"good bye", retain=True))
    await reader.has_heard(1)
    await reader.say(b"marker")
    assert await reader.has_heard(2) == [b"good bye", b"marker"]


async def test_publishing_while_down_fails_and_says_that_nothing_was_sent(rig):
    site = await (await rig.peer("site").start("t/+")).up()
    rig.cut("site")
    await site.down()
    with pytest.raises(TransportError) as caught:
        await site.say(b"lost?")
    assert not caught.value.may_have_arrived
    rig.heal("site")
    await site.up(times=2)
    await site.say(b"now")
    assert await site.has_heard(1) == [b"now"]


async def test_publishing_before_the_first_connection_fails(rig):
    rig.stop()
    site = await rig.peer("site").start("t/+")
    with pytest.raises(TransportError):
        await site.say(b"too early")
    rig.start()
    await site.up()
    await site.say(b"now")
    assert await site.has_heard(1) == [b"now"]


async def test_a_broker_that_goes_and_comes_back_loses_nothing_acknowledged(rig):
    site = await (await rig.peer("site").start("t/+")).up()
    sender = await (await rig.peer("sender").start()).up()
    rig.stop()
    await asyncio.gather(site.down(), sender.down())
    rig.start()
    await asyncio.gather(site.up(times=2), sender.up(times=2))
    await sender.say(b"after")
    assert await site.has_heard(1) == [b"after"]


async def test_a_broker_that_dies_in_mid_flight_leaves_no_acknowledged_message_behind(rig):
    site = await (await rig.peer("site").start("t/+")).up()
    sender = await (await rig.peer("sender").start()).up()
    acknowledged: list[bytes] = []

    async def send(payload: bytes) -> None:
        try:
            await sender.say(payload)
        except TransportError:
            return
        acknowledged.append(payload)

    sending = [asyncio.create_task(send(b"%d" % number)) for number in range(200)]
    await site.has_heard(20)
    rig.stop()
    await asyncio.gather(*sending)
    rig.start()
    await site.up(times=2)
    await site.until(lambda: set(acknowledged) <= set(site.payloads))


async def test_a_stop_inside_a_flood_arrives_in_its_place(rig):
    site = await (await rig.peer("site").start("t/+")).up()
    sender = await (await rig.peer("sender").start()).up()
    payloads = [b"stop" if number == 250 else b"%d" % number for number in range(400)]
    await asyncio.gather(*(sender.say(payload) for payload in payloads))
    assert await site.has_heard(400) == payloads


async def test_a_listener_that_raises_does_not_make_the_transport_deaf(rig, caplog):
    heard: list[bytes] = []
    both = asyncio.Event()
    up = asyncio.Event()
    transport = rig.peer("site").transport

    def listen(message):
        transport.acknowledge(message)
        heard.append(message.payload)
        if len(heard) == 2:
            both.set()
        raise ValueError("a defect above")

    await transport.start(["t/+"], listen, lambda _: up.set())
    async with asyncio.timeout(20):
        await up.wait()
        await transport.publish(Outbound(topic="t/1", payload=b"1"))
        await transport.publish(Outbound(topic="t/1", payload=b"2"))
        await both.wait()
    assert heard == [b"1", b"2"]
    assert "a defect above" in caplog.text


async def test_a_command_published_with_the_retain_flag_shows_it(rig):
    sender = await (await rig.peer("sender").start()).up()
    await sender.say(b"yesterday's order", "t/command", retain=True)
    site = await rig.peer("site").start("t/+")
    await site.has_heard(1)
    assert site.heard[0].retained
