"""Encoding many texts: sorted by length, in batches of about equally many tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tfrec.progress import Progress
from tfrec.tensorflow_setup import tf

Tensor = Any
TOKENS_PER_BATCH = 4096
_TEXTS_PER_TOKENIZE = 4096


def encode_sorted(
    texts: Sequence[str],
    tokenize: Callable[[Tensor], Tensor],
    encode_batch: Callable[[Tensor, Tensor], Tensor],
    hidden: int,
    description: str,
) -> np.ndarray:
    """Encodes texts in order of length, so that a batch holds almost no padding.

    Args:
        texts: the texts.
        tokenize: string [B] -> RaggedTensor int32 [B, None].
        encode_batch: (word ids int32 [B, T] padded with 0, lengths int32 [B]) -> float32 [B, hidden].
        hidden: width of the vectors.
        description: shown with the progress; empty shows none.

    Returns:
        float32 [N, hidden] in the order of `texts`.
    """
    vectors = np.empty((len(texts), hidden), np.float32)
    if not len(texts):
        return vectors
    pieces, starts, lengths = _tokens(texts, tokenize)
    with Progress(description, float(lengths.sum())) as progress:
        for chosen in _batches(lengths):
            width = int(lengths[chosen].max())
            columns = np.arange(width)
            inside = columns < lengths[chosen, None]
            word_ids = np.where(inside, pieces[np.minimum(starts[chosen, None] + columns, len(pieces) - 1)], 0)
            found = encode_batch(tf.constant(word_ids, tf.int32), tf.constant(lengths[chosen], tf.int32))
            vectors[chosen] = found.numpy()
            progress.advance(float(lengths[chosen].sum()))
    return vectors


def _tokens(texts: Sequence[str], tokenize: Callable[[Tensor], Tensor]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All word pieces in a row, each text's start in it, each text's length."""
    pieces, lengths = [], []
    for first in range(0, len(texts), _TEXTS_PER_TOKENIZE):
        ragged = tokenize(tf.constant(list(texts[first : first + _TEXTS_PER_TOKENIZE]), tf.string))
        pieces.append(ragged.flat_values.numpy())
        lengths.append(ragged.row_lengths().numpy())
    all_lengths = np.concatenate(lengths).astype(np.int64)
    return np.concatenate(pieces), np.cumsum(all_lengths) - all_lengths, all_lengths


def _batches(lengths: np.ndarray) -> Iterator[np.ndarray]:
    """Indices of texts of similar length, longest first: a memory problem shows at once, not at the end."""
    order = np.argsort(-lengths, kind="stable")
    first = 0
    while first < len(order):
        count = max(1, TOKENS_PER_BATCH // int(lengths[order[first]]))
        yield order[first : first + count]
        first += count
