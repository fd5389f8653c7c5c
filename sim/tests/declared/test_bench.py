"""What `samspel_sim.testing.Bench` promises to the tests of twins."""

from __future__ import annotations

import pytest
from samspel_sim.testing import refusal


def test_words_of_one_request_read_back_as_they_were_written(toy):
    bench = toy()
    table = bench.device.banks[bench.device.unit].table
    bench.write_words(table["charge_w"].address, 700)
    assert bench.words(table["charge_w"].address) == (700,)
    assert bench.read("charge_w") == 700


def test_a_refusal_is_its_code_and_a_call_that_is_answered_is_none(toy):
    bench = toy()
    assert refusal(bench.write, floor=101) == 3
    with pytest.raises(AssertionError, match="refused nothing"):
        refusal(bench.read, "floor")
    with pytest.raises(TimeoutError):
        refusal(bench.ask, b"\x03\0\1\0\1", unit=9)
