"""However a map is mangled, its author gets a MapError or a map: never another exception."""

import contextlib
import copy
import tomllib
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samspel.contract.errors import MapError
from samspel.registers.loader import load_map, load_variants

WORDS = st.sampled_from(
    [
        "",
        "x",
        "command",
        "power",
        "charge_limit_w",
        "target_power_w",
        "stop",
        "write",
        "u16",
        "string",
        "f32",
        "low",
        "volts",
        "flow",
        "battery_power",
        "clock",
        "times",
        "at",
        "6",
    ]
)
SCALARS = st.one_of(
    st.booleans(), st.integers(-70000, 70000), st.just(1 << 62), st.floats(allow_nan=True), WORDS, st.just("1")
)
VALUES = st.recursive(SCALARS, lambda part: st.lists(part, max_size=3) | st.dictionaries(WORDS, part, max_size=3))


def toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "{ " + ", ".join(f'"{key}" = {toml(part)}' for key, part in value.items()) + " }"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case str():
            return f'"{value}"'
        case _:
            return str(value)


def mangle(value: Any, data: st.DataObject) -> Any:
    """Go down to some place and change, drop or add something there."""
    if not isinstance(value, dict | list) or not value or data.draw(st.integers(0, 7)) == 0:
        return data.draw(VALUES)
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = data.draw(st.sampled_from(keys))
    match data.draw(st.integers(0, 9)):
        case 0:
            del value[key]
        case 1 if isinstance(value, dict):
            value[data.draw(WORDS)] = data.draw(VALUES)
        case _:
            value[key] = mangle(value[key], data)
    return value


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_mangled_map_is_refused_in_words(map_text: str, data: st.DataObject) -> None:
    document = copy.deepcopy(tomllib.loads(map_text))
    for _ in range(data.draw(st.integers(1, 3))):
        mangled = mangle(document, data)
        document = mangled if isinstance(mangled, dict) else document
    text = "\n".join(f'"{key}" = {toml(part)}' for key, part in document.items())
    for load in (load_map, load_variants):
        with contextlib.suppress(MapError):
            load(text)
    with contextlib.suppress(MapError):
        load_map(text, control="slots")
