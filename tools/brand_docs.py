"""Writes docs/brands: what every brand in this repository is known to do, from the same data that drives it.

    python tools/brand_docs.py [FOLDER]

One overview with the (model, firmware, path) table, and for each brand its paths and models, its register map, its
faults, and a page for each model. `tests/test_docs.py` sees that the checked-in pages are what this writes now.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from samspel.contract.capability import EvidenceLevel, Route
from samspel.driver.faults import FaultEntry, FaultState
from samspel.driver.manifest import CapabilityRule
from samspel.plugins.brand import Brand, load_brand
from samspel.registers.firmware import in_ranges
from samspel.registers.model import Confidence, Literal, Register, RegisterMap, SignalValue

ROOT = Path(__file__).resolve().parents[1]
BRANDS = ROOT / "docs" / "brands"
ANY = "any"


@dataclass(frozen=True)
class Variant:
    """One that the contract suite ran on the twin: `[[variants]]` of contract.toml."""

    model: str
    firmware: str
    path: str
    control: str


@dataclass(frozen=True)
class Plugin:
    """A brand in this repository."""

    name: str
    brand: Brand
    variants: tuple[Variant, ...]

    @property
    def plain(self) -> RegisterMap:
        """The map without overlays, in its own way of control."""
        return self.brand.maps[0][0]

    @property
    def models(self) -> list[str]:
        """Every model, or pattern of models, that a capability rule is about."""
        return list(dict.fromkeys(model for rule in self.brand.manifest.capabilities for model in rule.models))


def main(folder: Path) -> None:
    """Write every page; what is not written any more is removed."""
    texts = pages()
    for old in folder.rglob("*.md"):
        if old.relative_to(folder).as_posix() not in texts:
            old.unlink()
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """Every page by its name under docs/brands."""
    plugins = [read(path) for path in sorted(ROOT.glob("plugins/*/src/*/driver.toml"))]
    found = {"README.md": overview(plugins)}
    for plugin in plugins:
        found[f"{plugin.name}/README.md"] = brand_page(plugin)
        found[f"{plugin.name}/registers.md"] = registers_page(plugin)
        found[f"{plugin.name}/faults.md"] = faults_page(plugin)
        for model in plugin.models:
            found[f"{plugin.name}/{slug(model)}.md"] = model_page(plugin, model)
    return found


def read(manifest: Path) -> Plugin:
    """A brand's data, and which variants its contract.toml declares."""
    brand = load_brand(manifest)
    contract = tomllib.loads((manifest.parent / "contract.toml").read_text(encoding="utf-8"))
    keys = ("model", "firmware", "path", "control")
    variants = tuple(Variant(*(str(one.get(key) or "") for key in keys)) for one in contract.get("variants", []))
    return Plugin(brand.manifest.name, brand, variants)


# --- the overview ---


def overview(plugins: Sequence[Plugin]) -> str:
    """What was proved, and on what."""
    rows = [row for plugin in plugins for row in overview_rows(plugin)]
    return page(
        "Supported inverters",
        "What each combination of model, firmware and path rests on. *Hardware*: somebody measured a command of this "
        "driver on such an inverter. *Twin*: the contract suite ran on the simulated inverter with this model and "
        "path; a twin is written from the same documents, so it shows that the driver does what they say, not that "
        "they are right. *Documents*: how far public sources agree on the routes (see the model's page). No route is "
        "permitted for a product without a measurement.",
        table(["brand", "model", "firmware", "path", "hardware", "twin", "documents"], rows),
        "Each brand: " + ", ".join(f"[{p.brand.manifest.title}]({p.name}/README.md)" for p in plugins) + ".",
    )


def overview_rows(plugin: Plugin) -> Iterator[list[str]]:
    """A line for each model, path and range of firmware."""
    for model in plugin.models:
        for path in plugin.brand.manifest.paths:
            rules = [rule for rule in rules_of(plugin, model) if not rule.paths or path in rule.paths]
            if not rules:
                continue
            routes = [route for rule in rules for route, _ in rule.routes]
            trust = {str(confidence) for rule in rules for _, confidence in rule.routes}
            for firmware in firmware_of(plugin, model, rules):
                yield [
                    plugin.brand.manifest.brand,
                    f"[{model}]({plugin.name}/{slug(model)}.md)",
                    " to ".join(dict.fromkeys(firmware)),
                    path,
                    "yes" if any(route.evidence is EvidenceLevel.MEASURED for route in routes) else "no",
                    "yes" if on_twin(plugin, model, path, firmware) else "no",
                    f"{', '.join(sorted({route.evidence.value for route in routes}))} ({', '.join(sorted(trust))})",
                ]


def firmware_of(plugin: Plugin, model: str, rules: Sequence[CapabilityRule]) -> list[tuple[str, str]]:
    """The ranges of a model: those that its rules name, else those of the map that are of the kin of what was tried.

    A map may hold the ranges of several families.
    """
    named = [one for rule in rules for one in rule.firmware]
    tried = {one.firmware for one in plugin.variants if fnmatchcase(one.model, model) and one.firmware}
    met = [one for one in plugin.plain.firmware if any(_kin(text, one[0]) for text in tried)]
    return list(dict.fromkeys(named or met or plugin.plain.firmware))


def _kin(firmware: str, other: str) -> bool:
    """Whether two firmware strings begin with the same word."""
    return firmware.partition("-")[0][:4] == other.partition("-")[0][:4]


def on_twin(plugin: Plugin, model: str, path: str, firmware: tuple[str, str]) -> bool:
    """Whether a declared variant is of this model, path and range; one that names no firmware has the twin's own."""
    return any(
        fnmatchcase(one.model, model) and one.path == path and (not one.firmware or in_ranges(one.firmware, [firmware]))
        for one in plugin.variants
    )


def rules_of(plugin: Plugin, model: str) -> list[CapabilityRule]:
    """The capability rules about a model."""
    return [rule for rule in plugin.brand.manifest.capabilities if model in rule.models]


# --- a brand ---


def brand_page(plugin: Plugin) -> str:
    """Paths, models, symptoms."""
    manifest = plugin.brand.manifest
    paths = [
        [one.name, one.title, str(one.port), ", ".join(map(str, one.units)), "yes" if one.session else "no", one.source]
        for one in manifest.paths.values()
    ]
    models = [f"- [{model}]({slug(model)}.md)" for model in plugin.models]
    symptoms = [[one.cause, "; ".join(one.fix), one.confidence.value] for one in manifest.symptoms]
    return page(
        manifest.title,
        f"Driver `{manifest.name}`. [Register map](registers.md), [faults](faults.md).",
        "## Ways to reach it",
        table(["path", "what it is", "port", "unit ids", "login", "source"], paths),
        "## Models",
        "\n".join(models),
        *(["## When it does not answer", table(["cause", "what to do", "confidence"], symptoms)] if symptoms else []),
    )


def model_page(plugin: Plugin, model: str) -> str:
    """What can be commanded, on what evidence, and how the firmware changes it."""
    parts: list[str] = []
    for rule in rules_of(plugin, model):
        parts += [f"## {rule_title(rule)}", table(ROUTE_COLUMNS, [route_row(*one) for one in rule.routes])]
        parts += ["Sources: " + "; ".join(dict.fromkeys(route.source for route, _ in rule.routes)) + "."]
    overlays = [one for variants in plugin.brand.maps for one in variants if one.overlay and not one.control]
    fitting = [f"- {one.overlay}: {changes(plugin.plain, one)}" for one in overlays if is_about(one, model)]
    known = ", ".join(ranges(plugin.plain.firmware))
    return page(
        f"{model}",
        f"Of [{plugin.brand.manifest.title}](README.md). Firmware known to the map: {known}; anything else is "
        "read-only until the site allows it.",
        *parts,
        *(["## What the firmware changes", "\n".join(fitting)] if fitting else []),
    )


def is_about(overlaid: RegisterMap, model: str) -> bool:
    """Whether an overlay's models (before the colon of its name) may be of this model, or pattern of models."""
    patterns = (overlaid.overlay or "").split(":")[0].split(", ")
    some = model.replace("*", "0")
    return "any model" in patterns or any(fnmatchcase(some, pattern) for pattern in patterns)


ROUTE_COLUMNS = [
    "route", "direction", "authority", "at", "PV", "proof", "own timer", "latency", "reversal waits", "wear",
    "evidence", "confidence",
]  # fmt: skip


def route_row(route: Route, confidence: Confidence) -> list[str]:
    """One line of a model's page."""
    return [
        route.name,
        route.direction.value,
        route.authority.value,
        route.reference.value,
        route.pv_effect.value,
        route.verify.value,
        "none" if route.deadman_s is None else f"{route.deadman_s:g} s",
        "unknown" if route.latency_s is None else f"{route.latency_s:g} s",
        f"{route.reversal_dwell_s:g} s",
        route.write_life.value,
        route.evidence.value,
        confidence.value,
    ]


def rule_title(rule: CapabilityRule) -> str:
    """For which paths, firmware and way of control."""
    parts = [f"control {rule.control}" if rule.control else "", ", ".join(rule.paths), "; ".join(ranges(rule.firmware))]
    return "; ".join(part for part in parts if part) or "Every path and firmware"


def changes(plain: RegisterMap, other: RegisterMap) -> str:
    """Which rows and sequences differ, by name."""
    rows = sorted(name for name, row in other.registers.items() if plain.registers.get(name) != row)
    steps = sorted(name for name, steps in other.sequences.items() if plain.sequences[name] != steps)
    return ", ".join([*(f"`{name}`" for name in rows), *(f"sequence {name}" for name in steps)]) or "nothing"


# --- registers and faults ---


def registers_page(plugin: Plugin) -> str:
    """Every row of every map."""
    parts: list[str] = []
    for plain, *_ in plugin.brand.maps:
        head = f"## {plain.id} {plain.version}"
        rows = sorted(plain.registers.values(), key=lambda row: (row.table.value, row.address))
        parts += [head, table(ROW_COLUMNS, [register_row(plain, row) for row in rows])]
    return page(
        f"{plugin.brand.manifest.title}: register map",
        "Addresses are the protocol's own, without offset. A row of low confidence is off unless the site names it.",
        *parts,
    )


ROW_COLUMNS = ["address", "name", "type", "scale", "unit", "signal", "positive", "use", "confidence", "source"]


def register_row(registers: RegisterMap, row: Register) -> list[str]:
    """One line of the register map."""
    return [
        f"{row.address} ({row.table.value})",
        f"`{row.name}`",
        row.type.value,
        f"{row.scale:g}",
        row.unit,
        row.signal or "",
        "" if row.signal is None else row.positive.value.replace("none", ""),
        use(registers, row),
        row.confidence.value,
        row.source,
    ]


def use(registers: RegisterMap, row: Register) -> str:
    """What may be done with a row."""
    if row.never_write:
        return f"never written: {row.never_write}"
    if row.name not in registers.owned or row.on_release is None or row.authority is None:
        return "read"
    neutral = "" if row.neutral is None else f" (neutral: {_value(row.neutral)})"
    return f"written: {row.authority.value}, {row.life.value}, on release {row.on_release.value}{neutral}"


def _value(value: Literal | SignalValue) -> str:
    return str(value.value) if isinstance(value, Literal) else value.name


def faults_page(plugin: Plugin) -> str:
    """Every bit and state that is mapped."""
    rows: list[list[str]] = []
    for one in plugin.brand.manifest.faults.rows:
        entries = one.values if isinstance(one, FaultState) else one.bits
        sign = "=" if isinstance(one, FaultState) else "bit"
        rows += [fault_row(one.register, f"{sign} {number}", entry) for number, entry in entries.items()]
    return page(
        f"{plugin.brand.manifest.title}: faults",
        "A bit that is in no row and not ignored is published as `vendor.unmapped` when it stands.",
        table(["register", "where", "code", "severity", "effect", "text", "the device's word"], rows),
    )


def fault_row(register: str, where: str, entry: FaultEntry) -> list[str]:
    """One condition."""
    code, severity, effect = entry.code.value, entry.severity.value, entry.effect.value
    return [f"`{register}`", where, f"`{code}`", severity, effect, entry.text, entry.raw]


# --- Markdown ---


def page(title: str, *parts: str) -> str:
    """A page with the note that nobody edits it."""
    note = "<!-- Written by tools/brand_docs.py from the brand's data. Do not edit. -->"
    return "\n\n".join([f"# {title}", note, *parts]) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar in a cell would end it."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "/").replace("\n", " ") for cell in row) + " |" for row in lines
    )


def ranges(firmware: Iterable[tuple[str, str]]) -> list[str]:
    """Closed ranges for people."""
    return [f"{low} to {high}" for low, high in firmware]


def slug(model: str) -> str:
    """A file name for a pattern of models."""
    return "model-" + re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else BRANDS)
