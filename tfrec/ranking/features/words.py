"""How a candidate's texts hold what was typed: which words, how rare, in which order, at which place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from tfrec.data.shop import ShopData
from tfrec.data.text_columns import plain_texts, text_columns
from tfrec.models.spelling.alternatives import split_alternatives
from tfrec.ranking.candidates import Candidates
from tfrec.ranking.features.feature import Feature
from tfrec.retrieval.graph_words import surfaces
from tfrec.retrieval.lexical import LexicalScorer
from tfrec.retrieval.rows import read_rows
from tfrec.retrieval.tokens import Tokenizer
from tfrec.tensorflow_setup import tf

Tensor = Any
LENGTHS = {"title": 24, "text": 64}  # words that are read of each
_CHARACTERS = 12  # of a word at most, on average: what lies behind so many is not looked at
_MOST_TYPED = 16  # words of a query
_UNKNOWN, _EMPTY = -1, -2  # terms of words that the index does not know, and of places behind an item's last word
KINDS = (
    "share", "every word", "pairs", "first word", "last word", "rarest word", "missing numbers", "place", "length",
    "own share",
)  # fmt: skip


# What was read of a catalogue stands beside the scorer that it was read for: folds and splits ask for it again.
_read: WeakKeyDictionary[LexicalScorer, dict[str, np.ndarray]] = WeakKeyDictionary()


class Typed(NamedTuple):
    """The words of B queries, at most Q of each, in reading order.

    Attributes:
        terms: int32 [B, Q]; -1 for words that no item has, and behind the last one.
        weights: float32 [B, Q]: 1, the probability of an alternative, or 0 for what is not known.
        rarity: float32 [B, Q], idf; 0 for what is not known.
        numbers: whether they start with a digit, bool [B, Q].
    """

    terms: Tensor
    weights: Tensor
    rarity: Tensor
    numbers: Tensor


class Words(Feature):
    """Of each field: idf share of the query's words that the candidate has, whether it has all; share of neighbouring
    pairs; first, last and rarest word; numbers it lacks; place of the first match, length, and share of its words.

    Args:
        fields: name -> terms of the items' first words int32 [N, L], see `terms_of`.
        scorer: whose words and terms are meant.
    """

    group = "words"

    def __init__(self, fields: Mapping[str, np.ndarray], scorer: LexicalScorer) -> None:
        super().__init__(name="words")
        index = scorer.index
        self._scorer = scorer
        self.names = [f"{field} {kind}" for field in fields for kind in KINDS]
        self._tables = [
            tf.Variable(terms, trainable=False, dtype=tf.int32, name=name) for name, terms in fields.items()
        ]
        df = np.diff(index.starts[: index.term_count + 1])
        rarity = np.log1p((index.size - df + 0.5) / (df + 0.5)).astype(np.float32)
        numbers = np.zeros(index.term_count, bool)
        numbers[[term for word, term in index.terms.items() if word[:1].isdigit()]] = True
        self._rarity = tf.Variable(np.append(rarity, 0.0), trainable=False, dtype=tf.float32, name="rarity")
        self._numbers = tf.Variable(np.append(numbers, False), trainable=False, dtype=tf.bool, name="numbers")

    def __call__(self, candidates: Candidates) -> Tensor:
        """See Feature."""
        typed = self._typed(candidates.request.query)
        parts = [_field(typed, read_rows(table, candidates.rows)) for table in self._tables]
        return tf.concat(parts, axis=2)

    def _typed(self, query: Tensor) -> Typed:
        parts, requests, weights = split_alternatives(query)
        words, of = surfaces(parts)
        order = tf.argsort(of, stable=True)  # words of scripts without spaces come behind all others
        words, of = tf.gather(words, order), tf.gather(of, order)
        rows, count = tf.gather(requests, of), tf.shape(query, tf.int64)[0]

        def wide(values: Tensor, default: Any) -> Tensor:
            several = tf.RaggedTensor.from_value_rowids(values, rows, count)
            return several[:, :_MOST_TYPED].to_tensor(default)

        terms = wide(tf.cast(self._scorer.terms(words), tf.int32), _UNKNOWN)
        known = terms >= 0
        last = tf.shape(self._rarity)[0] - 1
        places = tf.where(known, terms, last)
        weights = tf.where(known, wide(tf.gather(weights, of), np.float32(0)), 0.0)
        return Typed(terms, weights, read_rows(self._rarity, places), read_rows(self._numbers, places))


def words_of(shop: ShopData, scorer: LexicalScorer) -> Words:
    """The titles, and as "text" the beginning of all other columns of words together, the shortest first."""
    if scorer not in _read:
        columns = sorted(text_columns(shop.items), key=lambda column: column.words)
        others = [plain_texts(shop.items[column.name]) for column in columns if column.name != "title"]
        texts = {"title": shop.items["title"].to_list()}
        if others:
            texts["text"] = [" ".join(filter(None, row)) for row in zip(*others, strict=True)]
        terms = scorer.index.terms
        _read[scorer] = {name: terms_of(some, terms, LENGTHS[name]) for name, some in texts.items()}
    return Words(_read[scorer], scorer)


def terms_of(texts: Sequence[str], terms: Mapping[str, int], most: int) -> np.ndarray:
    """The first terms of each text int32 [N, most]; -1 for words without a term, -2 behind the last one."""
    surfaces_of = Tokenizer("none", measures=True)
    table = np.full([len(texts), most], _EMPTY, np.int32)
    for row, text in enumerate(texts):
        found = [terms.get(word, _UNKNOWN) for word in surfaces_of(text[: most * _CHARACTERS])[:most]]
        table[row, : len(found)] = found
    return table


def _field(typed: Typed, own: Tensor) -> Tensor:
    """The numbers of one field float32 [B, K, 10] whose terms int32 [B, K, L] are given."""
    known = typed.weights > 0
    same = tf.equal(tf.where(known, typed.terms, -3)[:, tf.newaxis, :, tf.newaxis], own[:, :, tf.newaxis])
    has = tf.cast(tf.reduce_any(same, axis=3), tf.float32)  # [B, K, Q]

    def share(weights: Tensor, of: Tensor = has) -> Tensor:
        """Of what weighs float32 [B, Q], the part that is there, float32 [B, K]; 0 where nothing weighs."""
        total = tf.reduce_sum(weights, axis=1)[:, tf.newaxis]
        return tf.math.divide_no_nan(tf.reduce_sum(weights[:, tf.newaxis] * of, axis=2), total)

    count = tf.shape(typed.terms)[1]
    place = tf.range(count)[tf.newaxis]
    first = tf.reduce_min(tf.where(known, place, count), axis=1, keepdims=True)
    last = tf.reduce_max(tf.where(known, place, -1), axis=1, keepdims=True)
    weight = typed.weights * typed.rarity
    rarest = tf.cast(tf.equal(weight, tf.reduce_max(weight, axis=1, keepdims=True)) & known, tf.float32)
    follow = tf.cast(known[:, :-1] & known[:, 1:], tf.float32)
    together = tf.cast(tf.reduce_any(same[:, :, :-1, :-1] & same[:, :, 1:, 1:], axis=3), tf.float32)
    numbers = typed.weights * tf.cast(typed.numbers, tf.float32)
    missing = tf.reduce_sum(numbers[:, tf.newaxis] * (1.0 - has), axis=2)
    there = tf.reduce_any(same, axis=2)  # [B, K, L]
    length = tf.reduce_sum(tf.cast(own > _EMPTY, tf.float32), axis=2)
    width = tf.shape(own)[2]
    where = tf.reduce_min(tf.where(there, tf.range(width)[tf.newaxis, tf.newaxis], width), axis=2)
    covered = share(weight)
    return tf.stack(
        [
            covered,
            tf.cast(covered > 1 - 1e-4, tf.float32),
            share(follow, together),
            share(tf.cast(tf.equal(place, first), tf.float32)),
            share(tf.cast(tf.equal(place, last), tf.float32)),
            share(rarest),
            missing,
            tf.math.log1p(tf.cast(where, tf.float32)),
            tf.math.log1p(length),
            tf.math.divide_no_nan(tf.reduce_sum(tf.cast(there, tf.float32), axis=2), length),
        ],
        axis=2,
    )
