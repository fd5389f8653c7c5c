"""Each invariant on small streams: what it objects to, and what it lets pass."""

from __future__ import annotations

import ast
import inspect
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from samspel_contract.simulation.checks import CHECKS, name_of
from samspel_contract.simulation.checks_of_authority import (
    HigherRankKept,
    NothingWrittenAfterItsEnd,
    OlderEpochSilent,
    StopEndedByWhoMay,
)
from samspel_contract.simulation.checks_of_commands import (
    OneEndForEveryCommand,
    ReleasedWhenNobodyCommands,
    StopWithinItsBound,
)
from samspel_contract.simulation.checks_of_truth import (
    ChargeWindowKept,
    NoLimitPassedByTheBattery,
    RestsBeforeItReverses,
)
from samspel_contract.simulation.checks_of_writes import (
    NoLimitPassedOnTheWire,
    NothingStaleWritten,
    OnlyDeclaredRegisters,
    OnlyWhoMayCommand,
)
from samspel_contract.simulation.events import Disturbed, Heard, Looked, Sent, Terms, Wrote

TERMS = Terms(
    most_w=3000.0,
    soc_min_pct=5.0,
    soc_max_pct=95.0,
    stop_s=20.0,
    rest_w=50.0,
    settle_s=30.0,
    grace_s=60.0,
    rest_between_s=120.0,
    stop_hold_max_s=600.0,
    declared=frozenset({10, 11}),
)


def sent(at_s=0.0, name="a", kind="set_power", until_s=100.0, **more):
    known = {"issuer": "fleet-a", "legit": True, "deadline_s": min(until_s, 1e9), "until_s": until_s, **more}
    return Sent(at_s=at_s, command_id=name, kind=kind, **known)


def wrote(at_s=1.0, phase="controlling", name="a", address=10, power_w=None, words=(1,)):
    return Wrote(at_s=at_s, address=address, words=words, names=(), power_w=power_w, phase=phase, command_id=name)


def looked(at_s, battery_w=0.0, phase="released", soc_pct=50.0, disturbed=(), calm_s=None, heard_s=1e6, meddled=False):
    return Looked(
        at_s=at_s,
        battery_w=battery_w,
        soc_pct=soc_pct,
        phase=phase,
        calm_s=at_s if calm_s is None else calm_s,
        heard_s=heard_s,
        disturbed=tuple(disturbed),
        meddled=meddled,
    )


def ended(at_s=1.0, name="a", seq=0, end="completed"):
    return heard(at_s, name, seq, end=end)


def accepted(at_s, name, seq):
    return heard(at_s, name, seq, stage="accepted")


def heard(at_s, name, seq, **said):
    message = {"command_id": name, "boot_id": "run-1", "seq": seq, **said}
    return Heard(at_s=at_s, leaf="outcome", message=message, made_s=at_s)


def objections(make, *events):
    check = make(TERMS)
    return [text for event in events if (text := check.see(event))]


LATER = [looked(float(at_s), battery_w=2000.0, phase="stopped") for at_s in range(1, 200)]
IDLE = [looked(float(at_s), phase="released", disturbed=["mode"]) for at_s in range(1, 200)]
AT_PEACE = [looked(float(at_s), phase="released") for at_s in range(1, 200)]
OVER = [looked(float(at_s), battery_w=4000.0, phase="controlling") for at_s in range(1, 200)]
EMPTY = [looked(float(at_s), battery_w=2000.0, phase="controlling", soc_pct=2.0) for at_s in range(1, 400)]
CHIEF = sent(name="chief", rank=30, issuer="installer")
LOW = sent(name="low", rank=10, issuer="family")
GIVE_BACK = sent(name="back", kind="release", rank=20)
OLD = sent(name="old", epoch=1, seq=9)
NEW = sent(name="new", epoch=2, seq=1)
HALT = sent(name="halt", kind="stop", rank=20)
SEES = sent(at_s=1.0, name="sees", rank=20, ends_stop="halt")
BLIND = sent(at_s=1.0, name="blind", rank=20)
LATE = replace(LOW, at_s=1.0, ends_stop="halt")
HEARD = [looked(float(at_s)) for at_s in range(1, 20)]
LONG = [looked(float(at_s)) for at_s in range(1, 1500, 10)]


def held(power_w, begin_s, end_s, phase="controlling"):
    """Looks at a battery that does the same all the time."""
    return [looked(float(at_s), power_w, phase) for at_s in range(begin_s, end_s)]


def wanted(at_s, name, power_w):
    return [sent(at_s, name, power_w=power_w), accepted(at_s, name, 0)]


CHARGES = [*wanted(0.0, "in", -2000.0), *held(-2000.0, 1, 100)]
"""Long enough that nobody doubts whose doing it is."""
WANTS_OUT = wanted(100.0, "out", 2000.0)
DIES = Disturbed(at_s=110.0, what="process", on=True)
MEDDLES = Disturbed(at_s=110.0, what="second_master", on=True)

CAUGHT = {
    "a reversal without a rest": (RestsBeforeItReverses, [*CHARGES, *WANTS_OUT, *held(2000.0, 105, 110)]),
    "a rest cut short": (
        RestsBeforeItReverses,
        [*CHARGES, *WANTS_OUT, *held(-500.0, 101, 104), *held(0.0, 104, 150), *held(2000.0, 150, 155)],
    ),
    "a rest cut short by a restart": (
        RestsBeforeItReverses,
        [
            *(*CHARGES, *WANTS_OUT, *held(0.0, 101, 110), DIES, *held(0.0, 110, 130, "dead")),
            *(replace(DIES, at_s=130.0, on=False), accepted(131.0, "out", 1), *held(2000.0, 135, 140)),
        ],
    ),
    "an address beyond the map": (OnlyDeclaredRegisters, [wrote(address=11, words=(1, 2))]),
    "more than the contract": (NoLimitPassedOnTheWire, [sent(), wrote(power_w=4000.0)]),
    "a battery beyond the contract": (NoLimitPassedByTheBattery, OVER),
    "a battery emptied": (ChargeWindowKept, EMPTY),
    "after the hold": (NothingStaleWritten, [sent(until_s=100.0), wrote(at_s=101.0)]),
    "nobody's command": (NothingStaleWritten, [wrote(name="b")]),
    "no command": (NothingStaleWritten, [wrote(name=None)]),
    "while released": (NothingStaleWritten, [sent(), wrote(phase="released")]),
    "while somebody else holds it": (NothingStaleWritten, [sent(), wrote(phase="foreign")]),
    "a stranger": (OnlyWhoMayCommand, [sent(legit=False), wrote()]),
    "moves under a stop": (StopWithinItsBound, [sent(kind="stop", until_s=inf), *LATER]),
    "not given back": (ReleasedWhenNobodyCommands, IDLE),
    "two ends": (OneEndForEveryCommand, [sent(), ended(), ended(seq=1)]),
    "no end": (OneEndForEveryCommand, [sent(), *LONG]),
    "a lower rank takes over": (HigherRankKept, [CHIEF, accepted(1.0, "chief", 0), LOW, accepted(2.0, "low", 1)]),
    "a lower rank gives back": (
        HigherRankKept,
        [CHIEF, accepted(1.0, "chief", 0), GIVE_BACK, accepted(2.0, "back", 1)],
    ),
    "an epoch that is over": (OlderEpochSilent, [OLD, NEW, accepted(1.0, "new", 0), accepted(2.0, "old", 1)]),
    "the same again": (OlderEpochSilent, [OLD, accepted(1.0, "old", 0), accepted(9.0, "old", 1)]),
    "a stop ended by a lower rank": (
        StopEndedByWhoMay,
        [HALT, accepted(0.5, "halt", 0), LATE, accepted(2.0, "low", 1)],
    ),
    "a stop that is not named": (StopEndedByWhoMay, [HALT, accepted(0.5, "halt", 0), BLIND, accepted(2.0, "blind", 1)]),
    "a stop ended by what came before": (
        StopEndedByWhoMay,
        [GIVE_BACK, replace(HALT, at_s=1.0), accepted(1.0, "halt", 0), accepted(2.0, "back", 1)],
    ),
    "a stop weakened by another": (
        StopEndedByWhoMay,
        [
            *(replace(HALT, rank=30), replace(HALT, command_id="weak")),
            *(accepted(0.5, "halt", 0), accepted(0.6, "weak", 1), ended(0.6, "halt", 2, "superseded")),
            *(replace(GIVE_BACK, at_s=1.0), accepted(2.0, "back", 3)),
        ],
    ),
    "a stop that ends by itself": (StopEndedByWhoMay, [HALT, accepted(0.5, "halt", 0), ended(60.0, "halt", 1)]),
    "after it was superseded": (
        NothingWrittenAfterItsEnd,
        [sent(), accepted(0.5, "a", 0), ended(1.0, "a", 1), wrote(2.0), *HEARD],
    ),
    "what was refused": (NothingWrittenAfterItsEnd, [sent(), ended(1.0, "a", 0, "refused"), wrote(1.1), *HEARD]),
    "a stop without an end": (OneEndForEveryCommand, [sent(kind="stop", until_s=0.0), *LONG]),
}
PASSED = {
    "a reversal after its rest": (
        RestsBeforeItReverses,
        [*CHARGES, *WANTS_OUT, *held(0.0, 101, 220), *held(2000.0, 220, 230)],
    ),
    "the same way again": (
        RestsBeforeItReverses,
        [*CHARGES, *wanted(100.0, "more", -1000.0), *held(0.0, 101, 110), *held(-1000.0, 110, 120)],
    ),
    "a device's own logic in between": (
        RestsBeforeItReverses,
        [
            *CHARGES,
            *held(2000.0, 100, 110),
            *held(-2000.0, 110, 120),
            *wanted(120.0, "out", 900.0),
            *held(900.0, 121, 200),
        ],
    ),
    "a second master in between": (
        RestsBeforeItReverses,
        [
            *(*CHARGES, *WANTS_OUT, *held(0.0, 101, 110), MEDDLES, *held(2000.0, 110, 120)),
            *(replace(MEDDLES, at_s=120.0, on=False), *held(2000.0, 120, 200)),
        ],
    ),
    "given back in between": (
        RestsBeforeItReverses,
        [*CHARGES, *WANTS_OUT, *held(900.0, 101, 110, "releasing"), *held(2000.0, 110, 200)],
    ),
    "given back between two looks": (
        RestsBeforeItReverses,
        [*CHARGES, *WANTS_OUT, wrote(100.5, phase="releasing", name=None), *held(2000.0, 101, 200)],
    ),
    "a house that went on without the process": (
        RestsBeforeItReverses,
        [*CHARGES, DIES, *held(900.0, 110, 130, "dead"), *WANTS_OUT, *held(2000.0, 130, 200)],
    ),
    "a declared address": (OnlyDeclaredRegisters, [wrote(words=(1, 2))]),
    "what the contract allows": (NoLimitPassedOnTheWire, [sent(), wrote(power_w=3000.0)]),
    "a household's own setting": (NoLimitPassedOnTheWire, [wrote(phase="releasing", power_w=9000.0)]),
    "a battery in its own logic": (NoLimitPassedByTheBattery, [looked(900.0, battery_w=9000.0)]),
    "within its life": (NothingStaleWritten, [sent(until_s=100.0), wrote(at_s=99.0)]),
    "held for ever": (NothingStaleWritten, [sent(until_s=inf), wrote(at_s=9999.0)]),
    "a release": (NothingStaleWritten, [wrote(phase="releasing", name=None)]),
    "a stop that is over": (StopWithinItsBound, [sent(kind="stop"), ended(), *LATER]),
    "a stop still on its way": (StopWithinItsBound, [sent(kind="stop"), *LATER[:20]]),
    "a stop without a link": (
        StopWithinItsBound,
        [sent(kind="stop"), *(looked(float(s), battery_w=2000.0, calm_s=0.0) for s in range(200))],
    ),
    "given back": (ReleasedWhenNobodyCommands, AT_PEACE),
    "still commanded": (ReleasedWhenNobodyCommands, [sent(until_s=inf), *IDLE]),
    "somebody else's": (
        ReleasedWhenNobodyCommands,
        [looked(float(s), phase="foreign", disturbed=["mode"], meddled=True) for s in range(200)],
    ),
    "an equal takes over": (
        HigherRankKept,
        [CHIEF, accepted(1.0, "chief", 0), replace(CHIEF, command_id="next"), accepted(2.0, "next", 1)],
    ),
    "a lower rank is refused": (
        HigherRankKept,
        [CHIEF, accepted(1.0, "chief", 0), LOW, ended(2.0, "low", 1, "refused")],
    ),
    "a lease that has run out": (HigherRankKept, [CHIEF, accepted(1.0, "chief", 0), LOW, accepted(100.0, "low", 1)]),
    "a lease that was given up": (
        HigherRankKept,
        [CHIEF, accepted(1.0, "chief", 0), ended(2.0, "chief", 1), LOW, accepted(3.0, "low", 2)],
    ),
    "a stop from the household": (
        HigherRankKept,
        [CHIEF, accepted(1.0, "chief", 0), replace(LOW, kind="stop"), accepted(2.0, "low", 1)],
    ),
    "a lease whose age a wrong clock told": (
        HigherRankKept,
        [
            Disturbed(at_s=0.0, what="clock", on=True),
            *(replace(CHIEF, has_nonce=True), accepted(1.0, "chief", 0), LOW, accepted(2.0, "low", 1)),
        ],
    ),
    "a lease of another boot": (
        HigherRankKept,
        [
            *(CHIEF, accepted(1.0, "chief", 0), Disturbed(at_s=1.5, what="boot", on=True)),
            *(LOW, accepted(2.0, "low", 1)),
        ],
    ),
    "the next epoch": (OlderEpochSilent, [OLD, NEW, accepted(1.0, "old", 0), accepted(2.0, "new", 1)]),
    "an acceptance heard twice": (OlderEpochSilent, [OLD, accepted(1.0, "old", 0), accepted(1.0, "old", 0)]),
    "a late stop": (
        OlderEpochSilent,
        [replace(OLD, kind="stop"), NEW, accepted(1.0, "new", 0), accepted(2.0, "old", 1)],
    ),
    "a stop that is named": (
        StopEndedByWhoMay,
        [HALT, accepted(0.5, "halt", 0), SEES, accepted(2.0, "sees", 1), ended(2.0, "halt", 2)],
    ),
    "a stop that is released": (
        StopEndedByWhoMay,
        [HALT, accepted(0.5, "halt", 0), replace(GIVE_BACK, at_s=1.0), accepted(2.0, "back", 1), ended(2.0, "halt", 2)],
    ),
    "a stop held to the end": (StopEndedByWhoMay, [HALT, accepted(0.5, "halt", 0), ended(600.5, "halt", 1, "failed")]),
    "a stop that holds": (StopEndedByWhoMay, [HALT, accepted(0.5, "halt", 0), LATE, ended(2.0, "low", 1, "refused")]),
    "before its end": (
        NothingWrittenAfterItsEnd,
        [sent(), accepted(0.5, "a", 0), wrote(0.9), ended(1.0, "a", 1), wrote(1.3), *HEARD],
    ),
    "refused, and accepted when it came again": (
        NothingWrittenAfterItsEnd,
        [sent(), ended(1.0, "a", 0, "refused"), wrote(3.0), accepted(3.0, "a", 1), *HEARD],
    ),
    "the same end again": (OneEndForEveryCommand, [sent(), ended(), ended()]),
    "refused again": (OneEndForEveryCommand, [sent(), ended(), sent(again=True), ended(seq=1, end="refused")]),
    "no answer without a broker": (
        OneEndForEveryCommand,
        [sent(), *(looked(float(s), heard_s=0.0) for s in range(1, 1500, 10))],
    ),
}


@pytest.mark.parametrize("case", CAUGHT)
def test_it_is_caught(case):
    make, events = CAUGHT[case]
    assert objections(make, *events)


@pytest.mark.parametrize("case", PASSED)
def test_it_passes(case):
    make, events = PASSED[case]
    assert objections(make, *events) == []


def test_no_invariant_asks_those_whom_it_judges():
    """Nothing of core but what the contract says: else a wrong admission would be judged by itself."""
    sources = [Path(inspect.getfile(make)).read_text(encoding="utf-8") for make in CHECKS]
    nodes = [node for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    of_core = {node.module for node in nodes if node.module.split(".")[0] == "samspel"}
    assert all(module.startswith("samspel.contract.") for module in of_core), of_core


def test_every_invariant_says_what_is_unsafe_and_where_the_limit_is():
    for make in CHECKS:
        assert "Unsafe:" in make.__doc__, make
        assert "Limit:" in make.__doc__, make


def test_a_rest_that_is_the_devices_own_affair_is_not_judged():
    check = RestsBeforeItReverses(replace(TERMS, rest_between_s=0.0))
    _, events = CAUGHT["a reversal without a rest"]
    assert [check.see(event) for event in events] == [None] * len(events)


def test_every_invariant_has_a_stream_that_it_catches_and_one_that_it_lets_pass():
    caught = {name_of(make(TERMS)) for make, _ in CAUGHT.values()}
    assert caught == {name_of(make(TERMS)) for make in CHECKS}
