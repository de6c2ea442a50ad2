"""One layer of the decoder: attention over the words so far, attention over the item's text, a feed-forward net."""

from __future__ import annotations

from typing import Any

from tfrec.tensorflow_setup import keras, tf

Tensor = Any
_FAR_BELOW = -1e9


def dense(units: int, seed: int, name: str, activation: str | None = None) -> Any:
    """A dense layer whose start depends on `seed` only."""
    start = keras.initializers.GlorotUniform(seed=seed)
    return keras.layers.Dense(units, activation=activation, kernel_initializer=start, name=name)


def dropped(x: Tensor, rate: float, seed: Tensor | None, place: int) -> Tensor:
    """Dropout without a state: the same seed (int32 [2]) and place drop the same elements; no seed drops none."""
    if seed is None or rate == 0:
        return x
    return tf.nn.experimental.stateless_dropout(x, rate, seed=seed + tf.constant([0, place], tf.int32))


class DecoderLayer(keras.layers.Layer):  # type: ignore[misc]
    """A pre-norm Transformer decoder layer (Vaswani et al. 2017; Xiong et al. 2020) in parts, so that sampling can
    keep keys and values.

    Args:
        width: of the hidden states.
        heads: attention heads; divides width.
        rate: of dropout.
        number: of the layer, which its seeds start from.
        seed: of the weights.
    """

    def __init__(self, width: int, heads: int, rate: float, number: int, seed: int) -> None:
        super().__init__(name=f"layer_{number}")
        self._width, self._heads, self._rate, self._place = width, heads, rate, 10 * (number + 1)
        first = seed + 100 * (number + 1)
        self.before = [keras.layers.LayerNormalization(epsilon=1e-5, name=f"norm_{part}") for part in range(3)]
        self.qkv = dense(3 * width, first, "qkv")
        self.words_out = dense(width, first + 1, "words_out")
        self.text_query = dense(width, first + 2, "text_query")
        self.text_kv = dense(2 * width, first + 3, "text_kv")
        self.text_out = dense(width, first + 4, "text_out")
        self.inner = dense(4 * width, first + 5, "inner", activation="gelu")
        self.outer = dense(width, first + 6, "outer")

    def read(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of the item's text: [B, S, W] -> two [B, heads, S, W / heads]."""
        keys, values = tf.split(self.text_kv(memory), 2, axis=-1)
        return self._by_head(keys), self._by_head(values)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of the words: [B, T, W] -> three [B, heads, T, W / heads]."""
        q, k, v = tf.split(self.qkv(self.before[0](x)), 3, axis=-1)
        return self._by_head(q), self._by_head(k), self._by_head(v)

    def call(
        self,
        x: Tensor,
        words: tuple[Tensor, Tensor, Tensor],
        seen: Tensor,
        text: tuple[Tensor, Tensor],
        inside: Tensor,
        seed: Tensor | None = None,
    ) -> Tensor:
        """The layer's output.

        Args:
            x: [B, T, W].
            words: queries of x's places, keys and values of all places that they may look at, from `project`.
            seen: bool, which of those each sees; broadcasts to [B, heads, T, places].
            text: from `read`.
            inside: bool [B, 1, 1, S], where the item's text is.
            seed: int32 [2] of dropout, or None for none.

        Returns:
            [B, T, W].
        """
        found = self.words_out(self._attend(*words, seen))
        x = x + dropped(found, self._rate, seed, self._place)
        query = self._by_head(self.text_query(self.before[1](x)))
        found = self.text_out(self._attend(query, *text, inside))
        x = x + dropped(found, self._rate, seed, self._place + 1)
        return x + dropped(self.outer(self.inner(self.before[2](x))), self._rate, seed, self._place + 2)

    def _by_head(self, x: Tensor) -> Tensor:
        batch, length = tf.unstack(tf.shape(x)[:2])
        split = tf.reshape(x, [batch, length, self._heads, self._width // self._heads])
        return tf.transpose(split, [0, 2, 1, 3])

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, seen: Tensor) -> Tensor:
        scores = tf.matmul(q, k, transpose_b=True) * (self._width // self._heads) ** -0.5
        context = tf.matmul(tf.nn.softmax(tf.where(seen, scores, _FAR_BELOW)), v)
        batch, length = tf.shape(q)[0], tf.shape(q)[2]
        return tf.reshape(tf.transpose(context, [0, 2, 1, 3]), [batch, length, self._width])
