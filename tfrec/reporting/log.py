"""What a search log tells, drawn: what people search and do not find, and how the click models read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from tfrec.reporting.charts import bars
from tfrec.reporting.page import render

TITLES = {
    "frequent": "Searched most",
    "without_results": "Without results",
    "without_clicks": "With a list on which more than half of the searches click nothing",
    "again": "Typed anew in other words, by more than a fifth of the searches",
    "by_revenue": "By revenue",
}
_PLACES = 10


def log_html(told: Mapping[str, Any]) -> Markup:
    """The part of a report about a search log.

    Args:
        told: the section search_log of the data's report: click_model and insights.
    """
    model = told["click_model"]
    examined = model["parameters"].get("examination", [])[:_PLACES]
    places = {f"place {place}": share for place, share in enumerate(examined, 1)}
    return render(
        "log.html",
        model=model,
        likelihood=sorted(model["likelihood"].items(), key=lambda pair: -pair[1]),
        places=bars("How often each place is looked at, of the first", places, "share", "{:.2f}") if places else "",
        totals=told["insights"]["totals"],
        tables=[(title, told["insights"]["tables"].get(name, [])) for name, title in TITLES.items()],
    )
