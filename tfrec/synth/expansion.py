"""Labels spread from the few labelled pairs to similar queries and similar items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from tfrec.config.synth_expansion import ExpansionConfig
from tfrec.data.split import EVALUATED
from tfrec.progress import track
from tfrec.synth.catalogue_queries import catalogue_queries, normalise
from tfrec.synth.likeness import Likeness
from tfrec.synth.source import SAMPLES, SourceContext, Teacher
from tfrec.synth.train_labels import TrainLabels

_BLOCK_SCORES = 16 << 20  # float32 scores alive at once
_FLOOR = 0.1  # added to both sides of a ratio of likenesses, so that two nothings do not make a something


class Expansion:
    """The source "expansion": every labelled pair lends its label to what is like it, with a confidence."""

    name = "expansion"

    def samples(self, context: SourceContext) -> pl.DataFrame:
        """Makes samples of labelled items; none when the train split has no label."""
        shop, seed = context.shop, context.config.seed
        labels = TrainLabels.of(shop)
        if not labels.positives:
            return pl.DataFrame(schema=SAMPLES)
        settings: ExpansionConfig = context.config.synthesis.expansion
        evaluated = [query for split in EVALUATED for query in shop.judgments(split)]
        cut = catalogue_queries(shop.item_texts, settings.queries, [*evaluated, *labels.judged], seed)
        queries = [query for query, _ in cut]
        return expand(labels, queries, shop.item_texts, shop.item_ids, context.teacher(), settings, seed)


def expand(
    labels: TrainLabels,
    candidates: Sequence[str],
    texts: Sequence[str],
    item_ids: Sequence[str],
    teacher: Teacher,
    settings: ExpansionConfig,
    seed: int,
) -> pl.DataFrame:
    """Spreads labels three ways: to items like a positive one, to queries like a labelled one, between labelled ones.

    The confidence of a spread label is the gain of the one it comes from, times the likeness it crossed, times how
    well the teacher likes the new pair beside what it likes best. No judged pair is made: the judgment stands.

    Args:
        labels: what is judged.
        candidates: queries that may take over the labels of similar ones.
        texts: of the N items.
        item_ids: of the N items.
        teacher: what likeness is measured with.
        settings: how far labels go.
        seed: of the choice among more labelled queries than settings.labelled.

    Returns:
        columns of SAMPLES, generator "similar_item", "similar_query" or "shared_query", the most certain first; no
        pair twice. parent is the item_id or the query that lent its label.
    """
    likeness = Likeness(teacher, settings.lexical_weight)
    queries = _lenders(labels, settings.labelled, seed)
    vectors = teacher.encode(queries)
    best: dict[tuple[str, int], tuple[float, float, str, str]] = {}

    def offer(query: str, item: int, confidence: float, score: float, generator: str, parent: str) -> None:
        if confidence > best.get((query, item), (0.0,))[0]:
            best[query, item] = (confidence, score, generator, parent)

    positives = sorted({item for query in queries for item in labels.positives[query]})
    most = max((len(labels.judged[query]) for query in queries), default=0) + settings.items_per_pair
    similar = _similar_items(likeness, np.array(positives, np.int64), texts, most, settings)
    every = likeness.to_items(queries, vectors)
    for query, answers in zip(track(queries, "Spreading labels to similar items"), every, strict=True):
        for item, gain in labels.positives[query].items():
            taken = 0
            for other, score in similar[item]:
                if taken == settings.items_per_pair:
                    break
                if other not in labels.judged[query]:
                    taken += 1
                    support = _share(answers[other], answers[item])
                    offer(query, other, gain * score * support, score, "similar_item", item_ids[item])
    takers: dict[str, list[tuple[str, float, str]]] = {}  # each of them searches once, whoever lends to it
    theirs: list[np.ndarray] = []
    for lender, taker, vector, score, generator in _similar_queries(
        likeness, queries, vectors, candidates, teacher, settings
    ):
        if taker not in takers:
            theirs.append(vector)
        takers.setdefault(taker, []).append((lender, score, generator))
    every = likeness.to_items(list(takers), np.array(theirs, np.float32).reshape(-1, vectors.shape[1]))
    for taker, answers in zip(track(takers, "Spreading labels to similar queries"), every, strict=True):
        highest = float(answers.max())
        for lender, score, generator in takers[taker]:
            for item, gain in labels.positives[lender].items():
                if item not in labels.judged.get(taker, ()):
                    offer(taker, item, gain * score * _share(answers[item], highest), score, generator, lender)
    return _frame(best, settings.most, seed)


def _lenders(labels: TrainLabels, most: int, seed: int) -> list[str]:
    queries = list(labels.positives)
    if len(queries) <= most:
        return queries
    return [queries[place] for place in np.sort(np.random.default_rng(seed).permutation(len(queries))[:most])]


def _similar_items(
    likeness: Likeness, items: np.ndarray, texts: Sequence[str], most: int, settings: ExpansionConfig
) -> dict[int, list[tuple[int, float]]]:
    """Item -> at most so many items like it and no copies of it, with their likeness, nearest first."""
    found: dict[int, list[tuple[int, float]]] = {}
    block = max(1, min(256, _BLOCK_SCORES // len(texts)))
    for start in track(range(0, len(items), block), "Looking for similar items"):
        rows = items[start : start + block]
        for item, scores in zip(rows.tolist(), likeness.of_items(rows, texts), strict=True):
            scores[item] = 0.0
            found[item] = _window(scores, most, settings)
    return found


def _similar_queries(
    likeness: Likeness,
    queries: list[str],
    vectors: np.ndarray,
    candidates: Sequence[str],
    teacher: Teacher,
    settings: ExpansionConfig,
) -> Iterator[tuple[str, str, np.ndarray, float, str]]:
    """(labelled query, query like it, the latter's vector, likeness, generator)."""
    profiles = likeness.profiles(queries)
    own = {normalise(query) for query in queries}
    fresh = [query for query in candidates if normalise(query) not in own]
    pools: list[tuple[str, list[str], np.ndarray, Any]] = [("shared_query", queries, vectors, profiles)]
    if fresh:
        pools.append(("similar_query", fresh, teacher.encode(fresh), likeness.profiles(fresh)))
    for generator, pool, theirs, their_profiles in pools:
        block = max(1, min(256, _BLOCK_SCORES // len(pool)))
        for start in track(range(0, len(queries), block), "Looking for similar queries"):
            rows = slice(start, start + block)
            scores = likeness.between(vectors[rows], profiles[rows], theirs, their_profiles)
            for place, query in enumerate(queries[rows]):
                if generator == "shared_query":
                    scores[place, start + place] = 0.0
                for other, score in _window(scores[place], settings.queries_per_query, settings):
                    yield query, pool[other], theirs[other], score, generator


def _window(scores: np.ndarray, most: int, settings: ExpansionConfig) -> list[tuple[int, float]]:
    """The best places of float32 [N] that are like enough and no duplicates; equal ones by place."""
    places = np.flatnonzero((scores >= settings.minimum) & (scores < settings.duplicate))
    order = places[np.lexsort((places, -scores[places]))][:most]
    return [(int(place), float(scores[place])) for place in order]


def _share(score: Any, best: Any) -> float:
    return float(min(1.0, (score + _FLOOR) / (best + _FLOOR)))


def _frame(best: dict[tuple[str, int], tuple[float, float, str, str]], most: int, seed: int) -> pl.DataFrame:
    ranked = sorted(best.items(), key=lambda found: (-found[1][0], found[0]))[:most]
    columns: dict[str, list[Any]] = {
        name: [] for name in ("query", "item", "confidence", "score", "generator", "parent")
    }
    for (query, item), (confidence, score, generator, parent) in ranked:
        for name, value in zip(columns, (query, item, confidence, score, generator, parent), strict=True):
            columns[name].append(value)
    constant = {"task": "search", "source": Expansion.name, "seed": seed, "history": [[] for _ in ranked]}
    rows = {name: value if isinstance(value, list) else [value] * len(ranked) for name, value in constant.items()}
    return pl.DataFrame({**columns, **rows}, schema_overrides=SAMPLES).select(list(SAMPLES))
