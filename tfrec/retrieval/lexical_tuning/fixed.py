"""BM25F by one setting, for whoever knows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from tfrec.retrieval.lexical_index import LexicalIndex
from tfrec.retrieval.lexical_tuning.configuration import Configuration
from tfrec.retrieval.lexical_tuning.counts import FieldCounts
from tfrec.retrieval.lexical_tuning.mixture import mixed_index
from tfrec.retrieval.tokens import Tokenizer


def fixed_index(
    fields: Mapping[str, Sequence[str]],
    weights: Mapping[str, float],
    queries: Iterable[str] = (),
    k1: float = 1.2,
    b: float = 0.75,
    language: str = "auto",
) -> LexicalIndex:
    """Indexes a catalogue by BM25F, which is BM25 in Lucene's form when there is one field of weight 1.

    Args:
        fields: name -> one text per item, all of one length N of at least 1; empty texts are allowed.
        weights: name -> weight above 0, for every field.
        queries: texts whose words the index' table shall know.
        k1: how slowly repeated words saturate, at least 0.
        b: how much long texts are held back, 0..1.
        language: of the stemmer.

    Returns:
        the index; without any posting when no text holds a word.

    Raises:
        ValueError: there is no item, or fields differ in length.
        ConfigError: there is no stemmer for the language.
    """
    tokenizers = Tokenizer(language, measures=True), Tokenizer("none", measures=True)
    counts = FieldCounts.of(fields, *tokenizers, with_pairs=False)
    setting = Configuration(np.array([weights[name] for name in fields]), np.full(len(fields), b), k1)
    return mixed_index(counts, [setting], np.ones(1), queries)
