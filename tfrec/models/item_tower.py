"""The item tower: an item's text, its id where it is known well enough, numbers of the catalogue, and its picture."""

from __future__ import annotations

from typing import Any

from tfrec.models.vectors import ItemIds, TextProjection, unit
from tfrec.tensorflow_setup import keras, tf


class ItemTower(keras.layers.Layer):
    """Item vectors.

    Args:
        projection: the text projection shared with the query tower.
        item_ids: the id vectors shared with the query tower, or None.
        dimension: size of the vectors.
        dense_features: standardised numeric features of every item, float32 [N, F]; F may be 0.
    """

    def __init__(
        self, projection: TextProjection, item_ids: ItemIds | None, dimension: int, dense_features: Any
    ) -> None:
        super().__init__(name="item_tower")
        self.projection = projection
        self.item_ids: Any = item_ids
        features = tf.convert_to_tensor(dense_features, tf.float32)
        self._features = tf.concat([features, tf.zeros([1, features.shape[1]])], axis=0)
        zeros = keras.initializers.Zeros()
        self.id_kernel: Any = None
        if item_ids is not None:
            self.id_kernel = self.add_weight("id_kernel", shape=(item_ids.size, dimension), initializer=zeros)
        self.feature_kernel: Any = None
        if features.shape[1]:
            self.feature_kernel = self.add_weight("feature_kernel", (features.shape[1], dimension), initializer=zeros)
        self.built = True

    def call(self, pooled: Any, items: Any, image_vectors: Any = None) -> Any:
        """Unit vectors of items.

        Args:
            pooled: the encoder's text vectors, float32 [B, hidden].
            items: item indices int32 [B]; -1 for an item outside the catalogue, which is its text alone.
            image_vectors: what ImagePart gives for their pictures, float32 [B, dimension], or None.

        Returns:
            float32 [B, dimension].
        """
        vectors = self.projection(pooled)
        if self.id_kernel is not None:
            vectors += tf.matmul(self.item_ids(items), self.id_kernel)
        if self.feature_kernel is not None:
            last = tf.shape(self._features)[0] - 1
            vectors += tf.matmul(tf.gather(self._features, tf.where(items < 0, last, items)), self.feature_kernel)
        if image_vectors is not None:
            vectors += image_vectors
        return unit(vectors)
