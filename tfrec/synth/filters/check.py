"""What a check is, and what it may read."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl

from tfrec.config.synth_filters import FiltersConfig
from tfrec.errors import ConfigError
from tfrec.synth.source import Teacher

if TYPE_CHECKING:
    from tfrec.data.shop import ShopData
from tfrec.data.split import EVALUATED


@dataclass(frozen=True)
class Verdict:
    """What a check says of R samples.

    Attributes:
        keep: bool [R].
        measure: float32 [R] that explains the decision (a similarity, a rank, a length), NaN where there is none.
        columns: further float32 [R] per name, kept beside the samples for later checks and for weights.
    """

    keep: np.ndarray
    measure: np.ndarray
    columns: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class FilterContext:
    """What checks may read.

    Attributes:
        settings: section synthesis.filters.
        seed: the one seed.
        item_ids: the shop's id of every item [N].
        item_texts: the text of every item [N].
        categories: the category of every item [N], "" where it has none; empty when nothing counts by category.
        evaluated: queries of dev and test.
        train_queries: labelled queries to train on.
        teacher: gives the teacher at the first call.
        second_opinion: (queries, item texts) -> scores float [R]; None for the teacher's margin.
    """

    settings: FiltersConfig
    seed: int
    item_ids: list[str]
    item_texts: list[str]
    categories: list[str]
    evaluated: list[str]
    train_queries: list[str]
    teacher: Callable[[], Teacher]
    second_opinion: Callable[[Sequence[str], Sequence[str]], np.ndarray] | None = None

    @classmethod
    def of(
        cls,
        settings: FiltersConfig,
        seed: int,
        shop: ShopData,
        teacher: Callable[[], Teacher],
        second_opinion: Callable[[Sequence[str], Sequence[str]], np.ndarray] | None = None,
    ) -> FilterContext:
        """The context of a prepared shop; arguments as the attributes.

        Raises:
            ConfigError: categories are to be counted by a column that the items do not have.
        """
        column = settings.caps.category_column
        counted = settings.caps.per_category is not None
        if counted and column not in shop.items.columns:
            raise ConfigError(
                f"synthesis.filters.caps.per_category counts by the column {column!r}, which the items do not have: "
                f"set category_column to one of {', '.join(shop.items.columns)}."
            )
        categories = shop.items[column].cast(pl.String).fill_null("").to_list() if counted else []
        evaluated = [query for split in EVALUATED for query in shop.judgments(split)]
        return cls(
            settings=settings,
            seed=seed,
            item_ids=shop.item_ids,
            item_texts=shop.item_texts,
            categories=categories,
            evaluated=evaluated,
            train_queries=list(shop.judgments("train")),
            teacher=teacher,
            second_opinion=second_opinion,
        )

    @functools.cached_property
    def _rows(self) -> pl.DataFrame:
        return pl.DataFrame({"parent": self.item_ids, "row": np.arange(len(self.item_ids), dtype=np.int64)})

    def targets(self, samples: pl.DataFrame) -> np.ndarray:
        """The item each sample was made for: its label, else the item that it was made from, else -1; int64 [R]."""
        parents = samples.select("parent").join(self._rows, on="parent", how="left", maintain_order="left")["row"]
        items = samples["item"].to_numpy()
        return np.where(items >= 0, items, parents.fill_null(-1).to_numpy())


class Check(Protocol):
    """One reason to drop a sample."""

    name: str

    def __call__(self, samples: pl.DataFrame, context: FilterContext) -> Verdict:
        """Judges search samples (columns of synth.source.SAMPLES and those that earlier checks added)."""
        ...
