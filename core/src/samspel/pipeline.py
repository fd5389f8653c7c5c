"""READ FIRST. The whole path of a command, station by station, and what comes back.

    MQTT ─① transport─▶ message ─② admission─▶ command ─③ control─▶ target ─④ shaping─▶ target ─⑤ driver ─▶ ⑥ ⑦ device
    MQTT ◀─① transport── outcome · telemetry · fault · headroom ◀── control · delivery · faults ◀── ⑤ ◀── device

What the stations are: `reception.py` (①②), `control/` (③), `shaping/` (④), `driver/` (⑤), `registers/` (⑥), `bus/`
(⑦). `device.py` holds what one device's stations share, `outlet.py` is the way up, `edge.py` runs all of this, and
`assembly.py` builds it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from samspel.admission.gate import Admission
from samspel.contract.driver import ControlReading, Snapshot, WriteReport
from samspel.contract.ports import Clock, Inbound, JournalPort, Transport
from samspel.control.events import Follow, Followed, GiveBack
from samspel.control.state import State
from samspel.outlet import Outlet
from samspel.reception import Reception
from samspel.shaping.gate import Action

if TYPE_CHECKING:
    from samspel.device import Device

__all__ = ["DevicePath", "Pipeline"]


class Pipeline:
    """One site, from a message to control. Called on the event loop; never raises, never blocks."""

    def __init__(
        self,
        transport: Transport,
        admission: Admission,
        devices: Mapping[str, Device],
        outlet: Outlet,
        journal: JournalPort,
        clock: Clock,
    ) -> None:
        self._reception = Reception(transport, admission, devices, outlet, journal, clock)
        self._devices = devices

    def receive(self, message: Inbound) -> None:
        """①②③ One message: parse it, judge it, and give an admitted command to control."""
        if (parsed := self._reception.parse(message)) is None:
            return
        device, command = parsed
        if (admitted := self._reception.judge(message, device, command)) is not None:
            once_journaled = partial(self._reception.decided, message, device, command)
            self._devices[device].controller.submit(admitted, then=once_journaled)

    @property
    def dropped(self) -> Counter[str]:
        """How many messages named no command, by reason."""
        return self._reception.dropped


class DevicePath:
    """One device, from control's decision to its registers, and back. Control calls these (`control.shell.Actions`)."""

    def __init__(self, device: Device) -> None:
        self._device = device

    async def follow(self, order: Follow, state: State) -> Followed:
        """③④⑤ Make the battery follow: shape the target, see whether it is worth a write, journal, write."""
        device = self._device
        if order.force:
            await device.know_the_battery(order)
        shaped, rest_s = device.rest(device.shape(order, state), state)
        action, target_w = device.gate(shaped, order, state), shaped.target_w
        followed = partial(Followed, order.action_id, rest_s=rest_s, waits=device.waits)
        if action is Action.SUPPRESS:
            return followed(None)
        await device.journal(order, target_w)
        if action is Action.FEED:
            await device.feed(target_w, order, state)
            return followed(None, fed=True)
        return followed(await device.write(target_w, order, state))

    async def halt(self, state: State, *, feed: bool) -> WriteReport:
        """③⑤ A stop enters no filter and no gate."""
        return await self._device.stop(state, feed=feed)

    async def give_back(self, order: GiveBack, state: State) -> WriteReport:
        """③⑤ Nor does a release."""
        return await self._device.release(order, state)

    async def take(self) -> Snapshot:
        """⑤ What a release will give back."""
        return await self._device.snapshot()

    async def look(self, state: State) -> tuple[ControlReading, Snapshot | None]:
        """⑤③ Who holds the control block."""
        return await self._device.look(state)
