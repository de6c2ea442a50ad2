"""The module of one shard, and its signatures: a part of the catalogue behind the whole's towers and weights.

A client (tfrec.serving.client.ShardedClient) asks all shards in turn:

1. `shard_items`: rows and vectors of a history's items, from the shards that hold them.
2. `shard_request`: words and vector of the request, from any one shard.
3. `shard_statistics`: of the scores that every shard gives; merged, they normalise as the whole catalogue does.
4. `shard_top`: the best of every shard, by scores of the whole catalogue; merged by score and row they are the whole's.
   Or `shard_explained`: what each scorer adds to the scores of given items, from the shards that hold them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tfrec.encoder.parts import encoder_parts
from tfrec.export.serving_module import tower_variables
from tfrec.export.signatures import known_last, traced
from tfrec.models.spelling.speller import as_typed
from tfrec.models.two_tower import TwoTower
from tfrec.retrieval.dense import DenseScorer
from tfrec.retrieval.filters import ColumnFilters
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.ranking import best_of, named, positive, without
from tfrec.retrieval.rows import read_rows
from tfrec.retrieval.scorer import Request
from tfrec.retrieval.shard import ShardScorer
from tfrec.retrieval.weights import BLANK
from tfrec.tensorflow_setup import tf

Tensor = Any


class ShardModule(tf.Module):  # type: ignore[misc]
    """One of several parts of a catalogue.

    Args:
        model: the trained towers.
        encode: the encoder with its weights inside.
        item_ids: N ids of the whole catalogue.
        catalogue: unit vectors of the whole catalogue, float32 [N, D].
        scorer: what ranks the whole catalogue.
        filters: over the whole catalogue.
        number, count: which shard this is, from 0, and of how many.
        part: (first, end) of its rows.
        made_of: names what all shards of one export have in common.
    """

    def __init__(
        self,
        model: TwoTower,
        encode: Callable[..., Tensor],
        item_ids: Sequence[str],
        catalogue: np.ndarray,
        scorer: DenseScorer | Fusion,
        filters: ColumnFilters,
        number: int,
        count: int,
        part: tuple[int, int],
        made_of: str,
    ) -> None:
        super().__init__(name="tfrec_shard")
        first, end = part
        self.first, self.end = first, end
        # See ServingModule: only what functions cannot carry themselves is tracked.
        self._encoder_parts = encoder_parts(encode)
        self._speller = model.speller
        self._weights = tower_variables(model)
        self.scorer = ShardScorer(scorer, first, end)
        self.filters = filters.part(first, end)
        self._catalogue = tf.Variable(catalogue[first:end], trainable=False, dtype=tf.float32, name="catalogue")
        self._ids = tf.constant(list(item_ids[first:end]), tf.string)
        rows = tf.range(first, end, dtype=tf.int32)
        self._rows = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(self._ids, rows), default_value=-1)
        self.facts = [number, count, first, end, len(item_ids), self.scorer.normalised, model.dimension]
        self.made_of = made_of

    def signatures(self, model: TwoTower, encode: Callable[..., Tensor]) -> dict[str, Any]:
        """ConcreteFunction by name; see the head of this file.

        Args:
            model, encode: those that the module was made from.
        """
        first, dimension, normalised = self.first, model.dimension, self.scorer.normalised

        def shard_facts(query: Tensor) -> dict[str, Tensor]:
            batch = tf.shape(query)[0]
            return {
                "shard": tf.tile(tf.constant([self.facts], tf.int32), [batch, 1]),
                "made_of": tf.fill([batch], self.made_of),
            }

        def shard_items(item_ids: Tensor) -> dict[str, Tensor]:
            rows = self._rows.lookup(tf.strings.strip(item_ids))
            held = rows >= 0
            found = read_rows(self._catalogue, tf.where(held, rows - first, 0))
            return {"rows": rows, "vectors": tf.where(held[:, :, tf.newaxis], found, 0.0)}

        def shard_request(query: Tensor, rows: Tensor, past: Tensor) -> dict[str, Tensor]:
            has_text = tf.logical_not(tf.strings.regex_full_match(query, BLANK))
            mended = as_typed(query) if self._speller is None else self._speller(query)
            order = known_last(rows)
            rows, past = (tf.gather(values, order, batch_dims=1) for values in (rows, past))
            text = encode(mended.text, model.query_tokens, "query")
            return {"words": mended.words, "vectors": model.query_tower(text, has_text, rows, None, past=past)}

        def shard_statistics(words: Tensor, vectors: Tensor, rows: Tensor) -> dict[str, Tensor]:
            return {"statistics": self.scorer.statistics(Request(words, vectors, in_order(rows)))}

        def shard_top(
            words: Tensor,
            vectors: Tensor,
            rows: Tensor,
            statistics: Tensor,
            filters: Tensor,
            excluded: Tensor,
            k: Tensor,
        ) -> dict[str, Tensor]:
            k = positive(k)
            scores = self.scorer(Request(words, vectors, in_order(rows)), statistics)
            here = (excluded >= first) & (excluded < self.end)
            scores = without(scores, tf.where(here, excluded - first, -1))
            scores = tf.where(self.filters(filters), scores, np.float32(-np.inf))
            values, found = best_of(scores, tf.minimum(k, self.end - first))
            return {**named(values, found, self._ids), "rows": found + first}

        def shard_explained(
            words: Tensor, vectors: Tensor, rows: Tensor, statistics: Tensor, item_ids: Tensor
        ) -> dict[str, Tensor]:
            here = self._rows.lookup(tf.strings.strip(item_ids))
            here = tf.where(here >= 0, here - first, -1)
            parts = self.scorer.explained(Request(words, vectors, in_order(rows)), statistics, here)
            return {"parts": parts, "scorers": tf.tile(tf.constant([self.scorer.labels]), [tf.shape(here)[0], 1])}

        def embed_item(text: Tensor) -> dict[str, Tensor]:
            nothing = tf.fill([tf.shape(text)[0]], -1)
            return {"vectors": model.item_tower(encode(text, model.item_tokens, "item"), nothing)}

        def in_order(rows: Tensor) -> Tensor:
            return tf.gather(rows, known_last(rows), batch_dims=1)

        numbers = {
            "rows": tf.TensorSpec([None, None], tf.int32, "rows"),
            "excluded": tf.TensorSpec([None, None], tf.int32, "excluded"),
            "words": tf.TensorSpec([None], tf.string, "words"),
            "vectors": tf.TensorSpec([None, dimension], tf.float32, "vectors"),
            "past": tf.TensorSpec([None, None, dimension], tf.float32, "past"),
            "statistics": tf.TensorSpec([None, normalised, 4], tf.float32, "statistics"),
        }
        functions = (
            shard_facts, shard_items, shard_request, shard_statistics, shard_top, shard_explained, embed_item
        )  # fmt: skip
        return {function.__name__: traced(function, numbers) for function in functions}
