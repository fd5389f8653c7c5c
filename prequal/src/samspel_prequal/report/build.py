"""From files to a section: read, evaluate, and put into words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from samspel_prequal.evaluate import EvaluationOptions, evaluate
from samspel_prequal.product import Product
from samspel_prequal.report.content import Section, section
from samspel_prequal.report.source import read_sources

__all__ = ["section_from_files"]


def section_from_files(
    paths: Sequence[Path], product: Product, capacity_w: float, options: EvaluationOptions
) -> Section:
    """One product's part of a report, from its log files.

    Args:
        paths: files, or folders of which the CSV files of this product are taken.
        product: one of the three FCR products.
        capacity_w: |ΔP_theoretical|.
        options: readings and declarations.

    Raises:
        LogError: a file that cannot be trusted.
        EvaluationError: a log that is no answer to the test in its name.
        FileNotFoundError: no such file, or no log in a folder.
    """
    sources = read_sources(paths, product, rated_w=options.rated_w)
    verdict = evaluate([source.log for source in sources], product, capacity_w, options)
    return section(verdict, sources)
