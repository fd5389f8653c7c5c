"""READ FIRST. The whole path of a command, station by station, and what comes back.

    MQTT ─① transport─▶ message ─② admission─▶ command ─③ control─▶ target ─④ shaping─▶ target ─⑤ driver ─▶ ⑥ ⑦ device
    MQTT ◀─① transport── outcome · telemetry · fault · headroom ◀── control · delivery · faults ◀── ⑤ ◀── device

①  `receive`   bytes become a command, or a refusal                     transport/wire.py
②  `receive`   the command is judged once, and admitted or refused      admission/gate.py
③  `Controller` decides what the battery does, and journals it          control/machine.py, control/shell.py
④⑤ `Device.follow` shapes the target, gates it, hands it to the driver  device.py, shaping/, driver/
⑥⑦ the driver turns it into register writes on the bus                  registers/, bus/

The way up is `outlet.py`; what builds and supervises all of this is `edge.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping

from samspel.admission.gate import Admission, Duplicate, Refused
from samspel.admission.repeats import Repeats
from samspel.contract.admitted import Admitted
from samspel.contract.errors import MalformedMessage, StoreError
from samspel.contract.outcome import End
from samspel.contract.ports import Clock, Inbound, JournalPort, Transport
from samspel.control.events import Say
from samspel.device import Device
from samspel.outlet import LINGER_S, Outlet
from samspel.transport.topics import parse_topic
from samspel.transport.wire import parse_command

__all__ = ["Pipeline"]

logger = logging.getLogger("samspel.pipeline")


class Pipeline:
    """One site's way from a message to its devices. Called on the event loop; never raises, never blocks."""

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
        self._repeats = Repeats()
        self._remembering: set[asyncio.Task[None]] = set()

    def receive(self, message: Inbound) -> None:
        """①② One message: parse, judge, and hand an admitted command to control; refuse everything else aloud."""
        address = parse_topic(message.topic)
        device = self._devices.get(address.device or "") if address is not None else None
        if device is None:
            self._drop(message, "unknown topic")
            return
        try:
            command = parse_command(message.payload)
        except MalformedMessage as error:
            self._refuse_malformed(message, device, error)
            return
        verdict = self._admission.judge(
            command,
            device=device.name,
            retained=message.retained,
            received_at=message.received_at,
            wall=self._clock.wall(),
            synchronised=self._clock.synchronised(),
        )
        if isinstance(verdict, Refused) and self._repeats.refused(message.topic, message.payload):
            verdict = Duplicate(command.id, device.name)
        self._outlet.received(device.name, command.id, duplicate=isinstance(verdict, Duplicate))
        match verdict:
            case Admitted():
                device.controller.submit(verdict, then=lambda: self._decided(message, device.name))
            case Refused():
                self._refuse(message, verdict)
            case Duplicate():
                self._transport.acknowledge(message)

    def _decided(self, message: Inbound, device: str) -> None:
        """The command is decided and journaled: remember its order, then let the broker forget it. The device first."""
        task = asyncio.get_running_loop().create_task(self._remember(message, device))
        self._remembering.add(task)
        task.add_done_callback(self._remembering.discard)

    async def _remember(self, message: Inbound, device: str) -> None:
        await asyncio.sleep(LINGER_S)
        self._outlet.flush()
        try:
            await self._journal.put(f"{device}/order", self._admission.orders[device].to_json())
        except StoreError as error:
            logger.warning("order not kept", extra={"device": device, "error": str(error)})
        self._transport.acknowledge(message)

    def _refuse(self, message: Inbound, refused: Refused) -> None:
        end = End.SUPERSEDED if refused.superseded else End.REFUSED
        say = Say(command_id=refused.command_id, end=end, reason=refused.reason, text=refused.text)
        self._answer(message, refused.device, say)

    def _refuse_malformed(self, message: Inbound, device: Device, error: MalformedMessage) -> None:
        if error.command_id is None:
            self._drop(message, error.reason)
            return
        say = Say(command_id=error.command_id, end=End.REFUSED, reason=error.reason, text=str(error))
        self._answer(message, device.name, say)

    def _answer(self, message: Inbound, device: str, say: Say) -> None:
        """A refusal is said once. The broker may forget the message once what we have to say is in the outbox."""
        if not self._repeats.refused(message.topic, message.payload):
            self._repeats.remember(message.topic, message.payload)
            self._outlet.outcome(device, say)
        self._outlet.flush()
        self._transport.acknowledge(message)

    def _drop(self, message: Inbound, why: str) -> None:
        """What names no command cannot be answered: count it and say so in the log."""
        self.dropped[why] += 1
        logger.warning("dropped", extra={"topic": message.topic, "why": why, "count": self.dropped[why]})
        self._transport.acknowledge(message)
