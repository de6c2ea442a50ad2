"""The query tower: what a shopper types and what a shopper did before, in one vector."""

from __future__ import annotations

from typing import Any

from tfrec.models.vectors import ItemIds, TextProjection, unit
from tfrec.tensorflow_setup import keras, tf


class QueryTower(keras.layers.Layer):
    """Query vectors from typed words, from history, or from both; any mixture in one batch.

    History items are read from the catalogue's own vectors, so a new item works at once, plus a trained id part. They
    are pooled by attention over recency and over likeness to the typed words, then refined by residual layers that
    start as the identity. Nothing at all gives the default vector, which stands for what sells in this shop.

    Args:
        projection: the text projection shared with the item tower.
        item_ids: the id vectors shared with the item tower, or None.
        dimension: size of the vectors.
        history_length: most recent items that are read.
        layers: residual layers on the pooled history.
        dropout: dropout on the pooled history while training.
        seed: seed of the layers' start values.
    """

    def __init__(
        self,
        projection: TextProjection,
        item_ids: ItemIds | None,
        dimension: int,
        history_length: int,
        layers: int,
        dropout: float,
        seed: int,
    ) -> None:
        super().__init__(name="query_tower")
        self.projection = projection
        self.item_ids: Any = item_ids
        self.history_length = history_length
        zeros = keras.initializers.Zeros()
        self.id_kernel: Any = None
        if item_ids is not None:
            self.id_kernel = self.add_weight("history_id_kernel", shape=(item_ids.size, dimension), initializer=zeros)
        self.recency = self.add_weight("recency", shape=(history_length,), initializer=zeros)
        self.likeness = self.add_weight("likeness", shape=(), initializer=zeros)
        self.history_share = self.add_weight("history_share", (), initializer=keras.initializers.Constant(0.3))
        self.default = self.add_weight("default", shape=(dimension,), initializer=zeros, trainable=False)
        start = keras.initializers.GlorotUniform(seed=seed)
        self.inner = [
            keras.layers.Dense(dimension, activation="gelu", kernel_initializer=start, name=f"history_inner_{n}")
            for n in range(layers)
        ]
        self.outer = [
            keras.layers.Dense(dimension, kernel_initializer="zeros", name=f"history_outer_{n}") for n in range(layers)
        ]
        for layer in [*self.inner, *self.outer]:
            layer.build((None, dimension))
        self.dropout = keras.layers.Dropout(dropout, seed=seed)
        self.built = True

    def call(
        self, pooled: Any, has_text: Any, history: Any, catalogue: Any, training: bool = False, past: Any = None
    ) -> Any:
        """Unit vectors of queries.

        Args:
            pooled: the encoder's vectors of the typed words, float32 [B, hidden].
            has_text: bool [B], whether anything was typed.
            history: item indices int32 [B, H], oldest first, -1 where there is none (H may be 0).
            catalogue: the catalogue's unit vectors, float32 [N, D].
            training: whether dropout acts.
            past: the history's items' vectors float32 [B, H, D] where there is no catalogue to read them from.

        Returns:
            float32 [B, D].
        """
        text = self.projection(pooled) * tf.cast(has_text, tf.float32)[:, None]
        pooled_past, has_past = self._past(text, history, catalogue, training, past)
        both = tf.cast(tf.logical_and(has_text, has_past), tf.float32)[:, None]
        share = both * self.history_share + (1.0 - both)
        nothing = tf.cast(tf.logical_not(tf.logical_or(has_text, has_past)), tf.float32)[:, None]
        return unit(text + share * pooled_past + nothing * self.default)

    def _past(self, text: Any, history: Any, catalogue: Any, training: bool, vectors: Any) -> tuple[Any, Any]:
        history = history[:, -self.history_length :]
        known = history >= 0
        # Count positions from the latest item, whatever the padding, so that padding changes nothing.
        age = tf.cumsum(tf.cast(known, tf.int32), axis=1, reverse=True, exclusive=True)
        if vectors is None:
            vectors = tf.stop_gradient(tf.gather(catalogue, tf.maximum(history, 0)))  # [B, H, D]
        else:
            vectors = vectors[:, -self.history_length :]
        if self.id_kernel is not None:
            vectors += tf.einsum("bhi,id->bhd", self.item_ids(history), self.id_kernel)
        logits = tf.gather(self.recency, tf.minimum(age, self.history_length - 1))
        logits += self.likeness * tf.einsum("bd,bhd->bh", text, vectors)
        weights = tf.exp(tf.minimum(logits, 30.0)) * tf.cast(known, tf.float32)
        weights /= tf.maximum(tf.reduce_sum(weights, axis=1, keepdims=True), 1e-9)
        pooled = tf.einsum("bh,bhd->bd", weights, vectors)
        pooled = self.dropout(pooled, training=training)
        for inner, outer in zip(self.inner, self.outer, strict=True):
            pooled = pooled + outer(inner(pooled))
        has_past = tf.reduce_any(known, axis=1)
        return unit(pooled) * tf.cast(has_past, tf.float32)[:, None], has_past
