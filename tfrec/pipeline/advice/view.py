"""What the tuned lexical scorer and the untrained encoder find for the queries whose answers are known."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.progress import track
from tfrec.retrieval.lexical_tuning.stage import known_judgments, lexical_tuner
from tfrec.retrieval.lexical_tuning.tuner import LexicalTuner, Tuned
from tfrec.synth.hybrid import best

MOST_QUERIES, MOST_LABELLED = 300, 4000  # that are asked, that teach; more take longer and change no advice
CUT, FOUND_WITHIN = 10, 100
_POOL, _FOLDS = 150, 5


class View:
    """A shop as two scorers see it that have learned nothing of the queries they are asked.

    Args:
        config: the whole configuration.
        shop: the prepared data; its test queries are not looked at.
        items: unit vectors of all items by the untrained encoder, float32 [N, D].
        encode: queries to such vectors, float32 [*, D].
    """

    def __init__(
        self, config: Config, shop: ShopData, items: np.ndarray, encode: Callable[[Sequence[str]], np.ndarray]
    ) -> None:
        self.config, self.shop, self.items, self.encode = config, shop, items, encode
        self._chosen: dict[int, Tuned] = {}

    @functools.cached_property
    def labelled(self) -> dict[str, dict[int, float]]:
        """query -> row of an item -> gain, of queries outside test with a right item; at most MOST_LABELLED."""
        splits = sorted(set(self.shop.searches["split"]) - {"test"}) if self.shop.has_searches else []
        right = {query: gains for query, gains in known_judgments(self.shop, splits).items() if max(gains.values()) > 0}
        order = sorted(right, key=lambda query: hashlib.sha256(query.encode("utf-8", "replace")).digest())
        return {query: right[query] for query in order[:MOST_LABELLED]}

    @functools.cached_property
    def queries(self) -> list[str]:
        """The labelled queries that are asked; the first of `labelled`."""
        return list(self.labelled)[:MOST_QUERIES]

    @functools.cached_property
    def judgments(self) -> dict[str, dict[int, float]]:
        """Of the queries that are asked."""
        return {query: self.labelled[query] for query in self.queries}

    @functools.cached_property
    def folds(self) -> np.ndarray:
        """The fold of each labelled query, int64 [L]; dealt in the order of their hashes."""
        return np.arange(len(self.labelled)) % _FOLDS

    @functools.cached_property
    def tuner(self) -> LexicalTuner:
        """The settings of the lexical scorer, to be weighed by any part of the queries."""
        return lexical_tuner(self.config, self.shop, self.judgments)

    @functools.cached_property
    def vectors(self) -> np.ndarray:
        """Unit vectors of the labelled queries, float32 [L, D]; the first Q are those that are asked."""
        return self.encode(list(self.labelled)) if self.labelled else np.zeros([0, self.items.shape[1]], np.float32)

    @functools.cached_property
    def pools(self) -> list[Pool]:
        """Of each query the items that either scorer, or their sum, ranks high."""
        found = []
        for number, query in track(list(enumerate(self.queries)), "Asking both scorers what is labelled"):
            lexical = self.tuner.scores(query, self.chosen_without(number))
            found.append(Pool.of(lexical, self.items @ self.vectors[number], self.judgments[query]))
        return found

    def chosen_without(self, number: int) -> Tuned:
        """What the asked queries of all folds but the query's own choose for the lexical scorer."""
        fold = int(self.folds[number])
        if fold not in self._chosen:
            others = [query for query, of in zip(self.queries, self.folds, strict=False) if of != fold]
            self._chosen[fold] = self.tuner.tuned(others)
        return self._chosen[fold]


class Pool:
    """Candidates of one query.

    Args:
        items: rows of the catalogue, int64 [P].
        lexical: z-scores over the catalogue, float32 [P].
        dense: z-scores over the catalogue, float32 [P].
        judged: row of an item -> gain.
        found: share of the right items within the first hundred of the lexical scorer, of the encoder, of either.
    """

    def __init__(
        self, items: np.ndarray, lexical: np.ndarray, dense: np.ndarray, judged: Mapping[int, float],
        found: tuple[float, float, float],
    ) -> None:  # fmt: skip
        self.items, self.lexical, self.dense, self.judged, self.found = items, lexical, dense, judged, found

    @classmethod
    def of(cls, lexical: np.ndarray, dense: np.ndarray, judged: Mapping[int, float]) -> Pool:
        """From scores of the whole catalogue, float32 [N] each."""
        words, meaning = standard(lexical), standard(dense)
        depth = min(_POOL, len(words))
        firsts = [best(scores, depth) for scores in (words, meaning, words + meaning)]
        right = np.array([item for item, gain in judged.items() if gain > 0], np.int64)
        items = np.unique(np.concatenate([*firsts, right]))
        by_words = np.isin(right, firsts[0][:FOUND_WITHIN]) & (lexical[right] > 0)
        by_meaning = np.isin(right, firsts[1][:FOUND_WITHIN])
        found = (float(by_words.mean()), float(by_meaning.mean()), float((by_words | by_meaning).mean()))
        return cls(items, words[items], meaning[items], judged, found)

    def ndcg(self, scores: np.ndarray) -> float:
        """nDCG@10 of the candidates ranked by scores [P]; equal scores by row."""
        return ndcg(self.items[np.argsort(-scores, kind="stable")[:CUT]], self.judged)


def standard(scores: np.ndarray) -> np.ndarray:
    """z-scores of one query's scores [N] over the catalogue, float32 [N]."""
    return ((scores - scores.mean()) / (scores.std() + 1e-6)).astype(np.float32)


def ndcg(first: np.ndarray, judged: Mapping[int, float]) -> float:
    """nDCG@10 with linear gains, unjudged items 0.

    Args:
        first: rows of the ranked items, best first, at most ten count.
        judged: row of an item -> gain, at least one above 0.
    """
    discounts = 1 / np.log2(np.arange(CUT) + 2)
    gains = np.array([judged.get(int(item), 0.0) for item in first[:CUT]])
    ideal = np.sort([gain for gain in judged.values() if gain > 0])[::-1][:CUT]
    return float(gains @ discounts[: len(gains)] / (ideal @ discounts[: len(ideal)]))
