"""Nothing but a message or a MalformedMessage comes out of whatever bytes come in."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from samspel.contract.capability import Capabilities
from samspel.contract.command import Accept, Arm, Baseline, OnExpiry, Release, SetPower, Stop
from samspel.contract.driver import Identity
from samspel.contract.errors import MalformedMessage
from samspel.contract.fault import Effect, Fault, FaultCode, FaultDetail, FaultState, Severity
from samspel.contract.outcome import End, Evidence, Outcome, Stage, Verification
from samspel.contract.site import Birth, Condition, DeviceBirth, DeviceHeadroom, Headroom, Status
from samspel.contract.telemetry import Quality, Reading, Telemetry
from samspel.transport.schemas import schema_texts
from samspel.transport.wire import MAX_PAYLOAD_BYTES, dump, mark_duplicate, parse_command, parse_published

SET_POWER = {
    "schema": "command/1.0",
    "id": "c-1",
    "issuer": "dispatcher",
    "epoch": 3,
    "seq": 7,
    "issued_at": "2026-11-22T10:00:00.250Z",
    "ttl_s": 60,
    "target": "home/battery",
    "kind": "set_power",
    "power_w": -1500,
}


def encoded(**changes) -> bytes:
    return json.dumps({name: value for name, value in {**SET_POWER, **changes}.items() if value is not ...}).encode()


def refusal(payload: bytes) -> MalformedMessage:
    with pytest.raises(MalformedMessage) as caught:
        parse_command(payload)
    return caught.value


def test_a_set_point_is_read_as_it_was_written():
    assert parse_command(encoded()) == SetPower(
        id="c-1",
        issuer="dispatcher",
        epoch=3,
        seq=7,
        issued_at=datetime(2026, 11, 22, 10, 0, 0, 250_000, UTC),
        ttl_s=60.0,
        target="home/battery",
        power_w=-1500.0,
    )


@pytest.mark.parametrize(("kind", "made"), [("stop", Stop), ("release", Release)])
def test_the_other_kinds_need_no_power(kind, made):
    assert type(parse_command(encoded(kind=kind, power_w=...))) is made


@pytest.mark.parametrize("issued_at", ["2026-11-22T10:00:00Z", "2026-11-22T12:00:00+02:00", "2026-11-22 10:00:00z"])
def test_an_instant_becomes_utc(issued_at):
    assert parse_command(encoded(issued_at=issued_at)).issued_at.isoformat() == "2026-11-22T10:00:00+00:00"


def test_unknown_fields_and_a_newer_minor_version_are_accepted():
    assert parse_command(encoded(schema="command/1.9", colour={"deep": [1]})).seq == 7


@pytest.mark.parametrize(
    ("changes", "reason", "says"),
    [
        ({"schema": ...}, "schema_missing", "command/1.0"),
        ({"schema": "order/0.1"}, "schema_unknown", "order/0.1"),
        ({"schema": "outcome/1.0"}, "schema_unknown", "command/1.0"),
        ({"schema": 1}, "schema_unknown", "command/1.0"),
        ({"schema": "command/2.0"}, "schema_too_new", "newer major version"),
        ({"seq": ...}, "field_missing", "seq"),
        ({"kind": ...}, "field_missing", "kind"),
        ({"kind": "explode"}, "field_invalid", "set_power"),
        ({"power_w": "1500"}, "field_invalid", "power_w"),
        ({"power_w": True}, "field_invalid", "power_w"),
        ({"power_w": None}, "field_invalid", "power_w"),
        ({"power_w": 1e7}, "field_invalid", "power_w"),
        ({"epoch": 1.5}, "field_invalid", "epoch"),
        ({"epoch": -1}, "field_invalid", "epoch"),
        ({"epoch": 2**63}, "field_invalid", "epoch"),
        ({"ttl_s": 0}, "field_invalid", "ttl_s"),
        ({"issuer": ""}, "field_invalid", "issuer"),
        ({"issuer": "x" * 129}, "field_invalid", "issuer"),
        ({"on_expiry": "explode"}, "field_invalid", "hold_then_release"),
        ({"issued_at": "2026-11-22T10:00:00"}, "field_invalid", "UTC"),
        ({"issued_at": "1795341488"}, "field_invalid", "UTC"),
        ({"issued_at": 1795341488}, "field_invalid", "issued_at"),
        ({"issued_at": "2026-11-22"}, "field_invalid", "issued_at"),
        ({"issued_at": "0001-01-01T00:00:00+14:00"}, "field_invalid", "year"),
        ({"issued_at": "9999-12-31T23:59:59-14:00"}, "field_invalid", "year"),
    ],
)
def test_a_wrong_field_is_refused_with_its_name_and_the_commands_id(changes, reason, says):
    error = refusal(encoded(**changes))
    assert (error.reason, error.command_id) == (reason, "c-1")
    assert says in str(error)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not_json"),
        (b"hello", "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b'{"power_w": NaN}', "not_json"),
        (b'{"power_w": -Infinity}', "not_json"),
        (b'{"epoch": ' + b"9" * 5000 + b"}", "not_json"),
        (b"{} {}", "not_json"),
        (b'{"id": "\xff"}', "not_utf8"),
        (encoded().decode().encode("utf-16"), "not_utf8"),
        (b"[" * 10_000, "too_deep"),
        (b'{"a":' * 17 + b"1" + b"}" * 17, "too_deep"),
        (b'{"a":1,"a":2}', "repeated_key"),
        (b'{"a":{"b":1,"b":2}}', "repeated_key"),
        (b"[]", "not_object"),
        (b"null", "not_object"),
        (b"{}", "schema_missing"),
        (b" " * (MAX_PAYLOAD_BYTES + 1), "too_large"),
    ],
)
def test_hostile_bytes_are_refused_with_a_reason(payload, reason):
    assert refusal(payload).reason == reason


def test_a_number_beyond_floats_is_refused():
    assert refusal(encoded().replace(b"-1500", b"1e999")).reason == "field_invalid"
    arm = encoded(kind="arm", product="fcr", capacity_w=1000, start_at="2026-11-22T10:00:00Z", power_w=...)
    arm = arm[:-1] + b', "end_at": "2026-11-22T11:00:00Z", "parameters": {"droop": 1e999}}'
    assert refusal(arm).reason == "field_invalid"


@pytest.mark.parametrize("unreadable", [5, None, "", "x" * 129, "\ud800"])
def test_what_cannot_be_read_is_not_salvaged(unreadable):
    error = refusal(encoded(id=unreadable))
    assert (error.command_id, error.issuer) == (None, "dispatcher")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.binary())
@example(b'{"schema":"command/1.0","kind":"stop"}')
def test_arbitrary_bytes_never_raise_anything_else(payload):
    only_malformed(payload)


@given(st.dictionaries(st.sampled_from([*SET_POWER, "nonce", "hold_s", "accept", "start_at"]), JSON))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])  # the first text is slow to draw
def test_arbitrary_fields_never_raise_anything_else(changes):
    only_malformed(json.dumps({**SET_POWER, **changes}).encode())


@given(st.data())
@settings(max_examples=300)
def test_damaged_commands_never_raise_anything_else(data):
    payload = bytearray(encoded())
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    only_malformed(bytes(payload))


def only_malformed(payload: bytes) -> None:
    for parse in (parse_command, parse_published):
        error = trouble(parse, payload)
        if error is not None:
            assert error.reason
            assert str(error)
            assert error.command_id is None or error.command_id.encode("utf-8")


def trouble(parse, payload: bytes) -> MalformedMessage | None:
    try:
        parse(payload)
    except MalformedMessage as error:
        return error
    return None


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
counters = st.integers(0, 2**63 - 1)
watts = st.floats(-1e6, 1e6)
seconds = st.floats(0, 3e7)
offsets = st.integers(-12, 12).map(lambda hours: timezone(timedelta(hours=hours)))
instants = st.datetimes(
    datetime(1980, 1, 1),  # noqa: DTZ001 -- the strategy wants its bounds naive
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=offsets,
).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))
evidence = st.none() | st.builds(Evidence, battery_power_w=st.none() | watts, soc_pct=st.none() | st.floats(0, 100))
envelope = {
    "id": texts,
    "issuer": texts,
    "epoch": counters,
    "seq": counters,
    "issued_at": instants,
    "ttl_s": st.floats(0.1, 3e7),
    "target": texts,
    "nonce": st.none() | texts,
}
commands = st.one_of(
    st.builds(
        SetPower,
        **envelope,
        power_w=watts,
        hold_s=seconds,
        on_expiry=st.sampled_from(OnExpiry),
        accept=st.sampled_from(Accept),
    ),
    st.builds(
        Arm,
        **envelope,
        product=texts,
        capacity_w=watts,
        start_at=instants,
        end_at=instants,
        baseline=st.sampled_from(Baseline),
        baseline_w=watts,
        parameters=st.dictionaries(texts, watts),
    ),
    st.builds(Stop, **envelope),
    st.builds(Release, **envelope, ends_stop=texts),
)
readings = st.builds(Reading, st.none() | watts | texts, st.just("W"), instants, seconds, st.sampled_from(Quality))
published = st.one_of(
    st.builds(
        Outcome,
        command_id=texts,
        device=texts,
        boot_id=texts,
        seq=counters,
        at=instants,
        monotonic_s=seconds,
        end=st.sampled_from(End),
        text=st.text(st.characters(codec="utf-8")),
        verification=st.none() | st.sampled_from(Verification),
        before=evidence,
        stations=st.dictionaries(texts, seconds),
    ),
    st.builds(
        Telemetry,
        device=texts,
        boot_id=texts,
        seq=counters,
        at=instants,
        readings=st.dictionaries(texts, readings, max_size=3),
    ),
    st.builds(
        Fault,
        code=st.sampled_from(FaultCode),
        severity=st.sampled_from(Severity),
        effect=st.sampled_from(Effect),
        state=st.sampled_from(FaultState),
        since=instants,
        device=texts,
        detail=st.builds(FaultDetail, text=texts, raw=texts),
    ),
    st.builds(
        Birth,
        site=texts,
        boot_id=texts,
        at=instants,
        versions=st.dictionaries(texts, texts),
        devices=st.just(
            (
                DeviceBirth(device="a", identity=None, capabilities=None),
                DeviceBirth(
                    device="b",
                    identity=Identity(brand="x", model="y", serial="z"),
                    capabilities=Capabilities(routes=()),
                ),
            )
        ),
    ),
    st.builds(
        Status,
        site=texts,
        boot_id=texts,
        at=instants,
        condition=st.sampled_from(Condition),
        why=st.lists(texts, max_size=2).map(tuple),
        nonce=st.none() | texts,
    ),
    st.builds(
        Headroom,
        site=texts,
        at=instants,
        charge_w=watts,
        discharge_w=watts,
        devices=st.dictionaries(texts, st.builds(DeviceHeadroom, charge_w=watts, discharge_w=watts), max_size=2),
    ),
)


@given(commands)
def test_a_dumped_command_is_read_back_equal(command):
    assert parse_command(dump(command)) == command


@given(published)
def test_a_dumped_message_is_read_back_equal(message):
    assert parse_published(dump(message)) == message


OUTCOME = Outcome(
    command_id="c-1",
    device="battery",
    boot_id="b",
    seq=1,
    at=datetime(2026, 11, 22, 12, 0, 0, 123_999, timezone(timedelta(hours=2))),
    monotonic_s=5.0,
    stage=Stage.WRITTEN,
    energy_wh=math.nan,
    before=Evidence(battery_power_w=math.inf, soc_pct=50.0),
)
FAULT = Fault(
    code=FaultCode.GRID_OVERVOLTAGE,
    severity=Severity.MAJOR,
    effect=Effect.OFFLINE,
    state=FaultState.RAISED,
    since=OUTCOME.at,
    device="d",
)


def test_an_instant_is_written_in_utc_with_milliseconds():
    assert json.loads(dump(OUTCOME))["at"] == "2026-11-22T10:00:00.123Z"


def test_what_is_none_by_default_is_left_out_and_what_is_not_a_number_is_null():
    document = json.loads(dump(OUTCOME), parse_constant=pytest.fail)
    assert "rung" not in document
    assert document["energy_wh"] is None
    assert document["before"] == {"battery_power_w": None, "soc_pct": 50.0}


def test_an_invalid_reading_is_null_and_never_zero():
    reading = Reading(None, "W", OUTCOME.at, 1.0, Quality.INVALID)
    telemetry = Telemetry(device="d", boot_id="b", seq=1, at=OUTCOME.at, readings={"pv_power_w": reading})
    assert json.loads(dump(telemetry))["readings"]["pv_power_w"]["value"] is None


def test_a_naive_time_is_a_defect_of_ours_and_says_so():
    with pytest.raises(ValueError, match="aware"):
        dump(Status(site="s", boot_id="b", at=datetime(2026, 1, 1), condition=Condition.ONLINE))  # noqa: DTZ001


def test_half_a_surrogate_pair_in_a_devices_text_does_not_stop_the_message():
    fault = replace(FAULT, detail=FaultDetail(raw="\ud83d"))
    assert json.loads(dump(fault))["detail"]["raw"] == "?"


def test_an_outcome_can_be_marked_as_a_possible_duplicate():
    assert not json.loads(dump(OUTCOME))["duplicate"]
    assert json.loads(mark_duplicate(dump(OUTCOME)))["duplicate"]


def test_a_mark_changes_nothing_else():
    """Above all not the times: a replay tells when things happened."""
    outcome = replace(OUTCOME, monotonic_s=0.1 + 0.2, text="30 °C \u2028")
    for one in (outcome, FAULT):
        assert mark_duplicate(dump(one)) == dump(replace(one, duplicate=True))


@pytest.mark.parametrize("payload", [b"", b"\xff", b"[]", b'{"schema":"telemetry/1.0"}', b'{"schema":5}'])
def test_whatever_is_no_outcome_is_not_marked(payload):
    assert mark_duplicate(payload) == payload


def test_the_schemas_in_the_documentation_are_current():
    folder = Path(__file__).parents[3] / "docs" / "schemas"
    found = {file.name: file.read_text("utf-8") for file in folder.glob("*.schema.json")}
    assert found == schema_texts(), "run: python -m samspel.transport.schemas docs/schemas"
