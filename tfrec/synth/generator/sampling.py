"""Writing queries: nucleus sampling with cached keys and values, in one graph."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tfrec.synth.generator.decoder import Choice, QueryDecoder, Text
from tfrec.synth.generator.pieces import END, FIRST, OTHER, START
from tfrec.synth.generator.words import WordRules
from tfrec.tensorflow_setup import tf

Tensor = Any
_CANDIDATES = 64  # the nucleus never holds more pieces


class Written(NamedTuple):
    """Sampled queries.

    Attributes:
        pieces: int32 [B, D, T], OTHER after the end.
        likelihood: float32 [B, D], mean log probability of the pieces, the end mark included.
        ended: bool [B, D], whether the end mark came in time.
    """

    pieces: np.ndarray
    likelihood: np.ndarray
    ended: np.ndarray


class Sampler(tf.Module):  # type: ignore[misc]
    """Samples queries for item texts (nucleus sampling, Holtzman et al. 2020, arXiv 1904.09751).

    Random numbers depend on the seed, the item and the draw only: an item's queries are the same in any batch.

    Args:
        decoder: the trained decoder.
        continues: bool [L], pieces that go on with a word and cannot begin a query.
        queries: int32 [P, T], the training queries' pieces: their words may be written too.
        top_p: share of the probability that is drawn from.
        temperature: of the distribution before that.
        draws: D, queries per item.
    """

    def __init__(
        self,
        decoder: QueryDecoder,
        continues: np.ndarray,
        queries: np.ndarray,
        top_p: float,
        temperature: float,
        draws: int,
    ) -> None:
        super().__init__(name="sampler")
        self._decoder, self._draws = decoder, draws
        self._top_p, self._temperature = top_p, temperature
        self._rules = WordRules(continues, decoder.vocabulary, queries)
        self._no_beginning = np.asarray(continues, bool).copy()
        self._no_beginning[:FIRST] = True
        floats, ints = tf.TensorSpec([None, None, None], tf.float32), tf.TensorSpec([None, None], tf.int32)
        signature = [floats, ints, tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int32)]
        self._sample = tf.function(self._sampled, input_signature=signature, autograph=False)

    def __call__(self, memory: np.ndarray, pieces: np.ndarray, items: np.ndarray, seed: int) -> Written:
        """Samples.

        Args:
            memory: float32 [B, S, H], token vectors of the items' texts.
            pieces: int32 [B, S].
            items: int32 [B], which items they are.
            seed: of the run.
        """
        found = self._sample(memory, pieces, np.asarray(items, np.int32), np.int32(seed))
        return Written(*(value.numpy() for value in found))

    def _sampled(self, memory: Tensor, pieces: Tensor, items: Tensor, seed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        decoder, draws, length = self._decoder, self._draws, self._decoder.query_pieces
        text = decoder.text(memory, pieces)
        slots = self._slots(text.pieces)
        text = tf.nest.map_structure(lambda value: tf.repeat(value, draws, axis=0), text)
        slots = tf.repeat(slots, draws, axis=0)
        rows = tf.shape(text.pieces)[0]

        def own(item: Tensor) -> Tensor:
            return tf.random.stateless_uniform([draws, length], tf.stack([seed, item]))

        chances = tf.map_fn(own, items, fn_output_signature=tf.TensorSpec([draws, length], tf.float32))
        chances = tf.reshape(chances, [rows, length])
        shape = [rows, decoder.heads, length, decoder.width // decoder.heads]
        empty = [(tf.zeros(shape), tf.zeros(shape)) for _ in decoder.decoder_layers]

        beginnings = tf.gather(self._no_beginning, decoder.vocabulary)
        no_beginning = tf.concat(
            [
                tf.broadcast_to(beginnings, [rows, len(decoder.vocabulary)]),
                tf.gather(self._no_beginning, text.pieces),
            ],
            axis=1,
        )

        def step(at: Tensor, last: Tensor, used: Tensor, cache: Any, made: Tensor, total: Tensor, ended: Tensor) -> Any:
            used = used | (text.pieces == last)[:, tf.newaxis, :]
            x = decoder.entered(last, at[tf.newaxis])
            seen = tf.range(length) <= at
            here = tf.one_hot(at, length)[:, tf.newaxis]
            grown = []
            for layer, (keys, values), read in zip(decoder.decoder_layers, cache, text.layers, strict=True):
                q, k, v = layer.project(x)
                keys, values = keys + here * k, values + here * v
                grown.append((keys, values))
                x = layer(x, (q, keys, values), seen, read, text.inside)
            choice = decoder.choice(x, last, text, used)
            found = self._probabilities(choice, slots)
            banned = (at == 0) & no_beginning
            found = tf.where(banned, 0.0, found)
            before = tf.pad(text.pieces[:, :-1], [[0, 0], [1, 0]])
            follows = self._by_slot(tf.cast(before == last, tf.float32), slots) > 0
            ruled = tf.where(self._rules.allowed(last, text.pieces, follows), found, 0.0)
            some = tf.reduce_sum(ruled, axis=1, keepdims=True) > 0
            place, likelihood = self._drawn(tf.where(some, ruled, found), chances[:, at])
            piece = self._piece(place, text)
            piece = tf.where(ended, OTHER, piece)
            total += tf.where(ended, 0.0, likelihood)
            made = tf.tensor_scatter_nd_update(made, at[tf.newaxis, tf.newaxis], piece[tf.newaxis])
            return at + 1, piece[:, tf.newaxis], used, grown, made, total, ended | (piece == END)

        start = (
            tf.constant(0),
            tf.fill([rows, 1], START),
            tf.zeros([rows, 1, tf.shape(pieces)[1]], tf.bool),
            empty,
            tf.zeros([length, rows], tf.int32),
            tf.zeros([rows]),
            tf.zeros([rows], tf.bool),
        )
        *_, made, total, ended = tf.while_loop(
            lambda at, *rest: (at < length) & ~tf.reduce_all(rest[-1]), step, start, parallel_iterations=1
        )
        made = tf.transpose(made)
        pieces_written = tf.reduce_sum(tf.cast(made != OTHER, tf.float32), axis=1)
        by_item = [-1, draws]
        return (
            tf.reshape(tf.where(made == END, OTHER, made), [-1, draws, length]),
            tf.reshape(total / tf.maximum(pieces_written, 1.0), by_item),
            tf.reshape(ended, by_item),
        )

    def _slots(self, pieces: Tensor) -> Tensor:
        """Where the probability of each place of the text goes: to its piece's place in the vocabulary, or to the
        piece's first place in the text, so that a piece has one probability. int32 [B, S]."""
        same = pieces[:, :, tf.newaxis] == pieces[:, tf.newaxis, :]
        first = tf.argmax(tf.cast(same, tf.int32), axis=-1, output_type=tf.int32)
        known = tf.gather(tf.constant(self._decoder.slots), pieces)
        return tf.where(known >= 0, known, len(self._decoder.vocabulary) + first)

    def _by_slot(self, values: Tensor, slots: Tensor) -> Tensor:
        """Sums of the values of places with the same slot: float32 [B, S] -> [B, G + S]."""
        rows, width = tf.shape(slots)[0], len(self._decoder.vocabulary) + tf.shape(slots)[1]
        targets = tf.reshape(slots + tf.range(rows)[:, tf.newaxis] * width, [-1])
        return tf.reshape(tf.math.unsorted_segment_sum(tf.reshape(values, [-1]), targets, rows * width), [rows, width])

    def _probabilities(self, choice: Choice, slots: Tensor) -> Tensor:
        """Probabilities of the vocabulary and of the text's places, float32 [B, G + S]; they sum to 1."""
        copied = self._by_slot((1.0 - choice.write) * choice.copied[:, 0], slots)
        written = choice.write * tf.nn.softmax(choice.written[:, 0])
        return copied + tf.pad(written, [[0, 0], [0, tf.shape(slots)[1]]])

    def _drawn(self, probabilities: Tensor, chances: Tensor) -> tuple[Tensor, Tensor]:
        """Draws from the nucleus: place int32 [B] and its log probability before temperature and nucleus."""
        probabilities /= tf.maximum(tf.reduce_sum(probabilities, axis=1, keepdims=True), 1e-30)
        best, places = tf.math.top_k(probabilities, tf.minimum(_CANDIDATES, tf.shape(probabilities)[1]))
        shares = tf.nn.softmax(tf.math.log(tf.maximum(best, 1e-30)) / self._temperature)
        before = tf.cumsum(shares, axis=1, exclusive=True)
        shares = tf.where(before < self._top_p, shares, 0.0)
        ends = tf.cumsum(shares, axis=1)
        chosen = tf.reduce_sum(tf.cast(ends <= chances[:, tf.newaxis] * ends[:, -1:], tf.int32), axis=1)
        # rounding may put the last end at the drawn value itself
        chosen = tf.minimum(chosen, tf.reduce_sum(tf.cast(shares > 0, tf.int32), axis=1) - 1)
        likelihood = tf.math.log(tf.maximum(tf.gather(best, chosen, batch_dims=1), 1e-30))
        return tf.gather(places, chosen, batch_dims=1), likelihood

    def _piece(self, place: Tensor, text: Text) -> Tensor:
        size = len(self._decoder.vocabulary)
        written = tf.gather(tf.constant(self._decoder.vocabulary), tf.minimum(place, size - 1))
        copied = tf.gather(text.pieces, tf.maximum(place - size, 0), batch_dims=1)
        return tf.where(place < size, written, copied)
