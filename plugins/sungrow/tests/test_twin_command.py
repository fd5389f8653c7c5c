"""`samspel sim sungrow` as a process."""

import asyncio
import signal

import pytest
from samspel_sim.command import command
from samspel_sim.testing import ControlError, spawned_twin


async def test_ready_line_control_port_and_orderly_end():
    arguments = ("--seed", "7", "--soc", "41", "--model", "SH8.0RT-V122", "--path", "winet", "--speed", "20")
    async with spawned_twin("sungrow", *arguments, "--set", "pack=SBR096", "--set", "late_fallback=1") as twin:
        ready = twin.ready
        assert (ready["ready"], ready["brand"], ready["model"]) == (True, "sungrow", "SH8.0RT-V122")
        assert (ready["serial"], ready["host"], ready["unit"]) == ("SIM000000007", "127.0.0.1", 1)
        await twin.set(pv_power_w=0, load_power_w=700, faults={"bms_alarm": [3]})
        await twin.misbehave("slow", seconds=0.2)
        state = await twin.state()
        assert state["soc_pct"] == pytest.approx(41, abs=0.5)
        assert (list(state["misbehaviours"]), state["faults"]) == (["slow"], {"bms_alarm": [3]})
        with pytest.raises(ControlError, match="no fault word 'nonsense'"):
            await twin.set(faults={"nonsense": [1]})
        twin.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(twin.process.wait(), 15) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["sungrow", "--model", "X"], "no model 'X'; there are SH5.0RT"),
        (["sungrow", "--model", "SH20T", "--path", "lan"], "SH20T has no path 'lan'"),
        (["sungrow", "--set", "colour=1"], "no setting 'colour'"),
    ],
)
def test_wrong_choices_exit_2(arguments, sentence, capsys):
    assert command(arguments) == 2
    assert sentence in capsys.readouterr().err
