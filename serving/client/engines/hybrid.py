"""Candidates of an engine, scored as the export of the whole catalogue scores them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from tfrec.serving.client.checks import refused, whole
from tfrec.serving.client.client import Client
from tfrec.serving.client.inputs import text_rows
from tfrec.serving.client.results import Hit


class Found(NamedTuple):
    """Candidates of one query.

    Attributes:
        item_ids: K ids.
        rows: places in the catalogue int [K].
        dots: inner products with the query's vector [K].
        words: sums of the words' weights [K].
        prior: what an item gets whatever the query [K].
        highest: largest sum of words over the whole catalogue, whatever the filters.
    """

    item_ids: list[str]
    rows: np.ndarray
    dots: np.ndarray
    words: np.ndarray
    prior: np.ndarray
    highest: float


class Engine(Protocol):
    """What holds a catalogue that `tfrec push-index` wrote."""

    def facts(self) -> Mapping[str, Any]:
        """What was written beside the items: weights, moments of the vectors, kinds of the columns."""

    def candidates(
        self, vector: np.ndarray, words: Mapping[int, float], depth: int, conditions: Sequence[tuple[str, str, Any]]
    ) -> Found:
        """The best items by vector and the best by words, each once, with both scores.

        Args:
            vector: of the query, float32 [D].
            words: row of the postings -> what it counts.
            depth: items of each kind.
            conditions: (column, "=", "<=" or ">=", value); several = on one column mean any of them.
        """


class HybridClient:
    """Searches a catalogue in an engine with the weights that were tuned for it.

    Scores are those of the export of the whole catalogue: the vectors' mean and covariance give the mean and deviation
    of the dense scores, and the best item by words gives their scale. An item that is among the best `depth` neither by
    vector nor by words is not found.

    Args:
        client: of a server of the export that `tfrec push-index` wrote beside the engine's content.
        engine: holds the catalogue.
        depth: candidates by vector, and by words.
    """

    def __init__(self, client: Client, engine: Engine, depth: int = 200) -> None:
        self._client, self._engine = client, engine
        self._depth = whole(depth, "The depth", 1, 10_000)

    def search(
        self, queries: str | Sequence[str], k: int = 10, timeout: float | None = None, *, filters: Sequence[str] = ()
    ) -> list[list[Hit]]:
        """Finds items for typed words; see `Client.search`."""
        k = whole(k, "k", 1, 10_000)
        facts = self._engine.facts()
        conditions = read_conditions(filters, facts["columns"])
        read = self._client.predict("engine_query", {"query": text_rows(queries)}, timeout=timeout)
        return [
            self._one(facts, vector.astype(np.float64), rows, amounts, k, conditions)
            for vector, rows, amounts in zip(read["vectors"], read["rows"], read["amounts"], strict=True)
        ]

    def _one(
        self, facts: Mapping[str, Any], vector: np.ndarray, rows: np.ndarray, amounts: np.ndarray, k: int,
        conditions: Sequence[tuple[str, str, Any]],
    ) -> list[Hit]:  # fmt: skip
        words: dict[int, float] = {}
        for row, amount in zip(rows.tolist(), amounts.tolist(), strict=True):
            if row >= 0:
                words[row] = words.get(row, 0.0) + amount
        found = self._engine.candidates(vector.astype(np.float32), words, max(k, self._depth), conditions)
        scores = fused(facts, vector, found)
        order = np.lexsort((found.rows, -scores))[:k]
        return [Hit(found.item_ids[place], float(scores[place])) for place in order]


def fused(facts: Mapping[str, Any], vector: np.ndarray, found: Found) -> np.ndarray:
    """Scores float64 [K] of candidates, as the fusion gives them over the whole catalogue.

    Args:
        facts: see Engine.
        vector: of the query, float64 [D].
        found: the candidates.
    """
    if not facts["fused"]:
        return found.dots
    mean = vector @ np.asarray(facts["mean"])
    deviation = np.sqrt(max(float(vector @ np.asarray(facts["covariance"]) @ vector), 0.0))
    dense = (found.dots - mean) / (deviation + 1e-6)
    words = facts["peak"] * found.words / (found.highest + 1e-9)
    return facts["weights"]["dense"] * dense + facts["weights"]["lexical"] * words + found.prior


def read_conditions(filters: Sequence[str], kinds: Mapping[str, str]) -> list[tuple[str, str, Any]]:
    """Conditions such as "price<=50" taken apart.

    Raises:
        ClientError: one cannot be read, or asks for a column that is not there.
    """
    read: list[tuple[str, str, Any]] = []
    for condition in filters:
        if not condition.strip():
            continue
        sign = next((one for one in ("<=", ">=", "=") if one in condition), None)
        name, _, value = (part.strip() for part in condition.partition(sign or "="))
        if sign is None or name not in kinds:
            known = ", ".join(kinds) or "none"
            raise refused(f"The filter {condition!r} cannot be answered; columns that can be filtered: {known}.")
        if kinds[name] == "text":
            if sign != "=":
                raise refused(f"The filter {condition!r} does not fit: the column {name} holds text; ask with =.")
            read.append((name, sign, value.lower()))
            continue
        try:
            read.append((name, sign, float(value)))
        except ValueError:
            raise refused(f"The filter {condition!r} must have a number after {sign}.") from None
    return read
