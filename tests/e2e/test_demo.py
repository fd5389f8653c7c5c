"""The demo as a newcomer runs it: real broker, real edge, simulated inverter in a process of its own."""

import json
import subprocess
import sys

import pytest
from samspel_sim.demo.play import SCENES


@pytest.mark.slow
@pytest.mark.mosquitto
@pytest.mark.timeout(500)
def test_the_demo_meets_what_it_expects(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "samspel", "demo", "--json", "--broker", "mosquitto"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=470,
        check=False,
    )
    events = [json.loads(line) for line in run.stdout.splitlines()]
    missed = [one for one in events[-1]["summary"] if not one["met"]]
    assert (run.returncode, missed) == (0, []), run.stderr
    homes = set(events[-1]["transcript"])
    assert len(homes) >= 3
    assert sum("scene" in one for one in events) == SCENES * len(homes)
    assert [one for one in events[-1]["differences"] if not one["because"]] == []
    assert list(tmp_path.glob("samspel-demo-*")) == []
