"""A contract for import-linter that lists what *may* be imported, so that nothing new can slip past it."""

import sys
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class OnlyContract(Contract):
    """Packages import nothing from outside themselves but the standard library and what `allowed` names.

    Options:
        importers: packages, each with everything below it; each is outside to the others.
        excluding: parts of them that are judged elsewhere, and count as outside (optional).
        allowed:   packages that may be imported, each with everything below it (optional).
        as_packages: False judges the importers without what is below them (optional, default True).
    """

    type_name = "only"

    # Declared as fields, read as their values: the base class swaps one for the other.
    importers: Any = fields.ListField(subfield=fields.StringField())
    excluding: Any = fields.ListField(subfield=fields.StringField(), required=False, default=[])
    allowed: Any = fields.ListField(subfield=fields.StringField(), required=False, default=[])
    as_packages: Any = fields.BooleanField(required=False, default=True)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002 (theirs to pass)
        """Collect every import that leaves a package for somewhere that is not allowed."""
        illegal = sorted(
            (importer, imported, _lines(graph, importer, imported))
            for package in self.importers
            for importer in self._modules(graph, package)
            for imported in graph.find_modules_directly_imported_by(importer)
            if not self._may_import(package, imported)
        )
        return ContractCheck(kept=not illegal, metadata={"illegal": illegal})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line for each illegal import."""
        for importer, imported, lines in check.metadata["illegal"]:
            output.print_error(f"{importer} -> {imported} ({lines})", bold=False)
        output.new_line()

    def _modules(self, graph: ImportGraph, package: str) -> set[str]:
        if package not in graph.modules:
            raise ValueError(f"{package} does not exist: correct the contract {self.name!r}")
        below = graph.find_descendants(package) if self.as_packages else set()
        return {module for module in {package, *below} if not _within(module, self.excluding)}

    def _may_import(self, package: str, imported: str) -> bool:
        if _within(imported, self.excluding):
            return False
        free = [*([package] if self.as_packages else []), *self.allowed]
        return imported.partition(".")[0] in sys.stdlib_module_names or _within(imported, free)


def _within(module: str, packages: list[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _lines(graph: ImportGraph, importer: str, imported: str) -> str:
    numbers = sorted(
        {detail["line_number"] for detail in graph.get_import_details(importer=importer, imported=imported)}
    )
    return ", ".join(f"l.{number}" for number in numbers)
