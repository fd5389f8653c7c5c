"""What the broker in memory adds: simulated time, and faults on purpose."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.clock import LoopClock
from samspel.contract.errors import TransportError
from samspel.contract.ports import Inbound, Outbound
from samspel.transport.memory import MemoryBroker, MemoryTransport, _matches

pytestmark = pytest.mark.looptime


async def client(broker: MemoryBroker, name: str, *filters: str) -> tuple[MemoryTransport, list[Inbound]]:
    heard: list[Inbound] = []
    transport = MemoryTransport(broker, name)
    await transport.start(filters, heard.append, lambda _: None)
    return transport, heard


async def test_messages_expire_in_simulated_time():
    broker = MemoryBroker(LoopClock())
    _, heard = await client(broker, "site", "t/+")
    sender, _ = await client(broker, "sender")
    broker.cut("site")
    await sender.publish(Outbound(topic="t/1", payload=b"old", expiry_s=60))
    await sender.publish(Outbound(topic="t/1", payload=b"fresh", expiry_s=61))
    await asyncio.sleep(60)
    broker.heal("site")
    await asyncio.sleep(1)
    assert [message.payload for message in heard] == [b"fresh"]


async def test_retained_messages_expire_too():
    broker = MemoryBroker(LoopClock())
    sender, _ = await client(broker, "sender")
    await sender.publish(Outbound(topic="t/1", payload=b"x", retain=True, expiry_s=10))
    assert broker.retained("t/1") == b"x"
    await asyncio.sleep(10)
    assert broker.retained("t/1") is None


async def test_received_at_is_simulated_time():
    broker = MemoryBroker(LoopClock())
    site, heard = await client(broker, "site", "t/+")
    await asyncio.sleep(1000)
    await site.publish(Outbound(topic="t/1", payload=b"x"))
    await asyncio.sleep(1)
    assert heard[0].received_at == 1000.0


async def test_no_more_than_the_window_is_sent_ahead_of_acknowledgements():
    broker = MemoryBroker(LoopClock(), max_in_flight=3)
    site, heard = await client(broker, "site", "t/+")
    for number in range(10):
        await site.publish(Outbound(topic="t/1", payload=b"%d" % number))
    await asyncio.sleep(1)
    assert len(heard) == 3
    for message in list(heard):
        site.acknowledge(message)
    await asyncio.sleep(1)
    assert [message.payload for message in heard] == [b"%d" % number for number in range(6)]


async def test_a_queue_that_overflows_drops_the_newest_and_counts():
    broker = MemoryBroker(LoopClock(), max_queued=2)
    _, heard = await client(broker, "site", "t/+")
    sender, _ = await client(broker, "sender")
    broker.cut("site")
    for payload in (b"1", b"2", b"3"):
        await sender.publish(Outbound(topic="t/1", payload=payload))
    broker.heal("site")
    await asyncio.sleep(1)
    assert [message.payload for message in heard] == [b"1", b"2"]
    assert broker.dropped == 1


async def test_what_is_sent_with_qos_0_is_neither_queued_nor_repeated():
    broker = MemoryBroker(LoopClock())
    _, heard = await client(broker, "site", "t/+")
    sender, _ = await client(broker, "sender")
    await sender.publish(Outbound(topic="t/1", payload=b"seen", qos=0))
    broker.cut("site")
    await sender.publish(Outbound(topic="t/1", payload=b"missed", qos=0))
    broker.heal("site")
    await asyncio.sleep(1)
    assert [message.payload for message in heard] == [b"seen"]


async def test_a_cut_between_sending_and_answer_may_have_arrived():
    broker = MemoryBroker(LoopClock())
    _, heard = await client(broker, "reader", "t/+")
    site, _ = await client(broker, "site")
    sending = asyncio.create_task(site.publish(Outbound(topic="t/1", payload=b"x")))
    asyncio.get_running_loop().call_soon(broker.cut, "site")
    with pytest.raises(TransportError) as caught:
        await sending
    assert caught.value.may_have_arrived
    assert len(heard) == 1


@given(st.lists(st.sampled_from(["a", "b", ""]), min_size=1, max_size=4))
def test_filters_match_as_mqtt_says(levels):
    topic = "/".join(levels)
    assert _matches(topic, topic)
    assert _matches("#", topic)
    assert _matches("/".join("+" for _ in levels), topic)
    assert not _matches("/".join("+" for _ in [*levels, ""]), topic)
    assert not _matches(topic + "/x", topic)
    assert _matches(topic + "/#", topic)
