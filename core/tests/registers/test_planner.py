from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samspel.contract.ports import Table
from samspel.registers.model import DataType, Limits, Register
from samspel.registers.planner import ReadRequest, Standing, plan, split

GUARDS = [None, ("status", 1), ("status", 2)]


def row(address: int, count: int = 1, **changes: object) -> Register:
    base = Register(name=f"r{address}", address=address, count=count, type=DataType.STRING)
    return replace(base, **changes)  # type: ignore[arg-type]


@st.composite
def maps(draw: st.DrawFn, longest: int = 14) -> tuple[Register, ...]:
    """Rows that do not overlap, in both tables, with every property that matters to a plan."""
    rows = []
    for table in Table:
        address = draw(st.integers(0, 5))
        for _ in range(draw(st.integers(0, longest))):
            count = draw(st.integers(1, 4))
            changes = {
                "table": table,
                "name": f"{table}_{address}",
                "alone": draw(st.integers(0, 9)) == 0,
                "optional": draw(st.integers(0, 4)) == 0,
                "only_if": draw(st.sampled_from([*GUARDS[:1] * 5, *GUARDS[1:]])),
                "readable": draw(st.integers(0, 9)) > 0,
            }
            rows.append(row(address, count, **changes))
            address += count + draw(st.integers(0, 6))
    return tuple(draw(st.permutations(rows)))


def subset(rows: tuple[Register, ...]) -> st.SearchStrategy[frozenset[str]]:
    names = [one.name for one in rows]
    return st.frozensets(st.sampled_from(names)) if names else st.just(frozenset())


limits_of_devices = st.builds(Limits, read_words=st.integers(4, 20), gap_words=st.integers(0, 8))


def alone(one: Register, standing: Standing) -> bool:
    return one.alone or one.name in standing.suspect or (one.optional and one.name not in standing.proven)


@given(maps(), limits_of_devices, st.data())
def test_every_plan_keeps_every_promise(rows: tuple[Register, ...], limits: Limits, data: st.DataObject) -> None:
    standing = Standing(*(data.draw(subset(rows)) for _ in range(3)))
    chosen = data.draw(subset(rows), label="wanted")
    wanted = [one for one in rows if one.name in chosen]
    requests = plan(wanted, limits, standing, known=rows)

    covered = [one.name for request in requests for one in request.registers]
    readable = [one.name for one in wanted if one.readable and one.name not in standing.absent]
    assert sorted(covered) == sorted(readable)
    assert len(requests) <= len(readable)
    for request in requests:
        assert request.count <= limits.read_words
        assert {one.table for one in request.registers} == {request.table}
        assert {one.only_if for one in request.registers} == {request.only_if}
        assert len(request.registers) == 1 or not any(alone(one, standing) for one in request.registers)
        for one, following in pairwise(request.registers):
            assert following.address - (one.address + one.count) <= limits.gap_words
        check_no_danger_inside(request, rows, standing)


def check_no_danger_inside(request: ReadRequest, rows: tuple[Register, ...], standing: Standing) -> None:
    """Nothing that may be refused lies among the words of a request for several."""
    for other in rows:
        inside = request.address < other.address + other.count and other.address < request.address + request.count
        if other.table is not request.table or not inside or other in request.registers:
            continue
        assert other.readable
        assert not alone(other, standing)
        assert other.name not in standing.absent
        assert other.only_if in (None, request.only_if)


def fewest(rows: list[Register], limits: Limits) -> int:
    """Brute force: every way to cut the sorted rows into pieces."""
    rows = sorted(rows, key=lambda one: one.address)
    best = len(rows)
    for cuts in range(1 << max(len(rows) - 1, 0)):
        pieces = [[rows[0]]] if rows else []
        for number, one in enumerate(rows[1:]):
            if cuts >> number & 1:
                pieces.append([one])
            else:
                pieces[-1].append(one)
        if all(fits(piece, limits) for piece in pieces):
            best = min(best, len(pieces))
    return best


def fits(piece: list[Register], limits: Limits) -> bool:
    gaps = [after.address - before.address - before.count for before, after in pairwise(piece)]
    length = piece[-1].address + piece[-1].count - piece[0].address
    return length <= limits.read_words and all(gap <= limits.gap_words for gap in gaps)


@settings(max_examples=60)
@given(maps(longest=8), limits_of_devices)
def test_no_plan_has_fewer_requests(rows: tuple[Register, ...], limits: Limits) -> None:
    plain = [replace(one, alone=False, optional=False, only_if=None, readable=True) for one in rows]
    best = sum(fewest([one for one in plain if one.table is table], limits) for table in Table)
    assert len(plan(plain, limits)) == best


def test_a_gap_is_bridged_up_to_its_limit() -> None:
    rows = [row(0, 2), row(10, 2), row(21, 2)]
    requests = plan(rows, Limits(gap_words=8))
    assert [(one.address, one.count) for one in requests] == [(0, 12), (21, 2)]


def test_no_gap_is_bridged_over_what_may_be_refused() -> None:
    known = [row(0), row(2, alone=True), row(4)]
    requests = plan([known[0], known[2]], Limits(gap_words=8), known=known)
    assert [(one.address, one.count) for one in requests] == [(0, 1), (4, 1)]


def test_optional_registers_join_their_neighbours_once_they_have_answered() -> None:
    rows = [row(0), row(1, optional=True), row(2)]
    assert len(plan(rows, Limits())) == 3
    assert len(plan(rows, Limits(), Standing(proven=frozenset({"r1"})))) == 1


def test_two_views_of_the_same_words_share_a_request() -> None:
    rows = [row(5, 2), row(5, 2, name="bits"), row(7)]
    (request,) = plan(rows, Limits())
    assert (request.address, request.count) == (5, 3)
    assert len(request.registers) == 3


def test_words_are_handed_out_and_a_request_can_be_split() -> None:
    rows = [row(10, 2), row(14)]
    (request,) = plan(rows, Limits(gap_words=4))
    words = (1, 2, 3, 4, 5)
    assert request.words_of(rows[0], words) == (1, 2)
    assert request.words_of(rows[1], words) == (5,)
    assert [(one.address, one.count) for one in split(request)] == [(10, 2), (14, 1)]


@pytest.mark.parametrize("guard", GUARDS[1:])
def test_guarded_registers_say_what_must_hold(guard: tuple[str, int]) -> None:
    requests = plan([row(0), row(1, only_if=guard)], Limits())
    assert [one.only_if for one in requests] == [None, guard]


@pytest.mark.parametrize("guard", GUARDS[1:])
def test_a_gap_is_not_bridged_over_another_guard(guard: tuple[str, int]) -> None:
    rows = [row(0), row(2, only_if=guard), row(4)]
    requests = plan(rows, Limits(gap_words=8))
    assert [(one.address, one.count) for one in requests] == [(0, 1), (4, 1), (2, 1)]


def test_a_guarded_request_may_read_over_what_is_always_there() -> None:
    guard = ("status", 1)
    rows = [row(0, only_if=guard), row(2), row(4, only_if=guard)]
    requests = plan(rows, Limits(gap_words=8))
    assert [(one.address, one.count) for one in requests] == [(2, 1), (0, 5)]


def test_units_never_share_a_request_nor_stand_in_each_others_way() -> None:
    rows = [row(0), row(1, name="pack", at="pack"), row(4), row(2, name="pack_alone", at="pack", alone=True)]
    requests = plan(rows, Limits(gap_words=8), known=rows)
    assert [(one.at, one.address, one.count) for one in requests] == [
        (None, 0, 5),
        ("pack", 1, 1),
        ("pack", 2, 1),
    ]
