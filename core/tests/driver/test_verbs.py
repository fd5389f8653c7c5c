"""The verbs and values that other families need: frames with a fallback, bits, shares, packed fields, device time."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from samspel.clock import LoopClock
from samspel.contract.capability import Capabilities
from samspel.contract.errors import DeviceBusy, DeviceRefused, RequirementFailed, VerifyFailed
from samspel.contract.outcome import Verification
from samspel.driver.bank import Bank
from samspel.driver.commander import Commander
from samspel.driver.marks import Marks
from samspel.driver.turns import Turns
from samspel.registers.loader import load_map

pytestmark = pytest.mark.looptime

MAP = Path(__file__).parent / "verbs.toml"
LATER = 1e9


@pytest.fixture
def link(make_link):
    link = make_link()
    link.words = dict.fromkeys((90, 91, 92, 100, 101, 102, 110, 120, 121, 122, 123), 0)
    link.words |= {90: 8000, 91: 3000, 92: 1, 101: 0xCC, 123: 0b0000_0011}
    return link


@pytest.fixture
def clock():
    return LoopClock()


@pytest.fixture
def make_commander(link, clock, manifest):
    def make(text: str, **path: bool) -> Commander:
        bank = Bank(load_map(text), link, clock, **path)
        routes = manifest.routes("SAMPLE-5K", "V1.150", "lan")
        return Commander(bank=bank, clock=clock, turns=Turns(), capabilities=Capabilities(routes=routes))

    return make


@pytest.fixture
def commander(make_commander):
    return make_commander(MAP.read_text(encoding="utf-8"))


def with_stored_mode() -> str:
    """The same map, whose mode wears."""
    before, mode, after = MAP.read_text(encoding="utf-8").partition("mode = {")
    return before + mode + after.replace("volatile", "persistent", 1)


async def test_a_block_goes_in_one_frame_with_its_clamped_power(commander, link):
    report = await commander.set_power(4567, LATER, {}, None)
    assert link.writes == [(110, (20,)), (100, (3, 0xBB, 300))]
    assert report.power_w == 3000


@pytest.mark.parametrize("code", [1, 2, 3])
async def test_a_refused_frame_is_written_one_by_one_in_the_safe_order(commander, link, code):
    link.before_write = refuse_frames(link, DeviceRefused("no frames", code=code))
    await commander.set_power(1239, LATER, {}, None)
    assert link.writes[1:] == [(102, (123,)), (101, (0xBB,)), (100, (3,))]


@pytest.mark.parametrize("refusal", [DeviceRefused("out of range", code=4), DeviceBusy("busy", code=6)])
async def test_another_refusal_is_no_reason_for_single_writes(commander, link, refusal):
    link.before_write = refuse_frames(link, refusal)
    with pytest.raises(type(refusal)):
        await commander.set_power(1000, LATER, {}, None)
    assert link.writes == [(110, (20,))]


async def test_a_frame_leaves_out_what_wears_and_holds_its_value(make_commander, link):
    commander = make_commander(with_stored_mode())
    await commander.set_power(1000, LATER, {}, None)
    assert link.writes == [(110, (20,)), (100, (3, 0xBB, 100))], "the first frame has to set the mode"
    await commander.set_power(2000, LATER, {}, 1000)
    assert link.writes[2:] == [(110, (20,)), (101, (0xBB, 200))]


async def test_a_frame_sets_what_somebody_else_has_changed(make_commander, link):
    commander = make_commander(with_stored_mode())
    await commander.set_power(1000, LATER, {}, None)
    commander.bank.forget()
    link.words[100] = 0
    await commander.set_power(2000, LATER, {}, 1000)
    assert link.writes[-1] == (100, (3, 0xBB, 200))


async def test_a_frame_without_its_worn_end_still_falls_back(make_commander, link):
    commander = make_commander(with_stored_mode())
    link.words[100] = 3
    link.before_write = refuse_frames(link, DeviceRefused("no frames", code=2))
    await commander.set_power(1239, LATER, {}, None)
    assert link.writes[1:] == [(102, (123,)), (101, (0xBB,))]


async def test_a_frame_goes_whole_where_readings_may_be_old(make_commander, link):
    commander = make_commander(with_stored_mode(), read_back=False)
    link.words[100] = 3
    await commander.set_power(1000, LATER, {}, None)
    assert link.writes[-1] == (100, (3, 0xBB, 100))


def refuse_frames(link, refusal):
    original = link.write

    async def write(address, words, **how):
        if len(words) > 1:
            raise refusal
        await original(address, words, **how)

    link.write = write


async def test_shares_packed_fields_device_time_and_bits(commander, link, clock):
    await commander.set_power(-2002, LATER, {}, None)
    local = clock.epoch.astimezone()
    ends = (local.hour * 60 + local.minute) + 10
    assert link.words[120] == 250, "per mille of the rated power, toward zero"
    assert link.words[121] == 127 << 8 | 25
    assert link.words[122] == ends // 60 % 24 * 256 + ends % 60
    assert isinstance(local, datetime)
    assert link.words[123] == 0b0100_0001, "one bit cleared, one set, the others kept"


async def test_the_report_counts_what_the_shares_really_say(commander):
    assert (await commander.set_power(-2002, LATER, {}, None)).power_w == -2000


async def test_a_bit_that_is_right_already_is_not_written_again(commander, link):
    link.words[123] = 0b0100_0001
    await commander.set_power(-2000, LATER, {}, None)
    assert 123 not in [address for address, _ in link.writes]


async def test_verify_may_look_at_an_effect(commander, link):
    link.words[92] = 0
    with pytest.raises(VerifyFailed, match="state reads raw 0, not on"):
        await commander.set_power(-2000, LATER, {}, None)


async def test_a_requirement_may_be_negative(commander, link):
    await commander.check_requirements()
    link.words[92] = 0
    with pytest.raises(RequirementFailed, match="state is off, it must not be off: it is off"):
        await commander.check_requirements()


async def test_a_share_is_never_more_than_the_whole(commander, link):
    report = await commander.set_power(-8500, LATER, {}, None)
    assert (link.words[120], link.words[121] & 0xFF) == (1000, 100)
    assert report.power_w == -8000


async def test_a_share_of_nothing_is_refused(commander, link):
    link.words[90] = 0
    with pytest.raises(RequirementFailed, match="rated_power_w is 0"):
        await commander.set_power(-2000, LATER, {}, None)
    assert link.writes == []


async def test_feed_runs_its_own_sequence(commander, link):
    await commander.keep_alive(1000, LATER, {})
    assert link.writes == [(110, (20,))]


async def test_the_plan_allows_what_readings_may_lead_to(commander, link):
    for power_w in (-2002.0, 4567.0, 0.0):
        mark = Marks([commander.plan(power_w)])
        link.writes.clear()
        commander.written.clear()
        report = await commander.set_power(power_w, LATER, {}, None)
        for name, raws in report.mark["registers"].items():
            assert all(mark.allow(name, raw) for raw in raws), name
    assert not Marks([commander.plan(4567.0)]).allow("power", 457), "never more than asked"


async def test_a_lower_rung_does_not_borrow_the_proof_of_a_higher_one(commander, link):
    link.refuse[102] = 4
    report = await commander.set_power(0, LATER, {}, None)
    assert (report.rung, report.verification) == ("idle", Verification.SKIPPED)
    link.refuse.clear()
    report = await commander.set_power(0, LATER, {}, None)
    assert (report.rung, report.verification) == ("no_power", Verification.READ_BACK)
