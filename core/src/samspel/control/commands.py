"""What an admitted command does to the state."""

from __future__ import annotations

from dataclasses import replace

from samspel.contract.admitted import Admitted
from samspel.contract.capability import Authority, Capabilities, Direction
from samspel.contract.command import Accept, Arm, Command, Release, SetPower, Stop
from samspel.contract.fault import FaultCode
from samspel.contract.outcome import End, Stage
from samspel.control.events import ResetShaping, Say
from samspel.control.state import Lease, Phase, State, StopLatch
from samspel.control.turn import Turn
from samspel.control.untimed import lacks_timer

__all__ = ["on_admitted", "refuse", "refused_ways", "route_objection"]

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
    if state.stop is not None and _is_that_stop(stop, state.stop):
        return  # Repeated by the broker after a crash: the latch is on disk, and recovery re-asserts it.
    turn.do(Say(command_id=stop.id, stage=Stage.ACCEPTED, stations=_stations(admitted)))
    turn.end_lease(End.SUPERSEDED, "stop", f"stopped by {stop.issuer}")
    _end_give_back(turn, "stop", f"stopped by {stop.issuer}")
    if state.stop is not None:
        turn.do(Say(command_id=state.stop.command_id, end=End.SUPERSEDED, reason="stop", text="another stop holds"))
    turn.set(phase=Phase.STOPPED, stop=_latch(admitted, stop, state.stop, turn.now), failures=0, retry_at=turn.now)
    turn.do(ResetShaping())
    if turn.state.link_up:
        turn.halt()
    else:
        turn.stop_waits(stop.id)


def _is_that_stop(stop: Stop, latched: StopLatch) -> bool:
    """By its whole identity: two issuers may choose the same id, and the rank of the second must count."""
    mine = (stop.id, stop.issuer, stop.epoch, stop.seq)
    return mine == (latched.command_id, latched.issuer, latched.epoch, latched.seq)


def _latch(admitted: Admitted, stop: Stop, earlier: StopLatch | None, now: float) -> StopLatch:
    """The latch of this stop. What ends it must outrank and outdate the stops that it takes over from, too: one that
    arrives late must not weaken the one in force.
    """
    latch = StopLatch(
        command_id=stop.id,
        issuer=stop.issuer,
        rank=admitted.rank,
        epoch=stop.epoch,
        seq=stop.seq,
        issued_at=stop.issued_at,
        since=now,
    )
    if earlier is None:
        return latch
    if not _said_before(stop, earlier):
        return replace(latch, rank=max(admitted.rank, earlier.rank))
    return replace(earlier, command_id=stop.id, rank=max(admitted.rank, earlier.rank), since=now, asserted=False)


def _knows_it(command: Command, stop: StopLatch) -> bool:
    """Whether another issuer names it: whatever their clocks say, it was written after the stop."""
    names_it = isinstance(command, SetPower) and command.ends_stop == stop.command_id
    return names_it and command.issuer != stop.issuer


def _said_before(command: Command, stop: StopLatch) -> bool:
    """Whether a command is older than the stop in force, by its issuer's own order or else by the wall clocks."""
    if command.issuer == stop.issuer:
        return (command.epoch, command.seq) < (stop.epoch, stop.seq)
    return command.issued_at < stop.issued_at


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
    if _said_before(command, stop) and not _knows_it(command, stop):
        return "stop", "it was issued before the stop in force", End.SUPERSEDED
    return None


def _end_stop(turn: Turn, reason: str) -> None:
    """Somebody commands again: a stop in force ends, and what was alarmed about an earlier one is dealt with."""
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
    if lease is not None and turn.now < lease.deadline and admitted.rank < lease.rank:
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
    if turn.state.phase is Phase.STOPPED:
        # The stop was ended by this command. Where zero is held and owned, control simply continues from there;
        # where it never got through, recovery decides once the control block has been read.
        turn.set(phase=Phase.LOST if turn.state.unsettled else Phase.CONTROLLING, force=True)
    turn.leave_look()
    turn.go_on()


def _objection(state: State, admitted: Admitted, command: SetPower, now: float) -> tuple[str, str, End] | None:
    """The first reason why this set-point cannot be followed."""
    if state.stop is not None:
        if command.ends_stop != state.stop.command_id:
            return "stopped", f"the stop {state.stop.command_id!r} is in force and not named", End.REFUSED
        against = _stop_stands_against(state.stop, admitted)
        if against is not None:
            return against
    lease = state.lease
    if lease is not None and now < lease.deadline and admitted.rank < lease.rank:
        return "outranked", f"{lease.issuer!r} holds the battery with a higher rank", End.REFUSED
    unable = _device_objection(state, command.power_w, command.accept)
    return None if unable is None else (*unable, End.REFUSED)


def refused_ways(state: State) -> dict[Direction, str]:
    """The ways in which nobody can command the device now, each with the word that a refusal would have."""
    ways = {Direction.CHARGE: -1.0, Direction.DISCHARGE: 1.0}
    found = {way: _device_objection(state, power_w, Accept.LOAD_FOLLOWING) for way, power_w in ways.items()}
    return {way: objection[0] for way, objection in found.items() if objection is not None}


def _device_objection(state: State, power_w: float, accept: Accept) -> tuple[str, str] | None:
    """Why the device may not be commanded like this now, whoever commands: a closed word and a sentence."""
    if state.fault:
        return "fault", state.fault
    if state.unguarded and lacks_timer(state.capabilities, power_w):
        return "guard_lost", state.unguarded
    if state.phase is Phase.FOREIGN:
        return "foreign", "another controller holds this device; release it first"
    return route_objection(state.capabilities, power_w, accept)


def route_objection(capabilities: Capabilities | None, power_w: float, accept: Accept) -> tuple[str, str] | None:
    """Why the device cannot do this: a closed word and a sentence. Nothing while the device is unknown."""
    if capabilities is None:
        return None
    if capabilities.read_only_because:
        return "read_only", capabilities.read_only_because
    direction = Direction.of(power_w)
    routes = [route for route in capabilities.routes if route.direction is direction]
    if not routes:
        return "route", f"this device has no route to {direction.value}"
    if not any(route.authority in _ACCEPTED_AUTHORITIES[accept] for route in routes):
        offered = ", ".join(sorted({route.authority.value for route in routes}))
        return "route", f"the command accepts {accept.value}; the {direction.value} route is {offered}"
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
