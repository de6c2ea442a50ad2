"""What an engine must hold so that a client's hybrid search over it scores as the export of the whole does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.errors import ConfigError
from tfrec.retrieval.dense import DenseScorer
from tfrec.retrieval.filters import ColumnFilters, filter_columns
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.lexical import LexicalScorer
from tfrec.retrieval.normalising import PEAK
from tfrec.retrieval.prior import PriorScorer
from tfrec.retrieval.weights import SITUATIONS, SituationWeights

_WAY_OUT = "for another engine's ranking cannot be that of the export"


@dataclass(frozen=True)
class EngineContent:
    """A catalogue with all that searches of typed words need.

    Attributes:
        item_ids: N ids.
        vectors: unit vectors float32 [N, D].
        prior: what each item gets whatever the query, weighted and normalised, float32 [N].
        starts, items, weights: postings of words, as LexicalIndex has them; of no word without a lexical scorer.
        columns: that searches filter by: name -> N texts or numbers, None for none.
        facts: plain JSON values that the client reads: weights, moments of the vectors, kinds of the columns.
    """

    item_ids: list[str]
    vectors: np.ndarray
    prior: np.ndarray
    starts: np.ndarray
    items: np.ndarray
    weights: np.ndarray
    columns: dict[str, list[Any]]
    facts: dict[str, Any]

    @property
    def key(self) -> str:
        """sha256 (hex) of all of it."""
        digest = hashlib.sha256(json.dumps([self.item_ids, self.columns, self.facts], sort_keys=True).encode())
        for values in (self.vectors, self.prior, self.starts, self.items, self.weights):
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()


def content_of(config: Config, shop: ShopData, catalogue: np.ndarray, fusion: Fusion | None) -> EngineContent:
    """Takes a fitted ranking apart.

    A dense scorer's mean and deviation over the catalogue follow from the mean and the covariance of the vectors, so
    that a client can normalise its scores without a look at the catalogue.

    Args:
        config: the whole configuration.
        shop: the prepared data.
        catalogue: unit vectors float32 [N, D].
        fusion: what ranks; None for the dense scorer alone.

    Raises:
        ConfigError: it ranks by something that engines cannot be given.
    """
    weights, lexical, prior = _taken_apart(fusion, shop.size)
    vectors = np.asarray(catalogue, np.float64)
    mean = vectors.mean(axis=0)
    covariance = vectors.T @ vectors / len(vectors) - np.outer(mean, mean)
    columns = filter_columns(shop.items, config.retrieval.filters) if config.retrieval.filters else {}
    kinds: Mapping[str, str] = ColumnFilters(columns, shop.size).kinds
    facts = {
        "items": shop.size,
        "dimension": int(catalogue.shape[1]),
        "weights": weights,
        "peak": PEAK,
        "fused": fusion is not None,
        "mean": mean.tolist(),
        "covariance": covariance.tolist(),
        "columns": dict(kinds),
    }
    index = None if lexical is None else lexical.index
    nothing = np.zeros(0, np.int32)
    return EngineContent(
        list(shop.item_ids),
        np.ascontiguousarray(catalogue, np.float32),
        prior,
        np.zeros(1, np.int64) if index is None else index.starts,
        nothing if index is None else index.items,
        nothing.astype(np.float32) if index is None else index.weights,
        {name: [_value(cell, kinds[name]) for cell in values] for name, values in columns.items()},
        facts,
    )


def lexical_of(fusion: Fusion | None) -> LexicalScorer | None:
    """The lexical scorer, if there is one."""
    scorers = [] if fusion is None else fusion.scorers
    return next((scorer for scorer in scorers if isinstance(scorer, LexicalScorer)), None)


def _taken_apart(fusion: Fusion | None, size: int) -> tuple[dict[str, float], LexicalScorer | None, np.ndarray]:
    """Weights of dense and lexical, the lexical scorer, and the sum of what is the same for every query [N]."""
    prior = np.zeros(size, np.float64)
    if fusion is None:
        return {"dense": 1.0, "lexical": 0.0}, None, prior.astype(np.float32)
    fusion = fusion.for_parts()
    if not isinstance(fusion.weights, SituationWeights):
        raise ConfigError(f"A gate weighs anew for each query: set retrieval.fusion.gate.enabled to false, {_WAY_OUT}.")
    if fusion.normalisation != "auto":
        raise ConfigError(f"Set retrieval.fusion.normalisation to auto, {_WAY_OUT}.")
    found, lexical = {"dense": 0.0, "lexical": 0.0}, None
    for scorer, weight in zip(fusion.scorers, fusion.weights.table[SITUATIONS.index("query")], strict=True):
        if isinstance(scorer, PriorScorer):
            values = scorer.values
            prior += float(weight) * (values - values.mean()) / (values.std() + 1e-6)
        elif isinstance(scorer, (DenseScorer, LexicalScorer)):
            found[scorer.label] = float(weight)
            lexical = scorer if isinstance(scorer, LexicalScorer) else lexical
        elif weight and scorer.label != "collaborative":  # which is silent without a history
            raise ConfigError(f"Take {scorer.label} out of retrieval.scorers, {_WAY_OUT}.")
    return found, lexical, prior.astype(np.float32)


def _value(cell: Any, kind: str) -> Any:
    if kind == "number":
        return None if cell is None or cell == "" or float(cell) != float(cell) else float(cell)
    return "" if cell is None else str(cell).strip().lower()
