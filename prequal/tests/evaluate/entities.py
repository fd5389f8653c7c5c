"""Entities whose answer to a test is known in closed form; times from the start of the log."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from samspel_prequal import rules
from samspel_prequal.evaluate.frequency_response import FrequencyResponse, SinePoint, omega, sine_point
from samspel_prequal.product import Product
from samspel_prequal.signals import FloatArray, RampSignal, sine
from scipy.signal import lfilter

CAPACITY_W = 100_000.0
Answer = Callable[[FloatArray], FloatArray]  # power in W to the times of a sine's samples


def lagged_sine(time_s: FloatArray, period_s: float, lag_s: float, dead_time_s: float) -> FloatArray:
    """A first-order lag's exact answer, from rest, to sin(ωt) that began at 0."""
    since_s = np.maximum(time_s - dead_time_s, 0.0)
    speed = 2 * np.pi / period_s
    steady = np.sin(speed * since_s) - speed * lag_s * np.cos(speed * since_s)
    fading = speed * lag_s * np.exp(-since_s / lag_s) if lag_s > 0 else 0.0
    return np.asarray((steady + fading) / (1 + (speed * lag_s) ** 2))


def sine_log(
    product: Product,
    period_s: float,
    share: Answer,
    *,
    rate_hz: float = 10.0,
    phase_s: float = 0.0,
    periods: float = 0.0,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Times, frequency and power; `share` answers sin(ωt) and is scaled to what the product should deliver."""
    signal = sine(product, period_s, periods=periods)
    time_s = np.arange(round(signal.duration_s * rate_hz)) / rate_hz + phase_s
    full_w = CAPACITY_W * signal.amplitude / rules.BANDS[product].span_hz
    return time_s, signal.at(time_s), -full_w * share(time_s)


def point(product: Product, period_s: float, share: Answer, *, t_fme_s: float = 0.0, **how: float) -> SinePoint:
    """F at one period."""
    time_s, frequency_hz, power_w = sine_log(product, period_s, share, **how)
    needed = next(row.stationary for row in rules.SINE_PERIODS if row.period_s == period_s)
    return sine_point(
        time_s,
        frequency_hz,
        power_w,
        product=product,
        period_s=period_s,
        theoretical_w=CAPACITY_W,
        needed=needed,
        t_fme_s=t_fme_s,
    )


def lag_response(product: Product, lag_s: float, dead_time_s: float, gain: float = 1.0) -> FrequencyResponse:
    """F of gain·exp(-s·dead)/(lag·s + 1) at the product's periods, exactly."""
    period_s = np.array(sorted((row.period_s for row in rules.sine_periods(product)), reverse=True))
    speed = omega(period_s)
    return FrequencyResponse(period_s, gain * np.exp(-1j * speed * dead_time_s) / (1 + 1j * speed * lag_s))


def answered(
    signal: RampSignal,
    share: Callable[[FloatArray], FloatArray],
    *,
    lag_s: float = 0.0,
    dead_time_s: float = 0.0,
    rate_hz: float = 10.0,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Times, frequency and power in shares: `share` of frequency, then dead time and lag, exact between 1/600 s."""
    fine_hz = 600
    time_s = np.arange(round(signal.duration_s * fine_hz)) / fine_hz
    drive = share(signal.at(time_s - dead_time_s))
    if lag_s > 0:
        fading = np.exp(-1 / fine_hz / lag_s)
        ahead = lag_s * fine_hz * (1 - fading)
        drive = lfilter([1 - ahead, ahead - fading], [1, -fading], drive - drive[0]) + drive[0]
    every = round(fine_hz / rate_hz)
    return time_s[::every], signal.at(time_s[::every]), np.asarray(drive[::every])


def droop_share(frequency_hz: FloatArray) -> FloatArray:
    """FCR-D up: 0 at 49.9, 1 at and below 49.5 Hz."""
    return np.clip((49.9 - frequency_hz) / 0.4, 0.0, 1.0)
