"""Input files and their fingerprints: what a verdict rests on, so that anyone can see that it is the same data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from samspel_prequal.errors import LogError
from samspel_prequal.logs import Log, check_log
from samspel_prequal.product import Product

__all__ = ["Source", "read_sources"]


@dataclass(frozen=True, slots=True)
class Source:
    """One file, its log, and what the reader had to say about it."""

    name: str
    size_bytes: int
    sha256: str
    log: Log
    remarks: tuple[str, ...] = ()

    @property
    def samples(self) -> int:
        """Rows of the file."""
        return len(self.log.time_s)


def read_sources(paths: Iterable[Path], product: Product, *, rated_w: float | None = None) -> tuple[Source, ...]:
    """Read every file; of a folder the CSV files of this product.

    Raises:
        LogError: a file that cannot be trusted, with every problem.
        FileNotFoundError: there is no such file, or no log of this product in a folder.
    """
    return tuple(_read(path, product, rated_w) for path in _files(paths, product))


def _files(paths: Iterable[Path], product: Product) -> Sequence[Path]:
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.glob(f"*_{product.service}_*.csv")) if path.is_dir() else [path]
        if not inside:
            raise FileNotFoundError(f"no log of {product} (..._{product.service}_....csv) in {path}")
        found += inside
    return found


def _read(path: Path, product: Product, rated_w: float | None) -> Source:
    checked = check_log(path, product=product, rated_w=rated_w)
    if checked.log is None:
        raise LogError(str(path), checked.problems)
    remarks = tuple(str(problem) for problem in checked.problems)
    return Source(path.name, path.stat().st_size, _fingerprint(path), checked.log, remarks)


def _fingerprint(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
