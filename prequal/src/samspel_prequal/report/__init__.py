"""One verdict, or several of one entity, as a document: a self-contained HTML page and a PDF.

`content` says what stands in it, once for both; `page` and `paper` only lay it out. The PDF is made by matplotlib:
it brings its own writer of PDF, so the plots stay drawings and no further library is needed.
"""

from samspel_prequal.report.build import section_from_files
from samspel_prequal.report.content import Report, Section, report_on
from samspel_prequal.report.page import html_page
from samspel_prequal.report.paper import write_pdf
from samspel_prequal.report.source import Source, read_sources

__all__ = ["Report", "Section", "Source", "html_page", "read_sources", "report_on", "section_from_files", "write_pdf"]
