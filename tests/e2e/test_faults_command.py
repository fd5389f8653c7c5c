"""`samspel faults URL` as a process, on a simulated inverter."""

from __future__ import annotations

import json
from pathlib import Path

from .commands import samspel
from .real import quick_twin


async def test_it_shows_what_stands_and_what_that_forbids(tmp_path: Path) -> None:
    async with quick_twin() as twin:
        address = f"modbus-tcp://127.0.0.1:{twin.port}?unit=1"
        well = await samspel(tmp_path, "faults", address, "--driver", "huawei")
        assert (well.code, well.out.strip()) == (0, "nothing is wrong")
        twin.twin.set({"alarms": [2032]})
        twin.twin.refresh()
        ill = await samspel(tmp_path, "faults", address, "--driver", "huawei", "--json")
        document = json.loads(ill.out)
        assert document["effect"] == "offline"
        (fault,) = document["faults"]
        assert (fault["code"], fault["state"], fault["effect"]) == ("grid.lost", "raised", "offline")
        assert "2032" in fault["raw"]
        assert twin.twin.writes == type(twin.twin.writes)(), "looking writes nothing"
