"""Pages and parts of pages from the templates beside this file. Whatever a shop's texts hold is escaped in HTML."""

from __future__ import annotations

import functools
from typing import Any

from markupsafe import Markup


@functools.cache
def _templates() -> Any:
    from jinja2 import Environment, PackageLoader, select_autoescape

    loader = PackageLoader("tfrec.reporting")
    made = Environment(loader=loader, autoescape=select_autoescape(["html"]), trim_blocks=True, lstrip_blocks=True)
    made.filters |= {"number": number, "signed": lambda value: f"{value:+.3f}", "size": _size}
    return made


def render(template: str, **values: Any) -> Markup:
    """A filled template, safe to stand in another one.

    Args:
        template: name of a file in templates/.
        values: what it shows.
    """
    return Markup(_templates().get_template(template).render(**values))


def number(value: Any) -> str:
    """A measured value to three places, a count with commas, nothing as a dash."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}" if isinstance(value, float) else str(value)


def _size(bytes_: float | None) -> str:
    return "–" if bytes_ is None else f"{bytes_ / 2**20:,.0f} MiB" if bytes_ < 2**30 else f"{bytes_ / 2**30:.1f} GiB"
