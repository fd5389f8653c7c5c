"""A brand as data: what `driver.toml` says, resolved and checked. Nothing of the plugin's code is imported for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
    RefuseDoc,
    RouteDoc,
)
from samspel.driver.symptoms import Symptom, load_symptoms
from samspel.registers.firmware import in_ranges
from samspel.registers.loader import load_variants
from samspel.registers.model import MAP_SCHEMA, Confidence, DataType, Register, RegisterMap
from samspel.registers.raw import WORDS

__all__ = ["BusHints", "CapabilityRule", "DevicePath", "IdentityRows", "Manifest", "Refusal", "load_manifest"]


@dataclass(frozen=True, slots=True)
class BusHints:
    """How the device wants to be spoken to, under the names of the bus's own profile; only what the brand states."""

    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePath:
    """One way to reach the device: its usual port, the unit ids to try in order, whether it wants a login, and whether
    a register reads at once as it was written.
    """

    name: str
    title: str
    port: int
    units: tuple[int, ...]
    session: bool
    read_back: bool
    bus: BusHints
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A device that must not be taken for one of this brand's: the values by which it shows itself, and why."""

    row: Register
    values: tuple[int | str, ...]
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRows:
    """What to read to know who answers. `rows` has at least `model` and `serial`; `refuse` is asked before them.
    `prefixes` is what stands before the number of a row.
    """

    fingerprint: re.Pattern[str]
    rows: Mapping[str, Register]
    refuse: tuple[Refusal, ...] = ()
    prefixes: Mapping[str, str] = field(default_factory=dict)

    def model_in(self, text: str) -> str | None:
        """The model's clean name in the text that a device gives, or nothing: then it is another brand's."""
        found = self.fingerprint.search(text)
        if found is None:
            return None
        return found.groupdict().get("model") or found.group()


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilityRule:
    """The routes of some models, firmware and paths in one way of control; another empty condition fits everything."""

    models: tuple[str, ...]
    firmware: tuple[tuple[str, str], ...]
    paths: tuple[str, ...]
    control: str
    routes: tuple[tuple[Route, Confidence], ...]

    def fits(self, model: str, firmware: str, path: str, control: str) -> bool:
        """Whether this rule is about such a device."""
        return (
            self.control == control
            and any(fnmatchcase(model, pattern) for pattern in self.models)
            and (not self.firmware or in_ranges(firmware, self.firmware))
            and (not self.paths or path in self.paths)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One brand. `words` are its own words, which nothing that is published may contain. `controls` and `units` are the
    further ways of control and the further units that its maps name.
    """

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
    controls: frozenset[str]
    units: frozenset[str]

    def routes(
        self,
        model: str,
        firmware: str,
        path: str,
        allow_low_confidence: frozenset[str] = frozenset(),
        control: str = "",
    ) -> tuple[Route, ...]:
        """The routes of a device, preferred ones first; low confidence only where it is named."""
        rule = next((rule for rule in self.capabilities if rule.fits(model, firmware, path, control)), None)
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
    files = tuple(path.parent / name for name in document.maps)
    variants = [one for file in files for one in load_variants(file, source_name=file.name)]
    controls = frozenset(one.control for one in variants if one.control)
    _check_controls(document, path, controls)
    manifest = _manifest(document, path, controls, _units(variants))
    for variant in variants:
        manifest.faults.check(variant.registers, document.faults)
    return manifest


def _units(variants: Iterable[RegisterMap]) -> frozenset[str]:
    return frozenset(row.at for one in variants for row in one.registers.values() if row.at is not None)


def _manifest(document: ManifestDoc, path: Path, controls: frozenset[str], units: frozenset[str]) -> Manifest:
    folder = path.parent
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
        identity=_identity(document.identity, path.name),
        frozen_after_s=document.telemetry.frozen_after_s,
        capabilities=tuple(map(_rule, document.capabilities)),
        controls=controls,
        units=units,
    )


def _check(document: ManifestDoc, path: Path) -> None:
    if document.map_schema != MAP_SCHEMA:
        raise MapError(f"{path.name}: map_schema: found {document.map_schema!r}, this samspel reads {MAP_SCHEMA!r}")
    named = {one.name for one in document.paths}
    for number, rule in enumerate(document.capabilities, start=1):
        if unknown := sorted(set(rule.paths) - named):
            raise MapError(f"{path.name}: [capabilities] {number} paths: found {unknown}, allowed: {sorted(named)}")


def _check_controls(document: ManifestDoc, path: Path, controls: frozenset[str]) -> None:
    for number, rule in enumerate(document.capabilities, start=1):
        if rule.control and rule.control not in controls:
            known = ", ".join(sorted(controls)) or "none"
            raise MapError(
                f"{path.name}: [capabilities] {number} control: found {rule.control!r}, the maps have: {known}"
            )


def _path(one: PathDoc, common: BusDoc) -> DevicePath:
    settings = common.model_dump(exclude_none=True) | one.bus.model_dump(exclude_none=True)
    return DevicePath(
        name=one.name,
        title=one.title or one.name,
        port=one.port,
        units=tuple(one.units),
        session=one.session,
        read_back=one.read_back,
        bus=BusHints(settings),
        source=one.source,
    )


def _identity(document: IdentityDoc, file: str) -> IdentityRows:
    try:
        fingerprint = re.compile(document.fingerprint)
    except re.error as error:
        raise MapError(f"{file}: [identity] fingerprint: not a regular expression: {error}") from error
    named = ((name, getattr(document, name)) for name in type(document).model_fields)
    found = {name: row for name, row in named if isinstance(row, IdentityRowDoc)}
    return IdentityRows(
        fingerprint=fingerprint,
        rows={name: _identity_row(name, row, file) for name, row in found.items()},
        refuse=tuple(_refusal(one) for one in document.refuse),
        prefixes={name: row.prefix for name, row in found.items() if row.prefix},
    )


def _refusal(document: RefuseDoc) -> Refusal:
    row = Register(
        name="refuse",
        address=document.address,
        count=document.count if document.type is DataType.STRING else WORDS[document.type],
        type=document.type,
        table=document.table,
        word_order=document.words,
        confidence=Confidence.HIGH,
    )
    return Refusal(row=row, values=tuple(document.values), because=document.because)


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
        scale=row.scale,
        optional=row.optional,
        confidence=Confidence.HIGH,
    )


def _rule(document: CapabilityDoc) -> CapabilityRule:
    return CapabilityRule(
        models=tuple(document.models),
        firmware=tuple((one.low, one.high) for one in document.firmware),
        paths=tuple(document.paths),
        control=document.control,
        routes=tuple(map(_route, document.routes)),
    )


def _route(document: RouteDoc) -> tuple[Route, Confidence]:
    fields = document.model_dump()
    return Route(**{key: value for key, value in fields.items() if key != "confidence"}), document.confidence
