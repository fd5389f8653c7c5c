"""Standing faults as they are kept in the journal, so that a restart neither loses one nor raises it again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from samspel.contract.driver import Json
from samspel.contract.fault import Effect, Fault, FaultCode, FaultDetail, FaultState, Severity

__all__ = ["Key", "fault_of", "row_of"]

Key = tuple[FaultCode, str | None]
"""Code and the device's raw word; `None` for control's own, so that the two never clear each other."""


def row_of(key: Key, fault: Fault) -> Json:
    """One standing fault."""
    return {
        "code": fault.code.value,
        "own": key[1] is None,
        "severity": fault.severity.value,
        "effect": fault.effect.value,
        "since": fault.since.isoformat(),
        "text": fault.detail.text,
        "raw": fault.detail.raw,
    }


def fault_of(document: Mapping[str, Json], device: str) -> dict[Key, Fault]:
    """What was kept. A row that this version cannot read is left out: the device reports it again."""
    rows = document.get("standing")
    found: dict[Key, Fault] = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and (read := _read(row, device)) is not None:
            found[read[0]] = read[1]
    return found


def _read(row: Mapping[str, Json], device: str) -> tuple[Key, Fault] | None:
    try:
        fault = Fault(
            code=FaultCode(str(row["code"])),
            severity=Severity(str(row["severity"])),
            effect=Effect(str(row["effect"])),
            state=FaultState.RAISED,
            since=datetime.fromisoformat(str(row["since"])),
            device=device,
            detail=FaultDetail(text=str(row["text"]), raw=str(row["raw"])),
        )
    except (KeyError, ValueError):
        return None
    return (fault.code, None if row.get("own") is True else fault.detail.raw), fault
