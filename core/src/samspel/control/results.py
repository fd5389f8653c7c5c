"""What the end of an action does to the state."""

from __future__ import annotations

from dataclasses import replace

from samspel.contract.driver import ControlState, WriteReport
from samspel.contract.errors import (
    DeadlinePassed,
    LinkDown,
    RequirementFailed,
    RouteUnavailable,
    SamspelError,
    SequenceAbandoned,
    StoreError,
)
from samspel.contract.fault import FaultCode, Severity
from samspel.contract.outcome import Deviation, End, Stage
from samspel.control.events import (
    Failed,
    Followed,
    GaveBack,
    Halted,
    Looked,
    ResetShaping,
    Say,
    Took,
    said_rest,
    said_written,
)
from samspel.control.recovery import Decision, decide
from samspel.control.state import Action, Lease, Phase
from samspel.control.turn import Turn

__all__ = ["on_failed", "on_followed", "on_gave_back", "on_halted", "on_looked", "on_took"]


def _done(turn: Turn) -> None:
    turn.set(action=None, failures=0, retry_at=turn.now)


# --- look -----------------------------------------------------------------------------------------------------------


def on_looked(turn: Turn, event: Looked) -> None:
    """The control block is known: recover if it was not, otherwise check that it is as we left it.

    That a routine look succeeds says nothing about writes: it neither forgives their failures nor hurries them.
    """
    turn.set(action=None, looked_at=turn.now)
    if event.snapshot is not None:
        turn.set(baseline=event.snapshot)
    if turn.state.unsettled:
        _recover(turn, event)
    else:
        _check(turn, event)
    turn.go_on()


def _recover(turn: Turn, event: Looked) -> None:
    state = turn.state
    _done(turn)
    turn.set(unsettled=False)
    match decide(
        event.reading.state,
        stop=state.stop,
        give_back=state.give_back,
        lease=state.lease,
        held=state.snapshot is not None,
        now=turn.now,
    ):
        case Decision.REASSERT_STOP:
            turn.halt()
        case Decision.FINISH_RELEASE:
            turn.give_back()
        case Decision.FOREIGN:
            _enter_foreign(turn, event)
        case Decision.ADOPT:
            _adopt(turn)
        case Decision.RELEASE:
            turn.end_lease(End.INTERRUPTED, "recovered", "its deadline passed, or the clock could not be trusted")
            turn.order_release(None, "recovered")
        case Decision.TAKE:
            _take_again(turn)
        case Decision.IDLE:
            turn.end_lease(End.INTERRUPTED, "recovered", "the device was at its default and the deadline had passed")
            turn.clear(FaultCode.CONTROL_FOREIGN_MASTER)
            turn.set(phase=Phase.RELEASED, marks=(), written_w=None, moved_w=None)


def _adopt(turn: Turn) -> None:
    """Our values stand and the deadline is ahead: go on for the remaining time, with a fresh write."""
    lease = turn.state.lease
    if lease is not None and lease.written:
        text = f"{lease.deadline - turn.now:.0f} s remain"
        turn.do(Say(command_id=lease.command_id, stage=Stage.ACCEPTED, reason="adopted", text=text))
    turn.set(phase=Phase.CONTROLLING, force=True, news=True)
    turn.follow()


def _take_again(turn: Turn) -> None:
    """The device is at its default although a set-point is valid: it was never written, or the device ended it."""
    lease = turn.state.lease
    if lease is not None and lease.written:
        text = "the device had gone back to its own logic"
        turn.do(Say(command_id=lease.command_id, deviation=Deviation.OVERRIDDEN, reason="default", text=text))
    # An open snapshot stays: the block is at its default, but a limit of ours may still stand beside it.
    turn.set(written_w=None, moved_w=None, force=True, news=True)
    turn.do(ResetShaping())
    turn.take()


def _check(turn: Turn, event: Looked) -> None:
    found, phase = event.reading.state, turn.state.phase
    if phase is Phase.FOREIGN:
        _watch_foreign(turn, event)
    elif found is ControlState.FOREIGN:
        _on_second_master(turn, event)
    elif turn.state.stop is not None and found is ControlState.DEFAULT:
        turn.halt()
    elif phase is Phase.CONTROLLING and found is ControlState.DEFAULT and turn.state.written_w is not None:
        _take_again(turn)
    elif phase is Phase.RELEASED and found is ControlState.OURS:
        # Something of ours still stands although we gave everything back: give it back again.
        turn.order_release(None, "leftover")


def _on_second_master(turn: Turn, event: Looked) -> None:
    """Somebody else writes our registers. A stop fights for zero; anything else stands back and reports."""
    if turn.state.stop is not None:
        turn.alarm(FaultCode.CONTROL_FOREIGN_MASTER, Severity.MAJOR, event.reading.text)
        turn.halt()
        return
    _enter_foreign(turn, event)


def _enter_foreign(turn: Turn, event: Looked) -> None:
    lease = turn.state.lease
    if lease is not None:
        turn.do(Say(command_id=lease.command_id, deviation=Deviation.OVERRIDDEN, reason="foreign"))
        turn.end_lease(End.INTERRUPTED, "foreign", event.reading.text)
    turn.set(
        phase=Phase.FOREIGN,
        foreign_fingerprint=event.reading.fingerprint,
        foreign_since=turn.now,
        written_w=None,
        moved_w=None,
    )
    turn.alarm(FaultCode.CONTROL_FOREIGN_MASTER, Severity.MAJOR, event.reading.text)


def _watch_foreign(turn: Turn, event: Looked) -> None:
    state = turn.state
    if event.reading.state is not ControlState.FOREIGN:
        turn.clear(FaultCode.CONTROL_FOREIGN_MASTER)
        turn.set(phase=Phase.RELEASED)
        if event.reading.state is ControlState.OURS or state.snapshot is not None:
            turn.order_release(None, "leftover")
    elif event.reading.fingerprint != state.foreign_fingerprint:
        turn.set(foreign_fingerprint=event.reading.fingerprint, foreign_since=turn.now)
    elif turn.policy.orphan_s is not None and turn.now - state.foreign_since >= turn.policy.orphan_s:
        turn.set(snapshot=None, baseline=None)
        turn.order_release(None, "orphan")


# --- take and follow ------------------------------------------------------------------------------------------------


def on_took(turn: Turn, event: Took) -> None:
    """The snapshot is made. An open snapshot is never overwritten; one that nobody needs any more is not kept."""
    _done(turn)
    if turn.state.lease is None:
        turn.set(phase=Phase.RELEASED)
        return
    turn.set(phase=Phase.CONTROLLING, snapshot=turn.state.snapshot or event.snapshot, force=True, looked_at=turn.now)
    turn.clear(FaultCode.CONTROL_FOREIGN_MASTER)
    turn.follow()


def on_followed(turn: Turn, event: Followed) -> None:
    """Written, fed, or found unchanged. A newer command that came meanwhile is followed at once."""
    _done(turn)
    if event.report is not None:
        power_w = event.report.power_w
        turn.set(written_w=power_w, moved_w=power_w or turn.state.moved_w, fed_at=turn.now, force=False)
    elif event.fed:
        turn.set(fed_at=turn.now)
    lease = turn.state.lease
    if lease is None:
        return
    if lease.command_id != turn.state.following:
        turn.follow()
        return
    if turn.state.news and (event.rest_s or event.waits):
        _wait(turn, lease, event)
        return
    _say_followed(turn, lease, event.report)
    turn.set(lease=replace(lease, written=True, stations={**lease.stations, "driver": turn.now}), news=False)


def _wait(turn: Turn, lease: Lease, event: Followed) -> None:
    """The command is not on the wire, and stays news: each tick asks anew what may be written. Said once."""
    if lease.waits:
        return
    if event.rest_s:
        turn.do(said_rest(lease.command_id, event.rest_s))
    else:
        _say_followed(turn, lease, None)
    turn.set(lease=replace(lease, waits=True))


def _say_followed(turn: Turn, lease: Lease, report: WriteReport | None) -> None:
    """Once for each command. A suppressed write counts as written: the battery follows by what is in force."""
    if not turn.state.news:
        return
    if report is None:
        turn.do(Say(command_id=lease.command_id, stage=Stage.WRITE_SUPPRESSED, target_power_w=turn.state.written_w))
    else:
        _say_written(turn, lease.command_id, report)


def _say_written(turn: Turn, command_id: str, report: WriteReport) -> None:
    for say in said_written(command_id, report):
        turn.do(say)


# --- stop and release -----------------------------------------------------------------------------------------------


def on_halted(turn: Turn, event: Halted) -> None:
    """Zero is held; it stays latched. If a command has ended the stop meanwhile, it is followed from here."""
    _done(turn)
    turn.set(fed_at=turn.now)
    if not event.fed:
        turn.mark(event.report.mark)
        turn.set(unsettled=False, written_w=0.0, looked_at=turn.now)
    turn.clear(FaultCode.CONTROL_STOP_FAILED)
    stop = turn.state.stop
    if stop is None:
        turn.set(phase=Phase.CONTROLLING)
        turn.follow()
        return
    if event.fed:
        return
    if not stop.asserted:
        _say_written(turn, stop.command_id, event.report)
    turn.set(stop=replace(stop, asserted=True))


def on_gave_back(turn: Turn, event: GaveBack) -> None:
    """Control is back with the device, read back as such. A set-point that came meanwhile is taken up now."""
    _done(turn)
    order = turn.state.give_back
    if order is not None and order.command_id is not None:
        _say_written(turn, order.command_id, event.report)
        turn.do(Say(command_id=order.command_id, end=End.COMPLETED))
    turn.clear(FaultCode.CONTROL_RELEASE_FAILED)
    turn.clear(FaultCode.CONTROL_FOREIGN_MASTER)
    turn.set(
        phase=Phase.RELEASED,
        give_back=None,
        snapshot=None,
        marks=(),
        written_w=None,
        moved_w=None,
        unsettled=False,
        looked_at=turn.now,
    )
    if turn.state.lease is not None:
        turn.take()


# --- failures -------------------------------------------------------------------------------------------------------


def on_failed(turn: Turn, event: Failed) -> None:
    """Every failure ends in a retry, a release or an end; none is forgotten."""
    turn.set(action=None)
    if isinstance(event.error, SequenceAbandoned):
        if event.action is Action.TAKE:
            turn.set(phase=Phase.RELEASED)
        elif turn.state.lease is not None and turn.state.lease.command_id != turn.state.following:
            turn.go_on()  # It made room for a newer set-point.
        return
    if event.action is Action.LOOK and not turn.state.unsettled:
        turn.set(looked_at=turn.now)  # A routine look is tried again when the next is due; feeding goes on.
        return
    turn.back_off()
    match event.action:
        case Action.TAKE:
            _take_failed(turn, event.error)
        case Action.FOLLOW:
            _follow_failed(turn, event.error)
        case Action.HALT:
            _halt_failed(turn, event.error)
        case Action.GIVE_BACK:
            _give_back_failed(turn, event.error)
        case Action.LOOK:
            pass  # What is not known is looked at again after the pause.


def _take_failed(turn: Turn, error: SamspelError) -> None:
    """Nothing was written: control stays where it was. A snapshot that the disk refused is not held."""
    turn.set(phase=Phase.RELEASED)
    if isinstance(error, StoreError):
        turn.set(snapshot=None)
        turn.end_lease(End.FAILED, "store", str(error))
    elif isinstance(error, RequirementFailed | RouteUnavailable):
        turn.end_lease(End.FAILED, "requirement", str(error))
    elif turn.state.failures >= turn.policy.failures_before_end:
        turn.end_lease(End.FAILED, "device", str(error))
    if turn.state.lease is None and turn.state.snapshot is not None:
        turn.order_release(None, "failed")


def _follow_failed(turn: Turn, error: SamspelError) -> None:
    """The old power may stand, the new one, or something in between: the next write is forced."""
    turn.set(force=True)
    if isinstance(error, DeadlinePassed | LinkDown):
        return
    hopeless = isinstance(error, RequirementFailed | RouteUnavailable)
    if hopeless or turn.state.failures >= turn.policy.failures_before_end:
        reason = "store" if isinstance(error, StoreError) else "route" if hopeless else "device"
        turn.end_lease(End.FAILED, reason, str(error))
        turn.order_release(None, "failed")


def _halt_failed(turn: Turn, error: SamspelError) -> None:
    stop = turn.state.stop
    if stop is None:
        return
    if turn.state.failures == 1:
        turn.do(Say(command_id=stop.command_id, stage=Stage.PENDING, reason="device", text=str(error)))
    turn.set(stop=replace(stop, asserted=False))
    turn.alarm(FaultCode.CONTROL_STOP_FAILED, Severity.CRITICAL, f"the stop is being repeated: {error}")


def _give_back_failed(turn: Turn, error: SamspelError) -> None:
    order = turn.state.give_back
    if order is not None and order.command_id is not None and turn.state.failures == 1:
        turn.do(Say(command_id=order.command_id, stage=Stage.PENDING, reason="device", text=str(error)))
    turn.alarm(FaultCode.CONTROL_RELEASE_FAILED, Severity.MAJOR, f"the release is being repeated: {error}")
