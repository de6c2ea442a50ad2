"""The meaning guard: a variant that has moved too far from its original is put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tfrec.tensorflow_setup import tf

Similarity = Callable[[Any, Any], Any]


class MeaningGuard:
    """Keeps a variant only where it still means what the original means.

    Args:
        similarity: (originals string [B], variants string [B]) -> float32 [B], such as the cosine of an encoder's
            vectors (encoder.similarity); graph code.
        bound: least similarity of a variant.
    """

    def __init__(self, similarity: Similarity, bound: float) -> None:
        self._similarity, self._bound = similarity, bound

    def __call__(self, originals: Any, variants: Any) -> Any:
        """The variants that are near enough, else the originals.

        A similarity that is no number counts as too small. A variant equal to its original is never compared.

        Args:
            originals: string [B].
            variants: string [B].

        Returns:
            string [B].
        """
        rows = tf.where(tf.not_equal(originals, variants))

        def guarded() -> Any:
            before, after = tf.gather_nd(originals, rows), tf.gather_nd(variants, rows)
            near = self._similarity(before, after) >= self._bound  # False for NaN
            return tf.tensor_scatter_nd_update(variants, rows, tf.where(near, after, before))

        return tf.cond(tf.size(rows) > 0, guarded, lambda: tf.identity(variants))
