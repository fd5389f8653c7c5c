"""What every twin's device misbehaviours do to its battery: each acts while it is on, and not when it is off.

A plugin's test module imports all of this, and brings two fixtures:

- `b`, a bench in the dark, whose own regulation gives the house its `OWN_W`;
- `order`, the `Order` that it is then given.

What else a brand shows of a misbehaviour, it tests beside these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import copysign

import pytest
from samspel_sim.misbehave import CATALOGUE
from samspel_sim.testing import Bench

OWN_W = 500.0
_CLAMP_W, _CALIBRATION_W = 800.0, -1500.0
_NEAR_W = 5.0


@dataclass(frozen=True, slots=True)
class Order:
    """A power command as a brand takes it; calling it gives what the battery then does.

    `power_w`: what that is when nothing is wrong, positive discharging, reached within `settle_s`. `stored`: what
    registers of the command read then.
    """

    send: Callable[[Bench], object]
    power_w: float
    settle_s: float
    stored: Mapping[str, float]

    def __call__(self, b: Bench) -> float:
        """Send it and wait; watts."""
        self.send(b)
        return float(b.wait(self.settle_s)["battery_power_w"])


def _runs_at(b: Bench, expected_w: float) -> None:
    found_w = b["battery_power_w"]
    assert abs(found_w - expected_w) <= _NEAR_W, f"the battery runs at {found_w:.0f} W, not at {expected_w:.0f} W"


def _acts(b: Bench, order: Order, expected_w: float, name: str, **parameters: object) -> None:
    """While it is on, the order leads to this; soon afterwards to what it says."""
    _leads_to(b, order, expected_w, name, **parameters)
    _runs_at(b.wait(order.settle_s), order.power_w)


def _leads_to(b: Bench, order: Order, expected_w: float, name: str, **parameters: object) -> None:
    b.twin.misbehave(name, True, **parameters)
    order(b)
    _runs_at(b, expected_w)
    b.twin.misbehave(name, False)


def test_ignore_setpoint(b: Bench, order: Order) -> None:
    """The command is stored and not followed."""
    b.twin.misbehave("ignore_setpoint")
    order(b)
    _runs_at(b, OWN_W)
    assert {name: b.read(name) for name in order.stored} == order.stored
    b.twin.misbehave("ignore_setpoint", False)
    _runs_at(b.wait(order.settle_s), order.power_w)


def test_clamp(b: Bench, order: Order) -> None:
    """The command is followed up to the clamp."""
    _acts(b, order, copysign(_CLAMP_W, order.power_w), "clamp", watts=_CLAMP_W)


def test_reverse(b: Bench, order: Order) -> None:
    """The command is followed the other way."""
    _acts(b, order, -order.power_w, "reverse")


def test_reverse_leaves_the_own_mode_alone(b: Bench) -> None:
    """Nothing was commanded, so nothing is reversed."""
    b.twin.misbehave("reverse")
    _runs_at(b.wait(20), OWN_W)


def test_sleep(b: Bench, order: Order) -> None:
    """A sleeping battery gives no power."""
    _acts(b, order, 0.0, "sleep")


def test_battery_fault(b: Bench, order: Order) -> None:
    """A faulty battery gives no power, and may take half as long again to come back."""
    _leads_to(b, order, 0.0, "battery_fault")
    _runs_at(b.wait(1.5 * order.settle_s), order.power_w)


def test_calibration(b: Bench, order: Order) -> None:
    """A calibration runs the battery whatever was commanded."""
    _acts(b, order, _CALIBRATION_W, "calibration", watts=_CALIBRATION_W)


def test_meter_offline(b: Bench) -> None:
    """The own regulation does not know what the house takes."""
    b.twin.misbehave("meter_offline")
    _runs_at(b.wait(10), 0.0)
    b.twin.misbehave("meter_offline", False)
    _runs_at(b.wait(10), OWN_W)


def test_other_serial(b: Bench) -> None:
    """Another device answers."""
    mine = b.read("serial_number")
    b.twin.misbehave("other_serial", serial="SIM000000777")
    assert b.wait(4).read("serial_number") == "SIM000000777"
    b.twin.misbehave("other_serial", False)
    assert b.wait(4).read("serial_number") == mine


def test_every_device_misbehaviour_has_a_test_here(b: Bench, request: pytest.FixtureRequest) -> None:
    """The twin knows them all; their tests are here, or in the module that imports this one."""
    tested = [name.removeprefix("test_") for name in vars(request.module) if name.startswith("test_")]
    for name, entry in CATALOGUE.items():
        if not entry.link:
            b.twin.misbehaviours.check(name, {})
            assert any(test.startswith(name) for test in tested), f"no test is called test_{name}"


__all__ = ["OWN_W", "Order", *(name for name in dir() if name.startswith("test_"))]  # noqa: PLE0604 - texts
