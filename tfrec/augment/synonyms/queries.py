"""Synonyms from searches: queries that lead to the same items and differ in one phrase only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import scipy.sparse as sparse

from tfrec.augment.synonyms.table import Pair
from tfrec.augment.synonyms.words import Segment, phrases_of, same_words, segments

_MOST_QUERIES = 30_000
_BLOCK = 2_000
_DOUBT = 0.4  # what one more pair of queries leaves of the doubt


def from_queries(
    judgments: Mapping[str, Mapping[str, float]],
    known: Counter[str],
    least_similarity: float = 0.95,
    least_items: int = 3,
) -> list[Pair]:
    """Pairs of phrases that were exchanged between queries without another result.

    Two queries lead to the same items when the cosine of their gains over items is high. They must be equal but for one
    phrase each, in any order of words. "dog bowl" and "food bowl" do not make a pair of dog and food: either the
    phrases stand alone, or the queries' other words change from one pair of queries to the next.

    Args:
        judgments: query -> item_id -> gain; training queries only.
        known: in how many texts (queries, titles) a phrase stands; where words are not written apart, only where it
            stands between blanks or punctuation, which tells words from pieces of words.
        least_similarity: least cosine of two queries.
        least_items: items that two queries must have in common.

    Returns:
        the pairs with source "queries"; the score grows with the cosine and with the number of different other words.
    """
    queries = sorted(query for query, gains in judgments.items() if sum(gain > 0 for gain in gains.values()))
    queries = sorted(queries, key=lambda query: -sum(gain > 0 for gain in judgments[query].values()))[:_MOST_QUERIES]
    parts = [_remainders(text, known) for text in segments(queries)]
    others: dict[tuple[str, str], dict[tuple[str, ...], float]] = defaultdict(dict)
    for first, second, cosine in _alike(queries, judgments, least_similarity, least_items):
        for pair, rest in _exchanged(parts[first], parts[second]):
            others[pair][rest] = max(cosine, others[pair].get(rest, 0.0))
    found = []
    for (phrase, synonym), rests in sorted(others.items()):
        # characters are too few to mean anything here; that their phrases stand alone elsewhere must do
        common = set.intersection(*({word for word in rest if len(word) > 1} for rest in rests))
        if () not in rests and (common or len(rests) < 2):
            continue
        score = float(np.mean(list(rests.values()))) * (1 - _DOUBT ** len(rests))
        found.append(Pair(phrase, synonym, "queries", round(score, 4), len(rests)))
    return found


def _remainders(parts: Sequence[Segment], known: Counter[str]) -> dict[tuple[str, ...], list[tuple[int, str]]]:
    """The other words of a query, sorted -> the phrases they remain of, each with its number of units."""
    found: dict[tuple[str, ...], list[tuple[int, str]]] = defaultdict(list)
    for number, segment in enumerate(parts):
        rest = [unit.text for place, other in enumerate(parts) if place != number for unit in other]
        for start, end, phrase in phrases_of(segment):
            if known[phrase] >= 2 and not any(character.isnumeric() for character in phrase):
                own = [unit.text for unit in (*segment[:start], *segment[end:])]
                found[tuple(sorted(rest + own))].append((end - start, phrase))
    return found


def _exchanged(
    first: Mapping[tuple[str, ...], list[tuple[int, str]]], second: Mapping[tuple[str, ...], list[tuple[int, str]]]
) -> list[tuple[tuple[str, str], tuple[str, ...]]]:
    """The shortest phrases by which two queries differ, each pair with the words that both queries have."""
    candidates = [
        (a_size + b_size, (min(a, b), max(a, b)), rest)
        for rest in first.keys() & second.keys()
        for a_size, a in first[rest]
        for b_size, b in second[rest]
        if a != b and not same_words(a, b)
    ]
    shortest = min((size for size, _, _ in candidates), default=0)
    return [(pair, rest) for size, pair, rest in candidates if size == shortest]


def _alike(
    queries: Sequence[str], judgments: Mapping[str, Mapping[str, float]], least: float, least_items: int
) -> Iterator[tuple[int, int, float]]:
    """Pairs of queries that lead to the same items, with their cosine."""
    items = {item: place for place, item in enumerate(sorted({item for q in queries for item in judgments[q]}))}
    rows, columns, gains = [], [], []
    for row, query in enumerate(queries):
        positive = [(items[item], gain) for item, gain in judgments[query].items() if gain > 0]
        norm = float(np.sqrt(sum(gain * gain for _, gain in positive)))
        rows += [row] * len(positive)
        columns += [item for item, _ in positive]
        gains += [gain / norm for _, gain in positive]
    leads = sparse.csr_matrix((np.array(gains, np.float32), (rows, columns)), (len(queries), len(items)))
    which = leads.astype(bool).astype(np.float32)
    for start in range(0, len(queries), _BLOCK):
        block = (leads[start : start + _BLOCK] @ leads.T).tocoo()
        strong = (block.data >= least) & (block.row + start < block.col)
        for first, second, cosine in zip(block.row[strong], block.col[strong], block.data[strong], strict=True):
            first = int(first) + start
            if which[first].multiply(which[int(second)]).nnz >= least_items:
                yield first, int(second), min(float(cosine), 1.0)
