"""Whatever somebody publishes through a real broker: refused or counted, never a crash, never a deaf edge.

One edge for all of it. After each hostile thing a good set-point is still heard, written and verified.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from .patience import until
from .real import RealHome, one_home
from .registers import HELD_ZERO, registers

pytestmark = [pytest.mark.mosquitto, pytest.mark.asyncio(loop_scope="module")]

DEEP = b'{"id": "deep", "schema": "command/1.0", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(mosquitto_factory, tmp_path_factory) -> AsyncIterator[RealHome]:
    broker = mosquitto_factory("max_queued_messages 10000\nmax_packet_size 4000000")
    async with one_home(tmp_path_factory.mktemp("hostile"), broker.port) as home:
        yield home
        assert home.edge.process is not None
        assert home.edge.process.returncode is None, "it crashed"
        assert "Traceback" not in home.edge.log


async def still_hears(home: RealHome) -> None:
    command = await home.dispatcher.send("set_power", power_w=700.0)
    await home.dispatcher.outcome(command, stage="accepted")
    assert home.dispatcher.outcomes(command)[0]["stage"] == "received"


@pytest.mark.parametrize(
    "payload",
    [b"", b"\x00\xff\xfe", b"not json", b"[]", b"null", b'"stop"', b"{", b"{}", b"\xef\xbb\xbf{}", b"9" * 5000, DEEP,
     b'{"a": NaN}', b'{"a": 1, "a": 2}', b'{"id": 5}', b'{"id": ""}', b'{"id": "\\ud800"}', b"x" * 1_000_000],
    ids=lambda payload: repr(payload[:24]) + f" {len(payload)}",
)  # fmt: skip
async def test_bytes_that_are_no_command(home, payload):
    """what names no command is dropped and logged; what names one gets its end"""
    await home.dispatcher.publish(payload)
    await still_hears(home)


async def test_what_names_no_command_is_counted(home):
    """the log has a line with a count for each"""
    before = home.edge.log.count('"event": "dropped"')
    await home.dispatcher.publish(b"neither here nor there")
    await home.dispatcher.publish(b"neither here nor there")
    await until(lambda: home.edge.log.count('"event": "dropped"') >= before + 2)
    counts = [json.loads(line) for line in home.edge.log.splitlines() if '"event": "dropped"' in line]
    assert counts[-1]["count"] == counts[-2]["count"] + 1


def stale(command: dict[str, Any]) -> dict[str, Any]:
    """Old by its own words, and without a nonce: refused for its age, or because nobody knows the time here."""
    issued = datetime.now(UTC) - timedelta(hours=1)
    old = {**command, "issued_at": issued.isoformat(timespec="milliseconds")}
    del old["nonce"]
    return old


WRONG = {
    "other_site": (lambda c: {**c, "target": "home-0002/battery"}, "address"),
    "other_device": (lambda c: {**c, "target": "home-0001/heater"}, "address"),
    "unknown_issuer": (lambda c: {**c, "issuer": "stranger"}, "issuer"),
    "newer_major": (lambda c: {**c, "schema": "command/7.0"}, "schema_too_new"),
    "no_schema": (lambda c: {name: c[name] for name in c if name != "schema"}, "schema_missing"),
    "foreign_schema": (lambda c: {**c, "schema": "outcome/1.0"}, "schema_unknown"),
    "unknown_kind": (lambda c: {**c, "kind": "explode"}, "field_invalid"),
    "text_for_watts": (lambda c: {**c, "power_w": "3000"}, "field_invalid"),
    "true_for_watts": (lambda c: {**c, "power_w": True}, "field_invalid"),
    "too_many_watts": (lambda c: {**c, "power_w": 1e300}, "field_invalid"),
    "no_power": (lambda c: {name: c[name] for name in c if name != "power_w"}, "field_missing"),
    "negative_ttl": (lambda c: {**c, "ttl_s": -1}, "field_invalid"),
    "negative_seq": (lambda c: {**c, "seq": -1}, "field_invalid"),
    "no_time_zone": (lambda c: {**c, "issued_at": "2026-01-31T12:00:00"}, "field_invalid"),
    "no_time": (lambda c: {**c, "issued_at": "yesterday"}, "field_invalid"),
    "arm": (
        lambda c: {
            **{name: c[name] for name in c if name != "power_w"},
            "kind": "arm",
            "product": "fcr",
            "capacity_w": 1.0,
            "start_at": c["issued_at"],
            "end_at": c["issued_at"],
        },
        "unsupported",
    ),
}


@pytest.mark.parametrize("case", WRONG)
async def test_a_command_that_may_not_act(home, case):
    """one end, refused, with a closed word and a sentence"""
    change, reason = WRONG[case]
    command = change(home.dispatcher.command("set_power", power_w=1000.0))
    await home.dispatcher.publish(json.dumps(command).encode())
    ended = await home.dispatcher.outcome(command["id"], end="refused")
    assert (ended["reason"], bool(ended["text"])) == (reason, True), ended
    await still_hears(home)
    assert home.dispatcher.ends(command["id"]) == ["refused"]


async def test_stale(home):
    command = stale(home.dispatcher.command("set_power", power_w=1000.0))
    await home.dispatcher.publish(json.dumps(command).encode())
    ended = await home.dispatcher.outcome(command["id"], end="refused")
    assert ended["reason"] in ("stale", "clock")


async def test_not_a_number(home):
    """JSON has none; what Python calls one is refused before anybody could compare with it"""
    for word in ("NaN", "Infinity", "-Infinity", "1e999"):
        command = home.dispatcher.command("set_power", power_w=12345.0)
        await home.dispatcher.publish(json.dumps(command).replace("12345.0", word).encode())
        if word == "1e999":
            await home.dispatcher.outcome(command["id"], end="refused")
    await still_hears(home)


async def test_a_device_that_is_not_there(home):
    """nobody's topic: a counted drop"""
    before = home.edge.log.count('"event": "dropped"')
    await home.dispatcher.publish(json.dumps(home.dispatcher.command("stop")).encode(), device="heater")
    await until(lambda: home.edge.log.count('"event": "dropped"') > before)


async def test_the_same_command_twice(home):
    """told apart by its id: acted on once, ended once"""
    command = home.dispatcher.command("set_power", power_w=900.0)
    payload = json.dumps(command).encode()
    for _ in range(3):
        await home.dispatcher.publish(payload)
    await home.dispatcher.outcome(command["id"], stage="received", reason="duplicate")
    await home.dispatcher.outcome(command["id"], stage="accepted")
    await home.dispatcher.outcome(await home.dispatcher.send("release"), end="completed")
    assert len(home.dispatcher.ends(command["id"])) == 1
    assert [one.get("stage") for one in home.dispatcher.outcomes(command["id"])].count("accepted") == 1


async def test_an_older_command_after_a_newer_one(home):
    older, newer = (home.dispatcher.command("set_power", power_w=900.0) for _ in range(2))
    for command in (newer, older):
        await home.dispatcher.publish(json.dumps(command).encode())
    ended = await home.dispatcher.outcome(older["id"], end="superseded")
    assert ended["reason"] == "order"


async def test_an_epoch_that_is_over(home):
    new = home.dispatcher.command("set_power", power_w=900.0, issuer="fleet-b", epoch=9)
    old = home.dispatcher.command("set_power", power_w=900.0, issuer="fleet-b", epoch=8)
    for command in (new, old):
        await home.dispatcher.publish(json.dumps(command).encode())
    assert (await home.dispatcher.outcome(old["id"], end="refused"))["reason"] == "epoch"


async def test_a_retained_set_point(home):
    """refused once, however often the broker hands it out"""
    command = home.dispatcher.command("set_power", power_w=800.0)
    await home.dispatcher.publish(json.dumps(command).encode(), retain=True)
    await home.dispatcher.outcome(command["id"], end="refused", reason="retained")
    await home.dispatcher.publish(json.dumps(command).encode(), retain=True)
    await home.dispatcher.outcome(command["id"], stage="received", reason="duplicate")
    assert home.dispatcher.ends(command["id"]) == ["refused"]
    await home.dispatcher.publish(b"", retain=True)
    await still_hears(home)


async def test_a_retained_set_point_of_yesterday(home):
    """retained while nobody listened: refused when the edge is back"""
    assert await home.edge.terminate() == 0
    command = home.dispatcher.command("set_power", power_w=800.0, issuer="installer")
    await home.dispatcher.publish(json.dumps(command).encode(), retain=True)
    await home.edge.start()
    await home.dispatcher.outcome(command["id"], end="refused", reason="retained")
    await home.dispatcher.publish(b"", retain=True)
    await still_hears(home)


@pytest.mark.slow
async def test_two_thousand_set_points_and_a_stop_in_the_middle(home):
    """the stop is never lost; every command has exactly one end, sent or waiting on disk"""
    before = len(home.twin.writes)
    commands = [home.dispatcher.command("set_power", power_w=float(n % 4000), ttl_s=600.0) for n in range(1000)]
    stop = home.dispatcher.command("stop")
    commands += [home.dispatcher.command("set_power", power_w=float(n % 4000), ttl_s=600.0) for n in range(1000)]
    for command in [*commands[:1000], stop, *commands[1000:]]:
        await home.dispatcher.publish(json.dumps(command).encode())
    await until(lambda: registers(home.twin).items() >= HELD_ZERO.items(), "zero is held")
    ids = {command["id"] for command in commands}
    journal = home.edge.documents
    await until(lambda: journal()["battery/order"]["newest"]["fleet-a"][1] >= stop["seq"], "the order is on disk")
    await until(lambda: len(_ends(home, ids)) == len(ids), f"each has its end: {len(_ends(home, ids))}")
    assert {len(ends) for ends in _ends(home, ids).values()} == {1}
    assert len(home.twin.writes) - before < 1000, "not each of them was worth a write"
    assert registers(home.twin).items() >= HELD_ZERO.items()
    assert journal()["battery/control"]["stop"]["command_id"] == stop["id"]
    assert _ends(home, {stop["id"]}) == {}


def _ends(home: RealHome, ids: set[str]) -> dict[str, set[tuple[str, int]]]:
    """The different ends of these commands: those that have arrived, and those that wait in the outbox on disk."""
    ends: dict[str, set[tuple[str, int]]] = {}
    arrived = [one for one in home.dispatcher.messages if one["_leaf"] == "outcome"]
    for one in [*arrived, *home.edge.waiting()]:
        if one.get("command_id") in ids and "end" in one:
            ends.setdefault(one["command_id"], set()).add((one["boot_id"], one["seq"]))
    return ends
