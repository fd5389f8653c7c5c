"""CSV and Parquet, a file a home and a file a test: the same fleet gives the same answer."""

import json

import numpy as np
import pytest
from samspel_prequal.aggregate import Folder, Population, SimulatedFleet, aggregate, arrow, draw, write_fleet
from samspel_prequal.cli import main
from samspel_prequal.errors import AggregateError, LogError, LogNameError
from samspel_prequal.product import Product

from .fleets import HOME_W, Chosen

UP = Product.FCR_D_UP
TESTS = ("Sine25", "Ramp")
pyarrow = pytest.importorskip("pyarrow")
arrow_csv = pytest.importorskip("pyarrow.csv")
arrow_parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture(scope="module")
def fleet() -> Chosen:
    wanted = Population(6, 6 * HOME_W, reversed_share=0.17, dropping_share=0.17, clock_share=0.17)
    return Chosen(SimulatedFleet(UP, draw(wanted, UP, 4)), TESTS)


@pytest.fixture(scope="module")
def expected(fleet: Chosen) -> dict[str, float]:
    return _costs(fleet)


def _costs(source) -> dict[str, float]:
    found = aggregate(source, 6 * HOME_W)
    costs = {f"{home.home} {name}": value for home in found.homes for name, value in home.cost.items()}
    return costs | {name: one.value for name, one in found.verdict.requirements.items() if name[0] in "RhK"}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_file_a_home(tmp_path, fleet: Chosen, expected: dict[str, float], form: str) -> None:
    assert write_fleet(fleet, tmp_path, form=form) == 12
    assert _costs(Folder(tmp_path, UP)) == pytest.approx(expected, abs=2e-5)


def test_csv_without_pyarrow_says_the_same(tmp_path, fleet: Chosen, expected, monkeypatch) -> None:
    write_fleet(fleet, tmp_path, form="csv")
    monkeypatch.setattr(arrow, "find_spec", lambda name: None)
    assert _costs(Folder(tmp_path, UP)) == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_file_a_test_with_rows_in_any_order(tmp_path, fleet: Chosen, expected, form: str) -> None:
    for label in fleet.labels:
        _write_long(tmp_path, fleet, label, form)
    assert _costs(Folder(tmp_path, UP)) == pytest.approx(expected, abs=2e-3)


def _write_long(folder, fleet: Chosen, label, form: str) -> None:
    traces = list(fleet.traces(label))
    column = {
        "Resource": np.concatenate([np.full(len(one.time_ms), one.home) for one in traces]),
        "DateTime": np.concatenate([one.time_ms for one in traces]).astype(np.int64).astype("datetime64[ms]"),
        "InsAcPow": np.concatenate([one.power_w for one in traces]) / 1e6,
        "ApplFreqSig": np.concatenate([one.frequency_hz for one in traces]),
    }
    order = np.random.default_rng(1).permutation(len(column["Resource"]))
    column = {name: values[order] for name, values in column.items()}
    name = f"FLEET_FcrdUp_{label}_SE3_UTC_20260105T0800-20260105T0900_100ms"
    if form == "parquet":
        arrow_parquet.write_table(pyarrow.table(column), folder / f"{name}.parquet")
        return
    stamps = np.datetime_as_string(column["DateTime"]).tolist()
    column["DateTime"] = [stamp.replace("-", "").replace(":", "") for stamp in stamps]
    suffixed = {one if one == "Resource" else f"{one}{label.suffix}": values for one, values in column.items()}
    arrow_csv.write_csv(pyarrow.table(suffixed), folder / f"{name}.csv")


def test_bad_folders_are_explained(tmp_path, fleet: Chosen) -> None:
    with pytest.raises(AggregateError, match="holds no log of fcr-d-up"):
        Folder(tmp_path, UP)
    write_fleet(Chosen(fleet._fleet, ["Sine25"]), tmp_path, form="csv")
    with pytest.raises(AggregateError, match="already holds logs"):
        write_fleet(fleet, tmp_path)
    with pytest.raises(AggregateError, match="no log of fcr-n"):
        Folder(tmp_path, Product.FCR_N)
    bad = sorted(tmp_path.glob("*.csv"))[2]
    bad.write_bytes(bad.read_bytes().replace(b",49.7", b",4x.7", 1))
    with pytest.raises(LogError, match="expected a number"):
        aggregate(Folder(tmp_path, UP), HOME_W)
    (tmp_path / "notes.csv").write_text("a,b\n")
    with pytest.raises(LogNameError, match=r"notes\.csv"):
        Folder(tmp_path, UP)


def test_the_command_writes_a_fleet_judges_it_and_writes_the_sum(tmp_path, capsys) -> None:
    folder, summed = tmp_path / "homes", tmp_path / "sum"
    assert main(["aggregate", "--product", "fcr-d-up", "--simulate", "5", "--seed", "2", str(folder), "--json"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert len(list(folder.iterdir())) == 5 * 8
    given = ["aggregate", "--product", "fcr-d-up", "--capacity-w", "25000", str(folder)]
    assert main([*given, "--json", "--top", "2", "--write-sum", str(summed)]) == 0
    read = json.loads(capsys.readouterr().out)
    assert (read["homes"], len(read["costs"])) == (5, 2)
    assert read["requirements"]["R8"]["value"] == pytest.approx(written["requirements"]["R8"]["value"])
    assert len(list(summed.glob("FLEET_FcrdUp_*.csv"))) == 8
    assert main([*given, "--rank-by", "R8"]) == 0
    assert "homes that cost most" in capsys.readouterr().out
    assert main(["aggregate", "--product", "fcr-d-up", str(folder)]) == 2


def test_a_failing_sum_exits_1(tmp_path, capsys, fleet: Chosen) -> None:
    write_fleet(fleet, tmp_path)
    assert main(["aggregate", "--product", "fcr-d-up", "--capacity-w", "60000", str(tmp_path)]) == 1
    assert "FAIL" in capsys.readouterr().out


def test_times_that_do_not_rise_are_refused(tmp_path, fleet: Chosen) -> None:
    for form, error, said in (("csv", LogError, "rising times"), ("parquet", AggregateError, "times that rise")):
        folder = tmp_path / form
        write_fleet(Chosen(fleet._fleet, ["Sine25"]), folder, form=form)
        bad = min(folder.iterdir())
        if form == "csv":
            head, one, two, *rest = bad.read_bytes().splitlines(keepends=True)
            bad.write_bytes(b"".join([head, two, one, *rest]))
        else:
            table = arrow_parquet.read_table(bad)
            arrow_parquet.write_table(pyarrow.concat_tables([table[1:2], table[0:1], table[2:]]), bad)
        with pytest.raises(error, match=said):
            aggregate(Folder(folder, UP), HOME_W)
