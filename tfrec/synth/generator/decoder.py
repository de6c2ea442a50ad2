"""The query decoder: writes a query piece by piece, each one either copied from the item's text or from a vocabulary.

The mixture is the pointer-generator of See et al. 2017, "Get To The Point". Two plain facts about the pieces so far
help the pointer, because a shop has few pairs to learn them from: which place of the text follows the piece just
written, and which places have been copied already (its coverage).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tfrec.synth.generator.layer import DecoderLayer, dense, dropped
from tfrec.synth.generator.pieces import FIRST
from tfrec.tensorflow_setup import keras, tf

Tensor = Any
_FAR_BELOW = -1e9
_LEAST = 1e-12


class Text(NamedTuple):
    """An item's text as the decoder has read it.

    Attributes:
        pieces: int32 [B, S].
        copyable: bool [B, S]: pieces that can be spelled.
        keys: [B, S, W] of the pointer.
        layers: keys and values [B, heads, S, W / heads] for every layer.
        inside: bool [B, 1, 1, S].
    """

    pieces: Tensor
    copyable: Tensor
    keys: Tensor
    layers: list[tuple[Tensor, Tensor]]
    inside: Tensor


class Choice(NamedTuple):
    """What comes next.

    Attributes:
        written: float32 [B, T, G], logits of the vocabulary.
        copied: float32 [B, T, S], probabilities of the text's places, which sum to 1 or, with nothing to copy, to 0.
        write: float32 [B, T], the probability that the next piece is of the vocabulary.
    """

    written: Tensor
    copied: Tensor
    write: Tensor


class QueryDecoder(keras.Model):  # type: ignore[misc]
    """The decoder.

    Args:
        vectors: float32 [L, H], the encoder's input embedding of every piece; stays fixed, so that a piece that no
            training query has is understood by its likeness to others.
        vocabulary: int32 [G], numbers of the pieces that may be written without copying, the end mark among them.
        layers: number of decoder layers.
        width: of the hidden states.
        heads: attention heads; divides width.
        dropout: on hidden states while training.
        query_pieces: T, longest query with its end mark.
        text_pieces: longest text, marks included.
        seed: of the weights.
    """

    def __init__(
        self,
        vectors: np.ndarray,
        vocabulary: np.ndarray,
        *,
        layers: int,
        width: int,
        heads: int,
        dropout: float,
        query_pieces: int,
        text_pieces: int,
        seed: int,
    ) -> None:
        super().__init__(name="query_decoder")
        self.query_pieces, self.width, self.heads = query_pieces, width, heads
        self.vocabulary = np.asarray(vocabulary, np.int32)
        self.slots = np.full(len(vectors), -1, np.int32)  # of each piece in the vocabulary
        self.slots[self.vocabulary] = np.arange(len(self.vocabulary))
        self._vectors, self._rate = vectors, dropout
        self.embed = dense(width, seed, "embed")
        self.read = dense(width, seed + 1, "read")
        self.norms = [keras.layers.LayerNormalization(epsilon=1e-5, name=f"norm_{at}") for at in ("text", "in", "out")]
        self.decoder_layers = [DecoderLayer(width, heads, dropout, number, seed) for number in range(layers)]
        self.pointer_key = dense(width, seed + 2, "pointer_key")
        self.pointer_query = dense(width, seed + 3, "pointer_query")
        self.hints = dense(2, seed + 4, "hints")
        self.gate = dense(1, seed + 5, "gate")
        self.write_query = dense(width, seed + 6, "write_query")
        generator = np.random.default_rng(seed)
        starts = (0.02 * generator.standard_normal([n, width], np.float32) for n in (query_pieces, text_pieces))
        self.places, self.text_places = (
            tf.Variable(start, name=name) for start, name in zip(starts, ("places", "text_places"), strict=True)
        )
        self.written_bias = tf.Variable(tf.zeros([len(self.vocabulary)]), name="written_bias")
        hidden = int(vectors.shape[1])
        self(tf.ones([1, 1], tf.int32), tf.zeros([1, 2, hidden]), tf.ones([1, 2], tf.int32))  # makes the weights

    def text(self, memory: Tensor, pieces: Tensor, seed: Tensor | None = None) -> Text:
        """Reads item texts.

        Args:
            memory: float32 [B, S, H], the encoder's token vectors.
            pieces: int32 [B, S]; OTHER (0) at the end is padding.
            seed: int32 [2] of dropout, or None for none.
        """
        length = tf.shape(pieces)[1]
        x = self.read(memory) + self._embedded(pieces) + self.text_places[:length]
        x = dropped(self.norms[0](x), self._rate, seed, 1)
        # padding has a zero vector; an unknown piece inside the text has not
        inside = tf.reduce_any(memory != 0, axis=-1)[:, tf.newaxis, tf.newaxis, :]
        layers = [layer.read(x) for layer in self.decoder_layers]
        return Text(pieces, pieces >= FIRST, self.pointer_key(x), layers, inside)

    def call(self, previous: Tensor, memory: Tensor, pieces: Tensor, seed: Tensor | None = None) -> Choice:
        """What comes after every beginning of given queries.

        Args:
            previous: int32 [B, T], start mark and query.
            memory: float32 [B, S, H].
            pieces: int32 [B, S].
            seed: int32 [2] of dropout, or None for none.
        """
        text = self.text(memory, pieces, seed)
        length = tf.shape(previous)[1]
        x = self.entered(previous, tf.range(length))
        x = dropped(x, self._rate, seed, 2)
        seen = tf.linalg.band_part(tf.ones([length, length], tf.bool), -1, 0)
        for layer, own in zip(self.decoder_layers, text.layers, strict=True):
            x = layer(x, layer.project(x), seen, own, text.inside, seed)
        same = previous[:, :, tf.newaxis] == pieces[:, tf.newaxis, :]
        used = tf.cumsum(tf.cast(same, tf.int32), axis=1) > 0
        return self.choice(x, previous, text, used)

    def entered(self, previous: Tensor, places: Tensor) -> Tensor:
        """Pieces as the first layer takes them: int32 [B, T] at int32 [T] -> [B, T, W]."""
        return self.norms[1](self._embedded(previous) + tf.gather(self.places, places))

    def choice(self, x: Tensor, previous: Tensor, text: Text, used: Tensor) -> Choice:
        """What comes next.

        Args:
            x: [B, T, W] of the last layer.
            previous: int32 [B, T], the piece just written.
            text: the item's text.
            used: bool [B, T, S], places whose piece has been written.
        """
        x = self.norms[2](x)
        before = tf.pad(text.pieces[:, :-1], [[0, 0], [1, 0]])
        follows = tf.cast(before[:, tf.newaxis, :] == previous[:, :, tf.newaxis], tf.float32)
        hints = self.hints(x)
        scores = tf.matmul(self.pointer_query(x), text.keys, transpose_b=True) * self.width**-0.5
        scores += hints[..., :1] * follows + hints[..., 1:] * tf.cast(used, tf.float32)
        copyable = text.copyable[:, tf.newaxis, :]
        copied = tf.nn.softmax(tf.where(copyable, scores, _FAR_BELOW)) * tf.cast(copyable, tf.float32)
        some = tf.reduce_any(copyable, axis=-1)
        write = tf.where(some, tf.sigmoid(self.gate(x))[..., 0], 1.0)
        vocabulary = self.embed(tf.constant(self._vectors[self.vocabulary]))
        written = tf.matmul(self.write_query(x), vocabulary, transpose_b=True) * self.width**-0.5
        # rank 3 times rank 2 is one product of all rows
        return Choice(written + self.written_bias, copied, write)

    def log_likelihood(self, choice: Choice, targets: Tensor, pieces: Tensor) -> tuple[Tensor, Tensor]:
        """How likely the given next pieces are.

        Args:
            choice: from `call`.
            targets: int32 [B, T].
            pieces: int32 [B, S] of the text.

        Returns:
            log probabilities float32 [B, T], and bool [B, T]: whether the piece could be written or copied at all.
        """
        slots = tf.gather(tf.constant(self.slots), targets)
        known = slots >= 0
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.maximum(slots, 0), logits=choice.written)
        same = (targets[:, :, tf.newaxis] == pieces[:, tf.newaxis, :]) & (pieces >= FIRST)[:, tf.newaxis, :]
        copied = tf.reduce_sum(choice.copied * tf.cast(same, tf.float32), axis=-1)
        written = tf.where(known, tf.exp(-loss), 0.0)
        likely = choice.write * written + (1.0 - choice.write) * copied
        return tf.math.log(likely + _LEAST), known | tf.reduce_any(same, axis=-1)

    def _embedded(self, pieces: Tensor) -> Tensor:
        return self.embed(tf.gather(tf.constant(self._vectors), pieces))
