"""The gradients of a batch whose texts are encoded part by part, or by several workers, as if in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfrec.errors import TrainingError
from tfrec.models.two_tower import TwoTower
from tfrec.tensorflow_setup import tf
from tfrec.training.workers import Workers

_SEEDS_APART = 1000003  # between the dropout of one worker and that of the next


class CachedGradients:
    """Loss and gradients of the whole batch in the memory of a part (GradCache: Gao et al. 2021, arXiv 2101.06983).

    The loss needs all text vectors, but not how they came about. So the texts are encoded part by part without keeping
    what a gradient needs; the loss's gradient with respect to the vectors is taken once; then each part is encoded
    again and receives its rows of it. Dropout is the same both times. The second encoding is left out where a worker
    has one part only.

    The texts of a batch are shared out by length, so that all parts, and all workers, have about as many tokens.

    Args:
        model: the model.
        encoder_variables: the gradients wanted of the encoder.
        head_variables: and those of everything else.
        texts_at_a_time: most texts that are encoded at a time; 0 for all of a worker's.
        workers: that share the batch out; None for this process alone.

    Raises:
        TrainingError: the encoder's dropout cannot be repeated.
    """

    def __init__(
        self,
        model: TwoTower,
        encoder_variables: Sequence[Any],
        head_variables: Sequence[Any],
        texts_at_a_time: int,
        workers: Workers | None = None,
    ) -> None:
        self._model, self._workers, self._most = model, workers, texts_at_a_time
        self._encoder_variables, self._head_variables = list(encoder_variables), list(head_variables)
        self._count = 1 if workers is None else workers.count
        self._sliced: set[int] = set()  # places of tables whose gradients are rows
        if texts_at_a_time and not model.encoder.repeats_dropout:
            raise TrainingError(
                "training.gradient_cache needs an installed encoder (tfrec encoder list): the dropout of a TF-Hub "
                "handle cannot be repeated. Set training.gradient_cache=0."
            )

    def __call__(self, batch: dict[str, Any]) -> tuple[Any, list[Any]]:
        """Loss and gradients of a batch, inside a graph and, with workers, inside a step of theirs.

        Args:
            batch: see TwoTower.compute_loss.

        Returns:
            float32 scalar, and a gradient for each of the encoder's variables and the others, the same in all workers.
        """
        groups = [group.with_row_splits_dtype(tf.int64) for group in self._model.text_groups(batch)]
        texts = tf.concat(groups, axis=0)
        own, sizes = self._shared_out(texts)
        seed = _Dropout(self._model.encoder.dropout_seed, 0 if self._workers is None else self._workers.number)
        tape = None
        seed.begin()
        if self._most:
            found = self._encoded(texts, own, sizes)
        else:
            with tf.GradientTape() as tape:
                found = self._pooled(tf.gather(texts, own))
        vectors = tf.scatter_nd(own[:, tf.newaxis], found, [texts.nrows(out_type=tf.int32), found.shape[1]])
        if self._workers is not None:
            vectors = self._workers.sum([vectors])[0]
        loss, wanted, head = self._of_loss(vectors, groups, batch)
        if tape is not None:
            of_own = [*tape.gradient(found, self._encoder_variables, output_gradients=tf.gather(wanted, own))]
            of_own = [None if g is None else self._dense(place, g) for place, g in enumerate(of_own)]
        else:
            seed.begin()
            of_own = self._encoded_again(texts, own, sizes, wanted)
        seed.end()
        return loss, [*self._together(of_own), *self._alike(head)]

    def _shared_out(self, texts: Any) -> tuple[Any, Any]:
        """Places of the texts that this worker encodes, int32 [P'], part after part, and the size of each part."""
        order = tf.argsort(texts.row_lengths(), direction="DESCENDING", stable=True)
        own = order if self._workers is None else order[self._workers.number :: self._count]
        if not self._most:
            return own, None
        shares = -(-tf.shape(order)[0] // self._count)
        parts = -(-shares // max(self._most, 2))  # as many in every worker, and none is empty
        turn = tf.range(tf.shape(own)[0]) % parts
        return tf.gather(own, tf.argsort(turn, stable=True)), tf.math.bincount(turn, minlength=parts)

    def _pooled(self, texts: Any) -> Any:
        return self._model.encoder.pooled([texts], True)[0]

    def _encoded(self, texts: Any, own: Any, sizes: Any) -> Any:
        """Vectors of the own texts, float32 [P', hidden], of which no gradient can be taken."""
        ends = tf.cumsum(sizes)
        width = self._model.encoder.hidden_size
        rows = tf.TensorArray(tf.float32, tf.shape(sizes)[0], infer_shape=False, element_shape=[None, width])

        def one(part: Any, rows: Any) -> tuple[Any, Any]:
            places = own[ends[part] - sizes[part] : ends[part]]
            return part + 1, rows.write(part, self._pooled(tf.gather(texts, places)))

        _, rows = tf.while_loop(lambda part, _: part < tf.shape(sizes)[0], one, (0, rows), parallel_iterations=1)
        return tf.ensure_shape(rows.concat(), [None, width])

    def _encoded_again(self, texts: Any, own: Any, sizes: Any, wanted: Any) -> list[Any]:
        """Gradients of the encoder's variables, None for those that no text reaches."""
        ends, variables = tf.cumsum(sizes), self._encoder_variables
        reached: set[int] = set()

        def one(part: Any, *sums: Any) -> tuple[Any, ...]:
            places = own[ends[part] - sizes[part] : ends[part]]
            with tf.GradientTape() as tape:
                vectors = self._pooled(tf.gather(texts, places))
            gradients = tape.gradient(vectors, variables, output_gradients=tf.gather(wanted, places))
            reached.update(place for place, gradient in enumerate(gradients) if gradient is not None)
            added = [
                total if gradient is None else self._added(place, total, gradient)
                for place, (total, gradient) in enumerate(zip(sums, gradients, strict=True))
            ]
            return (part + 1, *added)

        start = (0, *(tf.zeros(variable.shape) for variable in variables))
        _, *sums = tf.while_loop(lambda part, *_: part < tf.shape(sizes)[0], one, start, parallel_iterations=1)
        return [total if place in reached else None for place, total in enumerate(sums)]

    def _added(self, place: int, total: Any, gradient: Any) -> Any:
        if not isinstance(gradient, tf.IndexedSlices):
            return total + gradient
        self._sliced.add(place)
        return tf.tensor_scatter_nd_add(total, gradient.indices[:, tf.newaxis], gradient.values)

    def _dense(self, place: int, gradient: Any) -> Any:
        if isinstance(gradient, tf.IndexedSlices):
            self._sliced.add(place)
        return tf.convert_to_tensor(gradient)

    def _of_loss(self, vectors: Any, groups: Sequence[Any], batch: dict[str, Any]) -> tuple[Any, Any, list[Any]]:
        """The loss, its gradient with respect to all text vectors, and those of the heads."""
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            parts = tf.split(vectors, [group.nrows() for group in groups], num=len(groups))
            loss = self._model.loss_of_texts(parts, batch, training=True)
        wanted, *head = tape.gradient(loss, [vectors, *self._head_variables])
        return loss, wanted, head

    def _together(self, gradients: list[Any]) -> list[Any]:
        """The encoder's gradients over all workers; of a table only the rows that are not zero."""
        there = [place for place, gradient in enumerate(gradients) if gradient is not None]
        sums = [gradients[place] for place in there]
        if self._workers is not None and sums:
            sums = self._workers.sum(sums)
        found: list[Any] = [None] * len(gradients)
        for place, gradient in zip(there, sums, strict=True):
            found[place] = _rows_of(gradient) if place in self._sliced else gradient
        return found

    def _alike(self, gradients: list[Any]) -> list[Any]:
        """The heads' gradients, which every worker has whole; their mean, so that rounding keeps no two apart."""
        there = [g is not None and not isinstance(g, tf.IndexedSlices) for g in gradients]
        if self._workers is None or not any(there):
            return gradients
        own = [gradient / self._count for gradient, dense in zip(gradients, there, strict=True) if dense]
        means = iter(self._workers.sum(own))
        return [next(means) if dense else gradient for gradient, dense in zip(gradients, there, strict=True)]


class _Dropout:
    """Lets a worker's passes draw a dropout of their own, and repeat it.

    Args:
        seed: of the encoder, int32 variable, or None.
        number: of the worker.
    """

    def __init__(self, seed: Any, number: Any) -> None:
        self._seed, self._number = seed, number
        self._start = None if seed is None else tf.identity(seed.read_value())

    def begin(self) -> None:
        """Sets the seed for the first pass."""
        if self._seed is not None:
            self._seed.assign(self._start + self._number * _SEEDS_APART)

    def end(self) -> None:
        """Leaves the seed as all workers have it after as many passes."""
        if self._seed is not None:
            self._seed.assign_sub(self._number * _SEEDS_APART)


def _rows_of(gradient: Any) -> Any:
    rows = tf.cast(tf.where(tf.reduce_any(gradient != 0.0, axis=1))[:, 0], tf.int32)
    return tf.IndexedSlices(tf.gather(gradient, rows), rows, tf.shape(gradient))
