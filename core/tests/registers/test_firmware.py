import pytest
from hypothesis import given
from hypothesis import strategies as st
from samspel.registers.firmware import in_ranges, version_key


@pytest.mark.parametrize(
    ("text", "key"),
    [("V100R001C00SPC168", (100, 1, 0, 168)), ("ABC-H_01011.95.14", (1011, 95, 14)), ("", ()), ("beta", ())],
)
def test_the_numbers_in_order(text: str, key: tuple[int, ...]) -> None:
    assert version_key(text) == key


def test_ten_comes_after_nine() -> None:
    assert version_key("V1.10") > version_key("V1.9")


@pytest.mark.parametrize(
    ("firmware", "inside"), [("SPC100", True), ("SPC150", True), ("SPC199", True), ("SPC99", False), ("SPC200", False)]
)
def test_ranges_are_closed(firmware: str, inside: bool) -> None:
    assert in_ranges(firmware, [("SPC300", "SPC400"), ("SPC100", "SPC199")]) is inside


def test_nothing_known_lies_in_no_range() -> None:
    assert not in_ranges("", [("0", "999")])
    assert not in_ranges("beta", [("0", "999")])
    assert not in_ranges("V1", [])


@given(st.lists(st.integers(0, 9999), min_size=1, max_size=4))
def test_every_version_is_its_own_range(numbers: list[int]) -> None:
    text = "V" + "R".join(map(str, numbers))
    assert in_ranges(text, [(text, text)])
