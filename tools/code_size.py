"""Print how long our functions and files are: information for a reviewer, never a gate.

Usage: python tools/code_size.py [FOLDER...]     (default: the source folder of every distribution)
"""

import ast
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LONG_FILE_LINES = 400
LONG_FUNCTION_LINES = 40
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, order=True)
class Measured:
    """One function, and the lines that one reads: signature, docstring and decorators are not counted."""

    lines: int
    where: str


def body_lines(function: Function) -> int:
    """Lines from the first to the last statement, without a docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def measure(file: Path) -> list[Measured]:
    """Every function of a file, nested ones and methods too."""
    tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    return [
        Measured(body_lines(node), f"{_shown(file)}:{node.lineno} {node.name}")
        for node in ast.walk(tree)
        if isinstance(node, Function)
    ]


def report(folders: list[Path]) -> str:
    """A line of numbers for each folder, then whatever is over the house limits."""
    lines, too_long = [], []
    for folder in folders:
        files = sorted(folder.rglob("*.py"))
        functions = [found for file in files for found in measure(file)]
        lines.append(_summary(folder, files, functions))
        too_long += [f"  file     {_count(file):4} {_shown(file)}" for file in files if _count(file) > LONG_FILE_LINES]
        too_long += [
            f"  function {found.lines:4} {found.where}"
            for found in sorted(functions, reverse=True)
            if found.lines > LONG_FUNCTION_LINES
        ]
    limits = f"Longer than {LONG_FILE_LINES} lines a file or {LONG_FUNCTION_LINES} a function:"
    return "\n".join([*lines, limits, *(too_long or ["  nothing"])])


def _summary(folder: Path, files: list[Path], functions: list[Measured]) -> str:
    lengths = sorted(found.lines for found in functions) or [0]
    p90 = lengths[int(len(lengths) * 0.9)]
    total = sum(_count(file) for file in files)
    return (
        f"{_shown(folder)}: {len(files)} files, {total} lines, {len(functions)} functions, "
        f"median {statistics.median(lengths):g}, p90 {p90}, longest {lengths[-1]}"
    )


def _count(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def _shown(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def default_folders() -> list[Path]:
    """The source folders of the workspace's members."""
    return [folder for pattern in ("*/src", "plugins/*/src") for folder in sorted(ROOT.glob(pattern))]


if __name__ == "__main__":
    print(report([Path(argument) for argument in sys.argv[1:]] or default_folders()))
