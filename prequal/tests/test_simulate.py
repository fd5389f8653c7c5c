"""The whole programme: each test once, in files that nothing can be said against."""

import itertools
from datetime import UTC, datetime

import numpy as np
import pytest
from samspel_prequal.logs import Severity, check_log, write_log
from samspel_prequal.plant import PlantSettings
from samspel_prequal.player import Site
from samspel_prequal.product import FCR_PRODUCTS, TestType
from samspel_prequal.simulate import Programme, programme, simulate

N, UP, DOWN = FCR_PRODUCTS
SINES = [f"Sine{period_s}" for period_s in (10, 15, 25, 40, 50, 60, 70)]
FAST = {"lag_s": 0.5, "delay_s": 0.1}


@pytest.mark.parametrize(
    ("wanted", "labels"),
    [
        (Programme(N), ["Step", *SINES, "Sine90", "Sine150", "Sine300", "EnergyManagement", "Operation"]),
        (Programme(UP), ["Ramp", *SINES, "EnergyManagement", "Operation"]),
        (Programme(N, limited=False, non_continuous=True), None),
    ],
)  # fmt: skip
def test_what_a_programme_holds(wanted, labels):
    found = [str(test.label) for test in programme(wanted)]
    if labels is None:
        assert found[0] == "StepEndurance"
        assert found[-2:] == ["Linearity", "Operation"]
        assert "EnergyManagement" not in found
    else:
        assert found == labels


def test_combination_and_mode_shifting_change_the_programme():
    labels = [str(test.label) for test in programme(Programme(DOWN, combination=True, mode_shifting=True))]
    assert labels[0] == "RampCombination"
    assert "Sine300" in labels


@pytest.fixture(scope="module", params=[UP, DOWN], ids=str)
def logs(request):
    return list(simulate(Programme(request.param), PlantSettings(request.param, 5000.0, **FAST)))


def test_every_file_is_as_it_should_be(logs, tmp_path):
    compact = logs[0].product is DOWN
    for log in logs:
        if log.label.test_type is TestType.ENERGY:
            log = log.between(0, 2000)  # noqa: PLW2901 - the whole of it says no more and takes its time
        checked = check_log(write_log(log, tmp_path, compact=compact), product=log.product, rated_w=10_000)
        assert [str(item) for item in checked.problems] == []


def test_tests_follow_each_other_in_time(logs):
    for before, after in itertools.pairwise(logs):
        assert (after.start - before.start).total_seconds() > before.time_s[-1]
        assert after.start.second == 0


def test_the_hour_of_operation_is_a_whole_hour_of_real_frequency(logs):
    hour = logs[-1]
    assert hour.label.test_type is TestType.OPERATION
    assert hour.applied_frequency_hz is None
    assert len(hour.time_s) == 36_000
    assert np.abs(hour.frequency_hz - 50).max() > 0.25
    assert np.abs(hour.power_w).max() > 1000
    np.testing.assert_allclose(hour.of_product("RegStr"), 5000 / 0.4)
    np.testing.assert_allclose(hour.of_product("Activated"), hour.power_w - hour.baseline_w)


def test_the_ramps_deliver_their_capacity(logs):
    ramp = logs[0]
    sign = ramp.product.sign
    assert ramp.between(380, 390).power_w == pytest.approx(sign * 5000, rel=1e-6)
    assert ramp.between(680, 690).power_w == pytest.approx(0, abs=1e-6)
    at_7_5 = ramp.between(697.5, 697.6).power_w[0]
    assert sign * at_7_5 / 5000 > 0.86


def test_the_energy_test_shows_nem_and_aem(logs):
    log = next(log for log in logs if log.label.test_type is TestType.ENERGY)
    assert log.of_product("NEM").any()
    assert log.of_product("AEM").any()
    assert log.of_product("ResSize")[log.of_product("AEM") == 1].max() == 0


def test_site_start_and_seed_are_taken():
    site = Site("PLANT7", "SE4", "CET", {"ContMode_FcrdUp": "MODE3"})
    start = datetime(2026, 3, 1, tzinfo=UTC)

    def first(seed):
        settings = PlantSettings(UP, noise=0.001, store_h=float("inf"))
        return next(simulate(Programme(UP, limited=False, seed=seed), settings, site=site, start=start))

    log = first(1)
    assert str(log.name) == "PLANT7_FcrdUp_RampEndurance_SE4_CET_20260301T0100-20260301T0127_100ms.csv"
    assert set(log.texts["ContMode_FcrdUp"].tolist()) == {"MODE3"}
    assert log.power_w.tolist() == first(1).power_w.tolist()
    assert log.power_w.tolist() != first(2).power_w.tolist()


def test_errors_and_notes_are_told_apart(logs, tmp_path):
    path = write_log(logs[0], tmp_path)
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n"))
    assert {item.severity for item in check_log(path).problems} == {Severity.DEFECT}
