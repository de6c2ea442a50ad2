"""The category that a query means: a vote of the first items of the search, where it pays beside a trained head."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import polars as pl

from tfrec.tensorflow_setup import tf

Tensor = Any
VOTERS = 20
SHOWN = 5
_PATH = re.compile(r"\s*[>»|]\s*|\s+/\s+")
_MOST_DISTINCT = 0.5
_MANY, _LONG = 100, 4


class Categories(tf.Module):  # type: ignore[misc]
    """The distribution of a query over the catalogue's categories at depth one.

    Args:
        names: C names of categories.
        of_items: the category of every item, int [N]; -1 = none.
        head: float32 [D + 1, C] from a query's vector (and a 1) to how much it speaks for each category, or None.
    """

    def __init__(self, names: list[str], of_items: np.ndarray, head: np.ndarray | None = None) -> None:
        super().__init__(name="categories")
        self.names = names
        self._names = tf.constant(names or [""], tf.string)
        self.of_items = tf.Variable(of_items, trainable=False, dtype=tf.int32, name="categories")
        self._head = None if head is None else tf.Variable(head, trainable=False, dtype=tf.float32, name="head")

    def __call__(self, rows: Tensor, scores: Tensor, vectors: Tensor) -> Tensor:
        """How likely each category is, float32 [B, C]; rows sum to 1, or are 0 where no item of the search has one.

        Args:
            rows: the first items of the search, int32 [B, V], best first.
            scores: float32 [B, V]; -inf in places that nothing fills.
            vectors: the query tower's, float32 [B, D].
        """
        codes = tf.gather(tf.convert_to_tensor(self.of_items), tf.maximum(rows, 0))
        counts = (scores > -np.inf) & (codes >= 0)
        places = tf.cast(tf.range(tf.shape(rows)[1]), tf.float32)
        weights = tf.where(counts, 1.0 / tf.math.log(places + 2.0), 0.0)
        votes = tf.reduce_sum(tf.one_hot(codes, max(1, len(self.names))) * weights[..., tf.newaxis], axis=1)
        shares = _shares(votes)
        if self._head is None:
            return shares
        head = tf.convert_to_tensor(self._head)
        told = tf.nn.relu(vectors @ head[:-1] + head[-1])
        return _shares(shares + _shares(told))

    def named(self, shares: Tensor) -> tuple[Tensor, Tensor]:
        """The five likeliest: names string [B, 5] and shares float32 [B, 5], likeliest first; "" and 0 beyond."""
        found = tf.math.top_k(shares, min(SHOWN, max(1, len(self.names))))
        none = tf.equal(found.values, 0.0)
        names = tf.where(none, "", tf.gather(self._names, found.indices))
        missing = [[0, 0], [0, SHOWN - min(SHOWN, max(1, len(self.names)))]]
        return tf.pad(names, missing, constant_values=""), tf.pad(found.values, missing)


def categories_of(items: pl.DataFrame) -> tuple[list[str], np.ndarray]:
    """Categories at depth one.

    Args:
        items: the prepared catalogue; its column category holds names, paths ("Shoes > Boots") or lists of these.

    Returns:
        (C names, the category of every item int64 [N], -1 = none); no names where the column is missing, or differs for
        nearly every item.
    """
    none: tuple[list[str], np.ndarray] = [], np.full(items.height, -1, np.int64)
    if "category" not in items.columns:
        return none
    values = items["category"].cast(pl.String).fill_null("").to_list()
    tops = _cut([top_of(value) for value in _with_blanks(values)])
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(top.casefold(), len(numbers)) if top else -1 for top in tops], np.int64)
    if not numbers or len(numbers) > max(1.0, _MOST_DISTINCT * (codes >= 0).sum()):
        return none
    shown: dict[int, str] = {}
    for top, code in zip(tops, codes.tolist(), strict=True):
        shown.setdefault(code, top)
    return [shown[code] for code in range(len(numbers))], codes


def _with_blanks(values: list[str]) -> list[str]:
    """Paths such as Home/Kitchen as Home / Kitchen where most values are some: one name alone may be TV/Video."""
    distinct = {value for value in values if value}
    paths = sum("/" in value for value in distinct)
    if 2 * paths < len(distinct) or any(_PATH.search(value) or "://" in value for value in distinct):
        return values
    return [value.strip("/").replace("/", " / ") for value in values]


def _cut(values: list[str]) -> list[str]:
    """Paths that were written one name behind the other, without signs between, cut where they first branch.

    "Home & Kitchen Furniture Beds" and "Home & Kitchen Dining Knives" are both of "Home & Kitchen". A few names, or
    short ones, are no such paths and stay.
    """
    distinct = [value.split() for value in set(values) if value]
    if len(distinct) < _MANY or sum(map(len, distinct)) < _LONG * len(distinct):
        return values
    branches: dict[tuple[str, ...], set[str]] = {}
    for words in distinct:
        for length in range(1, len(words) + 1):
            branches.setdefault(tuple(words[:length]), set()).add(words[length] if length < len(words) else "")

    def top(words: list[str]) -> str:
        length = next((n for n in range(1, len(words)) if len(branches[tuple(words[:n])]) > 1), len(words))
        return " ".join(words[:length])

    return [top(value.split()) for value in values]


def top_of(value: str) -> str:
    """The first name of a category's path, "" for none."""
    if value[:1] == "[" and value[-1:] == "]":
        try:
            parts = [str(part) for part in json.loads(value)]
        except (ValueError, RecursionError):
            parts = [value]
        value = parts[0] if parts else ""
    return _PATH.split(value.strip())[0].strip()


def trained_head(vectors: np.ndarray, truths: np.ndarray, count: int, ridge: float = 3.0) -> np.ndarray:
    """Ridge regression from queries to their categories.

    Args:
        vectors: of the queries, float [Q, D].
        truths: their categories, int [Q].
        count: C.
        ridge: lambda.

    Returns:
        float32 [D + 1, C].
    """
    known = np.concatenate([vectors, np.ones([len(vectors), 1])], axis=1).astype(np.float64)
    wanted = np.eye(count)[truths]
    gram = known.T @ known + ridge * np.diag([*np.ones(vectors.shape[1]), 1e-6])
    return np.linalg.solve(gram, known.T @ wanted).astype(np.float32)


def _shares(values: Tensor) -> Tensor:
    return tf.math.divide_no_nan(values, tf.reduce_sum(values, axis=1, keepdims=True))
