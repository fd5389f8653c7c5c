"""How long a condition must stand before it is a fault, and be gone before it is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from samspel.contract.fault import Severity

__all__ = ["NO_DEBOUNCE", "USUAL", "Debounce"]


@dataclass(frozen=True, slots=True)
class Debounce:
    """Seconds for each severity; 0 where none is named: then the first reading counts."""

    raise_s: Mapping[Severity, float] = field(default_factory=dict)
    clear_s: Mapping[Severity, float] = field(default_factory=dict)

    def raises(self, severity: Severity, stood_s: float) -> bool:
        """Whether what has stood for so long is a fault."""
        return stood_s >= self.raise_s.get(severity, 0.0)

    def clears(self, severity: Severity, gone_s: float) -> bool:
        """Whether what has been gone for so long is none any more."""
        return gone_s >= self.clear_s.get(severity, 0.0)


NO_DEBOUNCE = Debounce()

USUAL = Debounce(
    raise_s={Severity.INFO: 15.0, Severity.WARNING: 15.0, Severity.MINOR: 15.0},
    clear_s=dict.fromkeys(Severity, 30.0),
)
"""What is grave is believed at the first reading; what is not has to be read twice. A fault is gone after 30 s."""
