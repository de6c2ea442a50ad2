"""What a loaded export is asked for, and what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tfrec.reporting.notebook import as_pandas, notebook
from tfrec.reporting.page import render

_SHOWN = 50  # rows in a notebook
Filters = Sequence[str] | None


class Ranking(NamedTuple):
    """Ranked items of B requests.

    Attributes:
        item_ids: object array of str [B, k]; "" where fewer items were left to give.
        scores: float32 [B, k]; -inf there. `hits` leaves such places out.
    """

    item_ids: np.ndarray
    scores: np.ndarray

    def __repr__(self) -> str:
        first = ", ".join(f"{item_id} {score:.3f}" for item_id, score in self.hits(0)[:3]) if len(self.scores) else ""
        return f"Ranking({len(self.scores)} requests, {self.item_ids.shape[-1]} places: {first}, …)"

    def _repr_html_(self) -> str:
        return notebook(render("ranking.html", frame=self.to_polars().head(_SHOWN), rows=self.to_polars().height))

    def to_polars(self) -> pl.DataFrame:
        """A row per place that is filled: request (from 0), rank (from 1), item_id, score."""
        rows = [(row, place, *hit) for row in range(len(self.scores)) for place, hit in enumerate(self.hits(row), 1)]
        kinds = {"request": pl.Int64, "rank": pl.Int64, "item_id": pl.String, "score": pl.Float32}
        return pl.DataFrame(rows, kinds, orient="row")

    def to_pandas(self) -> Any:
        """`to_polars` as a pandas frame; pandas must be installed."""
        return as_pandas(self.to_polars())

    def hits(self, row: int) -> list[tuple[str, float]]:
        """The items of one request, best first: (item id, score)."""
        pairs = zip(self.item_ids[row], self.scores[row], strict=True)
        return [(item_id, float(score)) for item_id, score in pairs if item_id]


class Wishes(NamedTuple):
    """What a caller wants besides the best items.

    Attributes:
        filters: conditions on columns.
        diversity: 0..1.
        exclude_seen: whether items of the history stay out; None where there is no history.
        as_usual: what exclude_seen is in the signature without wishes.
        interpret: whether price wishes and negation in the query count.
        relation: how items must be related to the one asked for; None for anyhow.
        share: how much words beside a picture count, below 0 as much as usual; None where there are none.
    """

    filters: Filters
    diversity: float
    exclude_seen: bool | None = None
    as_usual: bool | None = None
    interpret: bool = False
    relation: str | None = None
    share: float | None = None

    @property
    def any(self) -> bool:
        """Whether the plain signature does not do."""
        return (
            self.interpret
            or self.relation is not None
            or self.share is not None
            or bool(self.filters)
            or self.diversity != 0
            or self.exclude_seen != self.as_usual
        )
