from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from samspel.registers.model import DataType, Limits, Register
from samspel.registers.planner import plan
from samspel.registers.quarantine import Quarantine

ROWS = [Register(name=f"r{address}", address=address, count=1, type=DataType.U16) for address in range(5)]
ROWS[3] = replace(ROWS[3], optional=True)


def names(requests: object) -> list[tuple[str, ...]]:
    return [tuple(row.name for row in request.registers) for request in requests]  # type: ignore[attr-defined]


def test_a_refused_block_is_asked_one_by_one_until_the_culprit_is_known() -> None:
    book = Quarantine()
    book.refused(["r0", "r1", "r2"], now=0.0)
    assert names(plan(ROWS[:3], Limits(), book.standing(0.0))) == [("r0",), ("r1",), ("r2",)]
    book.answered(["r0"])
    book.refused(["r1"], now=1.0)
    book.answered(["r2"])
    assert names(plan(ROWS[:3], Limits(), book.standing(1.0), known=ROWS)) == [("r0",), ("r2",)]


def test_an_absent_register_is_asked_again_after_an_hour_by_itself() -> None:
    book = Quarantine(recheck_s=3600.0)
    book.refused(["r1"], now=100.0)
    assert book.standing(3699.9).absent == {"r1"}
    later = book.standing(3700.0)
    assert later.absent == frozenset()
    assert ("r1",) in names(plan(ROWS, Limits(), later))
    book.answered(["r1"])
    assert names(plan(ROWS[:3], Limits(), book.standing(3701.0))) == [("r0", "r1", "r2")]


def test_unreadable_words_between_registers_are_found_out_once_an_hour() -> None:
    rows = [ROWS[0], ROWS[2], replace(ROWS[4], address=3)]
    limits, book = Limits(gap_words=4), Quarantine(recheck_s=3600.0)
    (block,) = plan(rows, limits, book.standing(0.0))
    book.refused((row.name for row in block.registers), now=0.0)
    book.answered(row.name for row in rows)
    assert names(plan(rows, limits, book.standing(1.0))) == [("r0",), ("r2", "r4")]
    assert names(plan(rows, limits, book.standing(3600.0))) == [("r0", "r2", "r4")]


def test_an_absent_register_explains_why_its_block_was_refused() -> None:
    rows = [ROWS[0], ROWS[2], ROWS[4]]
    limits, book = Limits(gap_words=4), Quarantine()
    book.refused(["r0", "r2", "r4"], now=0.0)
    book.answered(["r0"])
    book.answered(["r2"])
    book.refused(["r4"], now=0.0)
    assert names(plan(rows, limits, book.standing(1.0))) == [("r0", "r2")]


def test_nothing_is_known_of_another_device() -> None:
    book = Quarantine()
    book.refused(["r1"], now=0.0)
    book.answered(["r3"])
    book.forget()
    assert book.standing(0.0) == Quarantine().standing(0.0)


@given(st.frozensets(st.integers(0, 4)))
def test_what_the_device_has_is_always_found_in_two_rounds(missing: frozenset[int]) -> None:
    book = Quarantine()
    lacking = {f"r{number}" for number in missing}
    for now in (0.0, 1.0):
        for request in plan(ROWS, Limits(), book.standing(now), known=ROWS):
            asked = [row.name for row in request.registers]
            if lacking & set(asked):
                book.refused(asked, now)
            else:
                book.answered(asked)
    standing = book.standing(2.0)
    assert standing.absent == lacking
    assert standing.proven == {row.name for row in ROWS} - lacking
