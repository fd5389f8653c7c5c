"""NEM and AEM against hand-worked examples (TR 3.5.1, 3.5.2)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel_prequal.errors import PlantError
from samspel_prequal.plant import EnergyManagement, PlantSettings, ToyPlant
from samspel_prequal.plant.energy import RollingMean
from samspel_prequal.product import FCR_PRODUCTS, TestType
from samspel_prequal.rules import EnergyThresholds
from samspel_prequal.signals import EnergyDrive, RampSignal, Segment, step
from samspel_prequal.signals.signal import SignalHead

N, UP, DOWN = FCR_PRODUCTS


def flat(product, hz, seconds, segments=()):
    return RampSignal(SignalHead("flat", product, TestType.PROFILE, "test"), hz, segments, seconds)


def live(management, frequency_hz, soc, seconds):
    """The state of the last of so many equal seconds."""
    return [management.second(frequency_hz, soc) for _ in range(seconds)][-1]


def run(settings, signal, rate_hz=1.0):
    parts = list(ToyPlant(settings).play(signal, rate_hz))
    return {name: np.concatenate([part.values[name] for part in parts]) for name in parts[0].values}


# FCR-N with 2 h of capacity: m(5) = 1/24, m(10) = 1/12, m(30) = 1/4, m(57.5) = 23/48.
# FCR-D with half an hour: m(5) = 1/6, m(10) = 1/3, m(20) = 2/3.
@pytest.mark.parametrize(
    ("product", "energy_h", "minutes", "share"), [(N, 2, 5, 1 / 24), (N, 2, 57.5, 23 / 48), (UP, 0.5, 20, 2 / 3)]
)
def test_thresholds_as_shares_of_the_store(product, energy_h, minutes, share):
    assert EnergyManagement(product, energy_h).share(minutes) == pytest.approx(share)


@pytest.mark.parametrize(
    ("product", "energy_h", "socs", "nem"),
    [
        (N, 2, [0.26, 0.2499, 0.26, 0.479, 0.4792, 0.26], [0, -1, -1, -1, 0, 0]),
        (N, 2, [0.74, 0.7501, 0.74, 0.521, 0.5208, 0.74], [0, 1, 1, 1, 0, 0]),
        (UP, 0.5, [0.67, 0.66, 0.67, 0.1, 1.0], [0, -1, 0, -1, 0]),
        (DOWN, 0.5, [0.33, 0.34, 0.33, 0.9, 0.0], [0, 1, 0, 1, 0]),
    ],
)
def test_nem_comes_and_goes_at_its_thresholds(product, energy_h, socs, nem):
    management = EnergyManagement(product, energy_h)
    assert [management.second(50.0, soc).nem_allowed for soc in socs] == nem


@pytest.mark.parametrize(
    ("product", "energy_h", "socs", "low", "high"),
    [
        (N, 2, [0.05, 0.041, 0.05, 0.083, 0.084], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]),
        (N, 2, [0.95, 0.96, 0.95, 0.917, 0.916], [0, 0, 0, 0, 0], [0, 1, 1, 1, 0]),
        (UP, 0.5, [0.17, 0.16, 0.33, 0.34, 1.0], [0, 1, 1, 0, 0], [0, 0, 0, 0, 0]),
        (DOWN, 0.5, [0.83, 0.84, 0.67, 0.66, 0.0], [0, 0, 0, 0, 0], [0, 1, 1, 0, 0]),
    ],
)
def test_aem_comes_and_goes_at_its_thresholds(product, energy_h, socs, low, high):
    management = EnergyManagement(product, energy_h)
    states = [management.second(49.8, soc) for soc in socs]
    assert [int(state.aem_low) for state in states] == low
    assert [int(state.aem_high) for state in states] == high


@pytest.mark.parametrize(("frequency_hz", "allowed"), [(49.9, 0), (49.901, -1), (50.0, -1), (50.099, -1), (50.1, 0)])
def test_nem_is_for_the_normal_band_without_its_bounds(frequency_hz, allowed):
    assert EnergyManagement(UP, 0.5).second(frequency_hz, 0.1).nem_allowed == allowed


def test_nem_ramps_in_and_out_over_five_minutes():
    management = EnergyManagement(UP, 0.5)
    assert live(management, 50.0, 0.5, 1).nem_level == 0  # eq. 15: the seconds before this one
    assert live(management, 50.0, 0.5, 150).nem_level == pytest.approx(-0.5)
    assert live(management, 50.0, 0.5, 150).nem_level == pytest.approx(-1.0)
    assert live(management, 50.0, 0.5, 500).nem_level == -1.0
    assert live(management, 49.8, 0.5, 76).nem_level == pytest.approx(-0.75)
    assert live(management, 49.8, 0.5, 225).nem_level == 0.0


def test_a_standing_deviation_decays_to_nothing_within_five_minutes_of_aem():
    """FCR-D up at 49.5 Hz: the reference falls from 49.9 by 0.4 Hz in 300 s; FCR-D up sees nothing above 49.9."""
    management = EnergyManagement(UP, 0.5)
    assert live(management, 49.5, 0.5, 400).reference_hz == 49.9
    assert live(management, 49.5, 0.1, 1).reference_hz == 49.9
    assert live(management, 49.5, 0.1, 150).reference_hz == pytest.approx(49.7)
    assert live(management, 49.5, 0.1, 150).reference_hz == pytest.approx(49.5)
    assert live(management, 49.0, 0.1, 31).reference_hz == pytest.approx(49.45)  # not cut at 49.5
    assert live(management, 50.0, 0.1, 600).reference_hz == pytest.approx(49.9)


def test_the_reference_of_fcr_n_stays_in_its_band():
    management = EnergyManagement(N, 2)
    assert live(management, 49.5, 0.01, 900).reference_hz == pytest.approx(49.9)
    assert live(management, 50.7, 0.01, 900).reference_hz == pytest.approx(50.1)


def test_thresholds_are_settings():
    management = EnergyManagement(N, 2, EnergyThresholds(5, 10, 60, 60))
    assert management.second(50.0, 0.49).nem_allowed == -1
    assert management.second(50.0, 0.50).nem_allowed == 0


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=900))
def test_the_rolling_mean_is_the_mean_of_the_last_300(values):
    rolling = RollingMean(0.25)
    for value in values:
        rolling.add(value)
    window = ([0.25] * 300 + values)[-300:]
    assert rolling.mean == pytest.approx(np.mean(window), abs=1e-9)


def test_nem_charges_with_a_third_of_the_capacity():
    """FCR-N at 50.0 Hz, a fifth full: 0.34 C after five minutes, and so much is stored."""
    found = run(PlantSettings(N, 5000.0, soc=0.2), flat(N, 50.0, 1200))
    assert found["InsAcPow"][0] == 0
    assert found["InsAcPow"][150] == pytest.approx(-0.34 * 5000 / 2)
    assert found["InsAcPow"][-1] == found["NEM_MW_Fcrn"][-1] == found["CalcBaseline"][-1] == pytest.approx(-1700)
    stored = (300 * 0.34 / 2 + 900 * 0.34) / 3600 / 2  # of two hours of capacity
    assert found["SOC"][-1] / 100 - 0.2 == pytest.approx(stored, rel=2e-3)
    assert found["NEM_Fcrn"].all()
    assert not found["AEM_Fcrn"].any()


def test_full_delivery_empties_the_store_in_its_time_and_aem_lets_go_gently():
    """FCR-D up, half an hour: AEM after 25 min of full activation; then 0 within 5 min, with energy left."""
    signal = flat(UP, 49.9, 3000, (Segment(0.0, 49.5),))
    found = run(PlantSettings(UP, 1000.0), signal)
    on = int(np.argmax(found["AEM_FcrdUp"] == 1))
    assert on == pytest.approx(25 * 60, abs=2)
    np.testing.assert_allclose(found["InsAcPow"][:on], 1000.0)
    assert found["InsAcPow"][on + 151] == pytest.approx(500, abs=5)
    np.testing.assert_allclose(found["InsAcPow"][on + 302 :], 0.0, atol=1e-6)
    assert found["SOC"][-1] == pytest.approx(100 * 2.5 / 30, abs=0.2)


def test_endurance_is_what_equations_27_and_28_say():
    found = run(PlantSettings(N, 5000.0, soc=0.3), flat(N, 50.0, 10))
    assert found["ResSize_Fcrn"][0] == pytest.approx(0.3 * 120)
    found = run(PlantSettings(UP, 5000.0, soc=0.9), flat(UP, 50.0, 10))
    assert found["ResSize_FcrdUp"][0] == pytest.approx(0.9 * 30)
    found = run(PlantSettings(DOWN, 5000.0, soc=0.9), flat(DOWN, 50.3, 10))
    assert found["ResSize_FcrdDo"][0] == 0  # in AEM


def test_nem_power_counts_in_the_endurance():
    found = run(PlantSettings(UP, 1000.0, soc=0.5), flat(UP, 50.0, 600))
    at = 400
    assert found["ResSize_FcrdUp"][at] == pytest.approx(found["SOC"][at] / 100 * 30 / (1 - 0.2))


def test_the_other_direction_is_not_touched_beyond_nems_power():
    """TR eq. 25: back in the band after AEM, the moved reference asks for charging; at most 0.20 C of it is given."""
    signal = flat(UP, 49.9, 4000, (Segment(0.0, 49.5), Segment(2000.0, 49.95)))
    found = run(PlantSettings(UP, 1000.0), signal)
    assert found["InsAcPow"].min() == pytest.approx(-200)


@pytest.mark.parametrize("product", FCR_PRODUCTS)
def test_the_energy_test_runs_to_its_end_and_uses_everything(product):
    soc = {N: 0.73, UP: 0.73, DOWN: 0.27}[product]
    plant = ToyPlant(PlantSettings(product, 1000.0, lag_s=0.5, soc=soc))
    drive = EnergyDrive(product, shortest=True)
    parts = list(plant.drive(drive, 1.0))
    assert drive.done
    found = {name: np.concatenate([part.values[name] for part in parts]) for name in parts[0].values}
    service = product.service
    assert found[f"NEM_{service}"].any()
    assert found[f"AEM_{service}"].any()
    assert (found[f"NEM_{service}"][-1], found[f"AEM_{service}"][-1]) == (0, 0)
    assert np.concatenate([part.time_s for part in parts]).tolist() == list(range(len(found["SOC"])))
    assert set(np.round(found["ApplFreqSig"], 6)) == set(np.round([step.frequency_hz for step in drive._steps], 6))


def test_without_a_limit_there_are_no_flags():
    plant = ToyPlant(PlantSettings(N, store_h=float("inf")))
    with pytest.raises(PlantError, match="needs a limited reservoir"):
        list(plant.drive(EnergyDrive(N), 1.0))
    assert "SOC" not in next(plant.play(step(), 1.0)).values


def test_energy_management_needs_whole_samples_a_second():
    with pytest.raises(PlantError, match=r"a whole number of hertz, not 2\.5"):
        list(ToyPlant(PlantSettings(N)).play(step(), 2.5))


def test_pieces_of_a_limited_run_make_the_run_of_an_unlimited_one_while_nothing_is_managed():
    limited = run(PlantSettings(N, 5000.0, lag_s=2.0, delay_s=0.3), step(), 10.0)
    endless = run(PlantSettings(N, 5000.0, lag_s=2.0, delay_s=0.3, store_h=float("inf")), step(), 10.0)
    assert not limited["NEM_Fcrn"].any()
    np.testing.assert_allclose(limited["InsAcPow"], endless["InsAcPow"], atol=1e-6)


def test_a_baseline_is_added_and_uses_no_reserve_energy():
    signal = flat(N, 49.95, 600)
    plain = run(PlantSettings(N, 1000.0), signal)
    moved = run(PlantSettings(N, 1000.0, baseline_w=-3000.0), signal)
    np.testing.assert_allclose(moved["InsAcPow"] - plain["InsAcPow"], -3000)
    np.testing.assert_allclose(moved["CalcBaseline"], -3000)
    np.testing.assert_allclose(moved["SOC"], plain["SOC"])
    assert plain["SOC"][-1] < 50
