"""The file name grammar, read liberally and written strictly."""

import pytest
from samspel_prequal import rules
from samspel_prequal.errors import LogNameError
from samspel_prequal.logs import LogName, TestLabel
from samspel_prequal.product import Product, TestType

TAIL = "SE1_CET_20160101T0000-20160114T2359_100ms"


@pytest.mark.parametrize(
    "name",
    [
        f"FCPG1_Fcrn_Sine40_{TAIL}.csv",
        f"FCPG1_FcrdUp_Ramp_{TAIL}.csv",
        f"FCPG1_FcrdDo_RampEndurance_{TAIL}_20160115.csv",
        f"a_b_c_Fcrn_Operation_{TAIL}.csv",
        f"FCPG1_Fcrn_1.2-Step_{TAIL}.csv",
        f"FCPG1_FcrdUp_4.2-Sine10_{TAIL}.csv",
        f"FCPG1_FcrdUp_RampCombinationEndurance_{TAIL}.csv",
    ],
)
def test_a_name_of_our_form_comes_back(name):
    assert str(LogName.parse(name)) == name


@pytest.mark.parametrize(
    ("word", "service", "label"),
    [
        ("1.1", "Fcrn", TestLabel(TestType.STEP, number="1.1")),
        ("Steps", "Fcrn", TestLabel(TestType.STEP)),
        ("StepResponse", "Fcrn", TestLabel(TestType.STEP)),
        ("sine_40", "Fcrn", TestLabel(TestType.SINE, 40.0)),
        ("SineT15", "FcrdDo", TestLabel(TestType.SINE, 15.0)),
        ("Sine60s", "FcrdDo", TestLabel(TestType.SINE, 60.0)),
        ("4.140", "Fcrn", TestLabel(TestType.SINE, 40.0, number="4.1")),
        ("FastRamp", "FcrdUp", TestLabel(TestType.RAMP)),
        ("2.4", "FcrdUp", TestLabel(TestType.RAMP, number="2.4")),
        ("EnduranceRamp", "FcrdUp", TestLabel(TestType.RAMP, endurance=True)),
        ("LER", "FcrdUp", TestLabel(TestType.ENERGY)),
        ("Energy_Management", "Fcrn", TestLabel(TestType.ENERGY)),
        ("operation", "Fcrn", TestLabel(TestType.OPERATION)),
        ("FME", "Fcrn", TestLabel(TestType.FREQUENCY_METER)),
    ],
)
def test_other_words_for_the_same_test(word, service, label):
    assert LogName.parse(f"FCPG1_{service}_{word}_{TAIL}.csv").label == label


def test_a_number_carries_the_operating_condition():
    assert TestLabel.parse("2.3", Product.FCR_D_UP).condition == rules.LOW_LOAD_HIGH_DROOP
    assert TestLabel.parse("Ramp", Product.FCR_D_UP).condition is None


@pytest.mark.parametrize(("rate", "ms"), [("100ms", 100), ("50ms", 50), ("1s", 1000), ("0.1s", 100), ("1000ms", 1000)])
def test_rates_in_seconds_or_milliseconds(rate, ms):
    assert LogName.parse(f"A_Fcrn_Step_SE3_UTC_20260105T1000-20260105T1021_{rate}.csv").sampling_ms == ms


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("notes.txt", r"must end in \.csv"),
        ("A_Fcrn_Step.csv", "found 3 fields"),
        (f"A_FCRN_Step_{TAIL}.csv", "no service found"),
        (f"A_Fcrn_Jump_{TAIL}.csv", "'Jump' is no test type"),
        (f"A_Fcrn_Sine_{TAIL}.csv", "has its period"),
        (f"A_Fcrn_Step40_{TAIL}.csv", "only a sine"),
        (f"A_Fcrn_2.1_{TAIL}.csv", "test number 2.1 is a Ramp test of fcr-d-up"),
        (f"A_Fcrn_1.1-Sine40_{TAIL}.csv", "and the name says Sine"),
        ("A_Fcrn_Step_SE9_UTC_20260105T1000-20260105T1021_100ms.csv", "area 'SE9'"),
        ("A_Fcrn_Step_SE3_PST_20260105T1000-20260105T1021_100ms.csv", "timezone 'PST'"),
        ("A_Fcrn_Step_SE3_UTC_20260105-20260106_100ms.csv", "expected YYYYMMDDThhmm-YYYYMMDDThhmm"),
        ("A_Fcrn_Step_SE3_UTC_20260230T1000-20260230T1021_100ms.csv", "does not exist"),
        ("A_Fcrn_Step_SE3_UTC_20260105T1000-20260105T0900_100ms.csv", "before its start"),
        ("A_Fcrn_Step_SE3_UTC_20260105T1000-20260105T1021_10Hz.csv", "sampling rate '10Hz'"),
        ("A_Fcrn_Step_SE3_UTC_20260105T1000-20260105T1021_100ms_20261399.csv", "date '20261399'"),
        ("Hä_Fcrn_Step_SE3_UTC_20260105T1000-20260105T1021_100ms.csv", "only ASCII"),
    ],
)
def test_a_wrong_field_is_named(name, says):
    with pytest.raises(LogNameError, match=says):
        LogName.parse(name)
