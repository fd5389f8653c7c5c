"""The `shaping` table of a device: one table for each filter that has settings. See docs/filters."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ShapingConfig", "standard_filters"]

NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Phase = Literal["l1", "l2", "l3"]

STANDARD_ORDER = (
    "contract_limits",
    "slew",
    "gate",
    "wear_budget",
    "battery_limits",
    "ac_limit",
    "fuse",
    "export_limit",
)
ONLY_CONFIGURED = ("slew", "ac_limit", "fuse", "export_limit")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class SlewConfig(_Table):
    """See `samspel.shaping.slew`."""

    w_per_s: Positive


class GateConfig(_Table):
    """See `samspel.shaping.gate`."""

    delta_w: NonNegative = 50.0
    time_s: NonNegative = 60.0


class WearConfig(_Table):
    """See `samspel.shaping.wear`."""

    writes_per_day: Annotated[int, Field(gt=0)] = 10_000


class AcConfig(_Table):
    """See `samspel.shaping.inverter`; without `limit_w` what the device states."""

    limit_w: Positive | None = None


class FuseConfig(_Table):
    """See `samspel.shaping.fuse`."""

    rating_a: Positive
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)] = ("l1", "l2", "l3")
    voltage_v: Positive = 230.0
    margin_pct: Annotated[float, Field(ge=0, lt=100)] = 5.0
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    stale_s: Positive = 15.0


class ExportConfig(_Table):
    """See `samspel.shaping.inverter`."""

    limit_w: NonNegative
    stale_s: Positive = 15.0


class ShapingConfig(_Table):
    """Named as the filters are."""

    slew: SlewConfig | None = None
    gate: GateConfig = GateConfig()
    wear_budget: WearConfig = WearConfig()
    ac_limit: AcConfig | None = None
    fuse: FuseConfig | None = None
    export_limit: ExportConfig | None = None

    def settings(self, name: str) -> dict[str, Any]:
        """What the filter of this name is made with; empty where it has no table."""
        table = getattr(self, name, None) if name in type(self).model_fields else None
        return table.model_dump() if table is not None else {}

    def mistake(self, filters: tuple[str, ...]) -> str:
        """What does not fit between the list of filters and these tables, or nothing."""
        for name in ONLY_CONFIGURED:
            configured = getattr(self, name) is not None
            if configured and name not in filters:
                return f"shaping.{name} is given, but {name!r} is not in filters: add it, or leave filters out"
            if name in filters and not configured:
                return f"{name!r} is in filters, but shaping.{name} is not given"
        return ""


def standard_filters(shaping: ShapingConfig) -> tuple[str, ...]:
    """Where the site does not list its filters: the standard ones, and those that it configures, in their order."""
    return tuple(name for name in STANDARD_ORDER if name not in ONLY_CONFIGURED or getattr(shaping, name) is not None)
