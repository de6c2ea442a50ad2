"""Advice as tables to read and as a file to fill in."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from tfrec.pipeline.advice.advise import Advice

if TYPE_CHECKING:
    from rich.console import RenderableType


def tables(advice: Advice) -> list[RenderableType]:
    """Fields, training and queries to label, as rich prints them."""
    fields = _table("What each text field is worth to the lexical scorer", "field", "filled", "words", "verdict", "by")
    for one in advice.fields:
        fields.add_row(one.name, f"{one.filled:.0%}", f"{one.words:.1f}", one.verdict, one.reason)
    queries = _table("Queries to label next", "", "query", "why")
    for place, proposal in enumerate(advice.label_next, start=1):
        queries.add_row(str(place), _escaped(proposal.query), proposal.reason)
    return [fields, *_training(advice), queries]


def to_label(advice: Advice) -> str:
    """CSV with a row for each item to judge: filled in, its columns query, item_id and gain are a file of searches."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["query", "item_id", "gain", "title", "found_by", "asked"])
    titles = advice.shop.items["title"].to_list()
    for one in advice.label_next:
        for place, item in enumerate(one.items):
            by = "words" if place < one.by_words else "meaning"
            rows.writerow([one.query, advice.shop.item_ids[item], "", titles[item], by, f"{one.times:g}"])
    return text.getvalue()


def _training(advice: Advice) -> list[str]:
    known = advice.training
    told = []
    if known.both is not None and known.found is not None:
        told.append(
            f"nDCG@10 of {known.labelled} labelled queries, each with settings that others chose: lexical scorer "
            f"{known.lexical:.3f}, untrained encoder {known.dense:.3f}, their sum {known.both:.3f}. Of the right items "
            f"{known.found[0]:.0%} are within the first hundred by words, {known.found[1]:.0%} by meaning, "
            f"{known.found[2]:.0%} by either."
        )
        steps = ", ".join(f"{value:.3f} with {count}" for count, value in known.curve.items())
        told.append(f"The sum, with query vectors moved as labels say: {steps}.")
    if known.alike is not None:
        told.append(f"Right items of a query are alike: cosine {known.alike:+.2f} over that of any two items.")
    told.append(f"Training is {known.trained} to help: {known.reasons[0]}.".replace("is unknown to", "may or may not"))
    told.append(f"More labels are {known.more_labels} to help: {known.reasons[1]}.")
    return told


def _table(title: str, *columns: str) -> Any:
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold")
    for name in columns:
        table.add_column(name, justify="right" if name in ("", "filled", "words") else "left", overflow="fold")
    return table


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
