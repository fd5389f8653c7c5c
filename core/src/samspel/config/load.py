"""Reads site.toml and says what is wrong with it in words that help."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from samspel.config.site import ENVIRONMENT, SiteConfig
from samspel.contract.errors import ConfigError
from samspel.wording import did_you_mean

__all__ = ["load_site"]

_LOGIN = re.compile(r"//[^/]*@")
"""Name and password in a URL: an error message goes to logs and screens."""


def load_site(path: Path) -> SiteConfig:
    """The checked configuration. Raises ConfigError naming file, key, what was found and what is allowed."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error
    for key in _passwords(table):
        raise ConfigError(
            f"{path}: {key}: a password does not belong into this file; allowed: {key}_file, "
            f"or {ENVIRONMENT}{key.replace('.', '__').upper()} in the environment"
        )
    _add_maps_folder(table, path)
    try:
        return _model()(**table)
    except ValidationError as error:
        raise ConfigError(_explain(path, error)) from error


def _model() -> type[SiteConfig]:
    """With the environment where it says something. Without, an edge is spared the library that reads it."""
    if not any(name.upper().startswith(ENVIRONMENT) for name in os.environ):
        return SiteConfig
    from samspel.config.environment import SiteSettings  # noqa: PLC0415 - a fortieth of an edge's memory

    return SiteSettings


def _add_maps_folder(table: dict[str, Any], path: Path) -> None:
    """Corrected maps lie beside the file, unless it says otherwise. What is no table is refused later."""
    if isinstance(site := table.get("site"), dict):
        site.setdefault("maps", path.absolute().parent / "maps")


def _passwords(table: dict[str, Any]) -> Iterator[str]:
    """The keys under which somebody wrote a password down: the broker's, or that of a device's login."""
    sections = {"mqtt": table.get("mqtt")}
    devices = table.get("devices")
    for name, device in devices.items() if isinstance(devices, dict) else ():
        sections[f"devices.{name}.session"] = device.get("session") if isinstance(device, dict) else None
    return (
        f"{key}.password" for key, section in sections.items() if isinstance(section, dict) and "password" in section
    )


def _explain(path: Path, error: ValidationError) -> str:
    lines = [f"{path}: {error.error_count()} mistake(s)"]
    for one in error.errors():
        key = ".".join(str(part) for part in one["loc"] if part != "[key]") or "(whole file)"
        lines.append(f"  {key}: {_sentence(one['loc'], one)}")
    return "\n".join(lines)


def _sentence(loc: tuple[int | str, ...], one: Any) -> str:  # noqa: ANN401 - pydantic's own error dictionary
    if one["type"] == "extra_forbidden":
        return f"unknown key{_hint(loc)}"
    if one["type"] == "missing":
        return "is required and missing"
    found = "" if isinstance(one["input"], dict) else f"; found {_LOGIN.sub('//…@', repr(one['input']))}"
    return f"{one['msg'].removeprefix('Value error, ')}{found}"


def _hint(loc: tuple[int | str, ...]) -> str:
    """The nearest key that this table does have, else all of them."""
    allowed = _keys(SiteConfig, loc[:-1])
    everything = f"; allowed: {', '.join(sorted(allowed))}" if allowed else ""
    return did_you_mean(loc[-1], allowed) or everything


def _keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys of the table at `loc`, walking through models and dictionaries of models."""
    current: Any = model
    for part in loc:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(part))
            current = None if field is None else field.annotation
        elif current is not None:
            current = next(
                (
                    arg
                    for arg in getattr(current, "__args__", ())
                    if isinstance(arg, type) and issubclass(arg, BaseModel)
                ),
                None,
            )
    return list(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else []
