"""A real home under guard, for the scenes that do something to its guard or its edge."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from samspel_sim.behaviour import TwinOptions
from samspel_sim.testing import served_twin

from .patience import until
from .real import SPEED, RealHome, battery_w, real_home
from .registers import registers
from .scenes import Backstage

SILENCE_S = 4.0
LOAD_W = 500.0
FOLLOWED = {"forcible_discharge_power": 3000, "forcible_command": 2}
BLOCKABLE = "import signal, time\nsignal.signal(signal.SIGUSR1, lambda *_: time.sleep(3600))\n"
"""SIGUSR1 blocks the event loop as a defect would: in the middle of a callback."""


@asynccontextmanager
async def guarded(
    backstage: Backstage, name: str, driver: str = "huawei", *, speed: float = SPEED, **environment: str
) -> AsyncIterator[RealHome]:
    """A home at night whose edge may be silent for `SILENCE_S`, and can be blocked."""
    folder = backstage.folder / name
    (folder / "site").mkdir(parents=True)
    (folder / "site" / "sitecustomize.py").write_text(BLOCKABLE)
    variables = {
        "SAMSPEL__GUARD__SILENCE_S": str(SILENCE_S),
        "PYTHONPATH": str(folder / "site"),
        **environment,
    }
    settings = {"expires": 0.0} if driver == "huawei" else {}
    async with served_twin(driver, TwinOptions(soc_pct=60.0, seed=7, settings=settings), speed=speed) as twin:
        twin.twin.set({"pv_power_w": 0.0, "load_power_w": LOAD_W})
        port = backstage.make_broker().port
        async with real_home(folder, port, {"battery": twin}, driver=driver, more_environment=variables) as home:
            yield home


def child(home: RealHome) -> int:
    """The process that the guard runs just now."""
    found = home.edge.child
    assert found is not None, home.edge.log[-2000:]
    return found


async def discharging(home: RealHome, **fields: object) -> str:
    """Followed by the battery itself."""
    command = await home.discharging(**fields)
    await until(lambda: abs(battery_w(home.twin) - 3000.0) < 150.0, "the battery follows")
    return command


async def gives_back(home: RealHome, before: dict[str, int]) -> None:
    """Every register is as it was."""
    try:
        await until(lambda: registers(home.twin) == before)
    except AssertionError:
        raise AssertionError(f"{registers(home.twin)}\n{home.edge.log[-6000:]}") from None


async def on_its_own(home: RealHome) -> None:
    """The battery follows the house again, whatever registers say."""
    try:
        await until(lambda: abs(battery_w(home.twin) - LOAD_W) < 100.0)
    except AssertionError:
        raise AssertionError(f"{battery_w(home.twin):.0f} W\n{home.edge.log[-6000:]}") from None
