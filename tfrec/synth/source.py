"""The contract of a source of synthetic samples, and the table that all sources fill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from pathlib import Path

    from tfrec.config import Config
    from tfrec.data.shop import ShopData

# query "" and history [] where a sample has none; item -1: not labelled yet, the teacher says what answers the query.
SAMPLES: dict[str, Any] = {
    "task": pl.String,  # search | recommendation
    "query": pl.String,
    "history": pl.List(pl.Int64),  # item indices, oldest first
    "item": pl.Int64,
    "source": pl.String,  # name of the source
    "generator": pl.String,  # what inside the source made it: a template's name, a model's name
    "parent": pl.String,  # the item_id, query or user_id it was made from
    "score": pl.Float32,  # the generator's own, higher is better; 1 where it has none
    "confidence": pl.Float32,  # 0..1, becomes the weight of the example
    "seed": pl.Int64,
}


@dataclass(frozen=True)
class Teacher:
    """What is known about relevance before training on the samples.

    Attributes:
        items: unit vectors of the catalogue, float32 [N, D].
        encode: queries to unit vectors float32 [Q, D], by the same encoder.
        lexical: a query to BM25 scores of all items, float32 [N].
    """

    items: np.ndarray
    encode: Callable[[Sequence[str]], np.ndarray]
    lexical: Callable[[str], np.ndarray]


@dataclass(frozen=True)
class CrossScorer:
    """A second opinion on pairs, such as a cross-encoder's or a judge's.

    Attributes:
        score: (queries, item texts) -> one score per pair, float [R], higher is better.
        fingerprint: changes when its scores do.
    """

    score: Callable[[Sequence[str], Sequence[str]], np.ndarray]
    fingerprint: str


@dataclass(frozen=True)
class SourceContext:
    """What a source may read.

    Attributes:
        config: the whole configuration; a source reads its own part of section synthesis and the seed.
        shop: the prepared data; of searches and interactions only the split "train".
        teacher: gives the teacher; made at the first call, then kept.
        folder: where a source keeps what it wants to find again after a kill (a trained generator, a cache of answers).
    """

    config: Config
    shop: ShopData
    teacher: Callable[[], Teacher]
    folder: Path


class Source(Protocol):
    """A way of making samples. The same context and seed give the same samples."""

    name: str

    def samples(self, context: SourceContext) -> pl.DataFrame:
        """Makes samples, columns of SAMPLES; no rows when the shop has nothing to make them from."""
        ...
