"""Fleet sizes from the reservation table; what installed drivers can serve, by dynamics and by evidence."""

import json
import sys
from dataclasses import replace

import pytest
from samspel_prequal.cli import main
from samspel_prequal.design import DriverRecord, Dynamics, HomeSize, Loop, RouteRecord, fleet_size, suitability
from samspel_prequal.design import records as records_module
from samspel_prequal.design.suitability import readings
from samspel_prequal.errors import DesignError
from samspel_prequal.product import FCR_PRODUCTS, Product

N, UP, DOWN = FCR_PRODUCTS
ROUTE = RouteRecord(
    "go", "discharge", "exact", "step", 0.4, 0.0, 0.0, 0.0, 0.0, "timeout", "volatile", "measured", "high", "a test"
)
FAST = DriverRecord("acme", ("A*",), (), (), (ROUTE, replace(ROUTE, direction="charge")))


@pytest.mark.parametrize(
    ("mix", "energy_wh", "capacity_w", "decided_by"),
    [
        ({N: 1.0}, 1e6, 5000 / 1.34, "discharge power"),
        ({N: 1.0}, 6000, 3000, "energy"),
        ({UP: 1.0}, 1e6, 5000, "discharge power"),
        ({DOWN: 1.0}, 1e6, 5000, "charge power"),
        ({UP: 1.0, DOWN: 1.0}, 1e6, 5000 / 1.2, "discharge power"),
        ({UP: 1.0, DOWN: 1.0}, 2000, 3000, "energy"),
        ({N: 1.0, UP: 0.5}, 1e6, 5000 / 1.84, "discharge power"),
    ],
)
def test_the_reservation_decides(
    mix: dict[Product, float], energy_wh: float, capacity_w: float, decided_by: str
) -> None:
    found = fleet_size(HomeSize(5000, 5000, energy_wh), mix)
    assert found.home_capacity_w == pytest.approx(capacity_w)
    assert found.decided_by == decided_by
    assert (found.homes - 1) * capacity_w < 100e3 <= found.homes * capacity_w + 1e-6


def test_availability_and_reduction_ask_for_more_homes() -> None:
    home = HomeSize(5000, 5000, 1e6)
    assert [fleet_size(home, {UP: 1.0}, available=a, reduction=k).homes for a, k in ((1, 1), (0.5, 1), (1, 0.8))] == [
        20,
        40,
        25,
    ]
    for wrong in ({"available": 0.0}, {"reduction": 1.1}, {"bid_w": 0.0}):
        with pytest.raises(DesignError):
            fleet_size(home, {UP: 1.0}, **wrong)
    with pytest.raises(DesignError, match="ffr"):
        fleet_size(home, {Product.FFR: 1.0})


def _served(record: DriverRecord, base: Loop | None = None) -> dict[Product, tuple[Dynamics, bool]]:
    return {one.product: (one.dynamics, one.permitted) for one in suitability(record, base or Loop(meter_s=0.2))}


def test_a_fast_measured_device_may_serve_everything() -> None:
    assert set(_served(FAST).values()) == {(Dynamics.YES, True)}


@pytest.mark.parametrize(
    "weaker",
    [
        {"evidence": "inferred"},
        {"evidence": "document"},
        {"evidence": "twin"},
        {"authority": "upper_bound"},
        {"write_life": "persistent"},
    ],
)
def test_fast_is_not_enough(weaker: dict[str, str]) -> None:
    record = replace(FAST, routes=tuple(replace(route, **weaker) for route in FAST.routes))
    assert set(_served(record).values()) == {(Dynamics.YES, False)}


def test_a_direction_that_is_missing_or_of_unknown_speed() -> None:
    one_way = replace(FAST, routes=(ROUTE,))
    assert _served(one_way) == {N: (Dynamics.NO, False), UP: (Dynamics.YES, True), DOWN: (Dynamics.NO, False)}
    unknown = replace(FAST, routes=tuple(replace(route, latency_s=None) for route in FAST.routes))
    assert set(_served(unknown).values()) == {(Dynamics.UNKNOWN, False)}


def test_a_reversal_is_dead_time_for_fcr_n_only() -> None:
    record = replace(FAST, routes=tuple(replace(route, reversal_dwell_s=5.0) for route in FAST.routes))
    assert _served(record) == {N: (Dynamics.NO, False), UP: (Dynamics.YES, True), DOWN: (Dynamics.YES, True)}


def test_a_latency_of_unknown_make_is_read_in_every_way() -> None:
    route = replace(ROUTE, latency_s=2.0, ramp="unknown")
    found = readings((route,), UP, Loop(0.1, 0.9, meter_s=0.0))
    assert {name: (one.dead_time_s, one.lag_s, one.travel_s) for name, one in found.items()} == {
        "step": (2.0, 0.0, 0.0),
        "linear": (0.0, 0.0, pytest.approx(2.0 / 0.9)),
        "lag": (0.0, pytest.approx(0.86859, rel=1e-4), 0.0),
    }
    assert _served(replace(FAST, routes=(route,)), Loop(meter_s=0.0))[UP] == (Dynamics.DEPENDS, False)
    assert list(readings((replace(route, ramp="linear"),), UP, Loop())) == ["linear"]


def test_twenty_seconds_cannot_serve_fcr_d_whatever_they_are_made_of() -> None:
    record = replace(FAST, routes=tuple(replace(one, latency_s=20.0, ramp="unknown") for one in FAST.routes))
    for one in suitability(record, Loop(meter_s=0.0)):
        if one.product.is_fcr_d:
            assert one.dynamics is Dynamics.NO
            assert all({"R2", "R3"} <= set(failed) for failed in one.failed.values())


def test_installed_drivers_are_read_as_data_and_told_honestly(capsys: pytest.CaptureFixture[str]) -> None:
    metadata = pytest.importorskip("samspel.plugins.metadata")
    installed = [offer for offer in metadata.offers("samspel.drivers") if not offer.disabled]
    if not installed:
        pytest.skip("no driver is installed")
    before = set(sys.modules)
    assert main(["design", "--json"]) == 0
    assert not {offer.package for offer in installed} & (set(sys.modules) - before)
    rows = json.loads(capsys.readouterr().out)["models"]
    assert {offer.name for offer in installed} == {row["driver"] for row in rows}
    for row in rows:
        assert row["permitted"] == (
            row["dynamics"] == "yes" and row["evidence"] == ["measured"] and not row["obstacles"]
        )
        assert row["evidence"] == ["measured"] or any("needs measured" in why for why in row["obstacles"])
        slow = row["latency_s"] is not None and row["latency_s"] > 15
        assert row["dynamics"] == "no" or not slow


def test_without_the_neighbour_there_are_no_records(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "samspel"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "samspel", None)
    assert records_module.installed_records() == ((), ())


def test_the_command_prints_tables_and_draws(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    chart = tmp_path / "chart.png"
    given = ["design", "--product", "fcr-d-up", "--delay", "2", "--no-drivers", "--chart", str(chart)]
    assert main(given) == 0
    out = capsys.readouterr().out
    assert "fails R8" in out
    assert "In brackets" in out
    assert chart.read_bytes().startswith(b"\x89PNG")
    assert main(["design", "--delay", "-1", "--no-drivers"]) == 1
    assert "dead_time_s must be 0 s or more" in capsys.readouterr().err
