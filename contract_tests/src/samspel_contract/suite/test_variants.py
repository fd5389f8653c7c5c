"""Every model, firmware, way and kind of control that the driver claims, not the twin's favourite alone."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from samspel.contract.capability import Authority, Direction, Verify
from samspel.contract.driver import ControlState
from samspel.registers.loader import load_variants
from samspel_sim.behaviour import TwinOptions

from samspel_contract.case import DriverCase, everywhere, safety, simulated
from samspel_contract.rig import Rig
from samspel_contract.target import Target
from samspel_contract.truth import SCENES, TRUTHS

POWER_W = 1200.0
SETTLED_S = 60.0
PROVED_S = 120.0


def _uncovered(target: Target) -> list[str]:
    maps = [one for path in target.manifest.maps for one in load_variants(path, source_name=path.name)]
    tested = target.variants
    models = {one.twin(TwinOptions()).model for one in tested}
    patterns = {pattern for one in maps for pattern in one.models}
    patterns |= {pattern for rule in target.manifest.capabilities for pattern in rule.models}
    claims = [("models", sorted(p for p in patterns if not any(fnmatchcase(model, p) for model in models)))]
    claims += [("paths", sorted(set(target.manifest.paths) - {one.path.name for one in tested}))]
    claims += [("controls", sorted({one.control for one in maps} - {one.variant.control for one in tested}))]
    overlays = {one.overlay for one in maps} - {one.registers.overlay for one in tested}
    claims += [("overlays", sorted(filter(None, overlays)))]
    return [f"{what}: {', '.join(repr(name) for name in names)}" for what, names in claims if names]


@safety
def test_every_claim_has_a_variant(driver_case: DriverCase) -> None:
    """Each model pattern and path of driver.toml, each overlay and each way of control of the maps is in at least one
    of the variants that contract.toml declares.

    If this fails: add a table `[[variants]]` for what is named here, and what the twin needs to be such a device.
    """
    assert _uncovered(driver_case.target) == []


@everywhere
@safety
@simulated
async def test_variant_says_who_it_is(driver_case: DriverCase) -> None:
    """In every variant the device is identified, has a map and is not read-only, and the twin answers where the
    manifest's path looks.

    If this fails: look at fingerprint and firmware ranges, at `units` of the path, and at what the twin is told to be.
    """
    rig = driver_case.rig()
    identity, true = await rig.driver.identify(), rig.twin.behaviour
    assert (identity.model, identity.serial, identity.firmware) == (true.model, true.serial, true.firmware)
    assert rig.driver.capabilities().read_only_because == ""
    assert true.unit in driver_case.target.path.units


@everywhere
@safety
@simulated
async def test_variant_measures_the_truth(driver_case: DriverCase) -> None:
    """In every variant each signal whose truth is known says it, with the battery charging and discharging.

    If this fails: a row of an overlay, or one that this model has elsewhere, has another sign, scale or word order.
    """
    for scene in SCENES[:2]:
        rig = driver_case.rig(soc_pct=scene.soc_pct, pv_w=scene.pv_w, load_w=scene.load_w)
        await rig.driver.identify()
        await rig.wait(SETTLED_S)
        rig.twin.refresh()
        readings, home = await rig.driver.read(), rig.twin.behaviour.home
        values = {name: readings[name].usable() for name in TRUTHS.keys() & readings.keys()}
        wrong = {
            name: f"says {value}, true is {TRUTHS[name].of(home):g}"
            for name, value in values.items()
            if value is None or not TRUTHS[name].allows(value, home)
        }
        assert wrong == {}, scene.name


@everywhere
@safety
@pytest.mark.parametrize("power_w", [-POWER_W, POWER_W], ids=["charge", "discharge"])
@simulated
async def test_variant_obeys_stops_and_gives_back(driver_case: DriverCase, power_w: float) -> None:
    """In every variant a command moves the battery its way, a stop ends that within the declared bound, and a release
    leaves the control block at its default.

    If this fails: compare the variant's sequences and routes with those of the first one.
    """
    rig = _against(driver_case, power_w)
    snapshot = await rig.take()
    direction = Direction.DISCHARGE if power_w > 0 else Direction.CHARGE
    if rig.driver.capabilities().route(direction) is not None:
        await rig.set_power(power_w, snapshot)
        await rig.settle(direction)
        _assert_moves(rig, direction, power_w)
    await rig.stop(snapshot)
    await rig.wait(driver_case.target.declaration.stop_s)
    assert rig.at_rest, f"{rig.battery_w:.0f} W after the stop"
    await rig.release(snapshot)
    assert (await rig.driver.read_control()).state is ControlState.DEFAULT


@everywhere
@safety
@simulated
async def test_variant_is_proved_by_effect(driver_case: DriverCase) -> None:
    """In every variant whose route is verified by its effect, a command is said to be verified once the battery has
    followed, and never where the device acknowledges everything and does nothing.

    If this fails: a path that serves old values needs `read_back = false`; `latency_s` may be too short.
    """
    async with driver_case.site() as site:
        await site.settled()
        if site.route(-POWER_W).verify is not Verify.EFFECT:
            return
        command = await site.send("set_power", power_w=-POWER_W, ttl_s=PROVED_S)
        await site.outcome(command, stage="verified", verification="effect")
        assert site.follows(-POWER_W), f"the battery does {site.battery_w:.0f} W"
        await site.send("release")
        await site.given_back()
        site.forget_writes()
        ignored = await site.send("set_power", power_w=-POWER_W, ttl_s=PROVED_S)
        await site.wait(PROVED_S)
        assert site.found(ignored, stage="written") is not None
        assert site.found(ignored, verification="effect") is None
        assert site.found(ignored, stage="delivered") is None


def _against(driver_case: DriverCase, power_w: float) -> Rig:
    """A home with sun and load enough for either, whose own logic does the opposite of a command to charge."""
    return driver_case.rig(pv_w=500.0, load_w=3500.0) if power_w < 0 else driver_case.rig(pv_w=0.0, load_w=3500.0)


def _assert_moves(rig: Rig, direction: Direction, power_w: float) -> None:
    route = rig.driver.capabilities().route(direction)
    assert route is not None
    if route.authority is Authority.EXACT:
        assert rig.battery_w == pytest.approx(power_w, abs=0.15 * POWER_W)
    else:
        assert rig.battery_w * power_w > 0, f"told {power_w:g} W, the battery does {rig.battery_w:.0f} W"
