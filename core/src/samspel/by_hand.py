"""One device commanded by a person: the same control, shaping and driver as the edge, without a broker.

The journal is kept in the user's state folder, so that a command that was killed is found, given back or adopted by
the next one.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from samspel.bus.url import BusUrl, parse_url
from samspel.connect import Connected, attach, find_device, owned_endpoint, wait_confirmed
from samspel.contract.admitted import Admitted
from samspel.contract.command import Accept, Command, OnExpiry, Rank, Release, SetPower, Stop
from samspel.contract.errors import BusError, ConfigError, LinkDown, SamspelError, WrongDevice
from samspel.contract.ports import Clock, Outbound, OutboxRow
from samspel.control.state import Phase, Policy
from samspel.device import Device, DeviceLimits, expected_serial
from samspel.driver.options import DriverOptions
from samspel.outlet import Outlet
from samspel.shaping.chain import Chain
from samspel.shaping.limits import BatteryLimits, ContractLimits
from samspel.store.store import Store

__all__ = ["ByHand", "Ending", "by_hand"]

logger = logging.getLogger("samspel.by_hand")

SETTLE_S = 90.0
"""How long a release or recovery of an earlier command may take."""
ANSWER_S = 60.0
"""How long a stop or release may take to be carried out."""
POLL_S = 1.0
DEVICE = "device"
SETTLED = {Phase.RELEASED, Phase.CONTROLLING, Phase.STOPPED, Phase.FOREIGN}
"""Nothing is being recovered any more."""

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command ended: its end, whether the battery was seen to follow, and whether control was given back."""

    end: str
    reason: str
    text: str
    delivered: bool
    phase: Phase


class _LocalOutbox:
    """Takes what would go to a broker and hands outcomes and faults to the screen."""

    def __init__(self, show: Callable[[Event], None]) -> None:
        self._show = show
        self.outcomes: list[Event] = []
        self.news = asyncio.Event()

    def add(self, message: Outbound, *, droppable: bool) -> None:
        """Show what a person wants to see; telemetry is not that."""
        if droppable:
            return
        event: Event = json.loads(message.payload)
        if event["schema"].startswith("outcome/"):
            self.outcomes.append(event)
        self._show(event)
        self.news.set()

    async def head(self, count: int) -> Sequence[OutboxRow]:  # noqa: ARG002 - there is nobody to send to
        """Nothing waits here."""
        await asyncio.Event().wait()
        return ()

    def sent(self, row_id: int) -> None:
        """Nothing is sent."""

    def failed(self, row_id: int) -> None:
        """Nothing is sent."""

    def refused(self, count: int) -> Sequence[OutboxRow]:  # noqa: ARG002 - there is nobody to refuse
        """Nothing is sent."""
        return ()

    def refuse(self, row_id: int) -> None:
        """Nothing is sent."""

    async def kept(self) -> None:
        """Nothing is kept."""


class ByHand:
    """A device that answers, and settled control over it."""

    def __init__(self, device: Device, outbox: _LocalOutbox, clock: Clock, issuer: str) -> None:
        self._device, self._outbox, self._clock, self._issuer = device, outbox, clock, issuer

    async def set_power(self, power_w: float, for_s: float, accept: Accept = Accept.EXACT) -> Ending:
        """Take, follow for `for_s` seconds, release and verify; raises nothing but SamspelError.

        What an earlier command left behind is recovered first, and taken over from there.
        """
        await reach(self._device, SETTLED, self._clock, SETTLE_S)
        command = SetPower(**self._envelope(for_s), power_w=power_w, on_expiry=OnExpiry.RELEASE, accept=accept)
        self._submit(command, deadline=self._clock.monotonic() + for_s)
        try:
            ending = await self._ended(command.id, for_s + ANSWER_S)
            if ending["end"] != "refused":
                await reach(self._device, {Phase.RELEASED, Phase.FOREIGN}, self._clock, SETTLE_S)
        except asyncio.CancelledError:
            await self.release()
            raise
        return self._ending(ending)

    async def release(self) -> Ending:
        """Give control back and verify."""
        command = Release(**self._envelope(ANSWER_S))
        self._submit(command)
        return self._ending(await self._ended(command.id, ANSWER_S))

    async def stop(self) -> Ending:
        """Zero, held until somebody releases."""
        command = Stop(**self._envelope(ANSWER_S))
        self._submit(command)
        verified = await self._outcome(
            lambda one: one["command_id"] == command.id and one.get("stage") == "verified", ANSWER_S
        )
        return self._ending({**verified, "end": "held"})

    # --- inside ---

    def _envelope(self, ttl_s: float) -> dict[str, Any]:
        name = f"by-hand-{self._clock.wall():%Y%m%dT%H%M%S%f}"
        return {
            "id": name,
            "issuer": self._issuer,
            "epoch": 0,
            "seq": int(self._clock.wall().timestamp() * 1000),
            "issued_at": self._clock.wall(),
            "ttl_s": ttl_s,
            "target": f"by-hand/{DEVICE}",
        }

    def _submit(self, command: Command, deadline: float = float("inf")) -> None:
        now = self._clock.monotonic()
        self._device.controller.submit(Admitted(command, Rank.INSTALLER, now, now, deadline, 0.0))

    async def _ended(self, command_id: str, within_s: float) -> Event:
        return await self._outcome(lambda one: one["command_id"] == command_id and "end" in one, within_s)

    async def _outcome(self, fits: Callable[[Event], bool], within_s: float) -> Event:
        try:
            async with asyncio.timeout(within_s):
                while True:
                    self._outbox.news.clear()
                    found = next((one for one in self._outbox.outcomes if fits(one)), None)
                    if found is not None:
                        return found
                    await self._outbox.news.wait()
        except TimeoutError as error:
            raise BusError(
                f"no end within {within_s:g} s; the device may still be under control: run `release`"
            ) from error

    def _ending(self, last: Event) -> Ending:
        delivered = any(
            one.get("stage") == "delivered" for one in self._outbox.outcomes if one["command_id"] == last["command_id"]
        )
        return Ending(
            last["end"], last.get("reason", ""), last.get("text", ""), delivered, self._device.controller.state.phase
        )


async def reach(device: Device, phases: set[Phase], clock: Clock, within_s: float) -> None:
    """Until control has looked and is in one of `phases`. Raises BusError."""
    until = clock.monotonic() + within_s
    while device.controller.state.unsettled or device.controller.state.phase not in phases:
        if clock.monotonic() >= until:
            state = device.controller.state.phase.value
            raise BusError(f"control is still {state} after {within_s:g} s; see the faults above")
        await asyncio.sleep(0.05)


@asynccontextmanager
async def by_hand(
    text: str,
    driver: str,
    limits: DeviceLimits,
    clock: Clock,
    rng: random.Random,
    show: Callable[[Event], None],
    options: DriverOptions | None = None,
) -> AsyncIterator[ByHand]:
    """Connect and hand over control; what an earlier command left is recovered meanwhile. Raises SamspelError.

    Only the device that it was left on is written to: another one at the address is WrongDevice.
    """
    found = await find_device(parse_url(text), driver, clock, rng)
    store = Store.open(_journal_file(found.url), clock)
    serial = expected_serial(None, DEVICE, store.journal, clock)
    options = replace(options or DriverOptions(), expected_serial=serial)
    connected = attach(found.brand, found.url, clock, rng, options=options)
    outbox = _LocalOutbox(show)
    outlet = Outlet("by-hand", f"{rng.getrandbits(64):016x}", outbox, clock)
    chain = Chain(
        [
            ContractLimits(charge_w=limits.charge_w, discharge_w=limits.discharge_w),
            BatteryLimits(soc_min_pct=limits.soc_min_pct, soc_max_pct=limits.soc_max_pct),
        ]
    )
    device = Device(DEVICE, connected.driver, chain, outlet, store.journal, clock, Policy(), limits)
    try:
        async with owned_endpoint(connected.endpoint, found.url), _running(device, connected, found.url):
            yield ByHand(device, outbox, clock, issuer=f"by-hand:{os.getpid()}")
    finally:
        await store.close()


@asynccontextmanager
async def _running(device: Device, connected: Connected, url: BusUrl) -> AsyncIterator[None]:
    """Control, polling and login of this one device."""
    await _confirmed(connected, url)
    await device.link_up()
    connected.link.on_link(lambda up: _on_link(device, connected, tasks, up=up))
    tasks: set[asyncio.Task[None]] = {
        asyncio.create_task(device.controller.run()),
        asyncio.create_task(_poll_for_ever(device)),
        asyncio.create_task(connected.driver.tend_session()),
    }
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _confirmed(connected: Connected, url: BusUrl) -> None:
    """Raises WrongDevice when somebody else answers, LinkDown when nobody does."""
    wrong: list[WrongDevice] = []
    connected.wrong_device.append(wrong.append)
    try:
        await wait_confirmed(connected.link, url)
    except LinkDown as error:
        if not wrong:
            raise
        raise WrongDevice(
            f"{wrong[-1]}: an earlier command left that one under control. Give it its address back, or remove "
            f"{_journal_file(url)} if it is gone for good"
        ) from error


def _on_link(device: Device, connected: Connected, tasks: set[asyncio.Task[None]], *, up: bool) -> None:
    if up:
        tasks.add(asyncio.create_task(_greet(device, connected)))
    else:
        device.link_down()


async def _greet(device: Device, connected: Connected) -> None:
    """After a lost link: who answers, once more until it is known."""
    while connected.link.connected:
        try:
            await device.link_up()
        except SamspelError as error:
            logger.warning("identify", extra={"error": str(error)})
            await asyncio.sleep(POLL_S)
        else:
            return


async def _poll_for_ever(device: Device) -> None:
    groups: tuple[str, ...] = ("fast", "slow", "static")
    while True:
        try:
            await device.poll(groups)
            groups = ("fast",)
        except SamspelError as error:
            logger.info("poll", extra={"error": str(error)})
        await asyncio.sleep(POLL_S)


def _journal_file(url: BusUrl) -> Path:
    base = Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser()
    folder = base / "samspel" / "by-hand"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror}; set XDG_STATE_HOME to a folder that can be written") from error
    return folder / f"{url.host.replace(':', '_')}-{url.port}-{url.unit}.sqlite"
