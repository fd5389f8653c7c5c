"""What is played: steps, ramps, sines, staircases and flag-driven sequences (see `catalogue` for the names)."""

from samspel_prequal.signals.catalogue import Entry, entries, find
from samspel_prequal.signals.energy import EnergyDrive, EnergyFlags, EnergyStep, Until, energy_example, energy_steps
from samspel_prequal.signals.fcr_d import mirrored_hz, ramp, static_ramp
from samspel_prequal.signals.fcr_n import step
from samspel_prequal.signals.ffr import ALTERNATIVES, FfrAlternative, ffr
from samspel_prequal.signals.frr import AfrrProfile, MfrrProfile, afrr, mfrr
from samspel_prequal.signals.linearity import linearity
from samspel_prequal.signals.signal import (
    FloatArray,
    Hold,
    Quantity,
    RampSignal,
    Segment,
    Signal,
    SignalHead,
    SineSignal,
    sample,
)
from samspel_prequal.signals.sine import sine, sines

__all__ = [
    "ALTERNATIVES",
    "AfrrProfile",
    "EnergyDrive",
    "EnergyFlags",
    "EnergyStep",
    "Entry",
    "FfrAlternative",
    "FloatArray",
    "Hold",
    "MfrrProfile",
    "Quantity",
    "RampSignal",
    "Segment",
    "Signal",
    "SignalHead",
    "SineSignal",
    "Until",
    "afrr",
    "energy_example",
    "energy_steps",
    "entries",
    "ffr",
    "find",
    "linearity",
    "mfrr",
    "mirrored_hz",
    "ramp",
    "sample",
    "sine",
    "sines",
    "static_ramp",
    "step",
]
