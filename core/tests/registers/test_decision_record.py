"""The TOML in the decision record is read by the shipped loader, so that the page cannot drift from it."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from samspel.contract.signals import SIGNALS, Positive
from samspel.registers.loader import load_map

RECORD = Path(__file__).parents[3] / "docs" / "decisions" / "0001-three-families-one-vocabulary.md"
BLOCKS = dict(re.findall(r"^```toml map=(\S+)\n(.*?)^```", RECORD.read_text(encoding="utf-8"), re.S | re.M))
SEQUENCES_ONLY = sorted(BLOCKS.keys() - {"sample"})
HEAD = '[map]\nschema = "1.0"\nid = "stub"\nversion = "1"\nmodels = ["*"]\nfirmware = []\n'
VERBS = ("write", "write_if_differs", "set_bits", "clear_bits", "wait_until", "require")


def steps_in(part: Any) -> list[dict[str, Any]]:
    """Every step in a sequence, ladder or table of sequences."""
    if isinstance(part, list):
        return [step for item in part for step in steps_in(item)]
    if not isinstance(part, dict):
        return []
    if "rung" in part or "charge" in part:
        return [step for value in part.values() for step in steps_in(value)]
    return [part]


class Stubs:
    """Rows for the names that a block uses: just enough for its sequences to be checked."""

    def __init__(self) -> None:
        self.labels: dict[str, dict[str, None]] = {}
        self.units: dict[str, str] = {}
        self.blocks: list[list[str]] = []
        self.fields: dict[str, list[str]] = {}
        self.signals: set[str] = set()

    def see(self, step: dict[str, Any]) -> None:
        names = [step[verb] for verb in VERBS if verb in step]
        if "write_block" in step:
            names = step["write_block"]
            self.blocks.append(names)
        if isinstance(step.get("verify"), list):
            names = step["verify"]
        for name in names:
            self.labels.setdefault(name, {})
        for name, value in zip(names, step.get("values", [step.get("value")]), strict=False):
            self.see_value(name, value)
        for word in [step.get("is"), step.get("is_not")]:
            for text in word if isinstance(word, list) else [word]:
                self.see_value(names[0] if names else "", text)

    def see_value(self, name: str, value: Any) -> None:
        if isinstance(value, str):
            self.labels[name][value] = None
        if not isinstance(value, dict):
            return
        if "signal" in value:
            self.units[name] = "" if "share_of" in value else "W"
            self.signals |= {value[key] for key in ("signal", "clamp_to", "share_of") if key in value}
        if "otherwise" in value:
            self.see_value(name, value["otherwise"])
        if "pack" in value:
            self.fields[name] = list(value["pack"])
            for part in value["pack"].values():
                self.see_value(name, part)

    def toml(self) -> str:
        order = list(dict.fromkeys([*(name for block in self.blocks for name in block), *self.labels]))
        rows = [self.row(name, 40000 + place) for place, name in enumerate(order)]
        rows += [self.signal(name, 100 + place) for place, name in enumerate(sorted(self.signals))]
        return "[registers]\n" + "\n".join(rows) + "\n"

    def row(self, name: str, address: int) -> str:
        keys = [f'address = {address}, type = "u16", write = 16, authority = "binding", life = "volatile"']
        keys += ['on_release = "reset", confidence = "high", source = "stub"']
        words = list(self.labels[name])
        keys += [f"neutral = {words[0]!r}" if words else "neutral = 0"]
        if words:
            keys.append("labels = { " + ", ".join(f"{raw} = {word!r}" for raw, word in enumerate(words)) + " }")
        if name in self.fields:
            parts = [f"{part} = {{ shift = {8 * place}, width = 8 }}" for place, part in enumerate(self.fields[name])]
            keys.append("fields = { " + ", ".join(parts) + " }")
        if self.units.get(name):
            keys.append(f"unit = {self.units[name]!r}")
        return f"{name} = {{ {', '.join(keys)} }}"

    def signal(self, name: str, address: int) -> str:
        spec = SIGNALS.get(name)
        if spec is None:
            return ""
        positive = "" if spec.positive is Positive.NONE else f', positive = "{spec.positive}"'
        keys = f'address = {address}, type = "u16", unit = "{spec.unit}", signal = "{name}"{positive}'
        return f'row_{name} = {{ {keys}, confidence = "high", source = "stub" }}'


def with_stubs(block: str) -> str:
    stubs = Stubs()
    for step in steps_in(tomllib.loads(block)["sequences"]):
        stubs.see(step)
    return HEAD + stubs.toml() + block


def test_the_record_holds_all_families() -> None:
    assert {"sample", "sun2000", "sh-external-ems", "h2-passive", "h2-time-of-use"} <= BLOCKS.keys()


def test_the_sample_loads_as_it_stands() -> None:
    loaded = load_map(BLOCKS["sample"], source_name="sample")
    assert loaded.owned == ("charge_power", "discharge_power", "command")
    assert loaded.feed_repeats


@pytest.mark.parametrize("name", SEQUENCES_ONLY)
def test_every_block_of_sequences_loads(name: str) -> None:
    loaded = load_map(with_stubs(BLOCKS[name]), source_name=name)
    stated = tomllib.loads(BLOCKS[name])["sequences"]
    for sequence in ("take", "charge", "discharge", "release"):
        assert len(loaded.sequences[sequence]) == len(stated[sequence])
    assert [rung.name for rung in loaded.stop] == [rung["rung"] for rung in stated["stop"]]


def test_a_block_with_a_mistake_would_be_caught() -> None:
    broken = BLOCKS["sun2000"].replace('verify = ["forcible_charge_power"', 'verify = ["forcible_discharge_power"', 1)
    with pytest.raises(Exception, match="forcible_discharge_power is not written before"):
        load_map(with_stubs(broken))
