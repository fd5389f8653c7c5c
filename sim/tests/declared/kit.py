"""A declared toy, edited by text, on a clock moved by hand."""

from __future__ import annotations

from pathlib import Path

from samspel_sim.behaviour import TwinOptions
from samspel_sim.declared import DeclaredDevice, read_declaration
from samspel_sim.testing import Bench
from samspel_sim.twin import Twin

HERE = Path(__file__).parent


class DeclaredBench(Bench):
    """The bench of `samspel_sim.testing`, without an entry point."""

    def __init__(self, folder: Path, options: TwinOptions) -> None:
        self.now_s = 0.0
        self.device = DeclaredDevice(read_declaration(folder), options)
        self.twin = Twin(self.device, clock=lambda: self.now_s, seed=1, step_s=0.1)

    @property
    def battery_w(self) -> float:
        self.twin.advance()
        return self.device.home.flows.battery_w


def write_toy(folder: Path, *edits: tuple[str, str]) -> Path:
    """The toy's two files with these replacements, each of which has to fit once."""
    (folder / "registers.csv").write_text((HERE / "registers.csv").read_text())
    text = (HERE / "twin.toml").read_text()
    for find, replace in edits:
        assert text.count(find) == 1, f"{find!r} is there {text.count(find)} times"
        text = text.replace(find, replace)
    (folder / "twin.toml").write_text(text)
    return folder
