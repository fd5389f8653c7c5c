"""Several ways of control of one map; what bounds and divides; the device's clock; who is refused."""

from __future__ import annotations

import pytest
from samspel.contract.driver import ControlState
from samspel.contract.errors import DeviceRefused, RequirementFailed, RouteUnavailable, UnsupportedModel
from samspel.contract.ports import Table

pytestmark = pytest.mark.looptime

MODE, SHARE, LIMIT, SLOT_END = 200, 201, 202, 203
LATER = 1e9


async def ready(make_second, **options):
    driver = make_second(**options)
    await driver.identify()
    return driver, await driver.take()


# --- which sequences ---


async def test_each_control_has_its_own_sequences_and_routes(make_second, second_link):
    own, snapshot = await ready(make_second)
    assert [route.name for route in own.capabilities().routes] == ["fed_charge", "fed_discharge", "fed_zero"]
    await own.set_power(-1000, LATER, snapshot, None)
    assert (second_link.get(MODE), second_link.get(SHARE)) == (3, 100)
    await own.release(snapshot)
    forced, snapshot = await ready(make_second, control="forced", guarded=True)
    assert [route.name for route in forced.capabilities().routes] == ["forced_charge"]
    await forced.set_power(-1000, LATER, snapshot, None)
    assert (second_link.get(MODE), second_link.get(LIMIT)) == (2, 8000)
    assert forced.versions()["map"].startswith("second 1 control forced sha256:")


async def test_a_control_that_needs_a_guard_is_read_only_without_one(make_second, second_link):
    driver = make_second(control="forced")
    await driver.identify()
    assert "live guard" in driver.capabilities().read_only_because
    with pytest.raises(RequirementFailed, match="live guard"):
        await driver.take()
    with pytest.raises(RouteUnavailable, match="live guard"):
        await driver.set_power(-1000, LATER, (await ready(make_second))[1], None)
    assert second_link.writes == []


async def test_a_snapshot_is_given_back_by_the_control_it_was_taken_with(make_second, second_link):
    forced, snapshot = await ready(make_second, control="forced", guarded=True)
    await forced.set_power(-1000, LATER, snapshot, None)
    assert second_link.get(LIMIT) == 8000
    own = make_second()
    await own.identify()
    assert own.map_of(snapshot).control == "forced"
    await own.release(snapshot)
    assert (second_link.get(MODE), second_link.get(SHARE), second_link.get(LIMIT)) == (0, 0, 3000)


async def test_an_old_snapshot_is_the_maps_own(make_second, second_link):
    own, snapshot = await ready(make_second)
    del snapshot["map"]["control"]
    await own.set_power(-1000, LATER, snapshot, None)
    await own.release(snapshot)
    assert second_link.get(MODE) == 0


async def test_the_control_block_is_that_of_the_control_in_force(make_second, second_link):
    forced, snapshot = await ready(make_second, control="forced", guarded=True)
    assert (await forced.read_control()).state is ControlState.DEFAULT
    await forced.set_power(-1000, LATER, snapshot, None)
    assert (await forced.read_control([], snapshot)).state is ControlState.OURS
    restarted = make_second(control="forced", guarded=True)
    await restarted.identify()
    marks = [restarted.plan(-1000)]
    assert (await restarted.read_control(marks, snapshot)).state is ControlState.OURS
    second_link.set(LIMIT, 0)
    assert (await restarted.read_control([forced.plan(0)], snapshot)).state is ControlState.FOREIGN


async def test_a_neutral_value_is_what_the_companions_make_of_it(make_second, second_link):
    forced, _ = await ready(make_second, control="forced", guarded=True)
    second_link.set(LIMIT, 8000)
    snapshot = await forced.take()
    await forced.set_power(-1000, LATER, snapshot, None)
    second_link.set(LIMIT, 50)
    await forced.release(None)
    assert second_link.get(LIMIT) == 8000, "20 A at 400 V"


# --- what bounds and divides ---


async def test_a_product_bounds_a_command(make_second, second_link):
    driver, snapshot = await ready(make_second)
    report = await driver.set_power(-9500, LATER, snapshot, None)
    assert (second_link.get(SHARE), report.power_w) == (800, -8000)


async def test_a_constant_serves_while_the_device_does_not_state_the_signal(make_second, second_link):
    second_link.words[16] = 0
    driver, snapshot = await ready(make_second, constants={"rated_power_w": 5000.0})
    report = await driver.set_power(-1000, LATER, snapshot, None)
    assert (second_link.get(SHARE), report.power_w) == (200, -1000)
    del second_link.words[16]
    driver, snapshot = await ready(make_second, constants={"rated_power_w": 4000.0})
    await driver.set_power(-1000, LATER, snapshot, None)
    assert second_link.get(SHARE) == 250
    readings = await driver.read()
    assert readings["rated_power_w"].value is None, "a constant is never published"


async def test_what_the_device_states_outranks_a_constant(make_second, second_link):
    driver, snapshot = await ready(make_second, constants={"rated_power_w": 5000.0})
    await driver.set_power(-1000, LATER, snapshot, None)
    assert second_link.get(SHARE) == 100


async def test_without_signal_and_constant_a_person_reads_what_to_do(make_second, second_link):
    del second_link.words[16]
    driver, snapshot = await ready(make_second)
    with pytest.raises(RequirementFailed, match=r"no rated_power_w.*constants = \{ rated_power_w = \.\.\. \}"):
        await driver.set_power(-1000, LATER, snapshot, None)
    assert second_link.writes == []


async def test_a_constant_is_no_value_to_write(make_second, second_link):
    second_link.words[120] = 0xFFFF
    driver, snapshot = await ready(make_second, control="forced", guarded=True, constants={"charge_limit_w": 5000.0})
    with pytest.raises(RequirementFailed, match="not available"):
        await driver.set_power(-1000, LATER, snapshot, None)


# --- the device's clock ---


@pytest.mark.parametrize(
    ("hour", "minute", "secs", "end"),
    [(12, 0, 0, (12, 10)), (12, 4, 59, (12, 10)), (12, 5, 0, (12, 15)), (23, 49, 59, (23, 55)), (23, 50, 0, (23, 59))],
)
async def test_a_slot_ends_by_the_devices_clock_and_never_tomorrow(make_second, second_link, hour, minute, secs, end):
    second_link.set(140, hour << 24 | minute << 16 | secs << 8, 2)
    driver, snapshot = await ready(make_second, control="slots")
    await driver.set_power(-1000, LATER, snapshot, None)
    assert divmod(second_link.get(SLOT_END), 256) == end


async def test_a_clock_that_tells_no_time_is_not_believed(make_second, second_link):
    second_link.set(140, 24 << 24, 2)
    driver, snapshot = await ready(make_second, control="slots")
    with pytest.raises(RequirementFailed, match="clock reads 24:00:00"):
        await driver.set_power(-1000, LATER, snapshot, None)
    assert second_link.get(MODE) == 0


# --- who is refused ---


@pytest.mark.parametrize("code", [0x54, 0x55])
async def test_a_device_that_shows_itself_as_another_is_refused(make_second, second_link, code):
    second_link.words[20] = code
    with pytest.raises(UnsupportedModel, match="Second inverters: this is the older family"):
        await make_second().identify()
    assert second_link.reads == [(20, 1)], "before anything else"


async def test_a_device_without_that_register_is_another_one(make_second, second_link):
    del second_link.words[20]
    assert (await make_second().identify()).model == "SECOND-1"


# --- absent ---


@pytest.mark.parametrize("code", [0, 2, 3])
async def test_what_the_path_calls_absent_is_absent(make_second, second_link, code):
    """The link knows the path's codes and raises RegisterAbsent for them; 3 is the reader's own."""
    driver = make_second()
    await driver.identify()
    read = second_link.read

    async def refusing(table: Table, address: int, count: int, **how: object) -> tuple[int, ...]:
        if address <= 120 < address + count:
            raise DeviceRefused("no", code=code) if code == 3 else _absent(code)
        return await read(table, address, count, **how)

    second_link.read = refusing
    readings = await driver.read()
    assert readings["battery_voltage_v"].quality.value == "absent"
    assert readings["charge_limit_w"].value is None
    assert readings["soc_pct"].value == 50


async def test_another_refusal_is_no_absence(make_second, second_link):
    driver = make_second()
    await driver.identify()
    second_link.silent[120] = DeviceRefused("no", code=4)
    assert (await driver.read())["battery_voltage_v"].quality.value == "invalid"


def _absent(code: int) -> Exception:
    from samspel.contract.errors import RegisterAbsent  # noqa: PLC0415 - beside its only use

    return RegisterAbsent("no", code=code)
