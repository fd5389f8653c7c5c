"""What real devices have said, where somebody has recorded it."""

from __future__ import annotations

from samspel_contract.captures import contradictions, read_capture
from samspel_contract.case import NOTHING, DriverCase, once, safety, simulated


@once
@safety
@simulated
async def test_captures_decode_as_measured(driver_case: DriverCase, capture_file: str) -> None:
    """Every recording that the driver ships is read as the values, states and faults that were true when it was made;
    the report then says `capture-verified`. Without a recording it says `twin-only`.

    If this fails: the map misreads a real device, or the recording states what was not so; look at its `source`.
    """
    if capture_file == NOTHING:
        return
    target = driver_case.target
    capture = read_capture(target.folder / capture_file, target.manifest)
    assert await contradictions(target, capture) == []
