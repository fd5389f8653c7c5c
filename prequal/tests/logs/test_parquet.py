"""The Parquet form holds the same log."""

import numpy as np
import pytest
from samspel_prequal.errors import LogNameError
from samspel_prequal.logs import Log, TestLabel
from samspel_prequal.product import Product, TestType

pytest.importorskip("pyarrow", reason="Parquet is an optional extra")

from samspel_prequal.logs.parquet import read_parquet, stream_parquet, write_parquet


@pytest.fixture
def log():
    time_s = np.arange(1000) / 10
    soc = np.where(time_s < 50, np.nan, 40.0)
    made = Log.of(Product.FCR_D_UP, TestLabel(TestType.RAMP), time_s, np.full(1000, 49.9), 5 * time_s, SOC=soc)
    return Log(
        **{**{name: getattr(made, name) for name in made.__slots__}, "texts": {"ContMode_FcrdUp": np.full(1000, "A1")}}
    )


def test_it_comes_back(tmp_path, log):
    path = write_parquet(log, tmp_path)
    assert path.name == "HOME1_FcrdUp_Ramp_SE3_UTC_20260105T1000-20260105T1001_100ms.parquet"
    back = read_parquet(path)
    assert back.start == log.start
    np.testing.assert_array_equal(back.time_s, log.time_s)
    for header, data in log.values.items():
        np.testing.assert_allclose(back.values[header], data, rtol=1e-15)
    assert back.texts["ContMode_FcrdUp"].tolist() == ["A1"] * 1000


def test_it_streams(tmp_path, log):
    pieces = list(stream_parquet(write_parquet(log, tmp_path), rows=300))
    assert [len(piece.time_s) for piece in pieces] == [300, 300, 300, 100]
    np.testing.assert_array_equal(np.concatenate([piece.time_s for piece in pieces]), log.time_s)


def test_a_name_without_a_meaning_is_refused(tmp_path, log):
    path = write_parquet(log, tmp_path).rename(tmp_path / "x.parquet")
    with pytest.raises(LogNameError):
        read_parquet(path)
