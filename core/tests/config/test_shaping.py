"""Which filters a device has: sensible without a word, and nothing configured in vain."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from pydantic import ValidationError
from samspel.assembly import _chain
from samspel.config.shaping import STANDARD_ORDER
from samspel.config.site import DeviceConfig
from samspel.plugins.host import Plugins
from samspel.shaping.filter import Shaped, ShapingContext
from samspel.shaping.gate import OPEN, Gate
from samspel.shaping.guarded import TowardZero
from samspel.shaping.limits import ContractLimits

EVERYTHING = {
    "slew": {"w_per_s": 500},
    "ac_limit": {},
    "fuse": {"rating_a": 20},
    "export_limit": {"limit_w": 0},
    "gate": {"delta_w": 10, "time_s": 5},
    "wear_budget": {"writes_per_day": 7},
}


def device(**fields):
    return DeviceConfig(driver="acme", url="modbus-tcp://127.0.0.1", **fields)


def chain(**fields):
    return _chain(device(**fields), Plugins([], ()))


def test_without_a_word():
    assert device().filters == ("contract_limits", "gate", "wear_budget", "battery_limits")
    made = chain()
    assert [one.name for one in made.filters] == ["contract_limits", "wear_budget", "battery_limits"]
    assert made.gate == Gate(delta_w=50, time_s=60)
    assert made.wear_budget.writes_per_day == 10_000


def test_what_is_configured_is_in_the_list_at_its_place():
    assert device(shaping=EVERYTHING).filters == STANDARD_ORDER
    made = chain(shaping=EVERYTHING)
    assert [one.name for one in made.filters] == [name for name in STANDARD_ORDER if name != "gate"]
    assert (made.gate, made.wear_budget.writes_per_day) == (Gate(delta_w=10, time_s=5), 7)


def test_the_list_is_the_sites_own():
    made = chain(filters=["contract_limits", "battery_limits"])
    assert (made.gate, made.wear_budget) == (OPEN, None)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"filters": ["contract_limits"], "shaping": {"fuse": {"rating_a": 20}}}, "'fuse' is not in filters: add it"),
        ({"filters": ["slew"]}, "'slew' is in filters, but shaping.slew is not given"),
        ({"shaping": {"slew": {}}}, "w_per_s"),
        ({"shaping": {"slew": {"w_per_s": 0}}}, "greater than 0"),
        ({"shaping": {"fuse": {"rating_a": 20, "phases": ["l4"]}}}, "'l1', 'l2' or 'l3'"),
        ({"shaping": {"fuse": {"rating_a": 20, "share": 1.5}}}, "less than or equal to 1"),
        ({"shaping": {"gates": {}}}, "Extra inputs"),
    ],
)
def test_what_does_not_fit_is_said(fields, said):
    with pytest.raises(ValidationError, match=said):
        device(**fields)


class Wild:
    """An extension's filter that would raise whatever it gets."""

    name, hard = "wild", False

    def initial(self):
        return None

    def apply(self, state, target_w, context):
        return Shaped(state, 10 * target_w)


def test_an_extensions_filter_is_bounded_and_gets_the_limits():
    """Wherever the site puts it; core's own are not wrapped."""
    core, given = Plugins([], ()), []

    def named(name):
        return core.filter(name) if name != "wild" else lambda settings: given.append(dict(settings)) or Wild()

    table = device(filters=["wild", "contract_limits"], limits={"charge_w": 900, "discharge_w": 900})
    made = _chain(table, SimpleNamespace(filter=named))
    assert given == [{"charge_w": 900, "discharge_w": 900, "soc_min_pct": 10, "soc_max_pct": 100}]
    shaped = made.shape(100, ShapingContext(now=0.0, written_w=None))
    assert shaped.target_w == 100
    assert [note.reason for note in shaped.notes] == ["filter_bounded"]
    assert [type(one) for one in made.filters] == [TowardZero, ContractLimits]
