"""Admission: who may say what, in which order, and how old it may be."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.admission.freshness import FreshnessRules, Nonces
from samspel.admission.gate import (
    REMEMBERED_IDS,
    REMEMBERED_STOPS,
    Admission,
    Admitted,
    Duplicate,
    Order,
    Refused,
    Rules,
)
from samspel.contract.command import Rank, Release, SetPower, Stop

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
ORDER = Order(newest={"fleet": (3, 7), "installer": (0, 0)}, seen=("a", "b"), stops=("fleet/3/7/s",))


def admission(**freshness: Any) -> Admission:
    rules = Rules(
        site="home",
        devices=frozenset({"battery", "second"}),
        ranks={"fleet": Rank.DISPATCHER, "installer": Rank.INSTALLER},
        freshness=FreshnessRules(**freshness),
    )
    return Admission(rules)


def fields(**changes: Any) -> dict[str, Any]:
    usual = {
        "id": "c1",
        "issuer": "fleet",
        "epoch": 1,
        "seq": 1,
        "issued_at": EPOCH,
        "ttl_s": 60.0,
        "target": "home/battery",
    }
    return usual | changes


def set_power(**changes: Any) -> SetPower:
    return SetPower(power_w=1000.0, **fields(**changes))


def judge(gate: Admission, command: Any, **changes: Any):
    usual: dict[str, Any] = {
        "device": "battery",
        "retained": False,
        "received_at": 100.0,
        "wall": EPOCH,
        "synchronised": True,
    }
    return gate.judge(command, **(usual | changes))


def reason(verdict: Any) -> str:
    assert isinstance(verdict, Refused), verdict
    return verdict.reason


KINDS = [set_power, lambda **c: Release(**fields(**c)), lambda **c: Stop(**fields(**c))]
kinds = pytest.mark.parametrize("make", KINDS, ids=["set_power", "release", "stop"])


def test_a_good_command_gets_rank_and_deadline():
    verdict = judge(admission(), set_power(), wall=EPOCH + timedelta(seconds=20))
    assert verdict == Admitted(set_power(), Rank.DISPATCHER, 100.0, 100.0, 140.0, 20.0)


@kinds
@pytest.mark.parametrize(
    ("changes", "device"),
    [
        ({"target": "home/second"}, "battery"),
        ({"target": "elsewhere/battery"}, "battery"),
        ({"target": "battery"}, "battery"),
        ({"target": "home/third"}, "third"),
    ],
)
def test_address(make, changes, device):
    assert reason(judge(admission(), make(**changes), device=device)) == "address"


@kinds
def test_an_unknown_issuer_may_not_even_stop(make):
    assert reason(judge(admission(), make(issuer="stranger"))) == "issuer"


@kinds
def test_retained_commands_are_refused_but_a_stop_is_followed(make):
    verdict = judge(admission(), make(), retained=True)
    if make().kind == "stop":
        assert isinstance(verdict, Admitted)
    else:
        assert reason(verdict) == "retained"


@pytest.mark.parametrize("make", KINDS[:2], ids=["set_power", "release"])
@pytest.mark.parametrize(("epoch", "seq", "why"), [(2, 9, "epoch"), (3, 5, "order"), (3, 4, "order")])
def test_epoch_and_order(make, epoch, seq, why):
    gate = admission()
    assert isinstance(judge(gate, set_power(id="first", epoch=3, seq=5)), Admitted)
    verdict = judge(gate, make(id="second", epoch=epoch, seq=seq))
    assert reason(verdict) == why
    assert verdict.superseded == (why == "order")
    assert isinstance(judge(gate, make(id="third", epoch=3, seq=6)), Admitted)
    assert isinstance(judge(gate, make(id="fourth", epoch=4, seq=0)), Admitted)


def test_order_is_kept_per_issuer_and_device():
    gate = admission()
    judge(gate, set_power(id="a", epoch=5, seq=5))
    assert isinstance(judge(gate, set_power(id="b", issuer="installer", epoch=0, seq=0)), Admitted)
    assert isinstance(judge(gate, set_power(id="c", target="home/second"), device="second"), Admitted)


def test_what_was_refused_is_not_remembered():
    gate = admission()
    judge(gate, set_power(epoch=9, seq=9, ttl_s=1), wall=EPOCH + timedelta(seconds=5))
    assert isinstance(judge(gate, set_power(seq=0)), Admitted)


def test_a_repetition_is_a_duplicate():
    gate = admission()
    judge(gate, set_power())
    assert judge(gate, set_power(), received_at=101.0) == Duplicate("c1", "battery")


# --- stop -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("age_s", [-1e6, 0, 1e8])
@pytest.mark.parametrize("synchronised", [True, False])
@pytest.mark.parametrize(("epoch", "seq"), [(0, 0), (3, 5), (9, 9)])
def test_a_stop_of_any_age_and_epoch_passes(age_s, synchronised, epoch, seq):
    gate = admission()
    judge(gate, set_power(id="first", epoch=3, seq=5))
    command = Stop(**fields(id="stop", epoch=epoch, seq=seq, ttl_s=1))
    verdict = judge(gate, command, wall=EPOCH + timedelta(seconds=age_s), synchronised=synchronised)
    assert isinstance(verdict, Admitted)
    assert verdict.deadline == float("inf")
    assert gate.orders["battery"].newest["fleet"] == max((3, 5), (epoch, seq)), "it never moves the order back"


def test_a_retained_stop_is_known_again_after_many_commands():
    gate = admission()
    command = Stop(**fields(id="stop", seq=0))
    judge(gate, command, retained=True)
    for number in range(REMEMBERED_IDS + 1):
        judge(gate, set_power(id=f"c{number}", seq=number + 1))
    assert isinstance(judge(gate, command, retained=True), Duplicate)


def test_an_issuer_that_reuses_the_id_can_still_stop():
    gate = admission()
    judge(gate, Stop(**fields(id="stop", seq=1)))
    assert isinstance(judge(gate, Stop(**fields(id="stop", seq=2))), Admitted)
    assert isinstance(judge(gate, Stop(**fields(id="stop", seq=2))), Duplicate)


# --- age ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wall_s", "admitted"), [(59.9, True), (60.0, False), (1e6, False), (0.0, True), (-5.0, True), (-5.1, False)]
)
def test_age_by_the_wall_clock(wall_s, admitted):
    verdict = judge(admission(max_skew_s=5.0), set_power(), wall=EPOCH + timedelta(seconds=wall_s))
    assert isinstance(verdict, Admitted) == admitted
    if not admitted:
        assert reason(verdict) == ("stale" if wall_s > 0 else "future")


@pytest.mark.parametrize(("age_s", "admitted"), [(59.0, True), (60.0, False)])
def test_age_by_the_nonce_needs_no_clock(age_s, admitted):
    gate = admission()
    gate.nonces.issue("n", 100.0 - age_s)
    verdict = judge(gate, set_power(nonce="n"), synchronised=False, wall=EPOCH + timedelta(days=900))
    assert isinstance(verdict, Admitted) == admitted
    if admitted:
        assert verdict.deadline == 101.0


@pytest.mark.parametrize(("follow", "admitted"), [(False, False), (True, True)])
@pytest.mark.parametrize("nonce", [None, "of somebody else"])
def test_without_nonce_and_clock_the_site_decides(follow, admitted, nonce):
    gate = admission(follow_unsynchronised=follow)
    gate.nonces.issue("mine", 99.0)
    verdict = judge(gate, set_power(nonce=nonce), synchronised=False)
    assert isinstance(verdict, Admitted) == admitted
    if not admitted:
        assert reason(verdict) == "clock"


def test_a_release_of_any_age_passes():
    verdict = judge(admission(), Release(**fields(ttl_s=1)), wall=EPOCH + timedelta(days=9), synchronised=False)
    assert isinstance(verdict, Admitted)
    assert verdict.deadline == float("inf")


def test_a_clock_step_after_admission_moves_no_deadline():
    gate = admission()
    first = judge(gate, set_power())
    judge(gate, set_power(id="c2", seq=2), received_at=110.0, wall=EPOCH - timedelta(days=1))
    assert first.deadline == 160.0


@given(
    age_s=st.floats(0, 1e5),
    nonce_older_s=st.floats(0, 1e4),
    ttl_s=st.floats(0.001, 1e5),
    issuer_error_s=st.floats(-1e6, 1e6),
    site_error_s=st.floats(-1e6, 1e6),
)
def test_what_echoes_a_nonce_never_acts_longer_than_it_may(age_s, nonce_older_s, ttl_s, issuer_error_s, site_error_s):
    """Both wall clocks may lie; an unsynchronised site goes by its own monotonic clock alone."""
    gate, now = admission(), 1e6
    gate.nonces.issue("n", now - age_s - nonce_older_s)
    command = set_power(nonce="n", ttl_s=ttl_s, issued_at=EPOCH + timedelta(seconds=issuer_error_s))
    wall = EPOCH + timedelta(seconds=age_s + site_error_s)
    verdict = judge(gate, command, received_at=now, wall=wall, synchronised=False)
    if isinstance(verdict, Admitted):
        assert age_s < ttl_s + 1e-6
        assert verdict.deadline <= now - age_s + ttl_s + 1e-6


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 2]),
            st.sampled_from(["fleet", "installer"]),
            st.integers(0, 3),
            st.integers(0, 9),
            st.integers(0, 5),
            st.floats(-1e4, 1e4),
            st.booleans(),
        ),
        max_size=30,
    )
)
def test_any_sequence_keeps_each_issuers_order(messages):
    gate = admission()
    newest: dict[str, tuple[int, int]] = {}
    for kind, issuer, epoch, seq, name, clock_s, synchronised in messages:
        command = KINDS[kind](id=f"{kind}-{name}", issuer=issuer, epoch=epoch, seq=seq)
        verdict = judge(gate, command, wall=EPOCH + timedelta(seconds=clock_s), synchronised=synchronised)
        if isinstance(verdict, Admitted):
            assert kind == 2 or (epoch, seq) > newest.get(issuer, (-1, -1))
            assert verdict.deadline > 100.0
            newest[issuer] = max((epoch, seq), newest.get(issuer, (-1, -1)))
        if kind == 2:
            assert not isinstance(verdict, Refused), "an authorised stop is never refused"


# --- memory ---------------------------------------------------------------------------------------------------------


def test_nonces_are_forgotten_oldest_first():
    nonces = Nonces(keep=2)
    for number in range(3):
        nonces.issue(str(number), float(number))
    assert [nonces.issued_at(name) for name in ("0", "1", "2", None)] == [None, 1.0, 2.0, None]


def test_the_order_survives_the_journal():
    assert Order.from_json(json.loads(json.dumps(ORDER.to_json()))) == ORDER


@given(
    st.dictionaries(st.text(), st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))),
    st.lists(st.text()),
    st.lists(st.text()),
)
def test_any_order_survives_the_journal(newest, seen, stops):
    order = Order(newest=newest, seen=tuple(seen), stops=tuple(stops))
    assert Order.from_json(json.loads(json.dumps(order.to_json()))) == order


@pytest.mark.parametrize("document", [{}, {"newest": 3, "seen": "x"}, {"newest": {"a": [1]}, "seen": None}])
def test_what_is_no_order_is_an_empty_one(document):
    assert Order.from_json(document) == Order()


def test_the_memory_of_ids_is_bounded():
    gate = admission()
    for number in range(REMEMBERED_IDS + 50):
        judge(gate, set_power(id=f"c{number}", seq=number))
        judge(gate, Stop(**fields(id=f"s{number}", seq=number)))
    order = gate.orders["battery"]
    assert (len(order.seen), len(order.stops)) == (REMEMBERED_IDS, REMEMBERED_STOPS)
