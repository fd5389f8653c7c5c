"""A folder of logs: a file for each home and test, or a file a test with all homes in it, CSV or Parquet.

Every file follows the TSOs' naming; the first field is the home's name. A file with a column `Resource` holds many
homes (long form): that column names them, rows may come in any order, and the name's first field is the fleet's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np

from samspel_prequal import rules
from samspel_prequal.aggregate.arrow import batches, is_long, read_trace
from samspel_prequal.aggregate.trace import HomeTrace
from samspel_prequal.errors import AggregateError
from samspel_prequal.logs import LogName, TestLabel
from samspel_prequal.product import Product
from samspel_prequal.signals import FloatArray

__all__ = ["Folder"]

_READERS: Final = 2
_AHEAD: Final = 8  # files that are read before they are needed


class Folder:
    """The logs of one product in a folder; those of other products are left alone.

    Raises:
        AggregateError: there is no log of the product.
        LogNameError: a file name that does not follow the grammar.
    """

    def __init__(self, path: Path, product: Product) -> None:
        self._product = product
        self._files: dict[str, list[tuple[Path, LogName]]] = {}
        self._labels: dict[str, TestLabel] = {}
        for file in sorted(path.glob("*")):
            if file.suffix in {".csv", ".parquet"}:
                self._add(file, LogName.parse(file))
        if not self._labels:
            raise AggregateError(f"{path} holds no log of {product}: expected files named as the TSOs ask for")

    @property
    def product(self) -> Product:
        """Whose tests these are."""
        return self._product

    @property
    def labels(self) -> tuple[TestLabel, ...]:
        """The tests there are, in the order of their names."""
        return tuple(self._labels.values())

    def traces(self, label: TestLabel) -> Iterator[HomeTrace]:
        """Each home once; long files are put apart first."""
        files = self._files[str(label)]
        if any(is_long(path) for path, _ in files[:1]):
            for path, name in files:
                yield from _apart(path, name)
        else:
            yield from _ahead(files)

    def _add(self, path: Path, name: LogName) -> None:
        if name.product is self._product:
            self._labels.setdefault(str(name.label), name.label)
            self._files.setdefault(str(name.label), []).append((path, name))


def _ahead(files: list[tuple[Path, LogName]]) -> Iterator[HomeTrace]:
    """Files in their order, a few of them being read while the one before is used."""
    waiting: deque[Future[HomeTrace]] = deque()
    with ThreadPoolExecutor(_READERS) as readers:
        for path, name in files:
            waiting.append(readers.submit(read_trace, path, name))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _apart(path: Path, name: LogName) -> Iterator[HomeTrace]:
    """The homes of a long file. All its rows are held, in 20 bytes each: no order of rows is asked for."""
    numbers: dict[str, int] = {}
    pieces: list[tuple[np.ndarray, ...]] = []
    capacities: dict[int, float] = {}
    for homes, rows in batches(path, name):
        here = np.array([numbers.setdefault(home, len(numbers)) for home in homes.dictionary.to_pylist()])
        codes = here[homes.indices.to_numpy()].astype(np.int32)
        hz = np.full(len(codes), np.nan) if rows.frequency_hz is None else rows.frequency_hz
        deviation_hz = (hz - rules.NOMINAL_HZ).astype(np.float32)  # small numbers keep their digits
        pieces.append((codes, rows.time_ms, rows.power_w.astype(np.float32), deviation_hz))
    codes, time_ms, power_w, deviation_hz = (np.concatenate(one) for one in zip(*pieces, strict=True))
    order = np.lexsort((time_ms, codes))
    edges = np.searchsorted(codes[order], np.arange(len(numbers) + 1))
    for home, at in numbers.items():
        mine = order[edges[at] : edges[at + 1]]
        yield HomeTrace(home, time_ms[mine], _double(power_w[mine]), _frequency(deviation_hz[mine]), capacities.get(at))


def _double(values: np.ndarray) -> FloatArray:
    return np.asarray(values, dtype=np.float64)


def _frequency(deviation_hz: np.ndarray) -> FloatArray | None:
    return None if np.isnan(deviation_hz).all() else _double(deviation_hz) + rules.NOMINAL_HZ
