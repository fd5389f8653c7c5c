"""FCR-D: the fast ramp sequence (TR table 4) and the ramp of static entities (TR 3.1.3, TP tables 12, 14)."""

from __future__ import annotations

from samspel_prequal import rules
from samspel_prequal.errors import SignalError
from samspel_prequal.product import Product, TestType
from samspel_prequal.signals.signal import RampSignal, Segment, SignalHead

__all__ = ["mirrored_hz", "ramp", "static_ramp"]

FAST_HZ_PER_S = 0.24
ENDURANCE_SHIFT_S = 600.0

# Number, start, speed, target of the upward product. Ramps 7 and 8 are for the combination with FCR-N.
_RAMPS = (
    ("1", 30.0, 0.14, 49.45),
    ("2", 34.9, 0.09, 49.9),
    ("3", 90.0, FAST_HZ_PER_S, 49.5),
    ("4", 390.0, FAST_HZ_PER_S, 49.9),
    ("5", 690.0, FAST_HZ_PER_S, 49.0),
    ("6", 750.0, FAST_HZ_PER_S, 50.0),
    ("7", 1050.0, FAST_HZ_PER_S, 49.7),
    ("8", 1350.0, FAST_HZ_PER_S, 49.89),
)
_ALONE = 6
_END_S = {6: 1050.0, 8: 1650.0}
STATIC_REST_S = 180.0
STATIC_HOLD_S = {"": 60.0, "endurance": 900.0, "endurance-ler": 1800.0}
STATIC_RECOVERY_S = 1200.0


def mirrored_hz(value_hz: float, product: Product) -> float:
    """An upward product's frequency, turned round 50 Hz for the downward product."""
    _require_fcr_d(product)
    return value_hz if product is Product.FCR_D_UP else round(2 * rules.NOMINAL_HZ - value_hz, 9)


def ramp(product: Product, *, endurance: bool = False, combination: bool = False) -> RampSignal:
    """Ramps 1 to 6, or 1 to 8 in combination with FCR-N; endurance holds ramp 3 for 900 s (not for LER entities)."""
    shift_s = ENDURANCE_SHIFT_S if endurance else 0.0
    count = len(_RAMPS) if combination else _ALONE
    segments = tuple(
        Segment(start_s + (shift_s if int(number) > 3 else 0.0), mirrored_hz(target_hz, product), speed, number)
        for number, start_s, speed, target_hz in _RAMPS[:count]
    )
    name = "-".join(["ramp", *(["combination"] if combination else []), *(["endurance"] if endurance else [])])
    head = SignalHead(name, product, TestType.RAMP, "TR table 4, TP tables 6 and 9")
    return RampSignal(head, mirrored_hz(49.9, product), segments, _END_S[count] + shift_s)


def static_ramp(product: Product, variant: str = "") -> RampSignal:
    """Rest, full activation for 60 s, or longer for endurance (`endurance`, `endurance-ler`), and recovery."""
    if variant not in STATIC_HOLD_S:
        raise SignalError(f"the static ramp comes as {', '.join(map(repr, STATIC_HOLD_S))}, not as {variant!r}")
    back_s = STATIC_REST_S + STATIC_HOLD_S[variant]
    segments = (
        Segment(STATIC_REST_S, mirrored_hz(49.5, product), FAST_HZ_PER_S, "1"),
        Segment(back_s, mirrored_hz(49.9, product), FAST_HZ_PER_S, "2"),
    )
    name = "-".join(filter(None, ["static-ramp", variant]))
    head = SignalHead(name, product, TestType.STATIC_RAMP, "TR 3.1.3, TP tables 12 and 14")
    return RampSignal(head, mirrored_hz(49.9, product), segments, back_s + STATIC_RECOVERY_S)


def _require_fcr_d(product: Product) -> None:
    if not product.is_fcr_d:
        raise SignalError(f"this sequence belongs to fcr-d-up and fcr-d-down, not to {product}")
