"""(item, query) pairs that the generator learns from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tfrec.data.shop import ShopData
from tfrec.data.split import EVALUATED
from tfrec.synth.catalogue_queries import catalogue_queries


@dataclass(frozen=True)
class Pairs:
    """P pairs.

    Attributes:
        queries: their queries.
        items: int64 [P], item indices.
        shares: float64 [P], how often each is drawn; sums to 1.
    """

    queries: list[str]
    items: np.ndarray
    shares: np.ndarray

    def __len__(self) -> int:
        return len(self.queries)

    def chosen(self, keep: np.ndarray) -> Pairs:
        """The pairs where `keep` (bool [P]) says so."""
        shares = self.shares[keep]
        kept = [query for query, stays in zip(self.queries, keep, strict=True) if stays]
        return Pairs(kept, self.items[keep], shares / shares.sum() if len(shares) else shares)

    @property
    def fingerprint(self) -> str:
        """sha256 hex of all of it."""
        digest = hashlib.sha256("\n".join(self.queries).encode())
        digest.update(self.items.tobytes() + self.shares.tobytes())
        return digest.hexdigest()


def train_pairs(shop: ShopData, most: int, seed: int) -> Pairs:
    """The shop's own pairs of the split "train".

    A query with n positive items counts as the root of n, not as n: otherwise few broad queries would be most of it.

    Args:
        shop: the prepared data.
        most: pairs that are kept, drawn by the seed.
        seed: of the draw.
    """
    if not shop.has_searches:
        return Pairs([], np.zeros(0, np.int64), np.zeros(0))
    positive = (pl.col("gain") >= shop.manifest["min_gain"]) & (pl.col("gain") > 0) & (pl.col("weight") > 0)
    rows = shop.searches.filter((pl.col("split") == "train") & positive & (pl.col("item") >= 0))
    if rows.height > most:
        rows = rows[np.sort(np.random.default_rng([seed, 1]).permutation(rows.height)[:most]).tolist()]
    rows = rows.with_columns((pl.col("gain") * pl.col("weight") / pl.len().over("query").sqrt()).alias("share"))
    shares = rows["share"].to_numpy().astype(np.float64)
    return Pairs(rows["query"].to_list(), rows["item"].to_numpy(), shares / max(shares.sum(), 1e-30))


def made_pairs(found: Sequence[tuple[str, int]]) -> Pairs:
    """(query, item index) pairs of another source, all as often."""
    count = len(found)
    items = np.array([item for _, item in found], np.int64)
    return Pairs([query for query, _ in found], items, np.full(count, 1.0 / max(count, 1)))


def catalogue_pairs(shop: ShopData, count: int, seed: int) -> Pairs:
    """Queries cut from item texts, with the items that they were cut from."""
    evaluated = [query for split in EVALUATED for query in shop.judgments(split)]
    return made_pairs(catalogue_queries(shop.item_texts, count, evaluated, seed))


def held_out(queries: Sequence[str], share: float, seed: int) -> np.ndarray:
    """Which pairs are kept for choosing the best weights: all those of a share of the queries; bool [P].

    None are with fewer than ten queries. Which ones depends on the query's words and the seed only.
    """
    distinct = sorted(set(queries))
    if share == 0 or len(distinct) < 10:
        return np.zeros(len(queries), bool)

    def draw(query: str) -> bytes:
        return hashlib.sha256(f"{seed}\0{query}".encode()).digest()

    kept = set(sorted(distinct, key=draw)[: max(1, round(share * len(distinct)))])
    return np.array([query in kept for query in queries], bool)
