"""Which candidates of a batch must not count as negatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrec.tensorflow_setup import tf


class KnownPositives:
    """All positive pairs (group, item) of the training data, for look-up in the graph.

    A group is a query or a shopper. In-batch negatives contain items that also answer the query; trained against, they
    teach the model that right answers are wrong.

    Args:
        groups: int [P].
        items: int [P].
        size: number of items N.
    """

    def __init__(self, groups: Any, items: Any, size: int) -> None:
        keys = np.unique(np.asarray(groups, np.int64) * size + np.asarray(items, np.int64))
        self._keys = tf.constant(np.append(keys, np.iinfo(np.int64).max))
        self._size = size

    def another(self, groups: Any, items: Any, draws: Any) -> Any:
        """Another positive of each row's group.

        Args:
            groups: int64 [B].
            items: int64 [B], the row's own positive.
            draws: float32 [B] in [0, 1); decides which.

        Returns:
            int64 [B]; the row's own where the group has no other.
        """
        first = tf.searchsorted(self._keys, groups * self._size)
        count = tf.searchsorted(self._keys, (groups + 1) * self._size) - first
        own = tf.searchsorted(self._keys, groups * self._size + items) - first
        others = tf.maximum(count - 1, 0)
        place = tf.minimum(tf.cast(draws * tf.cast(others, tf.float32), tf.int32), others - 1)
        place += tf.cast(place >= own, tf.int32)  # leaves the own one out
        found = tf.gather(self._keys, first + tf.maximum(place, 0)) - groups * self._size
        return tf.where(others > 0, found, items)

    def allowed(self, groups: Any, items: Any) -> Any:
        """Which candidates each row may be compared with.

        Args:
            groups: int64 [B].
            items: int64 [C] with C >= B; candidate b is the positive of row b.

        Returns:
            bool [B, C]: true for the row's own positive and for every candidate that is no known positive of it.
        """
        wanted = tf.reshape(groups[:, None] * self._size + items[None, :], [-1])
        found = tf.gather(self._keys, tf.searchsorted(self._keys, wanted))
        positive = tf.reshape(tf.equal(found, wanted), [tf.shape(groups)[0], tf.shape(items)[0]])
        same = tf.equal(items[: tf.shape(groups)[0], None], items[None, :])
        own = tf.eye(tf.shape(groups)[0], tf.shape(items)[0], dtype=tf.bool)
        return tf.logical_or(own, tf.logical_not(tf.logical_or(positive, same)))
