"""Pages link to what exists, headings included, and generated files are what the code would write now."""

import re
import subprocess
from pathlib import Path

import pytest
from samspel.transport.schemas import schema_texts

from tools import brand_docs

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
HEADING = re.compile(r"^#+\s+(.+?)\s*#*$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def pages() -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return sorted(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def anchors(page: Path) -> set[str]:
    """The names that a page's headings get: lower case, spaces to dashes, punctuation gone."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = (re.sub(r"[`*]|\]\([^)]*\)|\[", "", title).lower() for title in HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def broken_links(page: Path, root: Path) -> list[str]:
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    targets = [target for target in LINK.findall(text) if "://" not in target and "mailto:" not in target]
    return [target for target in targets if not _leads_somewhere(page, target, root)]


def _leads_somewhere(page: Path, target: str, root: Path) -> bool:
    name, _, anchor = target.partition("#")
    file = (page.parent / name).resolve() if name else page
    if not file.exists() or not file.is_relative_to(root):
        return False
    return not anchor or file.suffix != ".md" or anchor in anchors(file)


@pytest.mark.parametrize("page", [str(page.relative_to(ROOT)) for page in pages()])
def test_links_lead_somewhere(page):
    assert not broken_links(ROOT / page, ROOT)


def test_a_broken_link_is_seen(tmp_path):
    (tmp_path / "other.md").write_text("# One `two`, three\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md) [b](other.md#one-two-three) [c](#here) [d](gone.md) [e](other.md#gone) [f](#gone)\n"
        "# Here\n`[not a link](nowhere.md)`\n```\n[nor this](nowhere.md)\n```\n[up](../outside.md)\n"
    )
    assert broken_links(page, tmp_path) == ["gone.md", "other.md#gone", "#gone", "../outside.md"]


def test_the_checked_in_schemas_are_current():
    found = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs/schemas").iterdir()}
    assert found == schema_texts(), "run: .venv/bin/python -m samspel.transport.schemas docs/schemas"


def test_the_pages_of_the_brands_are_current():
    found = {
        path.relative_to(brand_docs.BRANDS).as_posix(): path.read_text("utf-8")
        for path in brand_docs.BRANDS.rglob("*.md")
    }
    assert found == brand_docs.pages(), "run: .venv/bin/python tools/brand_docs.py"
