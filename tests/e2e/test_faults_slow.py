"""On a link that cannot carry every poll, faults are still read, and nothing that headroom rests on grows old."""

from __future__ import annotations

import asyncio

import pytest
from samspel.edge import Rates
from samspel_contract.site import open_site
from samspel_contract.target import installed

from .test_faults import BROKEN

pytestmark = pytest.mark.looptime(noop_cycles=1)

RATES = Rates(fast_s=2.0, slow_s=30.0, static_s=60.0, faults_s=10.0)
OLD_S = 240.0
DONGLE_S = 1.3
"""How long a slow dongle takes for each request: lesson 20."""


@pytest.mark.parametrize("brand", list(BROKEN))
async def test_faults_and_slow_telemetry_are_read_over_a_slow_dongle(brand: str) -> None:
    async with open_site(installed(brand), rates=RATES) as site:
        await site.settled()
        site.life.wire.latency_s = DONGLE_S
        await site.wait(300.0)
        site.twin.set(BROKEN[brand])
        await site.until(lambda: site.life.device.faults.effect == "offline", 60.0, "the fault is known")
        now = asyncio.get_running_loop().time()
        ages_s = {name: now - one.monotonic_s for name, one in site.life.device.readings.items()}
        assert max(ages_s.values()) < OLD_S, sorted(ages_s, key=ages_s.__getitem__)[-5:]
