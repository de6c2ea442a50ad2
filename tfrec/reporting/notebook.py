"""What results show of themselves in notebooks, and the way to pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from tfrec.missing_packages import packages_for
from tfrec.reporting.page import render

if TYPE_CHECKING:
    import polars as pl


def notebook(part: Markup) -> str:
    """A part of a page with the style it needs, for `_repr_html_`."""
    return str(Markup("<style>{}</style><div class='tfrec'>{}</div>").format(render("style.css"), part))


def as_pandas(frame: pl.DataFrame) -> Any:
    """The same frame of pandas.

    Raises:
        ImportError: pandas is not installed.
    """
    with packages_for("to_pandas()", install="pandas"):
        import pandas  # noqa: F401
    return frame.to_pandas()
