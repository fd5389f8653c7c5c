"""The truth about the simulated home, from the twin's control port: what the edge says is held against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

__all__ = ["Truth"]


@dataclass(frozen=True, slots=True)
class Truth:
    """The inverter at one moment. Powers in W; battery: positive discharges."""

    state: Mapping[str, Any]

    @classmethod
    def now(cls, look: Callable[[], Mapping[str, Any]]) -> Self:
        """Look."""
        return cls(look())

    @property
    def battery_w(self) -> float:
        """Power at the battery's terminal."""
        return float(self.state["battery_power_w"])

    @property
    def uncovered_w(self) -> float:
        """What the household needs beyond the sun: what a battery by its own logic gives."""
        return float(self.state["load_power_w"]) - float(self.state["pv_power_w"])

    @property
    def time_s(self) -> float:
        """The inverter's own clock."""
        return float(self.state["time_s"])

    @property
    def mode(self) -> str:
        """The mode in force, in the inverter's words."""
        return str(self.state["mode"])

    def writes_since(self, earlier: Truth) -> list[Mapping[str, Any]]:
        """Every write that has reached the inverter since then, refused ones too (the log is longer than a play)."""
        known = len(earlier.state["write_log"])
        return list(self.state["write_log"][known:])

    def new_writes_since(self, earlier: Truth) -> list[Mapping[str, Any]]:
        """Those of them that repeat nothing written before: a repetition only keeps a device's timer going."""
        old = [(one["name"], one["values"]) for one in earlier.state["write_log"]]
        return [one for one in self.writes_since(earlier) if (one["name"], one["values"]) not in old]

    def commanded(self) -> dict[str, int]:
        """What stands in the registers that were written, in the order of their last writes."""
        last: dict[str, int] = {}
        for one in self.state["write_log"]:
            for name in (one["name"] or "").split("+"):
                last.pop(name, None)
                if name in self.state["registers"]:
                    last[name] = self.state["registers"][name]
        return last

    def not_restored_since(self, earlier: Truth) -> list[str]:
        """Names of the registers that were written since then and hold another value than then.

        One that was last written with its old value has been given back, although it may count down by itself.
        """
        now, then = self.state["registers"], earlier.state["registers"]
        last = {one["name"]: list(one["values"]) for one in self.writes_since(earlier)}
        changed = (name for name in self._written_since(earlier) if now.get(name) != then.get(name))
        return sorted(name for name in changed if last.get(name) != [then.get(name)])

    def _written_since(self, earlier: Truth) -> set[str]:
        return {name for one in self.writes_since(earlier) for name in (one["name"] or "").split("+")}
