"""The page and the paper hold every requirement, with the evaluation's own numbers, and need nothing from outside."""

import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from pypdf import PdfReader
from samspel_prequal.cli import main
from samspel_prequal.errors import LogError
from samspel_prequal.evaluate import Verdict
from samspel_prequal.logs import write_log
from samspel_prequal.product import Product
from samspel_prequal.report import Report, html_page, read_sources, write_pdf
from samspel_prequal.report.content import report_on, section
from samspel_prequal.report.pictures import plates
from samspel_prequal.report.sheet import wrapped

from .conftest import CREATED


class Page(HTMLParser):
    """What of a page a machine can read: the table's rows, the numbers, and everything that is loaded."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: dict[str, str] = {}
        self.loads: list[str] = []
        self.tags: set[str] = set()
        self.numbers = ""
        self.text = ""
        self._in = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self._in = tag
        if "data-requirement" in found:
            self.rows[found["data-requirement"]] = found["data-value"]
        self.loads += [found[name] for name in ("src", "href", "action", "data", "srcset") if name in found]

    def handle_data(self, data: str) -> None:
        if self._in == "script":
            self.numbers += data
        else:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        self._in = ""


@pytest.fixture(scope="session")
def html(report: Report) -> str:
    return html_page(report)


def test_every_requirement_is_on_the_page_with_the_number_of_the_evaluation(html: str, slow: Verdict) -> None:
    page, numbers = Page(html), slow.as_json()["requirements"]
    assert set(page.rows) >= set(numbers)
    assert set(page.rows) >= {"M-frequency-accuracy", "M-clock", "R12", "K", "1h"}
    for name, one in numbers.items():
        shown = page.rows[name]
        assert (float(shown) if shown else None) == one["value"], name


def test_the_evaluation_is_in_the_page_as_it_is(html: str, slow: Verdict) -> None:
    assert json.loads(Page(html).numbers) == json.loads(json.dumps(slow.as_json()))


def test_nothing_comes_from_outside(html: str) -> None:
    page = Page(html)
    assert not re.search(r"(?:https?:)?//[a-z0-9]", re.sub(r"base64,[A-Za-z0-9+/=]+", "", html), re.IGNORECASE)
    assert all(target.startswith(("data:image/png;base64,", "#")) for target in page.loads)
    assert any(target.startswith("data:") for target in page.loads)
    assert not page.tags & {"link", "iframe", "object", "embed", "base", "form"}
    assert "@import" not in html
    assert "url(" not in html
    assert html.count("<script") == 1  # the numbers, which are no program
    assert '<script type="application/json"' in html


def test_names_from_files_are_escaped(html: str) -> None:
    assert "SLOW &amp; &lt;late&gt;" in html
    assert "<late>" not in html


def test_the_page_says_what_a_reader_must_know(html: str, slow: Verdict) -> None:
    text = Page(html).text
    for needed in ("fails with 80 kW: R2, R3, R8", "s too late for R8", "What to change to pass", "What is assumption"):
        assert needed in text
    for rule in slow.stability:
        assert rule.value in text
    assert "numpy" in text
    assert "28 March 2025" in text


def test_an_incomplete_evaluation_shows_what_is_missing(slow: Verdict) -> None:
    stripped = replace(slow, requirements={}, missing=("R8", "R12", "sine 10 s"), sine=(), evidence=())
    found = section(stripped, ())
    assert [(row.name, row.state) for row in found.rows] == [("R8", "open"), ("R12", "open")]
    page = Page(html_page(report_on("empty", [found], CREATED)))
    assert set(page.rows) == {"R8", "R12"}
    assert "sine 10 s" in page.text


def test_who_shows_little_has_not_passed(fast: Verdict) -> None:
    assert section(replace(fast, missing=()), ()).look == "pass"
    found = section(fast, ())
    assert (found.look, found.headline[:29]) == ("incomplete", "fails nothing so far with 80 ")


def test_which_plots_belong_to_which_product(slow: Verdict, fast: Verdict) -> None:
    of_sines = ["nyquist", "sensitivity", "bode", "sines"]
    ramps = [f"{name}-RampEndurance" for name in ("ramps", "activation", "deactivation")]
    assert [plate.name for plate in plates(slow)] == [*ramps, *of_sines]
    assert [plate.name for plate in plates(fast)] == ["steps-StepEndurance", *of_sines]


def test_the_paper_has_pages_with_the_whole_table(report: Report, slow: Verdict, tmp_path: Path) -> None:
    write_pdf(report, tmp_path / "report.pdf")
    paper = PdfReader(tmp_path / "report.pdf")
    assert len(paper.pages) >= 3
    sizes = {(round(float(page.mediabox.width)), round(float(page.mediabox.height))) for page in paper.pages}
    assert sizes == {(595, 842)}
    text = " ".join("\n".join(page.extract_text() for page in paper.pages).replace("-\n", "-").split())
    for row in report.sections[0].rows:
        assert row.name in text
        assert row.value in text
    assert "page 1" in text
    assert "answer 1.79 s sooner" in text
    assert paper.metadata is not None
    assert paper.metadata.title == report.title


def test_a_paragraph_is_broken_at_words_then_hyphens_then_anywhere() -> None:
    assert wrapped("one two", 100, 8, False) == ["one two"]
    assert wrapped("M-frequency-resolution", 22, 8, False) == ["M-frequency-", "resolution"]
    lines = wrapped("0" * 64, 40, 8, False)
    assert len(lines) > 1
    assert "".join(lines) == "0" * 64
    assert wrapped("", 40, 8, False) == [""]


def test_a_source_is_known_by_its_fingerprint(slow: Verdict, tmp_path: Path) -> None:
    log = next(one.log for one in slow.evidence if str(one.log.label) == "Sine10")
    path = write_log(log, tmp_path)
    (found,) = read_sources([tmp_path], Product.FCR_D_UP)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (found.name, found.samples, found.size_bytes) == (path.name, len(log.time_s), path.stat().st_size)
    with pytest.raises(FileNotFoundError, match="no log of fcr-n"):
        read_sources([tmp_path], Product.FCR_N)
    path.write_text("nonsense")
    with pytest.raises(LogError):
        read_sources([path], Product.FCR_D_UP)


def test_the_command_writes_both_documents(slow: Verdict, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = next(one.log for one in slow.evidence if str(one.log.label) == "RampEndurance")
    path = write_log(log, tmp_path, compact=True)
    page, paper = tmp_path / "r.html", tmp_path / "r.pdf"
    words = ["report", str(path), "--product", "fcr-d-up", "--capacity-w", "80000", "-o", str(page)]
    assert main([*words, "--pdf", str(paper), "--clock-synced", "--json"]) == 0  # R2 and R3 by reduction
    said = json.loads(capsys.readouterr().out)
    assert said["files"] == [str(page), str(paper)]
    assert said["requirements"]["M-clock"]["passed"] is True
    text = page.read_text(encoding="utf-8")
    assert hashlib.sha256(path.read_bytes()).hexdigest() in text
    assert float(Page(text).rows["R2"]) == said["requirements"]["R2"]["value"]
    assert len(PdfReader(paper).pages) > 1
    assert main([*words, "--interpolation", "guess"]) == 2
    assert "expected one of chords" in capsys.readouterr().err
