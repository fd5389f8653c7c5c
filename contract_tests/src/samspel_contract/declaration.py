"""`contract.toml`: what a driver declares to the suite, read strictly."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Literal

from samspel.contract.errors import ConfigError
from samspel.driver.documents import Doc, read_document

from samspel_contract.capabilities import Capability
from samspel_contract.catalogue import Catalogue
from samspel_contract.variants import Variant, VariantDoc

__all__ = ["MOST_STOP_S", "Declaration", "ExpectedFailure", "read_declaration"]

MOST_STOP_S = 60.0
"""A battery that needs longer to reach zero cannot be stopped in any useful sense."""


class SupportDoc(Doc):
    """`charge = { support = "full" }`; anything less needs a reason."""

    support: Literal["full", "unsupported", "not_implemented"]
    reason: str = ""


class BoundsDoc(Doc):
    """`[bounds]`: seconds from a stop's first write to a battery at rest; writes an hour that wear the device."""

    stop_s: float
    persistent_writes_per_hour: int | None = None


class FailureDoc(Doc):
    """One line of `[expected_failures]`."""

    reason: str
    issue: str
    since: str


class EvidenceDoc(Doc):
    """`[evidence]`: recordings of real devices, as paths beside contract.toml."""

    captures: list[str]


class DeclarationDoc(Doc):
    """A whole file."""

    driver: str
    contract: str
    capabilities: dict[str, SupportDoc]
    bounds: BoundsDoc
    left_on_release: dict[str, str] | None = None
    expected_failures: dict[str, FailureDoc] | None = None
    evidence: EvidenceDoc | None = None
    variants: list[VariantDoc] | None = None


@dataclass(frozen=True, slots=True)
class ExpectedFailure:
    """A test that fails today, and why."""

    reason: str
    issue: str
    since: str

    @property
    def text(self) -> str:
        """For the report."""
        return f"{self.reason} ({self.issue}, since {self.since})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What the driver declares. `missing` holds the capabilities that are not there: "support: reason".

    `left_on_release` names the registers that release may leave as they are, with the reason. `captures` are files
    beside contract.toml. There is always at least one variant.
    """

    driver: str
    contract: str
    missing: dict[Capability, str]
    stop_s: float
    persistent_writes_per_hour: int | None
    left_on_release: dict[str, str]
    expected_failures: dict[str, ExpectedFailure]
    captures: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = (Variant(),)


def read_declaration(path: Traversable, catalogue: Catalogue) -> Declaration:
    """Raises ConfigError for a capability left out or unknown, a missing reason, or an excuse that cannot be."""
    document = read_document(path, DeclarationDoc)
    problems = [*_capability_problems(document), *_excuse_problems(document, catalogue)]
    if not 0 < document.bounds.stop_s <= MOST_STOP_S:
        problems.append(f"[bounds] stop_s: found {document.bounds.stop_s:g}, allowed: above 0, at most {MOST_STOP_S:g}")
    if problems:
        raise ConfigError("\n".join(f"{path.name}: {problem}" for problem in problems))
    return Declaration(
        driver=document.driver,
        contract=document.contract,
        missing={
            Capability(name): f"{entry.support}: {entry.reason}"
            for name, entry in document.capabilities.items()
            if entry.support != "full"
        },
        stop_s=document.bounds.stop_s,
        persistent_writes_per_hour=document.bounds.persistent_writes_per_hour,
        left_on_release=dict(document.left_on_release or {}),
        expected_failures={
            name: ExpectedFailure(entry.reason, entry.issue, entry.since)
            for name, entry in (document.expected_failures or {}).items()
        },
        captures=tuple(document.evidence.captures if document.evidence else ()),
        variants=tuple(one.variant() for one in document.variants or ()) or (Variant(),),
    )


def _capability_problems(document: DeclarationDoc) -> list[str]:
    known = {capability.value for capability in Capability}
    named = set(document.capabilities)
    problems = [
        f"[capabilities] {name}: unknown; allowed: {', '.join(sorted(known))}" for name in sorted(named - known)
    ]
    problems += [
        f"[capabilities] {name}: is missing; every capability has to be named" for name in sorted(known - named)
    ]
    problems += [
        f"[capabilities] {name}: {entry.support} needs a reason"
        for name, entry in document.capabilities.items()
        if entry.support != "full" and not entry.reason.strip()
    ]
    return problems + [
        f"[left_on_release] {name}: needs a reason"
        for name, why in (document.left_on_release or {}).items()
        if not why.strip()
    ]


def _excuse_problems(document: DeclarationDoc, catalogue: Catalogue) -> list[str]:
    problems = []
    for name, entry in (document.expected_failures or {}).items():
        promise = catalogue.get(name.partition("[")[0])
        if promise is None:
            problems.append(f"[expected_failures] {name!r}: no such test; docs/contract-suite.md lists them")
        elif promise.safety:
            problems.append(f"[expected_failures] {name!r}: belongs to the safety set, which nothing excuses")
        if not (entry.reason.strip() and entry.issue.strip() and entry.since.strip()):
            problems.append(f"[expected_failures] {name!r}: reason, issue and since must all say something")
    return problems
