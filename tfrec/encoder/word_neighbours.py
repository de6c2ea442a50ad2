"""Nearest words by the encoder's input embeddings: what it takes for nearly the same before it has read a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from tfrec.encoder.text_encoder import TextEncoder
from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import tf

_WORD_TABLE = re.compile(r"word.*embed|embed.*word", re.IGNORECASE)
_NO_WORD = "\ue000"  # private use: no vocabulary has it


def word_neighbours(
    encoder: TextEncoder, count: int = 4, least_cosine: float = 0.45
) -> Callable[[list[str]], dict[str, list[str]]]:
    """A function that finds each word's neighbours among the words it is given.

    Only words that are one piece of the vocabulary have an embedding of their own; others have no neighbours and are
    none. The mean of all given words' vectors is taken off first: it says only that they are words (Mu and
    Viswanath 2018, "All-but-the-top").

    Args:
        encoder: an encoder whose word embeddings can be found among its variables; read when the function is called.
        count: most neighbours of a word.
        least_cosine: of a neighbour.

    Returns:
        words -> word -> its neighbours, best first; words without any are left out.

    Raises:
        EncoderError: the function does when the encoder shows no table of word embeddings.
    """

    def nearest(words: list[str]) -> dict[str, list[str]]:
        known, ids = whole_words(encoder, sorted(set(words)))
        if len(known) < 2:
            return {}
        vectors = _word_table(encoder, int(ids.max()) + 1)[ids]
        vectors = vectors - vectors.mean(axis=0)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        cosines = vectors @ vectors.T
        np.fill_diagonal(cosines, -1.0)
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
        found = {
            word: [known[other] for other in order[row] if cosines[row, other] >= least_cosine]
            for row, word in enumerate(known)
        }
        return {word: near for word, near in found.items() if near}

    return nearest


def whole_words(encoder: TextEncoder, words: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """The words that are one piece of the encoder's vocabulary.

    Args:
        encoder: the encoder.
        words: the words.

    Returns:
        those words, and the numbers of their pieces, int64 [n].
    """
    if not words:
        return [], np.zeros(0, np.int64)
    tokens = encoder.tokenize(tf.constant([_NO_WORD, *words], tf.string), 8)
    lengths, flat, starts = tokens.row_lengths().numpy(), tokens.flat_values.numpy(), tokens.row_starts().numpy()
    unknown = int(flat[starts[0] + 1])
    pairs = [
        (word, int(flat[start + 1]))
        for word, length, start in zip(words, lengths[1:], starts[1:], strict=True)
        if length == 3 and flat[start + 1] != unknown
    ]
    return [word for word, _ in pairs], np.array([number for _, number in pairs], np.int64)


def _word_table(encoder: TextEncoder, rows: int) -> np.ndarray:
    for variable in encoder.variables:
        if len(variable.shape) == 2 and variable.shape[0] >= rows and _WORD_TABLE.search(variable.name):
            return variable.numpy()
    raise EncoderError(
        "This encoder shows no table of word embeddings, so word_neighbours cannot be used with it: take it out of "
        "augment.operations or choose an installed encoder."
    )
