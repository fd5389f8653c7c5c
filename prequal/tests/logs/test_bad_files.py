"""Foreign files: each kind of damage is named with line and column, in words that say what to do.

Every case takes the same good file, damages it in one way, and states the whole message.
"""

import re

import pytest
from samspel_prequal.errors import LogError
from samspel_prequal.logs import Severity, check_text, read_log
from samspel_prequal.product import Product

NAME = "HOME1_FcrdUp_Ramp_SE3_UTC_20260105T1000-20260105T1000_100ms.csv"
HEADER = "DateTime,InsAcPow,GridFreq,ApplFreqSig,CalcBaseline,ContMode_FcrdUp"
ROWS = [
    f"20260105T1000{n // 10:02d}.{n % 10}00,0.{n:06d},50.0{n:03d},49.9{n:03d},0.000000,FCRDUP1" for n in range(1, 31)
]


def text(header=HEADER, rows=ROWS, newline="\r\n"):
    return newline.join([header, *rows, ""]).encode("latin-1")


def column(number, change):
    """The rows with one field changed, in the rows from the fifth on (line 6)."""
    return [_changed(row, number, change) if at >= 4 else row for at, row in enumerate(ROWS)]


def _changed(row, number, change):
    fields = row.split(",")
    fields[number - 1] = change(fields[number - 1])
    return ",".join(fields)


def only(line, number, new):
    """The rows with one field of one line changed."""
    return [_changed(row, number, lambda _: new) if at + 2 == line else row for at, row in enumerate(ROWS)]


def shifted(ms, from_line):
    """The rows from a line on with later times."""
    return [_later(row, ms) if at + 2 >= from_line else row for at, row in enumerate(ROWS)]


def _later(row, ms):
    total = int(row[13:15]) * 1000 + int(row[16:19]) + ms
    return f"{row[:13]}{total // 1000:02d}.{total % 1000:03d}{row[19:]}"


def swapped_fields(row):
    fields = row.split(",")
    return ",".join([fields[0], fields[2], fields[1], fields[1], *fields[4:]])


BAD = {
    "wrong delimiter": (
        text(HEADER.replace(",", ";"), [row.replace(",", ";") for row in ROWS]),
        "error: line 1: expected fields separated by a comma, found ';'; write commas and decimal points [delimiter]",
    ),
    "decimal comma": (
        text(rows=[row.replace(".", ",") for row in ROWS]),
        "error: line 2: expected 6 fields as in the header, found 11: "
        "'20260105T100000,100,0,000001,50,0001,49,9001,0,000000,FCRDUP'; this looks like decimal commas: "
        "write a point (and 29 more) [fields]",
    ),
    "decimal comma in two columns": (
        text("DateTime,InsAcPow,ApplFreqSig", [f"{row[:19]},0,001,49,900" for row in ROWS]),
        "error: line 2: expected 3 fields as in the header, found 5: '20260105T100000.100,0,001,49,900'; "
        "this looks like decimal commas: write a point (and 29 more) [fields]",
    ),
    "byte order mark": (
        b"\xef\xbb\xbf" + text(),
        "defect: line 1, column 1: a byte order mark before the header; save as plain ASCII [bom]",
    ),
    "newline": (
        text(newline="\n"),
        "defect: line 1: expected CRLF at the end of the line, found LF alone; write CRLF (and 30 more) [newline]",
    ),
    "old newline": (text(newline="\r"), "error: line 1: lines end in CR alone; write CRLF [newline]"),
    "one newline": (
        text().replace(b"000005,50.0005,49.9005,0.000000,FCRDUP1\r\n", b"000005,50.0005,49.9005,0.000000,FCRDUP1\n"),
        "defect: line 6: expected CRLF at the end of the line, found LF alone; write CRLF [newline]",
    ),
    "ISO date": (
        text(rows=only(6, 1, "2026-01-05 10:00:00.500")),
        "error: line 6, column 1 (DateTime): expected a time as YYYYMMDDThhmmss.nnn, "
        "found '2026-01-05 10:00:00.500' [date]",
    ),
    "no such date": (
        text(rows=only(6, 1, "20260230T100000.500")),
        "error: line 6, column 1 (DateTime): expected a time as YYYYMMDDThhmmss.nnn, "
        "found '20260230T100000.500' [date]",
    ),
    "no milliseconds": (
        text(rows=column(1, lambda cell: cell[:15])),
        "error: line 6, column 1 (DateTime): expected a time as YYYYMMDDThhmmss.nnn, found '20260105T100000' "
        "(and 25 more) [date]",
    ),
    "time runs back": (
        text(rows=only(6, 1, "20260105T100000.100")),
        "error: line 6, column 1 (DateTime): expected rising times, found '20260105T100000.100' after a later one; "
        "sort the rows, or set the clock right [time-order]",
    ),
    "time twice": (
        text(rows=only(6, 1, "20260105T100000.400")),
        "error: line 6, column 1 (DateTime): expected each time once, found '20260105T100000.400' again; "
        "keep one of the rows [duplicate-time]",
    ),
    "no header": (
        text(ROWS[0], ROWS[1:]),
        "error: line 1, column 1: expected the header DateTime,InsAcPow,…, found data: "
        "'20260105T100000.100,0.000001,50.0001,49.' [no-header]",
    ),
    "unknown header": (
        text(HEADER.replace("CalcBaseline", "Calc_Baseline")),
        "defect: line 1, column 5 (Calc_Baseline): unknown column 'Calc_Baseline', left out; "
        "did you mean CalcBaseline? [unknown-header]",
    ),
    "a header of no table": (
        text(HEADER.replace("CalcBaseline", "Voltage")),
        "defect: line 1, column 5 (Voltage): unknown column 'Voltage', left out; "
        "it is not in the table of columns [unknown-header]",
    ),
    "header twice": (
        text(HEADER.replace("CalcBaseline", "GridFreq")),
        "error: line 1, column 5 (GridFreq): the column stands twice, first as column 3 [duplicate-header]",
    ),
    "no power": (
        text("DateTime,GridFreq,ApplFreqSig", [",".join(row.split(",")[i] for i in (0, 2, 3)) for row in ROWS]),
        "error: line 1: no InsAcPow column: expected active power in MW [missing-column]",
    ),
    "no frequency": (
        text("DateTime,InsAcPow", [",".join(row.split(",")[:2]) for row in ROWS]),
        "error: line 1: neither ApplFreqSig nor GridFreq: expected a frequency in Hz [missing-column]",
    ),
    "first column is not the time": (
        text("Tid" + HEADER[8:]),
        "error: line 1, column 1: expected DateTime as the first column, found 'Tid' [no-time]",
    ),
    "NaN": (
        text(rows=only(6, 2, "NaN")),
        "error: line 6, column 2 (InsAcPow): expected a number, found 'NaN'; "
        "what is not applicable stays blank, and a missing sample stays out [number]",
    ),
    "words": (
        text(rows=only(6, 2, "off")),
        "error: line 6, column 2 (InsAcPow): expected a number, found 'off'; leave it blank or write a number [number]",
    ),
    "thousands": (
        text(rows=only(6, 2, "1 200.000")),
        "error: line 6, column 2 (InsAcPow): expected a number, found '1 200.000'; "
        "write digits with a decimal point [number]",
    ),
    "blank": (
        text(rows=only(6, 4, "")),
        "error: line 6, column 4 (ApplFreqSig): expected a value in every row, found a blank; "
        "leave out rows that were not measured [blank]",
    ),
    "too slow": (
        text(rows=ROWS[::2]),
        "defect: line 2, column 1: expected at least 10 samples a second, found one every 200 ms; "
        "the TSO may allow 1 Hz for a fast, stable response [rate]",
    ),
    "coarse frequency": (
        text(rows=[_changed(row, 4, lambda cell: f"{49.9 - 0.01 * int(cell[-2:]):.4f}") for row in ROWS]),
        "defect: line 2, column 4 (ApplFreqSig): expected steps of at most 5 mHz, "
        "found 10 mHz at the finest [resolution]",
    ),
    "coarse power": (
        text(rows=[_changed(row, 2, lambda cell: f"{0.02 * int(cell[-2:]):.3f}") for row in ROWS]),
        "defect: line 2, column 2 (InsAcPow): expected steps of at most 0.01 MW, "
        "found 0.02 MW at the finest [resolution]",
    ),
    "gap": (
        text(rows=shifted(500, 6)),
        "defect: line 6, column 1 (DateTime): 600 ms between rows that come every 100 ms; "
        "5 samples are missing in all [gap]",
    ),
    "swapped columns": (
        text(rows=[swapped_fields(row) for row in ROWS]),
        "error: line 2, column 4 (ApplFreqSig): expected 45 to 55 Hz, found 1e-06; "
        "power and frequency seem to have changed places (and 29 more) [swapped]",
    ),
    "millihertz": (
        text(rows=only(6, 4, "49905.000")),
        "error: line 6, column 4 (ApplFreqSig): expected 45 to 55 Hz, found 49905; this looks like millihertz: "
        "write hertz [frequency]",
    ),
    "a deviation": (
        text(rows=only(6, 4, "-0.100")),
        "error: line 6, column 4 (ApplFreqSig): expected 45 to 55 Hz, found -0.1; this looks like a deviation: "
        "write the frequency itself [frequency]",
    ),
    "watts": (
        text(rows=column(2, lambda _: "4990.000")),
        "error: line 6, column 2 (InsAcPow): expected power in MW, at most 2000, found 4990; "
        "this looks like watts: divide by 1000000 (and 25 more) [power-unit]",
    ),
    "truncated": (
        text()[:-20],
        "error: line 31: the last line ends in the middle: '03.000,0.000030,50.0030,49.903'; "
        "copy the file again [truncated]",
    ),
    "perhaps truncated": (
        text()[:-2],
        "defect: line 31: the last line has no CRLF, so its last number may be cut; copy the file again [truncated]",
    ),
    "not ASCII": (
        text(rows=only(6, 6, "läge1")),
        "error: line 6, column 6: expected ASCII, found byte 0xe4; save the file as plain ASCII [not-ascii]",
    ),
    "mixed rates": (
        text(rows=ROWS[:14] + ROWS[14::4]),
        "defect: line 17, column 1 (DateTime): expected one sampling rate, found 400 ms among 100 ms; "
        "right only for a log kept on change (0.01 MW, 5 mHz) (and 2 more) [mixed-rates]",
    ),
    "too few decimals": (
        text(rows=only(6, 4, "49.9")),
        "defect: line 6, column 4 (ApplFreqSig): expected at least three decimals, found '49.9' [decimals]",
    ),
    "exponents": (
        text(rows=only(6, 2, "5e-06")),
        "defect: line 6, column 2 (InsAcPow): expected digits and a point, found '5e-06'; "
        "no exponent, plus or space [number-form]",
    ),
    "too few fields": (
        text(rows=[row if at != 4 else row.rpartition(",")[0] for at, row in enumerate(ROWS)]),
        "error: line 6: expected 6 fields as in the header, found 5: "
        "'20260105T100000.500,0.000005,50.0005,49.9005,0.000000'; a blank field keeps its comma [fields]",
    ),
    "quotes": (
        text(rows=[row if at != 4 else row + ',"a,b"' for at, row in enumerate(ROWS)]),
        "error: line 6: expected 6 fields as in the header, found 8: "
        "'20260105T100000.500,0.000005,50.0005,49.9005,0.000000,FCRDUP'; do not quote fields [fields]",
    ),
    "a blank line": (text(rows=[*ROWS, ""]), "defect: line 32: a blank line; leave it out [blank-line]"),
    "empty": (b"", "error: line 1: the file is empty; expected a header line [empty]"),
    "a header alone": (text(rows=[]), "error: line 2: there is no row below the header [no-data]"),
    "one row": (text(rows=ROWS[:1]), "error: line 2: expected two rows or more [no-data]"),
    "a workbook": (
        b"PK\x03\x04" + text(),
        "error: file: this is a workbook or UTF-16 text, not a CSV file; export it as plain ASCII CSV [not-text]",
    ),
    "a sine's headers": (
        text(HEADER.replace("DateTime", "DateTime40")),
        "defect: line 1, column 1: expected DateTime, found 'DateTime40': a sine's period, and nothing else, "
        "ends every header [header-suffix]",
    ),
}  # fmt: skip


def test_the_file_that_the_cases_start_from_is_good():
    assert check_text(text(), NAME).problems == ()


@pytest.mark.parametrize("kind", BAD, ids=[kind.replace(" ", "-") for kind in BAD])
def test_damage_is_named_with_its_place(kind):
    data, message = BAD[kind]
    checked = check_text(data, NAME)
    assert message in [str(problem) for problem in checked.problems]
    assert (checked.log is None) == any(problem.severity is Severity.ERROR for problem in checked.problems)


def test_there_are_twenty_kinds_and_more():
    kinds = {re.search(r"\[([\w-]+)\]$", message)[1] for _, message in BAD.values()}
    assert len(kinds) >= 20, sorted(kinds)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            NAME.replace("FcrdUp", "Fcrn"),
            "error: file: expected a log of fcr-d-up (FcrdUp), found Fcrn in the file name [service]",
        ),
        (
            NAME.replace("FcrdUp", "FCRD"),
            f"error: file: file name '{NAME.replace('FcrdUp', 'FCRD')}': no service found between underscores; "
            "expected Fcrn, FcrdUp or FcrdDo as the second field of [Resource]_[Service]_[TestType]_[Area]_"
            "[Timezone]_[Interval]_[SamplingRate].csv [file-name]",
        ),
        (
            NAME.replace("UTC", "EST"),
            f"error: file: file name '{NAME.replace('UTC', 'EST')}': timezone 'EST' is not one of "
            "UTC, CET, CEST, EET, EEST [file-name]",
        ),
        (
            NAME.replace("UTC", "CET").replace("T1000", "T1200"),
            "defect: file: the file name says 20260105T1200-20260105T1200 CET, the rows begin at "
            "20260105T100000 and last 3 s; whole hours apart: is the timezone right? [interval]",
        ),
        (
            NAME.replace("-20260105T1000", "-20260105T1030"),
            "defect: file: the file name says 20260105T1000-20260105T1030 UTC, the rows begin at "
            "20260105T100000 and last 3 s [interval]",
        ),
        (
            NAME.replace("100ms", "200ms"),
            "defect: file: the file name says 200 ms, the rows come every 100 ms [rate-in-name]",
        ),
    ],
)  # fmt: skip
def test_a_name_that_does_not_fit(name, message):
    checked = check_text(text(), name, product=Product.FCR_D_UP)
    assert message in [str(problem) for problem in checked.problems]


def test_watts_and_kilowatts_are_told_apart_when_the_rating_is_known():
    for factor, unit in ((1e3, "kilowatts: divide by 1000"), (1e6, "watts: divide by 1000000")):
        rows = [_changed(row, 2, lambda _, factor=factor: f"{0.005 * factor:.3f}") for row in ROWS]
        found = [str(item) for item in check_text(text(rows=rows), NAME, rated_w=10_000).problems]
        assert any(f"this looks like {unit}" in item for item in found), found


def test_a_home_battery_in_kilowatt_steps_is_too_coarse_when_the_rating_is_known():
    rows = [_changed(row, 2, lambda cell: f"{0.001 * int(cell[-2:]):.3f}") for row in ROWS]
    assert check_text(text(rows=rows), NAME).clean
    found = [str(item) for item in check_text(text(rows=rows), NAME, rated_w=40_000).problems]
    says = "line 2, column 2 (InsAcPow): expected steps of at most 1e-05 MW, found 0.001 MW at the finest"
    assert f"defect: {says} [resolution]" in found


def test_a_binary_column_holds_0_and_1():
    rows = [f"{row},{'2' if at == 4 else '1'}" for at, row in enumerate(ROWS)]
    found = [str(item) for item in check_text(text(f"{HEADER},AEM_FcrdUp", rows), NAME).problems]
    assert found == ["error: line 6, column 7 (AEM_FcrdUp): expected 0 or 1, found '2' [binary]"]


def test_a_required_column_that_is_absent_is_a_defect():
    rows = [",".join(row.split(",")[:4]) for row in ROWS]
    checked = check_text(text("DateTime,InsAcPow,GridFreq,ApplFreqSig", rows), NAME)
    assert [str(item) for item in checked.problems] == [
        "defect: line 1: columns that this kind of log must have: CalcBaseline, ContMode_FcrdUp [absent-columns]"
    ]
    assert checked.log is not None


def test_a_running_number_of_seconds_is_allowed():
    """TR 5.3."""
    rows = [_changed(row, 1, lambda _, at=at: f"{at / 10:.1f}") for at, row in enumerate(ROWS)]
    checked = check_text(text(rows=rows), NAME)
    assert [item.code for item in checked.problems] == ["running-seconds"]
    assert checked.log.start.isoformat() == "2026-01-05T10:00:00+00:00"
    assert checked.log.time_s[-1] == pytest.approx(2.9)


def test_the_headers_of_another_sine_are_an_error():
    name = NAME.replace("Ramp", "Sine10")
    header = ",".join(f"{field}40" for field in HEADER.split(","))
    codes = {item.code: item.severity for item in check_text(text(header), name).problems}
    assert codes["header-suffix"] is Severity.ERROR
    right = ",".join(f"{field}10" for field in HEADER.split(","))
    assert check_text(text(right), name).clean


def test_reading_raises_with_everything_that_is_wrong(tmp_path):
    path = tmp_path / NAME
    path.write_bytes(text(rows=only(6, 2, "NaN"), newline="\n"))
    with pytest.raises(LogError) as caught:
        read_log(path)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{path}: this log cannot be used:"
    assert lines[1].startswith("  error: line 6, column 2 (InsAcPow)")
    assert lines[2].startswith("  defect: line 1: expected CRLF")


def test_defects_alone_are_forgiven(tmp_path):
    path = tmp_path / NAME
    path.write_bytes(text(newline="\n"))
    assert len(read_log(path).time_s) == 30
