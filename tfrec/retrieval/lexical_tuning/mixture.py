"""Postings of several settings added to one: an index of the same form and size as that of one setting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tfrec.retrieval.lexical_index import LexicalIndex
from tfrec.retrieval.lexical_tuning.configuration import Configuration
from tfrec.retrieval.lexical_tuning.counts import FieldCounts

_AT_ONCE = 1 << 18  # postings computed together: their arrays stay near the processor
_NEGLIGIBLE = 1e-3  # of the greatest share


def postings(configuration: Configuration, frequencies: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """What postings add by one setting, before idf and the weight of pairs.

    Args:
        configuration: the setting.
        frequencies: uint8 [F, P].
        lengths: float32 [F, P], of the field of the posting's item, over its mean.

    Returns:
        float32 [P], 0..1.
    """
    total = np.zeros(frequencies.shape[1], np.float32)
    for field, weight in enumerate(configuration.weights):
        if weight > 0:
            b = configuration.b[field]
            norm = np.maximum(np.float32(1 - b) + np.float32(b) * lengths[field], np.float32(1e-9))
            total += np.float32(weight) * frequencies[field] / norm
    return total / np.maximum(total + np.float32(configuration.k1), np.float32(1e-30))


def row_factors(counts: FieldCounts, configuration: Configuration) -> np.ndarray:
    """What multiplies the postings of each row: float32 [T + K]."""
    factors = counts.idf**configuration.idf_power
    factors[len(counts.vocabulary) :] *= configuration.pairs
    return factors.astype(np.float32)


def mixed_postings(
    counts: FieldCounts,
    configurations: Sequence[Configuration],
    shares: np.ndarray,
    places: np.ndarray,
    rows: np.ndarray,
) -> np.ndarray:
    """The postings at some places, averaged over settings.

    Args:
        counts: of the catalogue.
        configurations: C settings.
        shares: float64 [C], their weights in the average.
        places: int64 [P], of postings in counts.
        rows: int64 [P], the row of each.

    Returns:
        float32 [P].
    """
    total = np.zeros(len(places), np.float32)
    used = [int(number) for number in np.flatnonzero(shares > _NEGLIGIBLE * shares.max())]
    factors = [np.float32(shares[n]) * row_factors(counts, configurations[n]) for n in used]
    for start in range(0, len(places), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        frequencies = counts.frequencies[:, places[part]]
        lengths = counts.lengths[:, counts.items[places[part]]]
        for number, factor in zip(used, factors, strict=True):
            total[part] += factor[rows[part]] * postings(configurations[number], frequencies, lengths)
    return total


def mixed_index(
    counts: FieldCounts, configurations: Sequence[Configuration], shares: np.ndarray, queries: Iterable[str] = ()
) -> LexicalIndex:
    """The index of a catalogue by an average of settings.

    Args:
        counts: of the catalogue.
        configurations: C settings.
        shares: float64 [C], their weights in the average.
        queries: texts whose words the index' table shall know.
    """
    every, rows = np.arange(len(counts.items)), np.repeat(np.arange(len(counts.df)), counts.df)
    weights = mixed_postings(counts, configurations, shares, every, rows)
    table = counts.vocabulary.table(queries, counts.df[: len(counts.vocabulary)])
    return LexicalIndex(counts.size, counts.starts, counts.items, weights, table, counts.pairs)
