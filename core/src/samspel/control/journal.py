"""The part of the state that survives: written to disk before the writes it speaks of, read back at start.

A deadline is kept three ways: on the monotonic clock with the boot it belongs to, and on the wall clock. After a
restart within the same boot the monotonic one holds; after a reboot the wall clock is used only if the kernel vouches
for it now and did so when the deadline was written; otherwise the lease comes back untrusted and recovery releases.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from samspel.contract.command import Accept, OnExpiry, Rank
from samspel.contract.driver import Json, Mark, Snapshot
from samspel.contract.ports import Clock
from samspel.control.state import GiveBackOrder, Lease, Phase, State, StopLatch

__all__ = ["Documents", "doubted", "load", "project", "worth_keeping"]

JOURNAL_SCHEMA = "control-journal/0.1"

Document = dict[str, Json]

_UNREADABLE = (KeyError, TypeError, ValueError, OverflowError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """What one device has on disk. `control` is small and written at every change; the snapshots are large and rare."""

    control: Document | None = None
    snapshot: Snapshot | None = None
    baseline: Snapshot | None = None


def project(state: State, clock: Clock) -> Document:
    """The control document for this state."""
    return _document(state, lambda at: _time_out(at, clock))


def worth_keeping(state: State) -> Document:
    """The same with monotonic times alone: the wall clock's share of a deadline changes at every turn, and that alone
    is not worth a write.
    """
    return _document(state, lambda at: at)


def _document(state: State, time_out: Callable[[float], Json]) -> Document:
    order = state.give_back
    return {
        "schema": JOURNAL_SCHEMA,
        "phase": state.phase.value,
        "lease": _lease_out(state.lease, time_out),
        "stop": _stop_out(state.stop, time_out),
        "give_back": None if order is None else {"command_id": order.command_id, "why": order.why},
        "snapshot_held": state.snapshot is not None,
        "written_w": state.written_w,
        "moved_w": state.moved_w,
        "marks": list(state.marks),
    }


def load(documents: Documents, clock: Clock, doubt: Callable[[str], object] = lambda _: None) -> State:
    """The state with which to start: link down, unsettled, everything else as it was journaled.

    What cannot be read (damage, another schema) is said to `doubt`. Then nothing is adopted: a stop is asserted again
    if it can be made out, else control is given back, from the snapshot if there is one.
    """
    document = documents.control
    if document is None:
        return State(baseline=documents.baseline)
    try:
        return _read(document, documents, clock)
    except _UNREADABLE as error:
        doubt(repr(error))
        return _given_up(document, documents, clock)


def _read(document: Document, documents: Documents, clock: Clock) -> State:
    if (schema := document.get("schema")) != JOURNAL_SCHEMA:
        raise ValueError(f"expected schema {JOURNAL_SCHEMA}, found {schema}")
    lease = _lease_in(document.get("lease"), clock)
    stop = _stop_in(document.get("stop"), clock)
    order = document.get("give_back")
    give_back = (
        GiveBackOrder(command_id=cast("str | None", order.get("command_id")), why=str(order.get("why")))
        if isinstance(order, dict)
        else None
    )
    return State(
        phase=_phase(stop, give_back, lease, document),
        lease=lease,
        stop=stop,
        give_back=give_back,
        snapshot=documents.snapshot if document.get("snapshot_held") else None,
        baseline=documents.baseline,
        marks=tuple(cast("list[Mark]", document.get("marks") or [])),
        written_w=cast("float | None", document.get("written_w")),
        moved_w=cast("float | None", document.get("moved_w")),
    )


def _given_up(document: Document, documents: Documents, clock: Clock) -> State:
    """Whoever wrote it held nothing only where it says so itself."""
    try:
        stop = _stop_in(document.get("stop"), clock)
    except _UNREADABLE:
        stop = None
    held = ("snapshot_held", "lease", "stop", "give_back", "marks")
    if stop is None and all(key in document and not document[key] for key in held):
        return State(baseline=documents.baseline)
    marks = document.get("marks")
    return State(
        phase=Phase.STOPPED if stop is not None else Phase.RELEASING,
        stop=stop,
        give_back=None if stop is not None else GiveBackOrder(command_id=None, why="unreadable"),
        snapshot=documents.snapshot,
        baseline=documents.baseline,
        marks=tuple(one for one in marks if isinstance(one, dict)) if isinstance(marks, list) else (),
    )


def doubted(document: Document) -> Document:
    """The same, but for a lease that nobody may adopt: something newer may have been lost."""
    lease = document.get("lease")
    if not isinstance(lease, dict) or not isinstance(deadline := lease.get("deadline"), dict):
        return document
    return {**document, "lease": {**lease, "deadline": {**deadline, "boot": "", "synchronised": False}}}


def _phase(
    stop: StopLatch | None, give_back: GiveBackOrder | None, lease: Lease | None, document: Mapping[str, Json]
) -> Phase:
    if stop is not None:
        return Phase.STOPPED
    if give_back is not None:
        return Phase.RELEASING
    if lease is not None or document.get("marks"):
        return Phase.LOST
    return Phase.RELEASED


# --- times: (boot, monotonic, wall) ---------------------------------------------------------------------------------


def _time_out(at: float, clock: Clock) -> Json:
    if math.isinf(at):
        return None
    wall = clock.wall() + timedelta(seconds=at - clock.monotonic())
    return {
        "boot": clock.boot_id(),
        "monotonic": at,
        "wall": wall.isoformat(),
        "synchronised": clock.synchronised(),
    }


def _time_in(value: Json, clock: Clock) -> tuple[float, bool]:
    """Monotonic seconds on this boot, and whether they can be trusted."""
    if not isinstance(value, dict):
        return math.inf, True
    if value.get("boot") == clock.boot_id():
        return float(cast("float", value["monotonic"])), True
    wall = datetime.fromisoformat(str(value["wall"]))
    trusted = clock.synchronised() and value.get("synchronised") is True
    return clock.monotonic() + (wall - clock.wall()).total_seconds(), trusted


# --- lease and stop -------------------------------------------------------------------------------------------------


def _lease_out(lease: Lease | None, time_out: Callable[[float], Json]) -> Json:
    if lease is None:
        return None
    return {
        "command_id": lease.command_id,
        "issuer": lease.issuer,
        "rank": int(lease.rank),
        "power_w": lease.power_w,
        "accept": lease.accept.value,
        "on_expiry": lease.on_expiry.value,
        "hold_s": lease.hold_s,
        "deadline": time_out(lease.deadline),
        "issued_at": lease.issued_at.isoformat(),
        "written": lease.written,
    }


def _lease_in(value: Json, clock: Clock) -> Lease | None:
    if not isinstance(value, dict):
        return None
    deadline, trusted = _time_in(value["deadline"], clock)
    return Lease(
        command_id=str(value["command_id"]),
        issuer=str(value["issuer"]),
        rank=Rank(cast("int", value["rank"])),
        power_w=float(cast("float", value["power_w"])),
        accept=Accept(str(value["accept"])),
        on_expiry=OnExpiry(str(value["on_expiry"])),
        hold_s=float(cast("float", value["hold_s"])),
        deadline=deadline,
        issued_at=datetime.fromisoformat(str(value["issued_at"])),
        trusted=trusted,
        written=bool(value["written"]),
    )


def _stop_out(stop: StopLatch | None, time_out: Callable[[float], Json]) -> Json:
    if stop is None:
        return None
    return {
        "command_id": stop.command_id,
        "issuer": stop.issuer,
        "rank": int(stop.rank),
        "epoch": stop.epoch,
        "seq": stop.seq,
        "issued_at": stop.issued_at.isoformat(),
        "since": time_out(stop.since),
    }


def _stop_in(value: Json, clock: Clock) -> StopLatch | None:
    """A stop whose age cannot be trusted starts its hold anew: holding zero longer is the safer mistake."""
    if not isinstance(value, dict):
        return None
    since, trusted = _time_in(value["since"], clock)
    return StopLatch(
        command_id=str(value["command_id"]),
        issuer=str(value["issuer"]),
        rank=Rank(cast("int", value["rank"])),
        epoch=int(cast("int", value["epoch"])),
        seq=int(cast("int", value["seq"])),
        issued_at=datetime.fromisoformat(str(value["issued_at"])),
        since=min(since, clock.monotonic()) if trusted else clock.monotonic(),
    )
