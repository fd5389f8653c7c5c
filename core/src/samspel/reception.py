"""Stations ① and ② with their answers: what comes in is parsed, judged, and answered aloud if it goes no further.

Every message is acknowledged to the broker when what was decided would survive kill -9: a refusal when its outcome is
on disk, an admitted command when control has journaled it. A disk that does not answer within `DISK_S` does not keep
the broker waiting: unacknowledged messages bar the way for later ones, a stop among them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING

from samspel.admission.gate import Admission, Duplicate, Order, Refused, Verdict
from samspel.admission.repeats import Repeats
from samspel.contract.admitted import Admitted
from samspel.contract.command import Command
from samspel.contract.errors import MalformedMessage, StoreError
from samspel.contract.outcome import End
from samspel.contract.ports import Clock, Inbound, JournalPort, Transport
from samspel.control.events import Say
from samspel.outlet import LINGER_S, Outlet
from samspel.transport.topics import parse_topic
from samspel.transport.wire import parse_command

if TYPE_CHECKING:
    from samspel.device import Device

__all__ = ["Reception"]

DISK_S = 5.0
REFUSED = "refused"
"""The journal's document of what was refused lately."""

logger = logging.getLogger("samspel.reception")


class Reception:
    """One site's desk. Never raises, never blocks. `dropped` counts what names no command and gets no answer."""

    def __init__(
        self,
        transport: Transport,
        admission: Admission,
        devices: Mapping[str, Device],
        outlet: Outlet,
        journal: JournalPort,
        clock: Clock,
    ) -> None:
        self._transport, self._admission, self._devices = transport, admission, devices
        self._outlet, self._journal, self._clock = outlet, journal, clock
        self.dropped: Counter[str] = Counter()
        self._repeats = Repeats(journal.get(REFUSED) or {})
        self._remembering: set[asyncio.Task[None]] = set()
        self._decided = dict(admission.orders)

    def parse(self, message: Inbound) -> tuple[str, Command] | None:
        """① The device it is for and the command it carries; nothing when that was all it had to say."""
        address = parse_topic(message.topic)
        device = address.device if address is not None else None
        if device is None or device not in self._devices:
            self._drop(message, "unknown topic")
            return None
        try:
            return device, parse_command(message.payload)
        except MalformedMessage as error:
            self._refuse_malformed(message, device, error)
            return None

    def judge(self, message: Inbound, device: str, command: Command) -> Admitted | None:
        """② The command, if it may act; whatever may not is answered here."""
        verdict = self._verdict(message, device, command)
        self._outlet.received(device, command.id, duplicate=isinstance(verdict, Duplicate))
        match verdict:
            case Admitted():
                return verdict
            case Refused():
                end = End.SUPERSEDED if verdict.superseded else End.REFUSED
                say = Say(command_id=command.id, end=end, reason=verdict.reason, text=verdict.text)
                self._answer(message, device, say)
            case Duplicate():
                self._transport.acknowledge(message)
        return None

    def decided(self, message: Inbound, device: str, command: Command) -> None:
        """The command is decided and journaled: remember its order, then let the broker forget it. The device first.

        What is remembered never runs ahead of what is decided: a command that a crash left undecided comes again, and
        must not then pass for a duplicate.
        """
        self._decided[device] = self._decided.get(device, Order()).after(command)
        self._acknowledge_after(message, self._remember(device))

    # --- inside ---

    def _verdict(self, message: Inbound, device: str, command: Command) -> Verdict:
        verdict = self._admission.judge(
            command,
            device=device,
            retained=message.retained,
            received_at=message.received_at,
            wall=self._clock.wall(),
            synchronised=self._clock.synchronised(),
        )
        if isinstance(verdict, Refused) and self._was_answered(message, device, command):
            return Duplicate(command.id, device)
        return verdict

    def _was_answered(self, message: Inbound, device: str, command: Command) -> bool:
        """Refused before, or held by control: a crash may come between its journal and the order on disk."""
        known = self._devices.get(device)
        held = known is not None and known.controller.has(command)
        return held or self._repeats.refused(message.topic, message.payload)

    async def _remember(self, device: str) -> None:
        await asyncio.sleep(LINGER_S)
        self._outlet.flush()
        await self._journal.put(f"{device}/order", self._decided[device].to_json())

    def _acknowledge_after(self, message: Inbound, keeping: Awaitable[None]) -> None:
        task = asyncio.get_running_loop().create_task(self._keep(message, keeping))
        self._remembering.add(task)
        task.add_done_callback(self._remembering.discard)

    async def _keep(self, message: Inbound, keeping: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(DISK_S):
                await keeping
        except (StoreError, TimeoutError) as error:
            why = str(error) or f"the disk does not answer within {DISK_S:g} s"
            logger.warning("acknowledged and not kept", extra={"topic": message.topic, "error": why})
        self._transport.acknowledge(message)

    def _refuse_malformed(self, message: Inbound, device: str, error: MalformedMessage) -> None:
        if error.command_id is None:
            self._drop(message, error.reason)
            return
        say = Say(command_id=error.command_id, end=End.REFUSED, reason=error.reason, text=str(error))
        self._answer(message, device, say)

    def _answer(self, message: Inbound, device: str, say: Say) -> None:
        """A refusal is said once. The broker may forget the message once what we have to say is on disk."""
        if not self._repeats.refused(message.topic, message.payload):
            self._repeats.remember(message.topic, message.payload)
            self._outlet.outcome(device, say)
            self._outlet.flush()  # The answer, and that it was given, go to disk together.
            self._journal.note(REFUSED, self._repeats.to_json())
        self._acknowledge_after(message, self._outlet.kept())

    def _drop(self, message: Inbound, why: str) -> None:
        """What names no command cannot be answered: count it and say so in the log."""
        self.dropped[why] += 1
        logger.warning("dropped", extra={"topic": message.topic, "why": why, "count": self.dropped[why]})
        self._transport.acknowledge(message)
