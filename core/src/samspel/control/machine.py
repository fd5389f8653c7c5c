"""The state machine: `step(state, event, now, policy)` gives the next state and the effects. No I/O, no clock.

released ── set_power ──▶ taking ──▶ controlling ── expiry, release ──▶ releasing ──▶ released
any state ── stop ──▶ stopped ── release, or a command that names the stop ──▶ releasing, controlling
any state ── link lost ──▶ lost (a stop stays stopped, a release stays releasing) ── link back ──▶ recovery
released, controlling ── somebody else's values in the control block ──▶ foreign
"""

from __future__ import annotations

from dataclasses import replace

from samspel.contract.admitted import Admitted
from samspel.contract.capability import Deadman, Direction, Route, Verify
from samspel.contract.fault import FaultCode, Severity
from samspel.contract.outcome import Deviation, End
from samspel.control.commands import on_admitted, route_objection
from samspel.control.events import (
    Effect,
    Event,
    Failed,
    Followed,
    GaveBack,
    Halted,
    Intended,
    LinkDown,
    LinkUp,
    Looked,
    OutOfService,
    Say,
    Suspect,
    Tick,
    Took,
    Unguarded,
    Withdraw,
)
from samspel.control.results import on_failed, on_followed, on_gave_back, on_halted, on_looked, on_took
from samspel.control.state import Action, Phase, Policy, State
from samspel.control.turn import Turn
from samspel.control.untimed import lacks_timer, stands_without_timer

__all__ = ["step"]


def step(state: State, event: Event, now: float, policy: Policy) -> tuple[State, tuple[Effect, ...]]:
    """One event in, the next state and its effects out. `now` is monotonic seconds."""
    turn = Turn(state, now, policy)
    if not _is_late(state, event):
        _dispatch(turn, event)
    return turn.state, tuple(turn.effects)


def _is_late(state: State, event: Event) -> bool:
    """The result of an action that something else has taken over from."""
    return isinstance(event, Looked | Took | Followed | Halted | GaveBack | Failed) and (
        event.action_id != state.action_id or state.action is None
    )


def _dispatch(turn: Turn, event: Event) -> None:  # noqa: C901, PLR0912 - one line an event
    match event:
        case Admitted():
            on_admitted(turn, event)
        case Tick():
            _on_tick(turn)
        case LinkUp():
            _on_link_up(turn, event)
        case LinkDown():
            _on_link_down(turn)
        case Withdraw():
            _on_withdraw(turn, event)
        case OutOfService():
            _on_service(turn, event)
        case Unguarded():
            _on_unguarded(turn, event)
        case Suspect():
            _on_suspect(turn, event)
        case Intended():
            _on_intended(turn, event)
        case Looked():
            on_looked(turn, event)
        case Took():
            on_took(turn, event)
        case Followed():
            on_followed(turn, event)
        case Halted():
            on_halted(turn, event)
        case GaveBack():
            on_gave_back(turn, event)
        case Failed():
            on_failed(turn, event)


def _on_intended(turn: Turn, event: Intended) -> None:
    """Remember what the registers may soon hold, so that a crash in between is recognised as ours."""
    turn.mark(event.mark)


def _on_withdraw(turn: Turn, event: Withdraw) -> None:
    """What was written may be wrong: the next set-point begins with a new take."""
    held = turn.state.phase in (Phase.TAKING, Phase.CONTROLLING, Phase.LOST)
    turn.end_lease(End.INTERRUPTED, event.reason, event.text)
    if held and turn.state.stop is None:
        turn.order_release(None, event.reason)


def _on_service(turn: Turn, event: OutOfService) -> None:
    """A fault takes the device out: what is followed ends, and control goes back; a stop stays in force."""
    turn.set(fault=event.why)
    if event.why and turn.state.lease is not None:
        _on_withdraw(turn, Withdraw("fault", event.why))


def _on_unguarded(turn: Turn, event: Unguarded) -> None:
    """What is followed, or about to be, on a route without a timer ends; a stop and a timed route stay in force."""
    turn.set(unguarded=event.why)
    lease, capabilities = turn.state.lease, turn.state.capabilities
    untimed = lease is not None and lacks_timer(capabilities, lease.power_w)
    if event.why and (untimed or stands_without_timer(turn.state)):
        _on_withdraw(turn, Withdraw("guard_lost", event.why))


def _on_suspect(turn: Turn, event: Suspect) -> None:
    """Look at once, unless something is under way or the block is looked at before anything else in any case."""
    held = turn.state.phase in (Phase.CONTROLLING, Phase.STOPPED)
    if not held or not turn.idle() or turn.state.unsettled:
        return
    if not event.reads_as_ours:
        turn.look()
    elif _may_be_lifted_unseen(turn):
        turn.halt()


def _may_be_lifted_unseen(turn: Turn) -> bool:
    """Whether a stop may be gone although the registers read as it left them: on a path on which they read as before
    for minutes, what another wrote before our stop and writes again cannot be told from that. The battery can.
    """
    zero = _zero_route(turn.state)
    return turn.state.stop is not None and zero is not None and zero.verify is Verify.EFFECT


def _zero_route(state: State) -> Route | None:
    """How this device holds zero, where it is known."""
    return None if state.capabilities is None else state.capabilities.route(Direction.ZERO)


# --- link -----------------------------------------------------------------------------------------------------------


def _on_link_up(turn: Turn, event: LinkUp) -> None:
    turn.set(
        link_up=True,
        unsettled=True,
        capabilities=event.capabilities,
        action=None,
        force=True,
        retry_at=turn.now,
        failures=0,
    )
    turn.clear(FaultCode.COMMS_DEVICE_LOST)
    _check_route(turn)
    if turn.state.stop is not None:
        turn.halt()
    elif turn.state.give_back is not None:
        turn.give_back()
    else:
        turn.look()


def _check_route(turn: Turn) -> None:
    """What was accepted before the device was known, or before its firmware changed, may have no route."""
    lease, capabilities = turn.state.lease, turn.state.capabilities
    if lease is None or capabilities is None:
        return
    objection = route_objection(capabilities, lease.power_w, lease.accept)
    if objection is not None:
        reason, text = objection
        turn.end_lease(End.FAILED if lease.written else End.REFUSED, reason, text)


def _on_link_down(turn: Turn) -> None:
    state = turn.state
    turn.set(link_up=False, unsettled=True, action=None, action_id=state.action_id + 1)
    turn.alarm(FaultCode.COMMS_DEVICE_LOST, Severity.MAJOR, "the device does not answer")
    _say_waits(turn, state.action)
    if state.stop is not None:
        turn.set(stop=replace(state.stop, asserted=False))
    if state.phase in (Phase.TAKING, Phase.CONTROLLING):
        turn.set(phase=Phase.LOST)
        if state.lease is not None and state.lease.written:
            turn.do(Say(command_id=state.lease.command_id, deviation=Deviation.LOST_LINK))


def _say_waits(turn: Turn, action: Action | None) -> None:
    """The link is lost under a stop or a release on its way: nobody may believe that it has got through."""
    stop, order = turn.state.stop, turn.state.give_back
    if stop is not None and action is Action.HALT:
        turn.stop_waits(stop.command_id)
    elif stop is not None and not stop.asserted:
        turn.stop_unproved()
    if order is not None and order.command_id is not None and action is Action.GIVE_BACK:
        turn.release_waits(order.command_id)


# --- time -----------------------------------------------------------------------------------------------------------


def _on_tick(turn: Turn) -> None:
    _expire_stop(turn)
    _expire_lease(turn)
    if not turn.idle():
        return
    state = turn.state
    if state.stop is not None:
        _hold_stop(turn)
    elif state.give_back is not None:
        turn.give_back()
    elif state.unsettled or _look_is_due(turn):
        turn.look()
    elif state.phase is Phase.CONTROLLING:
        turn.follow()
    elif state.phase is Phase.RELEASED and state.lease is not None:
        turn.take()


def _expire_stop(turn: Turn) -> None:
    """A stop that nobody ends is given back after `stop_hold_max_s`, loudly."""
    stop = turn.state.stop
    if stop is None or turn.now - stop.since < turn.policy.stop_hold_max_s:
        return
    text = f"the stop was held for {turn.policy.stop_hold_max_s:g} s and nobody ended it; control is given back"
    turn.alarm(FaultCode.CONTROL_STOP_HELD_TOO_LONG, Severity.CRITICAL, text)
    end = End.COMPLETED if stop.asserted else End.FAILED
    turn.do(Say(command_id=stop.command_id, end=end, reason="held_too_long", text=text))
    turn.set(stop=None)
    turn.order_release(None, "stop_hold_max_s")


def _expire_lease(turn: Turn) -> None:
    state = turn.state
    lease = state.lease
    if lease is None or turn.now < lease.ends_at:
        return
    if lease.written:
        turn.end_lease(End.COMPLETED)
    else:
        turn.end_lease(End.EXPIRED_UNWRITTEN, text="its deadline passed before it could be written")
    unfinished = state.phase in (Phase.TAKING, Phase.LOST, Phase.RELEASED) and (state.marks or state.snapshot)
    if state.phase is Phase.CONTROLLING or unfinished:
        turn.order_release(None, "expired")
    elif state.phase is Phase.LOST:
        turn.set(phase=Phase.RELEASED)


def _hold_stop(turn: Turn) -> None:
    """Assert the stop until it holds; then look whether it still stands, and feed it where the device has a timer.

    Feeding never comes before a look that is due: it would hide from us that somebody else commands.
    """
    state = turn.state
    if state.stop is None:
        return
    zero = _zero_route(state)
    timed = zero is not None and zero.deadman is Deadman.TIMEOUT
    feed_s = zero.feed_s if zero is not None else None
    if not state.stop.asserted:
        turn.halt()
    elif turn.now - state.looked_at >= turn.policy.check_s:
        turn.look()
    elif timed and feed_s is not None and turn.now - state.fed_at >= feed_s:
        turn.halt(feed=True)


def _look_is_due(turn: Turn) -> bool:
    idle = turn.state.phase is Phase.RELEASED
    every = turn.policy.idle_check_s if idle else turn.policy.check_s
    return turn.now - turn.state.looked_at >= every and turn.now >= turn.state.next_look_at
