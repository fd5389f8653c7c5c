"""The device side: two identical simulated inverters in one process, one for the edge and one for the floor.

Started as `python -m benchmarks.device ANSWER_S`; the first line says where they listen, then each write that carries
a charging power is a line `[arrived_s, power_w]`: monotonic seconds, taken before the frame is looked at.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import time

from samspel_sim.behaviour import TwinOptions
from samspel_sim.finder import find
from samspel_sim.server import ModbusServer
from samspel_sim.testing import BRISK
from samspel_sim.twin import Reply, Session, Twin

__all__ = ["BRAND", "MODEL"]

BRAND = "huawei"
MODEL = "SUN2000-10KTL-M1"
FORCIBLE_CHARGE_POWER = 47247
WRITE_MULTIPLE = 16
SEED = 7


class WatchedTwin(Twin):
    """Tells when a charging power arrived."""

    def _receive(self, session: Session, unit: int, pdu: bytes) -> Reply:
        arrived_s = time.monotonic()
        if pdu[0] == WRITE_MULTIPLE and struct.unpack_from(">H", pdu, 1)[0] == FORCIBLE_CHARGE_POWER:
            print(json.dumps([arrived_s, struct.unpack_from(">I", pdu, 6)[0]]), flush=True)
        return super()._receive(session, unit, pdu)


def make_device(answer_s: float) -> WatchedTwin:
    """A battery half full in a home at night, which answers after `answer_s` and has no other wait of its own."""
    options = TwinOptions(
        model=MODEL, soc_pct=50.0, seed=SEED, epoch_s=time.time(), settings={**BRISK, "answer_s": answer_s}
    )
    twin = WatchedTwin(find(BRAND)(options), clock=time.monotonic, seed=SEED)
    twin.set({"pv_power_w": 0.0, "load_power_w": 500.0})
    return twin


async def serve(answer_s: float) -> None:
    """Serve both until the process ends."""
    servers = [ModbusServer(make_device(answer_s)) for _ in range(2)]
    print(json.dumps([await server.start() for server in servers]), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
