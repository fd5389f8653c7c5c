"""A third party's filter cannot raise a target, whatever it answers and wherever it stands."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from samspel.shaping.chain import Chain
from samspel.shaping.filter import Shaped
from samspel.shaping.gate import Gate
from samspel.shaping.guarded import TowardZero
from samspel.shaping.limits import BatteryLimits, ContractLimits

from .kit import context

LIMITS = (ContractLimits(charge_w=4000, discharge_w=5000), BatteryLimits(soc_min_pct=10, soc_max_pct=90))


@dataclass
class Answers:
    """Says whatever it is told to say."""

    answers: list[float]
    hard: bool = False
    name: str = "wild"

    def initial(self):
        return 0

    def apply(self, state, target_w, context):
        return Shaped(state + 1, self.answers[state % len(self.answers)])


numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(numbers, min_size=1, max_size=6), st.lists(st.floats(-9000, 9000), max_size=12), st.booleans())
def test_it_only_ever_moves_a_target_toward_zero(answers, wanted, hard):
    wild = TowardZero(Answers(answers, hard=hard))
    contract, battery = LIMITS
    chain = Chain([contract, Gate(), battery, wild] if hard else [contract, wild, Gate(), battery])
    plain = Chain(LIMITS)
    for wanted_w in wanted:
        at_hand = context(soc_pct=50, discharge_limit_w=3000)
        got_w, without_w = chain.shape(wanted_w, at_hand).target_w, plain.shape(wanted_w, at_hand).target_w
        assert abs(got_w) <= abs(without_w)
        assert got_w * without_w >= 0


def test_what_it_may_not_is_said():
    shaped = TowardZero(Answers([float("nan")])).apply(0, 3000, context())
    assert (shaped.target_w, shaped.notes[0].reason) == (0.0, "filter_bounded")
    assert TowardZero(Answers([2000])).apply(0, 3000, context()).notes == ()


def test_what_it_asks_for_less_is_gated_like_anything_soft():
    """Only a hard limit may hurry a write."""
    soft = Chain([TowardZero(Answers([1000]))]).shape(3000, context(written_w=1040))
    hard = Chain([TowardZero(Answers([1000], hard=True))]).shape(3000, context(written_w=1040))
    assert (soft.limited, hard.limited) == (False, True)
