"""What is written is read back; numbers to the last bit, times to the millisecond; any damage is survived."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from samspel_prequal.errors import LogError
from samspel_prequal.logs import (
    Log,
    LogName,
    TestLabel,
    check_log,
    check_text,
    power_decimals,
    read_log,
    stream_log,
    write_log,
)
from samspel_prequal.logs.parse import Cells, parse_numbers, parse_times
from samspel_prequal.product import FCR_PRODUCTS, Product, TestType

SINE_40 = TestLabel(TestType.SINE, 40.0)
START = datetime(2026, 1, 5, 10, tzinfo=UTC)


def sine_log(count=300, **more):
    time_s = np.arange(count) / 10
    wave = np.sin(2 * np.pi * time_s / 40)
    columns = {"GridFreq": np.full(count, 50.0), "CalcBaseline": np.zeros(count), **more}
    return Log.of(Product.FCR_N, SINE_40, time_s, 50 + 0.1 * wave, -5000 * wave, **columns)


def cells(texts):
    data = np.frombuffer(",".join(texts).encode() + b"\r\n", dtype=np.uint8)
    width = np.array([len(text) for text in texts])
    start = np.concatenate([[0], np.cumsum(width[:-1] + 1)])
    return Cells(data, start, start + width)


def test_the_file_is_what_the_requirements_say(tmp_path):
    path = write_log(sine_log(), tmp_path, compact=True)
    assert path.name == "HOME1_Fcrn_Sine40_SE3_UTC_20260105T1000-20260105T1000_100ms.csv"
    lines = path.read_bytes().split(b"\r\n")
    assert lines[0] == b"DateTime40,InsAcPow40,GridFreq40,ApplFreqSig40,CalcBaseline40"
    assert lines[1] == b"20260105T100000.000,0.000000000,50.00000,50.00000,0.000000000"
    assert lines[2] == b"20260105T100000.100,-0.000078537,50.00000,50.00157,0.000000000"
    assert lines[-1] == b""
    assert len(lines) == 302
    assert b"\n" not in b"".join(lines)


def test_columns_that_do_not_apply_are_blank(tmp_path):
    path = write_log(sine_log(), tmp_path)
    header, first = path.read_text().splitlines()[:2]
    assert header.count(",") == first.count(",") == 20
    assert header.split(",")[5:8] == ["ContMode_Fcrn40", "ContMode_FcrdUp40", "ContMode_FcrdDo40"]
    assert header.endswith("SOC40")
    assert first.endswith("," * 16)


def test_operation_has_its_own_columns(tmp_path):
    log = replace(sine_log(), label=TestLabel(TestType.OPERATION))
    header = write_log(log, tmp_path).read_text().splitlines()[0].split(",")
    assert {"Cap_Fcrn", "ContStatus_Fcrn", "RegStr_Fcrn", "Activated_Fcrn", "Pmin", "Pmax"} <= set(header)
    assert "ContMode_Fcrn" not in header  # recommended, and not measured


def test_the_date_is_appended_on_request(tmp_path):
    path = write_log(sine_log(), tmp_path, append_date=True)
    assert path.name.endswith("_100ms_20260105.csv")
    assert LogName.parse(path).date.isoformat() == "2026-01-05"


def test_times_are_those_of_the_zone_in_the_name(tmp_path):
    path = write_log(replace(sine_log(), zone="CET"), tmp_path)
    assert "_CET_20260105T1100-" in path.name
    assert path.read_text().splitlines()[1].startswith("20260105T110000.000,")
    assert read_log(path).start == START


def test_no_minus_zero_is_written(tmp_path):
    log = sine_log(20, CalcBaseline=np.full(20, -1e-9))
    assert "-0.0000" not in write_log(log, tmp_path).read_text().replace("-0.0000785", "")


@pytest.mark.parametrize(("watts", "decimals"), [(0, 3), (5_000, 9), (100_000, 7), (1e6, 6), (100e6, 4), (5e9, 3)])
def test_small_powers_get_more_decimals(watts, decimals):
    assert power_decimals(watts) == decimals


@pytest.mark.parametrize("asked", [0, 3, 6])
def test_no_fewer_than_three_decimals(tmp_path, asked):
    path = write_log(sine_log(), tmp_path, mw_decimals=asked, frequency_decimals=asked)
    fields = path.read_text().splitlines()[2].split(",")
    assert [len(field.partition(".")[2]) for field in fields[1:4]] == [max(3, asked)] * 3


modes = st.text("ABCabc019", min_size=1, max_size=8)


@st.composite
def logs(draw):
    product = draw(st.sampled_from(FCR_PRODUCTS))
    count = draw(st.integers(2, 60))
    step_ms = draw(st.sampled_from([100, 200, 1000]))
    numbers = st.lists(st.floats(-9e5, 9e5), min_size=count, max_size=count).map(np.array)
    near_50 = st.lists(st.floats(49, 51), min_size=count, max_size=count).map(np.array)
    soc = np.array(draw(st.lists(st.none() | st.floats(0, 100), min_size=count, max_size=count)), dtype=float)
    label = draw(
        st.sampled_from([TestLabel(TestType.RAMP), TestLabel(TestType.SINE, 15.0), TestLabel(TestType.OPERATION)])
    )
    start = START + timedelta(milliseconds=draw(st.integers(0, 10**10)))
    values = {
        "InsAcPow": draw(numbers),
        "ApplFreqSig": draw(near_50),
        "SOC": soc,
        f"AEM_{product.service}": np.arange(count) % 2.0,
    }
    texts = {f"ContMode_{product.service}": np.full(count, draw(modes))}
    zone = draw(st.sampled_from(["UTC", "CET", "EEST"]))
    return Log("A_b-1", product, label, start, np.arange(count) * step_ms / 1000, values, texts, "SE4", zone)


@given(log=logs(), compact=st.booleans())
def test_a_log_survives_its_file(tmp_path_factory, log, compact):
    path = write_log(log, tmp_path_factory.mktemp("log"), compact=compact, mw_decimals=9, frequency_decimals=9)
    back = read_log(path)
    assert (back.resource, back.product, back.label, back.area, back.zone) == (
        "A_b-1",
        log.product,
        log.label,
        "SE4",
        log.zone,
    )
    assert back.start == log.start
    np.testing.assert_allclose(back.time_s, log.time_s, atol=1e-9)
    for header, data in log.values.items():
        if not np.isnan(data).all():
            np.testing.assert_allclose(back.values[header], data, rtol=0, atol=6e-4)
    assert {name: data.tolist() for name, data in back.texts.items()} == {n: d.tolist() for n, d in log.texts.items()}
    assert (
        write_log(back, path.parent, compact=compact, mw_decimals=9, frequency_decimals=9).read_bytes()
        == path.read_bytes()
    )


decimal = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=6).map(str)
oddities = st.sampled_from(
    ["", "-", ".", "1.", ".5", "1e-5", "+3", " 2.5 ", "1.2.3", "nan", "0x1", "1e400", "9" * 25, "-0.0"]
)


@given(
    st.lists(decimal | oddities | st.floats(allow_nan=False, allow_infinity=False).map(repr), min_size=1, max_size=20)
)
@example(["415296713.59590973", "7236830840615796.5", "-0.30000000000000004"])
def test_numbers_are_read_as_python_reads_them(texts):
    numbers = parse_numbers(cells(texts))
    for text, value, blank, wrong in zip(texts, numbers.value, numbers.blank, numbers.wrong, strict=True):
        assert blank == (text == "")
        if not blank and not wrong:
            assert value == float(text)
            assert repr(float(value)) == repr(float(text))
        if wrong:
            assert text in {"-", ".", "1.2.3", "nan", "0x1", "1e400"}


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
moments = st.timedeltas(timedelta(0), timedelta(days=84_000)).map(lambda since: EPOCH + since)


@given(st.lists(moments, min_size=1, max_size=20))
@example([datetime(2024, 2, 29, tzinfo=UTC), datetime(2000, 2, 29, tzinfo=UTC), datetime(2100, 2, 28, tzinfo=UTC)])
def test_times_are_read_as_python_reads_them(moments):
    texts = [f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03d}" for moment in moments]
    times = parse_times(cells(texts))
    assert not times.wrong.any()
    assert times.value_ms.tolist() == [(moment - EPOCH) // timedelta(milliseconds=1) for moment in moments]


@pytest.mark.parametrize(
    "text", ["20230229T000000.000", "21000229T000000.000", "20260432T000000.000", "20260101T240000.000"]
)
def test_times_that_never_were_are_wrong(text):
    assert parse_times(cells([text])).wrong.all()


NAME = "HOME1_Fcrn_Sine40_SE3_UTC_20260105T1000-20260105T1000_100ms.csv"


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return write_log(sine_log(40, SOC=np.full(40, 50.0)), tmp_path_factory.mktemp("good")).read_bytes()


@given(data=st.data())
def test_no_damage_is_worse_than_a_report(good, data):
    """Whatever is cut out, put in or overwritten: problems or a log, and never an exception."""
    at = data.draw(st.integers(0, len(good)))
    length = data.draw(st.integers(0, 80))
    put = data.draw(
        st.binary(max_size=40) | st.sampled_from([b",", b"\r", b"\n", b"\r\n", b";", b"\x00", b'"', b"\xc3\xa4"])
    )
    checked = check_text(good[:at] + put + good[at + length :], NAME)
    assert checked.log is not None or checked.problems


@given(st.binary(max_size=300))
def test_not_even_noise_is(noise):
    assert check_text(noise, NAME).problems


def test_a_large_file_streams_in_pieces_that_add_up(tmp_path):
    log = sine_log(5000, SOC=np.linspace(50, 40, 5000))
    path = write_log(log, tmp_path)
    whole = read_log(path)
    pieces = list(stream_log(path, block_bytes=20_000))
    assert len(pieces) > 5
    for get in (lambda one: one.time_s, lambda one: one.power_w, lambda one: one.soc_pct):
        np.testing.assert_array_equal(np.concatenate([get(piece) for piece in pieces]), get(whole))


def test_a_stream_stops_at_the_first_bad_block(tmp_path):
    path = write_log(sine_log(5000), tmp_path)
    path.write_bytes(path.read_bytes().replace(b"20260105T100700.000,", b"20260105T100700.000,x"))
    stream = stream_log(path, block_bytes=20_000)
    before = next(stream)
    with pytest.raises(LogError, match=r"line 4202, column 2 \(InsAcPow40\): expected a number, found 'x"):
        list(stream)
    assert 0 < len(before.time_s) < 4201


def test_a_clean_file_is_clean(tmp_path):
    log = replace(sine_log(), texts={"ContMode_Fcrn": np.full(300, "FCRN1")})
    assert check_log(write_log(log, tmp_path)).clean
