"""A signal as a plain CSV for a signal generator: `time_s` and the value."""

from __future__ import annotations

import sys
from pathlib import Path

from samspel_prequal.signals.signal import Signal, sample

__all__ = ["write_signal"]


def write_signal(signal: Signal, rate_hz: float, path: Path | None) -> None:
    """Write `time_s,frequency_hz` (or `setpoint_share`) at a fixed rate; to standard output without a path."""
    time_s, values = sample(signal, rate_hz)
    rows = (f"{time:.4f},{value:.6f}\r\n" for time, value in zip(time_s.tolist(), values.tolist(), strict=True))
    text = f"time_s,{signal.head.quantity.value}\r\n" + "".join(rows)
    if path is None:
        sys.stdout.write(text.replace("\r\n", "\n"))
    else:
        path.write_text(text, encoding="ascii", newline="")
