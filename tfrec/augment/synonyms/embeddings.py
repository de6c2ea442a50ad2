"""Synonyms from an encoder: words with near vectors that also keep the same company in the shop's own texts."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse as sparse

from tfrec.augment.synonyms.function_words import FUNCTION_WORDS
from tfrec.augment.synonyms.guards import derived
from tfrec.augment.synonyms.table import Pair
from tfrec.augment.synonyms.words import phrases_of, segments

Vectors = Callable[[Sequence[str]], np.ndarray]
_MOST_WORDS = 6_000
_DEVIATIONS = 5.0
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")


def from_embeddings(
    texts: Sequence[str],
    counts: Counter[str],
    vectors: Vectors,
    least_cosine: float = 0.83,
    least_company: float = 0.35,
    least_texts: int = 5,
) -> list[Pair]:
    """Pairs of words that are each other's nearest in the encoder and stand among the same words in the catalogue.

    Opposites and names of one kind are near in every encoder; so three things are asked together: a high cosine, well
    above that of any two words (an encoder that does not know the language finds all words alike); to be each other's
    nearest, plurals aside; and the same company: cosine of the positive pointwise mutual information with all other
    words over the shop's texts (Bullinaria and Levy 2007).

    Args:
        texts: everything that the shop says of each item.
        counts: in how many titles and queries a phrase stands (words.count_phrases).
        vectors: phrases -> float32 [n, d], of the encoder.
        least_cosine: of the vectors.
        least_company: cosine of the words' companies.
        least_texts: a phrase in fewer titles and queries is left out.

    Returns:
        the pairs with source "embeddings"; the score is the geometric mean of both cosines.
    """
    words = _words(counts, least_texts)
    if len(words) < 3:
        return []
    near = _unit_rows(np.asarray(vectors(words), np.float32))
    cosines = near @ near.T
    beside = cosines[~np.eye(len(words), dtype=bool)]
    least_cosine = max(least_cosine, float(beside.mean() + _DEVIATIONS * beside.std()))
    company, support = _company(texts, words)
    nearest = [_nearest(place, cosines[place], words, least_cosine) for place in range(len(words))]
    found = []
    for a, candidates in enumerate(nearest):
        for b in candidates:
            if a < b and a in nearest[b] and company[a, b] >= least_company:
                score = float(np.sqrt(min(cosines[a, b], 1.0) * company[a, b]))
                found.append(Pair(words[a], words[b], "embeddings", round(score, 4), int(support[a, b])))
    return found


def _words(counts: Counter[str], least: int) -> list[str]:
    """Words, and phrases of characters, that occur often enough; most frequent ones if there are very many."""
    usual = [
        phrase
        for phrase, count in counts.items()
        if count >= least and len(phrase) > 1 and _WORD.fullmatch(phrase) and phrase not in FUNCTION_WORDS
    ]
    return sorted(sorted(usual, key=lambda phrase: (-counts[phrase], phrase))[:_MOST_WORDS])


def _nearest(place: int, cosines: np.ndarray, words: Sequence[str], least: float) -> set[int]:
    """The nearest other word, with its plural; words of the same stem do not count."""
    found: dict[str, set[int]] = defaultdict(set)
    for other in np.argsort(-cosines, kind="stable"):
        if cosines[other] < least:
            break
        if other != place and not derived(words[place], words[other]):
            base = _base(words[other])
            if found and base not in found:
                break
            found[base].add(int(other))
    return set().union(*found.values())


def _base(word: str) -> str:
    if not word.isascii():
        return word
    for ending, singular in (("'s", ""), ("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("s", "")):
        if word.endswith(ending) and len(word) > len(ending) + 2 and not word.endswith("ss"):
            return word[: len(word) - len(ending)] + singular
    return word


def _company(texts: Sequence[str], words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of the words' companies, float32 [W, W], and in how many texts two words stand together."""
    place = {word: number for number, word in enumerate(words)}
    rows, columns = [], []
    for row, parts in enumerate(segments(texts)):
        found = {phrase for segment in parts for _, _, phrase in phrases_of(segment) if phrase in place}
        rows += [row] * len(found)
        columns += [place[phrase] for phrase in found]
    inside = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (len(texts), len(words)))
    together = (inside.T @ inside).toarray()
    counts = np.maximum(together.diagonal(), 1.0)
    expected = np.outer(counts, counts) / max(1, len(texts))
    information = np.log(np.maximum(together, 1e-9) / expected)
    np.maximum(information, 0.0, out=information)
    np.fill_diagonal(information, 0.0)
    company = _unit_rows(information.astype(np.float32))
    return company @ company.T, together


def _unit_rows(matrix: np.ndarray) -> np.ndarray:
    return matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
