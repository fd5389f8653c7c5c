"""What may not leave a site is found, and the three places that may name a brand are let through."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from samspel.contract.driver import Identity
from samspel.contract.fault import Effect, Fault, FaultCode, FaultDetail, FaultState, Severity
from samspel.contract.outcome import Outcome, Stage
from samspel.contract.ports import Inbound
from samspel.contract.site import Birth, Condition, DeviceBirth, Status
from samspel.contract.telemetry import Quality, Reading, Telemetry
from samspel.transport.wire import dump
from samspel_contract.upward import leaks

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
WORDS = ("toyworks", "tinker")
OUTCOME = Outcome(
    command_id="c", device="battery", boot_id="b", seq=1, at=AT, monotonic_s=1.0, stage=Stage.RECEIVED, text="all well"
)
FAULT = Fault(
    code=FaultCode.GRID_LOST,
    severity=Severity.MAJOR,
    effect=Effect.OFFLINE,
    state=FaultState.RAISED,
    since=AT,
    device="battery",
    detail=FaultDetail(text="the grid is gone", raw="Tinker 3"),
)
IDENTITY = Identity(brand="Toyworks", model="TINKER-5", serial="TOY1", firmware="1.4")
BIRTH = Birth(
    site="s",
    boot_id="b",
    at=AT,
    versions={"samspel-toyworks": "1"},
    devices=(DeviceBirth(device="battery", identity=IDENTITY, capabilities=None),),
)
STATUS = Status(site="s", boot_id="b", at=AT, condition=Condition.ONLINE, control={"battery": "released"})
READING = Reading(1.0, "W", AT, 1.0, Quality.GOOD)
TELEMETRY = Telemetry(device="battery", boot_id="b", seq=1, at=AT, readings={"battery_power_w": READING})


def inbound(leaf: str, payload: bytes, device: str = "battery/") -> Inbound:
    return Inbound(topic=f"samspel/v1/s/{device}{leaf}", payload=payload, received_at=1.0)


def found(leaf: str, message: object, **changes: object) -> list[str]:
    """The leaks of one message, some of its JSON changed."""
    document = {**json.loads(dump(message)), **changes}
    device = "" if leaf in ("birth", "status") else "battery/"
    return leaks([inbound(leaf, json.dumps(document).encode(), device)], WORDS)


@pytest.mark.parametrize(
    ("leaf", "message"),
    [("outcome", OUTCOME), ("fault", FAULT), ("birth", BIRTH), ("status", STATUS), ("telemetry", TELEMETRY)],
)
def test_what_the_contract_says_is_no_leak(leaf, message):
    assert found(leaf, message) == []


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (lambda: found("outcome", OUTCOME, inverter_mode=3), "outcome: ['.inverter_mode'] is not of the contract"),
        (lambda: found("outcome", OUTCOME, stage="forced"), "`stage`"),
        (lambda: found("fault", FAULT, code="toy.sad"), "`code`"),
        (lambda: found("telemetry", TELEMETRY), None),
        (lambda: found("status", STATUS, control={"battery": "forced"}), "'forced' is no state of control"),
        (lambda: found("outcome", replace(OUTCOME, text="Tinker 17")), "outcome.text: holds 'tinker'"),
        (lambda: found("outcome", replace(OUTCOME, rung="toyworks_hold")), "outcome.rung: holds 'toyworks'"),
        (lambda: found("fault", replace(FAULT, detail=FaultDetail(text="Tinker 3"))), "fault.detail.text: holds"),
        (lambda: found("telemetry", replace(TELEMETRY, readings={"mode_w": READING})), "'mode_w' is no signal"),
        (lambda: found("fault", OUTCOME), "fault: carries schema 'outcome/1.0'"),
        (lambda: leaks([inbound("outcome", dump(OUTCOME), "tinker/")], WORDS), "topic samspel/v1/s/tinker/outcome"),
    ],
)
def test_what_it_does_not_say_is(trouble, said):
    text = "\n".join(trouble())
    assert (said in text) if said else not text, text
