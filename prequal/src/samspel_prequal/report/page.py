"""The report as one HTML page: nothing outside of it is needed to read it, not even a script."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

from jinja2 import Environment, PackageLoader, StrictUndefined

from samspel_prequal.plots import Picture
from samspel_prequal.report.content import Report

__all__ = ["html_page"]


def html_page(report: Report, *, on_picture: Callable[[], None] | None = None) -> str:
    """The whole page. Whatever comes from files is escaped. `on_picture` is called after each picture is drawn."""

    def embedded(picture: Picture) -> str:
        png = b64encode(picture.png()).decode("ascii")
        if on_picture:
            on_picture()
        return f"data:image/png;base64,{png}"

    environment = Environment(
        loader=PackageLoader("samspel_prequal.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["embedded"] = embedded
    return environment.get_template("report.html.j2").render(report=report)
