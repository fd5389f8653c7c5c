"""Whatever comes, in whatever order, over restarts and steps of the clock: what admission promises."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from samspel.admission.freshness import FreshnessRules
from samspel.admission.gate import Admission, Admitted, Duplicate, Order, Refused, Rules
from samspel.contract.command import Rank, Release, SetPower, Stop

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
RULES = Rules(
    site="home",
    devices=frozenset({"battery"}),
    ranks={"fleet": Rank.DISPATCHER, "installer": Rank.INSTALLER},
    freshness=FreshnessRules(max_skew_s=5.0),
)
KERNELS_BOUND_S = 1.0
"""What an error the kernel's "synchronised" allows."""

ISSUERS = st.sampled_from(["fleet", "installer"])
SECONDS = st.floats(0, 30)
STEPS_S = st.one_of(st.sampled_from([0.0, -20.0, -3600.0, 20.0, 3600.0]), st.floats(-KERNELS_BOUND_S, KERNELS_BOUND_S))


def in_order(**changes):
    fields = {
        "id": "c",
        "issuer": "fleet",
        "epoch": 3,
        "seq": 7,
        "issued_at": EPOCH,
        "ttl_s": 60.0,
        "target": "home/battery",
        **changes,
    }
    return SetPower(power_w=1.0, **fields)


DEFECTS = [
    ("address", {"target": "home/elsewhere"}),
    ("issuer", {"issuer": "stranger"}),
    ("retained", {}),
    ("epoch", {"epoch": 1}),
    ("order", {"seq": 1}),
    ("stale", {"ttl_s": 0.5}),
]


@pytest.mark.parametrize("first", range(len(DEFECTS)))
def test_address_comes_before_authority_before_epoch_before_order_before_staleness(first):
    """A command with several defects is refused for the first in this order, and a good one for none."""
    gate = Admission(RULES, {"battery": Order(newest={"fleet": (2, 5), "stranger": (2, 5)})})
    defects = DEFECTS[first:]
    changes = {name: value for _, some in reversed(defects) for name, value in some.items()}
    verdict = gate.judge(
        in_order(**{"epoch": 2, **changes} if first == 4 else changes),
        device="battery",
        retained="retained" in dict(defects),
        received_at=100.0,
        wall=EPOCH + timedelta(seconds=1),
        synchronised=True,
    )
    assert isinstance(verdict, Refused)
    assert verdict.reason == DEFECTS[first][0]
    assert verdict.superseded == (verdict.reason == "order")


@given(
    delay_s=st.floats(0, 200),
    ttl_s=st.floats(1, 200),
    step_s=STEPS_S,
    nonce_age_s=st.one_of(st.none(), st.floats(0, 60)),
)
@example(delay_s=50.0, ttl_s=60.0, step_s=-20.0, nonce_age_s=0.0)
@example(delay_s=50.0, ttl_s=60.0, step_s=-20.0, nonce_age_s=None)
def test_a_clock_step_never_extends_a_set_point(delay_s, ttl_s, step_s, nonce_age_s):
    """Made at 0, on a right clock; the site's own has stepped before it arrives, and the kernel has noticed or not."""
    gate = Admission(RULES)
    if nonce_age_s is not None:
        gate.nonces.issue("n", 1000.0 - nonce_age_s)
    synchronised = abs(step_s) <= KERNELS_BOUND_S
    verdict = gate.judge(
        in_order(ttl_s=ttl_s, nonce=None if nonce_age_s is None else "n"),
        device="battery",
        retained=False,
        received_at=1000.0 + delay_s,
        wall=EPOCH + timedelta(seconds=delay_s + step_s),
        synchronised=synchronised,
    )
    if isinstance(verdict, Admitted):
        assert synchronised or nonce_age_s is not None
        assert verdict.deadline <= 1000.0 + ttl_s + (KERNELS_BOUND_S if synchronised else 0.0) + 1e-3
    elif synchronised or nonce_age_s is not None:
        assert delay_s + KERNELS_BOUND_S + (nonce_age_s or 0.0) >= ttl_s, "what is fresh enough is not refused"


def test_the_same_place_in_the_order_is_taken_once():
    gate = Admission(RULES)
    usual = {"device": "battery", "retained": False, "received_at": 0.0, "wall": EPOCH, "synchronised": True}
    assert isinstance(gate.judge(in_order(id="first"), **usual), Admitted)
    verdict = gate.judge(in_order(id="second"), **usual)
    assert isinstance(verdict, Refused)
    assert verdict.superseded


class Life(RuleBasedStateMachine):
    """A site with its true time, its own wall clock, which steps, and the kernel's verdict about it, which is honest.

    `written` are commands on their way, each with the true time at which it was made.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gate = Admission(RULES)
        self.now = 1000.0
        self.wall_error_s = 0.0
        self.nonce: str | None = None
        self.nonces = 0
        self.numbers = 0
        self.written: list[tuple[SetPower | Release | Stop, float]] = []
        self.newest: dict[str, tuple[int, int]] = {}
        self.admitted: list[tuple[Admitted, float]] = []
        self.acted: set[str] = set()

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(error_s=STEPS_S)
    def the_wall_clock_steps(self, error_s: float) -> None:
        self.wall_error_s = error_s

    @rule()
    def a_nonce_is_published(self) -> None:
        self.nonces += 1
        self.nonce = f"nonce-{self.nonces}"
        self.gate.nonces.issue(self.nonce, self.now)

    @rule(
        kind=st.sampled_from([SetPower, SetPower, Release, Stop]),
        issuer=ISSUERS,
        epoch=st.sampled_from([1, 1, 1, 0, 2]),
        seq=st.sampled_from([0, 0, 0, 1, 2, 5]),
        ttl_s=st.floats(1, 200),
        echo=st.booleans(),
    )
    def a_command_is_made(self, kind, issuer: str, epoch: int, seq: int, ttl_s: float, *, echo: bool) -> None:
        self.numbers += 1
        fields = {
            "id": f"c-{self.numbers}",
            "issuer": issuer,
            "epoch": epoch,
            "seq": max(0, self.numbers - seq),
            "issued_at": EPOCH + timedelta(seconds=self.now),
            "ttl_s": ttl_s,
            "target": "home/battery",
            "nonce": self.nonce if echo else None,
        }
        power = {"power_w": 1.0} if kind is SetPower else {}
        self.written.append((kind(**fields, **power), self.now))

    @precondition(lambda self: self.written)
    @rule(back=st.sampled_from([0, 0, 1, 2, 5]), retained=st.sampled_from([False, False, False, True]))
    def one_arrives(self, back: int, *, retained: bool) -> None:
        """Any of them, again and again, late, and in any order."""
        command, made_at = self.written[-1 - back % len(self.written)]
        synchronised = abs(self.wall_error_s) <= KERNELS_BOUND_S
        verdict = self.gate.judge(
            command,
            device="battery",
            retained=retained,
            received_at=self.now,
            wall=EPOCH + timedelta(seconds=self.now + self.wall_error_s),
            synchronised=synchronised,
        )
        if isinstance(command, Stop):
            assert not isinstance(verdict, Refused), "an authorised stop is never refused"
        if isinstance(verdict, Admitted):
            self._check(verdict, command, made_at, synchronised=synchronised, retained=retained)
        if isinstance(verdict, Duplicate):
            assert command.id in self.acted, "only what was admitted is a duplicate"

    def _check(self, verdict: Admitted, command, made_at: float, *, synchronised: bool, retained: bool) -> None:
        assert command.id not in self.acted, "nothing is acted on twice"
        self.acted.add(command.id)
        place = (command.epoch, command.seq)
        if not isinstance(command, Stop):
            assert not retained
            assert place > self.newest.get(command.issuer, (-1, -1)), "an issuer's commands only go forward"
        self.newest[command.issuer] = max(place, self.newest.get(command.issuer, (-1, -1)))
        if isinstance(command, SetPower):
            assert synchronised or command.nonce is not None, "a clock that nobody vouches for is no evidence"
            slack_s = KERNELS_BOUND_S if synchronised else 0.0
            assert self.now < verdict.deadline <= made_at + command.ttl_s + slack_s + 1e-3
            self.admitted.append((verdict, verdict.deadline))

    @rule()
    def the_site_restarts(self) -> None:
        """The order comes back from the journal, the nonces do not."""
        kept = {name: Order.from_json(json.loads(json.dumps(o.to_json()))) for name, o in self.gate.orders.items()}
        self.gate = Admission(RULES, kept)

    @invariant()
    def no_deadline_has_moved(self) -> None:
        assert all(verdict.deadline == deadline for verdict, deadline in self.admitted)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
