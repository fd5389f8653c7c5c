"""Golden messages: whoever writes a map wrong reads where, what was found and what is allowed."""

import tomllib
from pathlib import Path

import pytest
from samspel.contract.errors import MapError
from samspel.registers.loader import load_map

CASES = tomllib.loads((Path(__file__).parent / "map_errors.toml").read_text())["case"]
DISCHARGE = 'discharge = [{ write = "command", value = "discharge" }'


def changed(text: str, case: dict[str, str]) -> str:
    if "step" in case:
        text = text.replace(DISCHARGE, f"{DISCHARGE}, {case['step']}", 1)
    old = case.get("old", DISCHARGE)
    assert old in text, "the case does not fit the map any more"
    return text.replace(old, case.get("new", old), 1)


def errors_of(text: str) -> list[str]:
    with pytest.raises(MapError) as caught:
        load_map(text, source_name="acme.toml")
    return str(caught.value).splitlines()


def test_the_map_itself_is_right(map_text: str) -> None:
    load_map(map_text)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_message(case: dict[str, str], map_text: str) -> None:
    lines = errors_of(changed(map_text, case))
    assert any(line.startswith(f"acme.toml: {case['message']}") for line in lines), "\n".join(lines)


def test_every_problem_is_told_at_once(map_text: str) -> None:
    text = map_text.replace('signal = "battery_charged_wh"', 'signal = "x"').replace('value = "stop"', 'value = "y"')
    assert len(errors_of(text.replace("address = 121", "address = 111"))) == 3


def test_one_mistake_is_told_once(map_text: str) -> None:
    (line,) = errors_of(map_text.replace('clamp_to = "charge_limit_w"', 'clamp_to = "chrge_limit_w"'))
    assert "did you mean 'charge_limit_w'?" in line
