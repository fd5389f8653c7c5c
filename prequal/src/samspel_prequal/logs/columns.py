"""The columns of the TSOs' CSV (TR table 18, TP table 19): header, kind, unit and where each is due."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from samspel_prequal.product import FCR_PRODUCTS, Product

__all__ = ["COLUMNS", "DATE_TIME", "Column", "Kind", "Need", "header_for", "must_headers"]

DATE_TIME: Final = "DateTime"
POWER: Final = "InsAcPow"
GRID_FREQUENCY: Final = "GridFreq"
APPLIED_FREQUENCY: Final = "ApplFreqSig"
BASELINE: Final = "CalcBaseline"
STATE_OF_CHARGE: Final = "SOC"
MEGA: Final = 1e6


class Kind(Enum):
    """How a cell is written."""

    DOUBLE = "double"
    BINARY = "binary"
    TEXT = "text"


class Need(Enum):
    """Whether a kind of log must have the column."""

    MUST = "must"
    PER_TEST = "per test"  # noted once, at the beginning of the test
    RECOMMENDED = "recommended"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Column:
    """One row of the table. A cell times `scale` is the value in watts, hertz, minutes or per cent."""

    header: str
    kind: Kind
    test: Need
    operation: Need
    scale: float = 1.0
    limited_reservoir: bool = False  # due for LER entities only
    product: Product | None = None


_M, _P, _R, _N = Need.MUST, Need.PER_TEST, Need.RECOMMENDED, Need.NONE
_DOUBLE, _BINARY, _TEXT = Kind.DOUBLE, Kind.BINARY, Kind.TEXT

_PLAIN = (
    Column(POWER, _DOUBLE, _M, _M, MEGA),
    Column(GRID_FREQUENCY, _DOUBLE, _M, _M),
    Column(APPLIED_FREQUENCY, _DOUBLE, _M, _N),
    Column(BASELINE, _DOUBLE, _M, _M, MEGA),
)
# Stem, kind, test, operation, scale, LER only.
_PER_PRODUCT: tuple[tuple[str, Kind, Need, Need, float, bool], ...] = (
    ("ContMode", _TEXT, _M, _R, 1.0, False),
    ("Cap", _DOUBLE, _P, _M, MEGA, False),
    ("ContStatus", _BINARY, _P, _M, 1.0, False),
    ("RegStr", _DOUBLE, _N, _M, MEGA, False),
    ("Activated", _DOUBLE, _N, _M, MEGA, False),
    ("ResSize", _DOUBLE, _M, _M, 1.0, True),
    ("NEM_MW", _DOUBLE, _M, _M, MEGA, True),
    ("NEM", _BINARY, _M, _M, 1.0, True),
    ("AEM", _BINARY, _M, _M, 1.0, True),
)
_REST = (
    Column("Pmin", _DOUBLE, _P, _M, MEGA),
    Column("Pmax", _DOUBLE, _P, _M, MEGA),
    Column("ContOutSig", _DOUBLE, _R, _R),
    Column("ContSetP", _DOUBLE, _P, _R),  # % or MW: as it stands
    Column(STATE_OF_CHARGE, _DOUBLE, _M, _R, limited_reservoir=True),
    *(Column(name, _DOUBLE, _R, _R) for name in ("GuideVane", "BladeAng", "UppWatLev", "LowWatLev")),
    *(Column(name, _DOUBLE, _P, _R) for name in ("AmbTemp", "CoolTemp")),
    *(Column(name, _DOUBLE, _R, _R) for name in ("WindSpeed", "SolarIrr")),
    Column("InsAcPow_station", _DOUBLE, _R, _R, MEGA),
)


def header_for(stem: str, product: Product) -> str:
    """`NEM` and FCR-N give `NEM_Fcrn`."""
    return f"{stem}_{product.service}"


def _table() -> dict[str, Column]:
    families = [
        Column(header_for(stem, product), kind, test, operation, scale, ler, product)
        for stem, kind, test, operation, scale, ler in _PER_PRODUCT
        for product in FCR_PRODUCTS
    ]
    return {column.header: column for column in (*_PLAIN, *families, *_REST)}


COLUMNS: Final = MappingProxyType(_table())


def must_headers(*, operation: bool) -> tuple[str, ...]:
    """The headers that every file of this kind carries, in the table's order; not-applicable ones stay blank."""
    return tuple(
        column.header for column in COLUMNS.values() if (column.operation if operation else column.test) is Need.MUST
    )
