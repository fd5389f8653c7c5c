"""One scenario, the same words from every brand."""

from __future__ import annotations

from samspel_contract.capabilities import Capability
from samspel_contract.case import DriverCase, needs
from samspel_contract.differential import compare, reference, transcript


@needs(Capability.CHARGE, Capability.DISCHARGE, Capability.HELD_ZERO)
def test_nobody_can_tell_the_brand(driver_case: DriverCase) -> None:
    """One scenario (charge, change, discharge, zero, refusals, stop, lost link, limits, expiry) sends up the same words
    as the reference, except where a capability of the closed table explains the difference.

    If this fails: the difference names step and field; `differences.toml` says which capability may change which.
    """
    differences = compare(reference(), transcript(driver_case.target))
    assert [str(one) for one in differences if not one.allowed_by] == []
