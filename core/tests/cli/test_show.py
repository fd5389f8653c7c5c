"""What `show` says of a brand with several ways of control and further units."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from samspel.cli.show import print_brand, shown
from samspel.plugins.brand import load_brand

SECOND = Path(__file__).parents[1] / "driver" / "second" / "driver.toml"
ROW = SimpleNamespace(name="second", dist="samspel-second", version="1", health="ok", stage="", error="")


def test_ways_of_control_and_further_units_are_shown_once(capsys):
    facts = shown(ROW, load_brand(SECOND))
    first, second = facts.maps
    assert (first.controls, first.units, first.overlays) == ((), (), ())
    assert (second.controls, second.units, second.overlays) == (("forced", "slots"), ("pack",), ())
    assert [(one.route.name, one.control) for one in facts.routes][2:4] == [
        ("fed_zero", ""),
        ("forced_charge", "forced"),
    ]
    print_brand(facts)
    assert "second: a site may name control = forced, slots; units = pack" in capsys.readouterr().out
