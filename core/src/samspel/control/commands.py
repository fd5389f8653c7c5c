"""What an admitted command does to the state."""

from __future__ import annotations

from samspel.contract.admitted import Admitted
from samspel.contract.capability import Authority, Direction
from samspel.contract.command import Accept, Arm, Release, SetPower, Stop
from samspel.contract.fault import FaultCode, Severity
from samspel.contract.outcome import End, Stage
from samspel.control.events import ResetShaping, Say
from samspel.control.state import Lease, Phase, State, StopLatch
from samspel.control.turn import Turn

__all__ = ["on_admitted", "refuse"]

_ACCEPTED_AUTHORITIES = {
    Accept.EXACT: {Authority.EXACT},
    Accept.UPPER_BOUND: {Authority.EXACT, Authority.UPPER_BOUND},
    Accept.LOAD_FOLLOWING: {Authority.EXACT, Authority.UPPER_BOUND, Authority.LOAD_FOLLOWING},
}


def on_admitted(turn: Turn, admitted: Admitted) -> None:
    """Dispatch by kind."""
    match admitted.command:
        case Stop() as stop:
            _on_stop(turn, admitted, stop)
        case Release() as release:
            _on_release(turn, admitted, release)
        case SetPower() as set_power:
            _on_set_power(turn, admitted, set_power)
        case Arm() as arm:
            refuse(turn, arm.id, "unsupported", "this site has no local programmes")


def refuse(turn: Turn, command_id: str, reason: str, text: str, end: End = End.REFUSED) -> None:
    """A command that admission let through, but that cannot be carried out now."""
    turn.do(Say(command_id=command_id, end=end, reason=reason, text=text))


# --- stop -----------------------------------------------------------------------------------------------------------


def _on_stop(turn: Turn, admitted: Admitted, stop: Stop) -> None:
    """Latch, and bring the power to zero before anything else is considered."""
    state = turn.state
    if state.stop is not None and state.stop.command_id == stop.id:
        return  # Repeated by the broker after a crash: the latch is on disk, and recovery re-asserts it.
    turn.do(Say(command_id=stop.id, stage=Stage.ACCEPTED, stations=_stations(admitted)))
    turn.end_lease(End.SUPERSEDED, "stop", f"stopped by {stop.issuer}")
    _end_give_back(turn, "stop", f"stopped by {stop.issuer}")
    rank = admitted.rank if state.stop is None else max(admitted.rank, state.stop.rank)
    if state.stop is not None:
        turn.do(Say(command_id=state.stop.command_id, end=End.SUPERSEDED, reason="stop", text="a newer stop holds"))
    latch = StopLatch(
        command_id=stop.id,
        issuer=stop.issuer,
        rank=rank,
        epoch=stop.epoch,
        seq=stop.seq,
        issued_at=stop.issued_at,
        since=turn.now if state.stop is None else state.stop.since,
    )
    turn.set(phase=Phase.STOPPED, stop=latch, failures=0, retry_at=turn.now)
    turn.do(ResetShaping())
    if turn.state.link_up:
        turn.halt()
    else:
        turn.do(Say(command_id=stop.id, stage=Stage.PENDING, reason="lost_link", text="waits for the link"))
        turn.alarm(FaultCode.CONTROL_STOP_FAILED, Severity.CRITICAL, "a stop waits: the device does not answer")


def _end_give_back(turn: Turn, reason: str, text: str) -> None:
    order = turn.state.give_back
    if order is not None and order.command_id is not None:
        turn.do(Say(command_id=order.command_id, end=End.SUPERSEDED, reason=reason, text=text))
    turn.set(give_back=None)


def _stop_stands_against(stop: StopLatch, admitted: Admitted) -> tuple[str, str, End] | None:
    """Why a command cannot end this stop, or nothing."""
    command = admitted.command
    if admitted.rank < stop.rank:
        text = f"the stop was given with rank {stop.rank.name.lower()}, this has {admitted.rank.name.lower()}"
        return "outranked", text, End.REFUSED
    same_issuer = command.issuer == stop.issuer
    older = (command.epoch, command.seq) < (stop.epoch, stop.seq) if same_issuer else command.issued_at < stop.issued_at
    if older:
        return "stop", "it was issued before the stop in force", End.SUPERSEDED
    return None


def _end_stop(turn: Turn, reason: str) -> None:
    stop = turn.state.stop
    if stop is not None:
        turn.do(Say(command_id=stop.command_id, end=End.COMPLETED, reason=reason))
        turn.set(stop=None)
        turn.clear(FaultCode.CONTROL_STOP_FAILED)
        turn.clear(FaultCode.CONTROL_STOP_HELD_TOO_LONG)


# --- release --------------------------------------------------------------------------------------------------------


def _on_release(turn: Turn, admitted: Admitted, release: Release) -> None:
    """Give back, ending whatever stands; needs at least the rank of what it ends."""
    state = turn.state
    if state.give_back is not None and state.give_back.command_id == release.id:
        return
    if state.stop is not None:
        objection = _stop_stands_against(state.stop, admitted)
        if objection is not None:
            refuse(turn, release.id, *objection)
            return
    lease = state.lease
    if lease is not None and turn.now < lease.ends_at and admitted.rank < lease.rank:
        refuse(turn, release.id, "outranked", f"{lease.issuer!r} holds the battery with a higher rank")
        return
    turn.do(Say(command_id=release.id, stage=Stage.ACCEPTED, stations=_stations(admitted)))
    _end_stop(turn, "released")
    if lease is not None:
        own = lease.issuer == release.issuer and lease.written
        turn.end_lease(End.COMPLETED if own else End.SUPERSEDED, "released", f"released by {release.issuer}")
    _end_give_back(turn, "released", "a newer release takes over")
    turn.order_release(release.id, "command")


# --- set_power ------------------------------------------------------------------------------------------------------


def _on_set_power(turn: Turn, admitted: Admitted, command: SetPower) -> None:
    """Follow it from now on, if nothing of higher standing forbids."""
    if turn.state.lease is not None and turn.state.lease.command_id == command.id:
        return
    objection = _objection(turn.state, admitted, command, turn.now)
    if objection is not None:
        refuse(turn, command.id, *objection)
        return
    turn.do(Say(command_id=command.id, stage=Stage.ACCEPTED, stations=_stations(admitted)))
    _end_stop(turn, "ended_by_command")
    turn.end_lease(End.SUPERSEDED, "newer", f"superseded by {command.id}")
    turn.set(lease=_lease(admitted, command), news=True)
    _go_on(turn)


def _go_on(turn: Turn) -> None:
    """What a new lease needs next. Where the control block is unknown, recovery decides when it has been read."""
    state = turn.state
    if state.phase is Phase.STOPPED:
        # The stop was ended by this command: zero is held and owned, so control simply continues from there.
        turn.set(phase=Phase.CONTROLLING, force=True)
    if turn.state.phase is Phase.RELEASED and not state.unsettled and turn.idle():
        turn.take()
    elif turn.state.phase is Phase.CONTROLLING and turn.idle():
        turn.follow()


def _objection(state: State, admitted: Admitted, command: SetPower, now: float) -> tuple[str, str, End] | None:
    """The first reason why this set-point cannot be followed."""
    if state.stop is not None:
        if command.ends_stop != state.stop.command_id:
            return "stopped", f"the stop {state.stop.command_id!r} is in force and not named", End.REFUSED
        against = _stop_stands_against(state.stop, admitted)
        if against is not None:
            return against
    lease = state.lease
    if lease is not None and now < lease.ends_at and admitted.rank < lease.rank:
        return "outranked", f"{lease.issuer!r} holds the battery with a higher rank", End.REFUSED
    if state.phase is Phase.FOREIGN:
        return "foreign", "another controller holds this device; release it first", End.REFUSED
    return _route_objection(state, command)


def _route_objection(state: State, command: SetPower) -> tuple[str, str, End] | None:
    capabilities = state.capabilities
    if capabilities is None:
        return None
    if capabilities.read_only_because:
        return "read_only", capabilities.read_only_because, End.REFUSED
    direction = Direction.ZERO
    if command.power_w:
        direction = Direction.DISCHARGE if command.power_w > 0 else Direction.CHARGE
    routes = [route for route in capabilities.routes if route.direction is direction]
    if not routes:
        return "route", f"this device has no route to {direction.value}", End.REFUSED
    if not any(route.authority in _ACCEPTED_AUTHORITIES[command.accept] for route in routes):
        offered = ", ".join(sorted({route.authority.value for route in routes}))
        text = f"the command accepts {command.accept.value}; the {direction.value} route is {offered}"
        return "route", text, End.REFUSED
    return None


def _lease(admitted: Admitted, command: SetPower) -> Lease:
    return Lease(
        command_id=command.id,
        issuer=command.issuer,
        rank=admitted.rank,
        power_w=command.power_w,
        accept=command.accept,
        on_expiry=command.on_expiry,
        hold_s=command.hold_s,
        deadline=admitted.deadline,
        issued_at=command.issued_at,
        stations=_stations(admitted),
    )


def _stations(admitted: Admitted) -> dict[str, float]:
    return {"transport": admitted.received_at, "admission": admitted.admitted_at}
