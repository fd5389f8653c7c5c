"""Which requests to send to read some registers: as few as the device's limits allow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from samspel.contract.ports import Table
from samspel.registers.model import Limits, Register

__all__ = ["NOTHING_KNOWN", "ReadRequest", "Standing", "plan", "split"]


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """`count` words of `table` from `address`, and the registers that they answer.

    `only_if` = (register, raw number): send it only while that register holds that number. `at` names another unit
    of the endpoint to send it to.
    """

    table: Table
    address: int
    count: int
    registers: tuple[Register, ...]
    only_if: tuple[str, int] | None = None
    at: str | None = None

    def words_of(self, register: Register, words: tuple[int, ...]) -> tuple[int, ...]:
        """The words of one of its registers out of the whole answer."""
        start = register.address - self.address
        return words[start : start + register.count]


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known about one device's registers, by name (see `quarantine`).

    `absent`: refused, not to be asked now. `suspect`: asked again, but only by itself. `proven`: has answered.
    `parted`: neighbours that were refused together and answered singly, so what lies between them is unreadable.
    """

    absent: frozenset[str] = frozenset()
    suspect: frozenset[str] = frozenset()
    proven: frozenset[str] = frozenset()
    parted: frozenset[tuple[str, str]] = frozenset()


NOTHING_KNOWN = Standing()


def plan(
    registers: Iterable[Register],
    limits: Limits,
    standing: Standing = NOTHING_KNOWN,
    *,
    known: Iterable[Register] = (),
) -> tuple[ReadRequest, ...]:
    """The fewest requests that read `registers` within `limits`.

    Every readable register that is not absent is in exactly one request. A request stays at one unit, in one table,
    is no longer than `read_words`, bridges at most `gap_words` unwanted words in a row, and serves one guard
    (`only_if`) or none. A register that is read `alone`, is suspect, or is `optional` and not yet proven has a
    request to itself, so that it cannot spoil others; for the same reason no gap is bridged over such a register,
    an absent, write-only or otherwise guarded one, wanted or not (`known` are all rows of the map), nor between
    parted neighbours. Requests are ordered by table, guard and address.

    Filling each request from the left as far as it goes is optimal: whatever fits in one request, a part of it
    without holes fits too; so the greedy request ends at least as far right as that of any other plan, and what
    is left to read is never more.
    """
    rows = [row for row in registers if row.readable and row.name not in standing.absent]
    dangers = [row for row in (*known, *rows) if _risky(row, standing)]
    requests: list[ReadRequest] = []
    for room, group in groupby(sorted(rows, key=_order), key=_room):
        members = list(group)
        avoid = [*dangers, *(row for row in (*known, *rows) if row.only_if and _room(row) != room)]
        requests += (_request([row]) for row in members if _single(row, standing))
        shared = [row for row in members if not _single(row, standing)]
        requests += _filled(shared, limits, [row for row in avoid if _room(row)[:2] == room[:2]], standing)
    return tuple(sorted(requests, key=lambda request: _order(request.registers[0])))


def split(request: ReadRequest) -> tuple[ReadRequest, ...]:
    """The same registers one by one: to find out which of them a device refused."""
    return tuple(_request([row]) for row in request.registers)


def _room(row: Register) -> tuple[str, Table, tuple[str, int]]:
    """Registers of one room may share a request."""
    return row.at or "", row.table, row.only_if or ("", 0)


def _order(row: Register) -> tuple[str, Table, tuple[str, int], int, int, str]:
    return (*_room(row), row.address, row.count, row.name)


def _single(row: Register, standing: Standing) -> bool:
    unproven = row.optional and row.name not in standing.proven
    return row.alone or unproven or row.name in standing.suspect


def _risky(row: Register, standing: Standing) -> bool:
    """Whether reading over a register may cost the whole answer."""
    return not row.readable or row.name in standing.absent or _single(row, standing)


def _filled(rows: list[Register], limits: Limits, avoid: list[Register], standing: Standing) -> list[ReadRequest]:
    requests: list[ReadRequest] = []
    block: list[Register] = []
    for row in rows:
        if block and not (_fits(block, row, limits) and _safe_between(block, row, avoid, standing)):
            requests.append(_request(block))
            block = []
        block.append(row)
    return [*requests, _request(block)] if block else requests


def _fits(block: list[Register], row: Register, limits: Limits) -> bool:
    end = _end(block)
    length = max(end, row.address + row.count) - block[0].address
    return row.address - end <= limits.gap_words and length <= limits.read_words


def _safe_between(block: list[Register], row: Register, avoid: list[Register], standing: Standing) -> bool:
    """Whether the words between a block and the next row, if there are any, may be read over."""
    end = _end(block)
    if row.address <= end:
        return True
    if (block[-1].name, row.name) in standing.parted:
        return False
    return not any(other.address < row.address and other.address + other.count > end for other in avoid)


def _end(block: list[Register]) -> int:
    """The address behind the last word."""
    return max(row.address + row.count for row in block)


def _request(block: list[Register]) -> ReadRequest:
    first = block[0]
    return ReadRequest(first.table, first.address, _end(block) - first.address, tuple(block), first.only_if, first.at)
