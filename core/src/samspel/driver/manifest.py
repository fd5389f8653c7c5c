"""A brand as data: what `driver.toml` says, resolved and checked. Nothing of the plugin's code is imported for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from samspel.contract.capability import Route
from samspel.contract.errors import MapError
from samspel.driver.documents import read_document
from samspel.driver.faults import FaultTable, load_faults
from samspel.driver.manifest_schema import (
    BusDoc,
    CapabilityDoc,
    IdentityDoc,
    IdentityRowDoc,
    ManifestDoc,
    PathDoc,
    RouteDoc,
)
from samspel.driver.symptoms import Symptom, load_symptoms
from samspel.registers.firmware import in_ranges
from samspel.registers.loader import load_variants
from samspel.registers.model import MAP_SCHEMA, Confidence, DataType, Register
from samspel.registers.raw import WORDS

__all__ = ["BusHints", "CapabilityRule", "DevicePath", "IdentityRows", "Manifest", "load_manifest"]


@dataclass(frozen=True, slots=True)
class BusHints:
    """How the device wants to be spoken to, under the names of the bus's own profile; only what the brand states."""

    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePath:
    """One way to reach the device: its usual port, the unit ids to try in order, and whether it wants a login."""

    name: str
    title: str
    port: int
    units: tuple[int, ...]
    session: bool
    bus: BusHints
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRows:
    """What to read to know who answers. `rows` has at least `model` and `serial`."""

    fingerprint: re.Pattern[str]
    rows: Mapping[str, Register]

    def model_in(self, text: str) -> str | None:
        """The model's clean name in the text that a device gives, or nothing: then it is another brand's."""
        found = self.fingerprint.search(text)
        if found is None:
            return None
        return found.groupdict().get("model") or found.group()


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilityRule:
    """The routes of some models, firmware and paths; an empty condition fits everything."""

    models: tuple[str, ...]
    firmware: tuple[tuple[str, str], ...]
    paths: tuple[str, ...]
    routes: tuple[tuple[Route, Confidence], ...]

    def fits(self, model: str, firmware: str, path: str) -> bool:
        """Whether this rule is about such a device."""
        return (
            any(fnmatchcase(model, pattern) for pattern in self.models)
            and (not self.firmware or in_ranges(firmware, self.firmware))
            and (not self.paths or path in self.paths)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One brand. `words` are its own words, which nothing that is published may contain."""

    name: str
    title: str
    brand: str
    contract: str
    words: tuple[str, ...]
    maps: tuple[Path, ...]
    faults: FaultTable
    symptoms: tuple[Symptom, ...]
    paths: Mapping[str, DevicePath]
    identity: IdentityRows
    frozen_after_s: float
    capabilities: tuple[CapabilityRule, ...]

    def routes(
        self, model: str, firmware: str, path: str, allow_low_confidence: frozenset[str] = frozenset()
    ) -> tuple[Route, ...]:
        """The routes of a device, preferred ones first; low confidence only where it is named."""
        rule = next((rule for rule in self.capabilities if rule.fits(model, firmware, path)), None)
        found = () if rule is None else rule.routes
        return tuple(
            route for route, trust in found if trust is not Confidence.LOW or route.name in allow_low_confidence
        )


def load_manifest(path: Path) -> Manifest:
    """A brand's manifest with its tables; its maps are checked, overlays included.

    Raises MapError with every problem of the first bad file. `samspel.driver.maps` loads the one map that a device
    needs, once it has said who it is.
    """
    document = read_document(path, ManifestDoc)
    _check(document, path)
    manifest = _manifest(document, path.parent, path.name)
    for file in manifest.maps:
        for variant in load_variants(file, source_name=file.name):
            manifest.faults.check(variant.registers, document.faults)
    return manifest


def _manifest(document: ManifestDoc, folder: Path, file: str) -> Manifest:
    return Manifest(
        name=document.name,
        title=document.title,
        brand=document.brand,
        contract=document.contract,
        words=tuple(document.words),
        maps=tuple(folder / name for name in document.maps),
        faults=load_faults(folder / document.faults),
        symptoms=load_symptoms(folder / document.symptoms) if document.symptoms else (),
        paths={one.name: _path(one, document.bus) for one in document.paths},
        identity=_identity(document.identity, file),
        frozen_after_s=document.telemetry.frozen_after_s,
        capabilities=tuple(map(_rule, document.capabilities)),
    )


def _check(document: ManifestDoc, path: Path) -> None:
    if document.map_schema != MAP_SCHEMA:
        raise MapError(f"{path.name}: map_schema: found {document.map_schema!r}, this samspel reads {MAP_SCHEMA!r}")
    named = {one.name for one in document.paths}
    for number, rule in enumerate(document.capabilities, start=1):
        if unknown := sorted(set(rule.paths) - named):
            raise MapError(f"{path.name}: [capabilities] {number} paths: found {unknown}, allowed: {sorted(named)}")


def _path(one: PathDoc, common: BusDoc) -> DevicePath:
    settings = common.model_dump(exclude_none=True) | one.bus.model_dump(exclude_none=True)
    return DevicePath(
        name=one.name,
        title=one.title or one.name,
        port=one.port,
        units=tuple(one.units),
        session=one.session,
        bus=BusHints(settings),
        source=one.source,
    )


def _identity(document: IdentityDoc, file: str) -> IdentityRows:
    try:
        fingerprint = re.compile(document.fingerprint)
    except re.error as error:
        raise MapError(f"{file}: [identity] fingerprint: not a regular expression: {error}") from error
    found = ((name, getattr(document, name)) for name in type(document).model_fields if name != "fingerprint")
    rows = {name: _identity_row(name, row, file) for name, row in found if row is not None}
    return IdentityRows(fingerprint=fingerprint, rows=rows)


def _identity_row(name: str, row: IdentityRowDoc, file: str) -> Register:
    try:
        labels = {int(key, 0): text for key, text in row.labels.items()}
    except ValueError as error:
        raise MapError(f"{file}: [identity] {name} labels: a key here is a number: {error}") from error
    return Register(
        name=name,
        address=row.address,
        count=row.count if row.type is DataType.STRING else WORDS[row.type],
        type=row.type,
        table=row.table,
        word_order=row.words,
        labels=labels,
        optional=row.optional,
        confidence=Confidence.HIGH,
    )


def _rule(document: CapabilityDoc) -> CapabilityRule:
    return CapabilityRule(
        models=tuple(document.models),
        firmware=tuple((one.low, one.high) for one in document.firmware),
        paths=tuple(document.paths),
        routes=tuple(map(_route, document.routes)),
    )


def _route(document: RouteDoc) -> tuple[Route, Confidence]:
    fields = document.model_dump()
    return Route(**{key: value for key, value in fields.items() if key != "confidence"}), document.confidence
