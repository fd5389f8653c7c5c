"""`[[variants]]` of contract.toml: the devices, ways and kinds of control in which a driver is tested."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from samspel.driver.documents import Doc

__all__ = ["Variant", "VariantDoc"]


class VariantDoc(Doc):
    """One table of `[[variants]]`. What is left out is the twin's own default."""

    model: str = ""
    firmware: str = ""
    path: str = ""
    twin_path: str = ""
    control: str = ""
    settings: dict[str, float | int | str] | None = None
    login: dict[str, Any] | None = None
    constants: dict[str, float | int] | None = None
    units: dict[str, int] | None = None

    def variant(self) -> Variant:
        """The same, frozen."""
        return Variant(**{key: value for key, value in self.model_dump().items() if value is not None})


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One device as it is tested; an empty text is the twin's own default, or the driver's first path.

    `path` is a name of driver.toml; `twin_path` is what the twin calls it. `control` names a way of control of the
    map. `settings` are the twin's further options. `login`, `constants` and `units` are what a site would state for
    this device (see `samspel.driver.options`).
    """

    model: str = ""
    firmware: str = ""
    path: str = ""
    twin_path: str = ""
    control: str = ""
    settings: dict[str, float | str] = field(default_factory=dict)
    login: dict[str, Any] = field(default_factory=dict)
    constants: dict[str, float] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For reports and test ids."""
        settings = [f"{key}={value}" for key, value in self.settings.items()]
        return " ".join(filter(None, [self.model, self.firmware, self.path, self.control, *settings])) or "default"
