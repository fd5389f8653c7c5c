"""Drivers that are wrong in one place each. The suite is run on them with `--samspel-driver-factory`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from samspel.contract.driver import ActiveFault, ControlReading, ControlState, Identity, Mark, Snapshot, WriteReport
from samspel.contract.errors import BusError, NoAnswer, VerifyFailed
from samspel.contract.fault import FaultCode
from samspel.contract.outcome import Verification
from samspel.contract.ports import Priority
from samspel.contract.telemetry import Quality, Reading
from samspel.driver.map_driver import MapDriver
from samspel.driver.marks import Marks
from samspel.registers.quarantine import Quarantine

ALL = ("fast", "slow", "static")
SHUTDOWN, MODE = 300, 205


def _report(power_w: float = 0.0) -> WriteReport:
    """As if all had gone well."""
    return WriteReport(mark={}, power_w=power_w, verification=Verification.READ_BACK, rung=None, skipped_because="")


class SwallowsTimeouts(MapDriver):
    async def set_power(
        self, power_w: float, not_after: float, snapshot: Snapshot, previous_w: float | None
    ) -> WriteReport:
        try:
            return await super().set_power(power_w, not_after, snapshot, previous_w)
        except NoAnswer:
            return _report(power_w)


class IgnoresReadBack(MapDriver):
    async def set_power(
        self, power_w: float, not_after: float, snapshot: Snapshot, previous_w: float | None
    ) -> WriteReport:
        try:
            return await super().set_power(power_w, not_after, snapshot, previous_w)
        except VerifyFailed:
            return _report(power_w)


class BelievesItsRelease(MapDriver):
    async def release(self, snapshot: Snapshot | None, marks: Sequence[Mark] = ()) -> WriteReport:
        try:
            return await super().release(snapshot, marks)
        except VerifyFailed:
            return _report()


class Restamps(MapDriver):
    async def read(self, groups: Sequence[str] = ALL) -> Mapping[str, Reading]:
        now = self._clock.monotonic()
        return {name: replace(reading, monotonic_s=now) for name, reading in (await super().read(groups)).items()}


class CallsStaleGood(MapDriver):
    async def read(self, groups: Sequence[str] = ALL) -> Mapping[str, Reading]:
        readings = await super().read(groups)
        return {
            name: replace(reading, quality=Quality.GOOD) if reading.quality is Quality.STALE else reading
            for name, reading in readings.items()
        }


class CallsInvalidZero(MapDriver):
    async def read(self, groups: Sequence[str] = ALL) -> Mapping[str, Reading]:
        readings = await super().read(groups)
        return {
            name: replace(reading, quality=Quality.GOOD, value=0.0) if reading.quality is Quality.INVALID else reading
            for name, reading in readings.items()
        }


class ForgetsWhatIsAbsent(MapDriver):
    async def read(self, groups: Sequence[str] = ALL) -> Mapping[str, Reading]:
        self._known.reader.quarantine = Quarantine()
        return await super().read(groups)


class StopsBehindPolling(MapDriver):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._one_at_a_time = asyncio.Lock()

    async def read(self, groups: Sequence[str] = ALL) -> Mapping[str, Reading]:
        async with self._one_at_a_time:
            return await super().read(groups)

    async def stop(self, snapshot: Snapshot | None) -> WriteReport:
        async with self._one_at_a_time:
            return await super().stop(snapshot)


class StopsBehindCommands(MapDriver):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._one_at_a_time = asyncio.Lock()

    async def set_power(
        self, power_w: float, not_after: float, snapshot: Snapshot, previous_w: float | None
    ) -> WriteReport:
        async with self._one_at_a_time:
            return await super().set_power(power_w, not_after, snapshot, previous_w)

    async def stop(self, snapshot: Snapshot | None) -> WriteReport:
        async with self._one_at_a_time:
            return await super().stop(snapshot)


class FeedsByItself(MapDriver):
    async def set_power(
        self, power_w: float, not_after: float, snapshot: Snapshot, previous_w: float | None
    ) -> WriteReport:
        report = await super().set_power(power_w, not_after, snapshot, previous_w)
        self._feeding = asyncio.ensure_future(self._feed_for_ever(power_w, snapshot))
        return report

    async def _feed_for_ever(self, power_w: float, snapshot: Snapshot) -> None:
        while True:
            await asyncio.sleep(5)
            with suppress(BusError):
                await super().keep_alive(power_w, math.inf, snapshot)


class FeedsTheExpired(MapDriver):
    async def keep_alive(self, power_w: float, not_after: float, snapshot: Snapshot) -> None:
        del not_after
        await super().keep_alive(power_w, math.inf, snapshot)


class IgnoresDeadlines(MapDriver):
    async def set_power(
        self, power_w: float, not_after: float, snapshot: Snapshot, previous_w: float | None
    ) -> WriteReport:
        del not_after
        return await super().set_power(power_w, math.inf, snapshot, previous_w)


class OverwritesItsSnapshot(MapDriver):
    _newest: Snapshot | None = None

    async def set_power(
        self, power_w: float, not_after: float, snapshot: Snapshot, previous_w: float | None
    ) -> WriteReport:
        self._newest = await super().take()
        return await super().set_power(power_w, not_after, snapshot, previous_w)

    async def release(self, snapshot: Snapshot | None, marks: Sequence[Mark] = ()) -> WriteReport:
        return await super().release(self._newest or snapshot, marks)


class TakesZeroForRelease(MapDriver):
    async def set_power(
        self, power_w: float, not_after: float, snapshot: Snapshot, previous_w: float | None
    ) -> WriteReport:
        if power_w == 0:
            return await super().release(snapshot)
        return await super().set_power(power_w, not_after, snapshot, previous_w)


class TakesForeignForOurs(MapDriver):
    async def read_control(self, marks: Sequence[Mark] = (), snapshot: Snapshot | None = None) -> ControlReading:
        reading = await super().read_control(marks, snapshot)
        return replace(reading, state=ControlState.OURS) if reading.state is ControlState.FOREIGN else reading


class WritesWhatIsForbidden(MapDriver):
    async def set_power(
        self, power_w: float, not_after: float, snapshot: Snapshot, previous_w: float | None
    ) -> WriteReport:
        await self._link.write(SHUTDOWN, (0,), function=6, priority=Priority.SET_POINT)
        return await super().set_power(power_w, not_after, snapshot, previous_w)


class WritesWhenItTakes(MapDriver):
    async def take(self) -> Snapshot:
        await self._link.write(MODE, (0,), function=6, priority=Priority.SET_POINT)
        return await super().take()


class LeaksForeignErrors(MapDriver):
    async def read(self, groups: Sequence[str] = ALL) -> Mapping[str, Reading]:
        try:
            return await super().read(groups)
        except BusError as error:
            raise ConnectionError(str(error)) from error


class SharesItsMemory(MapDriver):
    written = Marks()

    async def identify(self) -> Identity:
        identity = await super().identify()
        self._known.commander.written = self.written
        return identity


class ReversesDischarge(MapDriver):
    async def set_power(
        self, power_w: float, not_after: float, snapshot: Snapshot, previous_w: float | None
    ) -> WriteReport:
        report = await super().set_power(-abs(power_w), not_after, snapshot, previous_w)
        return replace(report, power_w=power_w)


class HidesTheUnmapped(MapDriver):
    async def read_faults(self) -> Sequence[ActiveFault]:
        return [fault for fault in await super().read_faults() if fault.code is not FaultCode.VENDOR_UNMAPPED]


class NeverClearsFaults(MapDriver):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._ever: dict[ActiveFault, None] = {}

    async def read_faults(self) -> Sequence[ActiveFault]:
        self._ever.update(dict.fromkeys(await super().read_faults()))
        return list(self._ever)


class AcceptsRefusedFamilies(MapDriver):
    def __init__(self, manifest: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(replace(manifest, identity=replace(manifest.identity, refuse=())), *arguments, **options)


class AcceptsEverySerial(MapDriver):
    def __init__(self, *arguments: Any, options: Any, **others: Any) -> None:
        super().__init__(*arguments, options=replace(options, expected_serial=None), **others)

    async def confirm(self, raw_link: Any) -> None:
        """Whoever it is."""


class ReleasesWithoutAMap(MapDriver):
    """Writes the mode back and calls that a release."""

    async def release(self, snapshot: Snapshot | None, marks: Sequence[Mark] = ()) -> WriteReport:
        del snapshot, marks
        await self._link.write(MODE, (0,), function=6, priority=Priority.RELEASE)
        return _report()


class PollsUrgently(MapDriver):
    """Every request of a stop goes out as telemetry."""

    async def stop(self, snapshot: Snapshot | None) -> WriteReport:
        bank = self._known.bank
        link, bank._link = bank._link, _Slow(bank._link)  # type: ignore[assignment]
        try:
            return await super().stop(snapshot)
        finally:
            bank._link = link


class _Slow:
    def __init__(self, link: Any) -> None:
        self._link = link

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call: Callable[..., Any] = getattr(self._link, name)
        return lambda *arguments, **options: call(*arguments, **{**options, "priority": Priority.SLOW_TELEMETRY})
