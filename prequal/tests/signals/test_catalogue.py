"""Everything in the catalogue can be made, is honest about its source, and stays on its feet."""

import numpy as np
import pytest
from samspel_prequal.errors import SignalError
from samspel_prequal.product import Confidence, Product
from samspel_prequal.signals import AfrrProfile, afrr, entries, ffr, find, mfrr, sample
from samspel_prequal.signals.profile import changed_profile

ALL = entries()


@pytest.mark.parametrize("entry", ALL, ids=[f"{entry.product}-{entry.name}" for entry in ALL])
def test_each_entry_makes_signals_of_its_product(entry):
    made = entry.make()
    assert made
    for signal in made:
        _, values = sample(signal, 2)
        assert np.isfinite(values).all()
        assert signal.head.product is entry.product
        assert signal.head.source
        assert (signal.head.confidence is Confidence.HIGH) == entry.product.is_fcr


def test_names_are_unique_within_a_product():
    names = [(entry.product, entry.name) for entry in ALL]
    assert len(set(names)) == len(names)


def test_an_unknown_name_is_answered_with_the_list():
    with pytest.raises(SignalError, match="it has step, step-endurance, sine"):
        find(Product.FCR_N, "ramp")


@pytest.mark.parametrize(
    ("alternative", "trigger_hz", "full_s"), [("A", 49.7, 1.3), ("B", 49.6, 1.0), ("C", 49.5, 0.7)]
)
def test_ffr_stays_below_its_trigger_for_activation_and_support(alternative, trigger_hz, full_s):
    time_s, values = sample(ffr(alternative, support="long"), 100)
    below = time_s[values < trigger_hz]
    assert below[-1] - below[0] >= full_s + 30
    assert time_s[-1] - below[-1] >= 899


def test_an_ffr_ramp_falls_0_3_hz_a_second():
    time_s, values = sample(ffr("A", shape="ramp"), 100)
    assert np.abs(np.diff(values[time_s < 62])).max() * 100 == pytest.approx(0.3)


def test_ffr_refuses_what_it_does_not_know():
    with pytest.raises(SignalError, match="found 'D'"):
        ffr("D")


def test_afrr_and_mfrr_by_default():
    assert [hold.value for hold in afrr().holds()] == [0, 1, 0, -1, 0]
    activation = mfrr()
    assert activation.holds()[1].start_s - 300 == 12.5 * 60  # full activation after the order


def test_profiles_are_configurable():
    signal = changed_profile(Product.AFRR, "steps", ["levels=0:0.5:-0.5", "hold_s=60"])
    assert signal == afrr(AfrrProfile((0.0, 0.5, -0.5), 60))
    assert changed_profile(Product.MFRR, "activation", ["level=-1"]).holds()[1].value == -1


@pytest.mark.parametrize(
    ("product", "name", "change", "says"),
    [
        (Product.AFRR, "steps", "hold=60", "expected KEY=VALUE with a key of levels, hold_s"),
        (Product.AFRR, "steps", "hold_s=long", "'long' is not a number"),
        (Product.AFRR, "steps", "levels=0:2", "from -1 to 1"),
        (Product.MFRR, "activation", "level=0", "without 0"),
        (Product.FCR_N, "step", "hold_s=60", "its figures are fixed"),
    ],
)
def test_a_wrong_setting_is_explained(product, name, change, says):
    with pytest.raises(SignalError, match=says):
        changed_profile(product, name, [change])
