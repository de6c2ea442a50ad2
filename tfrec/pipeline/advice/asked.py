"""Queries that could be labelled: from a log, from the searches, or made where there is neither."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tfrec.config.files import TableConfig
from tfrec.data.clean import clean_texts, normalised_query
from tfrec.data.report import TableReport
from tfrec.data.shop import ShopData
from tfrec.data.tables.read import read_table
from tfrec.errors import DataError
from tfrec.pipeline.advice.view import View
from tfrec.synth.catalogue_queries import catalogue_queries

MOST_CANDIDATES = 2000
LOG, UNANSWERED, THIN, MADE = "log", "no right item known", "labelled, few items judged", "made, nobody asked it"
_MADE = 400


@dataclass(frozen=True)
class Asked:
    """A query that could be labelled.

    Attributes:
        query: as it was typed first.
        times: how often it was asked.
        origin: LOG, UNANSWERED, THIN or MADE.
    """

    query: str
    times: float
    origin: str


def read_log(path: Path, view: View) -> list[Asked]:
    """Queries of a file, each once, with how often it was asked: its rows, or the sum of their column count.

    Args:
        path: CSV, TSV, JSON Lines or Parquet, gzip or not, with the column query and perhaps count.
        view: the shop, for its cleaning.

    Raises:
        DataError: the file cannot be read, or holds no query.
    """
    cleaning = view.config.data.cleaning
    report = TableReport("queries", cleaning)
    found: dict[str, tuple[str, float]] = {}
    table = TableConfig(path=path.name, format="auto", columns={})
    for batch in read_table(table, path.resolve().parent, ("query",), ("count",), "the log"):
        if not batch.frame.height:
            continue
        frame = clean_texts(batch.frame, ["query"], cleaning, report)
        count = (
            pl.col("count").cast(pl.Float64, strict=False).fill_null(1.0) if "count" in frame.columns else pl.lit(1.0)
        )
        for query, times in frame.select("query", count.alias("times")).iter_rows():
            key = normalised_query(query)
            if key:
                first, before = found.get(key, (query, 0.0))
                found[key] = (first, before + max(times, 0.0))
    if not found:
        raise DataError(f"{path} holds no query: it needs a column query, and perhaps count.")
    return [Asked(query, times, LOG) for query, times in found.values()]


def candidates(view: View, log: Sequence[Asked], wanted: int) -> list[Asked]:
    """What could be labelled, most often asked first; at most MOST_CANDIDATES.

    Queries of the log and of the searches that have no right item yet. Where these are fewer than wanted, labelled ones
    too, for the items that nobody judged; for a shop without searches queries cut from the catalogue. Test queries are
    never proposed.
    """
    unanswered = _unanswered(view.shop)
    known = _keys(query for query in _searched(view.shop) if query not in unanswered)
    found = {normalised_query(one.query): one for one in [*log, *_of_searches(view.shop)]}
    chosen = [one for key, one in found.items() if key not in known]
    if len(chosen) < wanted:
        weight = _times(view.shop)
        chosen += [Asked(query, weight.get(query, 1.0), THIN) for query in view.queries]
    if not chosen:
        made = catalogue_queries(view.shop.item_texts, _MADE, (), view.config.seed)
        chosen = [Asked(query, 1.0, MADE) for query, _ in made]
    return sorted(chosen, key=lambda one: (one.origin == THIN, -one.times, one.query))[:MOST_CANDIDATES]


def _of_searches(shop: ShopData) -> list[Asked]:
    times = _times(shop)
    return [Asked(query, times[query], UNANSWERED) for query in sorted(_unanswered(shop))]


def _searched(shop: ShopData) -> list[str]:
    return shop.searches["query"].unique(maintain_order=True).to_list() if shop.has_searches else []


def _unanswered(shop: ShopData) -> set[str]:
    """Queries outside test of whose items none has a gain."""
    if not shop.has_searches:
        return set()
    most = shop.searches.group_by("query").agg(pl.col("gain").max(), (pl.col("split") == "test").any().alias("test"))
    return set(most.filter((pl.col("gain") <= 0) & ~pl.col("test"))["query"])


def _times(shop: ShopData) -> dict[str, float]:
    """query -> how often it was asked, by the weights of the searches."""
    if not shop.has_searches:
        return {}
    return dict(shop.searches.group_by("query").agg(pl.col("weight").max()).iter_rows())


def _keys(queries: Iterable[str]) -> set[str]:
    return {normalised_query(query) for query in queries}
