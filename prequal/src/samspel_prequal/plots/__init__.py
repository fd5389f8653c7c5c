"""Pictures that explain a verdict: one module a picture, each a function from figures to a `Picture`.

No picture touches pyplot or any other global state. Every curve that a test or a reader may want to find carries a
name (`gid`). All pictures have the same width, that of a printed page, and the same look (`style`).
"""

from samspel_prequal.plots.bode import bode_plot
from samspel_prequal.plots.energy import energy_plot
from samspel_prequal.plots.nyquist import nyquist_plot
from samspel_prequal.plots.ramps import activation_plot, deactivation_plot, ramps_plot
from samspel_prequal.plots.sensitivity import sensitivity_plot
from samspel_prequal.plots.sines import Sine, sines_plot
from samspel_prequal.plots.static import staircase_plot, static_plot
from samspel_prequal.plots.steps import steps_plot
from samspel_prequal.plots.style import Picture

__all__ = [
    "Picture",
    "Sine",
    "activation_plot",
    "bode_plot",
    "deactivation_plot",
    "energy_plot",
    "nyquist_plot",
    "ramps_plot",
    "sensitivity_plot",
    "sines_plot",
    "staircase_plot",
    "static_plot",
    "steps_plot",
]
