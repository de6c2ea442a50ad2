"""The distributions of top scores at the time of the export, for servers that watch for drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tfrec.drift.measures import bins_of
from tfrec.export.loaded import LoadedModel, Ranking

if TYPE_CHECKING:
    from tfrec.data.shop import ShopData

_LEAST = 50
_MOST = 500  # requests of each kind


def score_references(model: LoadedModel, shop: ShopData, seed: int) -> dict[str, Any]:
    """References of the signatures whose requests the shop's own data holds.

    Queries are what shoppers typed and histories what they did before the dev split's time, so scores of other requests
    (texts of items, say) take no part. Of queries only the scores of their answers get into the export.

    Args:
        model: the written export.
        shop: the prepared data.
        seed: chooses the requests where there are many.

    Returns:
        `score_reference` by signature: search and recommend; those without enough requests are left out.
    """
    found: dict[str, Any] = {}
    queries = [query for query in shop.judgments(shop.choosing_split) if query.strip()]
    if len(queries) >= _LEAST:
        found["search"] = score_reference(_tops(model.search(_some(queries, seed), 1)))
    shoppers = shop.shoppers("dev") if shop.has_interactions else []
    if len(shoppers) >= _LEAST:
        histories = [[shop.item_ids[row] for row in one.history] for one in _some(shoppers, seed)]
        found["recommend"] = score_reference(_tops(model.recommend(histories, 1)))
    return {name: reference for name, reference in found.items() if reference is not None}


def score_reference(scores: np.ndarray) -> dict[str, Any] | None:
    """Quantiles of the scores of first items.

    Args:
        scores: float32 [Q], of Q requests.

    Returns:
        {"edges": inner edges of up to 10 bins that hold equal shares, "shares": the share of the requests in each bin,
        "requests": Q}; None for fewer than 50 requests.
    """
    top = np.asarray(scores, np.float64)
    top = top[np.isfinite(top)]
    if len(top) < _LEAST:
        return None
    found = bins_of(top)
    return {"edges": found["edges"], "shares": found["shares"], "requests": found["count"]}


def _tops(ranking: Ranking) -> np.ndarray:
    """Scores of first items, as a server counts them: of the rows that hold any."""
    return ranking.scores[ranking.item_ids[:, 0] != "", 0]


def _some(values: list[Any], seed: int) -> list[Any]:
    rows = np.random.default_rng(seed).permutation(len(values))[:_MOST]
    return [values[row] for row in sorted(rows)]
