"""What a cross-encoder says of the best candidates, as numbers for the ranker."""

from __future__ import annotations

from typing import Any

from tfrec.encoder.parts import encoder_parts
from tfrec.models.spelling.alternatives import split_alternatives
from tfrec.ranking.candidates import Candidates, standard
from tfrec.ranking.cross.model import CrossEncoder
from tfrec.ranking.cross.pairs import joined
from tfrec.ranking.features.feature import Feature
from tfrec.retrieval.rows import read_rows
from tfrec.tensorflow_setup import tf

Tensor = Any
_LIKELY = 0.5  # what a doubtful word must weigh to be read


class Cross(Feature):
    """Of the best candidates: the cross-encoder's score, and its deviation from their mean; 0 for the others, and
    whether a candidate was read at all.

    Args:
        cross: a trained one; its weights become constants.
        best: candidates that are read.
        precision: "bf16" or "f32".
    """

    group = "cross"
    names = ["cross score", "cross deviation", "cross read"]

    def __init__(self, cross: CrossEncoder, best: int, precision: str) -> None:
        super().__init__(name="cross")
        self._best = best
        frozen: Any = cross.encoder.inference_function(precision)
        # Behind plain functions, for a module is saved with every tf.function that it holds.
        self._held = encoder_parts(frozen)
        self._read = lambda word_ids, lengths: frozen.vectors(word_ids, lengths)
        self._pieces = lambda queries: cross.query_pieces(queries)
        self._items = tf.Variable(cross.items, trainable=False, dtype=tf.int32, name="item_pieces")
        self._head = tf.Variable(cross.head, trainable=False, dtype=tf.float32, name="cross_head")

    def __call__(self, candidates: Candidates) -> Tensor:
        """See Feature."""
        count = tf.shape(candidates.rows)[1]
        best = tf.minimum(count, self._best)
        rows, filled = candidates.rows[:, :best], candidates.filled[:, :best]
        word_ids, lengths = joined(self._pieces(likeliest(candidates.request.query)), read_rows(self._items, rows))
        scores = tf.reshape(tf.matmul(self._read(word_ids, lengths), self._head), tf.shape(rows))
        scores = tf.where(filled, scores, 0.0)
        read = tf.cast(filled, tf.float32)
        found = tf.stack([scores, standard(scores, filled) * read, read], axis=2)
        return tf.pad(found, [[0, 0], [0, count - best], [0, 0]])


def likeliest(queries: Tensor) -> Tensor:
    """Queries string [B] with the likeliest of each doubtful word's alternatives, if one is as likely as the others."""
    parts, rows, weights = split_alternatives(queries)
    kept = tf.where(weights >= _LIKELY, parts, "")
    return tf.strings.reduce_join(tf.RaggedTensor.from_value_rowids(kept, rows, tf.shape(queries, tf.int64)[0]), axis=1)
