"""Unit vectors and the projection of text vectors that both towers share."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrec.tensorflow_setup import keras, tf


def unit(vectors: Any) -> Any:
    """Scales rows to length one; a row of zeros stays zero and has a finite gradient.

    Args:
        vectors: float32 [..., D].

    Returns:
        float32 [..., D].
    """
    return vectors * tf.math.rsqrt(tf.maximum(tf.reduce_sum(tf.square(vectors), axis=-1, keepdims=True), 1e-12))


class TextProjection(keras.layers.Layer):
    """Takes a pooled text vector to the towers' space.

    With the encoder's own size there is nothing to project: the pretrained geometry is kept as it is. With a smaller
    size an orthogonal matrix starts close to it (it keeps inner products as well as a random map of that rank can).

    Args:
        hidden: size of the encoder's vectors.
        dimension: size of the towers' vectors.
        seed: seed of the matrix.
    """

    def __init__(self, hidden: int, dimension: int, seed: int) -> None:
        super().__init__(name="text_projection")
        self.kernel: Any = None
        if dimension != hidden:
            start = keras.initializers.Orthogonal(seed=seed)
            self.kernel = self.add_weight("kernel", shape=(hidden, dimension), initializer=start, trainable=True)
        self.built = True

    def call(self, pooled: Any) -> Any:
        """float32 [B, hidden] to unit vectors float32 [B, dimension]."""
        return unit(pooled if self.kernel is None else tf.matmul(pooled, self.kernel))


class ItemIds(keras.layers.Layer):
    """A small trained vector per item seen often enough; both towers read it through projections of their own.

    It starts without effect (the towers' projections are zero), so that training begins at the text model.

    Args:
        has_id: bool [N], which items have one.
        size: length of the vectors.
        seed: seed of their start values.
    """

    def __init__(self, has_id: Any, size: int, seed: int) -> None:
        super().__init__(name="item_ids")
        self.size = size
        rows = tf.cumsum(tf.cast(has_id, tf.int32)) * tf.cast(has_id, tf.int32)  # 0 = no id vector
        self._rows = tf.concat([rows, [0]], axis=0)  # one more for index -1
        self._count = int(tf.reduce_sum(tf.cast(has_id, tf.int32)))
        start = keras.initializers.RandomNormal(stddev=0.05, seed=seed)
        self.table = self.add_weight(
            "table", shape=(self._count + 1, size), initializer=start, trainable=self._count > 0
        )
        self.built = True

    def move(self, origin: Any) -> None:
        """Gives the id vectors to the same items of another catalogue; call it before any function is traced.

        Args:
            origin: for each item of the other catalogue its index in this one, int [M]; -1 for a new item.
        """
        origin = tf.convert_to_tensor(origin, tf.int32)
        last = tf.shape(self._rows)[0] - 1
        self._rows = tf.concat([tf.gather(self._rows, tf.where(origin < 0, last, origin)), [0]], axis=0)

    def take_over(self, other: ItemIds, origin: Any) -> None:
        """Sets the table to another one's vectors of the same items; items that had none there begin without effect.

        Args:
            other: the id vectors of another state of the catalogue.
            origin: for each item of this one its index there, int [N]; -1 for a new item.
        """
        origin, here = np.asarray(origin), self._rows.numpy()[:-1]
        there = other._rows.numpy()[np.where(origin < 0, -1, origin)]
        table = np.zeros(self.table.shape, np.float32)
        table[here] = np.where((there > 0)[:, None], other.table.numpy()[there], 0.0)
        self.table.assign(table)

    def call(self, items: Any) -> Any:
        """Item indices int32 [...] (-1 = none) to float32 [..., size], zeros for items without an id vector."""
        rows = tf.gather(self._rows, tf.where(items < 0, tf.shape(self._rows)[0] - 1, items))
        return tf.gather(self.table, rows) * tf.cast(rows > 0, tf.float32)[..., None]
