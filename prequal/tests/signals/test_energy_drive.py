"""The energy-management sequence moves on when the flags say so, and not before."""

import pytest
from samspel_prequal.errors import SequenceStalled, SignalError
from samspel_prequal.product import FCR_PRODUCTS, Product
from samspel_prequal.signals import EnergyDrive, EnergyFlags, energy_example, energy_steps

N, UP, DOWN = FCR_PRODUCTS
OFF = EnergyFlags()


def walk(drive, start_s, seconds, flags):
    """Tell the same flags once a second; the second at which the step changed, or None."""
    label = drive.step.label
    for second in range(start_s, start_s + seconds):
        drive.tell(float(second), flags)
        if drive.step.label != label or drive.done:
            return second
    return None


def test_the_rows_are_those_of_tables_12_and_13():
    assert [(step.label, step.frequency_hz) for step in energy_steps(N)] == [
        ("0", 50.0), ("1", 50.09), ("2", 50.11), ("3", 50.09), ("4", 50.11), ("5", 50.09),
        ("6", 49.91), ("7", 49.89), ("8", 49.91), ("9", 49.89), ("10", 49.91), ("11", 50.0),
    ]  # fmt: skip
    assert [step.frequency_hz for step in energy_steps(UP)] == [49.91, 49.5, 49.91, 49.5, 49.91]
    assert [step.frequency_hz for step in energy_steps(DOWN)] == [50.09, 50.5, 50.09, 50.5, 50.09]


def test_the_example_has_the_printed_start_times():
    starts_min = [segment.start_s / 60 for segment in energy_example(N).segments]
    assert starts_min == [2, 30, 36, 38.5, 46, 56, 116, 121, 123.5, 133.5, 143.5]
    assert [segment.start_s / 60 for segment in energy_example(UP).segments] == [0.5, 10.5, 13, 28]
    assert energy_example(DOWN).duration_s == 43 * 60


def test_a_timed_step_lasts_its_time():
    drive = EnergyDrive(N)
    assert walk(drive, 0, 200, OFF) == 120
    assert drive.frequency_hz == 50.09


def test_nem_must_be_fully_on_for_a_whole_minute():
    drive = EnergyDrive(N, shortest=True)
    walk(drive, 0, 200, OFF)
    assert walk(drive, 121, 300, EnergyFlags(1, 0.99)) is None
    assert walk(drive, 421, 30, EnergyFlags(1, 1.0)) is None
    assert walk(drive, 451, 1, EnergyFlags(1, 0.99)) is None  # a break starts the minute again
    assert walk(drive, 452, 100, EnergyFlags(1, 1.0)) == 512
    assert drive.step.label == "2"


def test_the_printed_duration_is_a_minimum_unless_told_otherwise():
    drive = EnergyDrive(N)
    walk(drive, 0, 200, OFF)
    assert walk(drive, 120, 3000, EnergyFlags(1, 1.0)) == 120 + 28 * 60


def test_fcr_d_up_from_start_to_end():
    drive = EnergyDrive(UP, shortest=True)
    assert walk(drive, 0, 60, OFF) == 30
    assert walk(drive, 31, 100, OFF) is None  # full activation, until NEM would start
    assert walk(drive, 131, 9, EnergyFlags(nem_due=True)) == 131
    assert drive.frequency_hz == 49.91
    assert walk(drive, 132, 9, EnergyFlags(-1, -0.1)) == 132
    assert drive.frequency_hz == 49.5
    assert walk(drive, 133, 400, EnergyFlags(aem_on=True)) == 433
    assert walk(drive, 434, 50, OFF) is None  # NEM has to come on first
    assert walk(drive, 484, 50, EnergyFlags(-1, -0.5, aem_on=True)) is None
    assert walk(drive, 534, 50, EnergyFlags(0, -0.2)) is None  # NEM's power is still ramping out
    assert walk(drive, 584, 9, OFF) == 584
    assert drive.done
    assert drive.tell(600.0, OFF) == 49.91


def test_step_6_of_fcr_n_wants_everything_off_and_then_nem_again():
    drive = EnergyDrive(N, shortest=True)
    script = [
        (OFF, 120),
        (EnergyFlags(1, 1.0), 61),
        (OFF, 1),
        (EnergyFlags(1), 1),
        (EnergyFlags(aem_on=True), 301),
        (OFF, 601),
    ]
    second = 0
    for flags, seconds in script:
        walk(drive, second, seconds + 1, flags)
        second += seconds + 1
    assert drive.step.label == "6"
    assert walk(drive, second, 100, EnergyFlags(1, 1.0)) is None  # still the old NEM
    assert walk(drive, second + 100, 1, OFF) is None
    assert walk(drive, second + 101, 100, EnergyFlags(-1, -1.0)) == second + 161


def test_a_flag_that_never_comes_is_said():
    drive = EnergyDrive(UP, stalled_after_s=100)
    walk(drive, 0, 40, OFF)
    with pytest.raises(SequenceStalled, match=r"step 1 at 49\.5 Hz has waited 101 s until NEM would come on"):
        walk(drive, 31, 400, OFF)


def test_other_products_have_none():
    with pytest.raises(SignalError, match="no energy-management test"):
        EnergyDrive(Product.FFR)
