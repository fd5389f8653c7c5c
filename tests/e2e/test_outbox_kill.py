"""A site that is killed at random points tells everything, and nothing twice without saying so."""

from __future__ import annotations

import json

import pytest

from ..soak.outbox import UNBOUNDED, judge, kill_and_listen  # noqa: TID252 - `make soak` runs the same

TOPIC = "samspel/v1/home-0001/battery/outcome"


def said(seq: int, *, duplicate: bool = False, at: str = "12:00") -> bytes:
    return json.dumps({"boot_id": "b", "seq": seq, "at": at, "duplicate": duplicate}).encode()


def troubles(kept: list[bytes], heard: list[bytes]) -> list[str]:
    result = judge([TOPIC.encode() + b"\t" + one for one in kept], [(TOPIC, one) for one in heard], 0)
    return [trouble.split(":")[0] for trouble in result.troubles]


async def test_ten_kills_lose_nothing_and_repeat_nothing_unmarked(mosquitto_factory, tmp_path):
    broker = mosquitto_factory(UNBOUNDED)
    result = await kill_and_listen(broker.port, tmp_path, runs=10, seed=20261122)
    broker.kill()
    assert not result.troubles, f"{result}\n" + "\n".join(result.troubles[:10])
    assert result.kept > 100, f"otherwise it proves little: {result}"


@pytest.mark.parametrize(
    ("kept", "heard", "expected"),
    [
        ([said(1), said(2)], [said(1), said(2)], []),
        ([said(1)], [said(1, duplicate=True)], []),
        ([said(1)], [said(1), said(1, duplicate=True)], []),
        ([], [said(1)], []),
        ([said(1), said(2)], [said(1)], ["lost"]),
        ([said(1)], [said(1), said(1)], ["came again without a mark"]),
        ([said(1)], [said(1, at="12:01")], ["lost"]),
        ([said(1), said(2)], [said(2), said(1)], ["out of order"]),
        ([said(1), said(2)], [said(1), said(2), said(1, duplicate=True)], []),
    ],
)
def test_the_judge_sees_what_it_is_there_for(kept, heard, expected):
    assert troubles(kept, heard) == expected
