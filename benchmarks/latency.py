"""(a) From the publish of a set-point to its write at the device, beside the floor, in steady state."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median, quantiles

from benchmarks.dispatcher import Dispatcher
from benchmarks.home import TTL_S, Home, Polling, open_home, powers_w
from benchmarks.processes import Arrivals
from benchmarks.report import Row

__all__ = ["idle", "slow"]

LOST_S = 5.0
IDLE = Polling(fast_s=30.0, slow_s=50.0, faults_s=60.0)
FULL = Polling(fast_s=2.5, slow_s=20.0, faults_s=10.0)
"""As much as a device that needs 100 ms and a pause for each request can carry beside a set-point every 1.3 s."""
SLOW_ANSWER_S = 0.1
GAP_S = 0.05
"""What the driver's manifest declares between transactions, and after a write."""
OWN_S = 0.005
IDLE_RATIO = 1.3


@dataclass(slots=True)
class Samples:
    """Seconds from publish to arrival. `received_s`: until the edge's transport had the message, by its own stamp."""

    edge_s: list[float] = field(default_factory=list)
    floor_s: list[float] = field(default_factory=list)
    received_s: list[float] = field(default_factory=list)


def idle(samples: int) -> list[Row]:
    """The device answers at once and the bus has nothing else to do."""
    with open_home(0.0, IDLE) as home:
        found = _measure(home, samples, lambda: random.uniform(0.28, 0.36))
    edge, floor = _p50(found.edge_s), _p50(found.floor_s)
    return [
        Row("a", "idle: floor, p50", _ms(floor), "ms"),
        Row("a", "idle: floor, p99", _ms(_p99(found.floor_s)), "ms"),
        Row("a", "idle: edge, p50", _ms(edge), "ms", aim=_ms(IDLE_RATIO * floor), note=f"{edge / floor:.2f} x floor"),
        Row("a", "idle: edge, p99", _ms(_p99(found.edge_s)), "ms"),
        Row(
            "a", "idle: of that, until received, p50", _ms(_p50(found.received_s)), "ms", note="publisher, broker, paho"
        ),
    ]


def slow(samples: int) -> list[Row]:
    """The device answers after 100 ms and the bus is never without a poll to carry."""
    with open_home(SLOW_ANSWER_S, FULL) as home:
        found = _measure(home, samples, lambda: random.uniform(1.15, 1.45))
    bound_s = SLOW_ANSWER_S + GAP_S + OWN_S
    return [
        Row("a", "100 ms device, polling: floor (never polls), p50", _ms(_p50(found.floor_s)), "ms"),
        Row("a", "100 ms device, polling: edge, p50", _ms(_p50(found.edge_s)), "ms"),
        Row(
            "a",
            "100 ms device, polling: edge, p99",
            _ms(_p99(found.edge_s)),
            "ms",
            aim=_ms(bound_s),
            note="transaction 100 + declared gap 50 + 5",
        ),
        Row("a", "100 ms device, polling: edge, worst", _ms(max(found.edge_s)), "ms"),
    ]


def _measure(home: Home, samples: int, pause_s: Callable[[], float]) -> Samples:
    """Edge and floor in turn, so that whatever else the machine does happens to both."""
    found, powers = Samples(), powers_w()
    home.take_control()
    time.sleep(1.0)
    for _ in range(samples):
        _one_of_edge(home, powers, found)
        time.sleep(pause_s() / 2)
        delay_s = _one(home.to_floor, home.arrivals, powers)[0]
        if delay_s is not None:
            found.floor_s.append(delay_s)
        time.sleep(pause_s() / 2)
    return found


def _one_of_edge(home: Home, powers: Iterator[int], found: Samples) -> None:
    delay_s, sent_s, command_id = _one(home.to_edge, home.arrivals, powers)
    if delay_s is None:
        raise RuntimeError(f"{command_id} was not written within {LOST_S:g} s: {home.to_edge.said()}")
    found.edge_s.append(delay_s)
    accepted = home.to_edge.stage(command_id, "accepted", LOST_S)
    if accepted is not None:
        found.received_s.append(accepted["stations"]["transport"] - sent_s)


def _one(to: Dispatcher, arrivals: Arrivals, powers: Iterator[int]) -> tuple[float | None, float, str]:
    """Delay, instant of the publish, and the command's id."""
    power_w = next(powers)
    arrivals.forget(power_w)
    to.forget()
    command_id, sent_s = to.set_power(-float(power_w), TTL_S)
    arrived_s = arrivals.wait_for(power_w, LOST_S)
    return None if arrived_s is None else arrived_s - sent_s, sent_s, command_id


def _p50(values_s: list[float]) -> float:
    return median(values_s)


def _p99(values_s: list[float]) -> float:
    return quantiles(values_s, n=100, method="inclusive")[-1]


def _ms(seconds: float) -> float:
    return seconds * 1000
