"""TFRS' retrieval task for graphs that AutoGraph does not convert."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tfrec.tensorflow_setup import tf

import tensorflow_recommenders as tfrs  # isort: skip  (after Keras 2 has been chosen)


@functools.cache
def _converted_call() -> Callable[..., Any]:
    return tf.autograph.to_graph(tfrs.tasks.Retrieval.call, recursive=False)


class RetrievalTask(tfrs.tasks.Retrieval):  # type: ignore[misc]
    """The in-batch softmax of TFRS.

    It asks for a rank by `len(tf.shape(...))`, which a graph understands only where AutoGraph has converted it.
    Converting that one method spares a training the conversion of everything else, most of the time of its first step.
    """

    def call(
        self,
        queries: Any,
        candidates: Any,
        sample_weight: Any = None,
        candidate_sampling_probability: Any = None,
        score_mask: Any = None,
    ) -> Any:
        """The loss of a batch; its metrics are not computed.

        Args:
            queries: float32 [B, D].
            candidates: float32 [C, D], the first B being the queries' positives.
            sample_weight: float32 [B], or None.
            candidate_sampling_probability: float32 [C], how likely each candidate is to be sampled, or None.
            score_mask: bool [B, C], false where a candidate must not count, or None.

        Returns:
            float32 scalar, the weighted sum over the rows.
        """
        call = super().call if tf.executing_eagerly() else functools.partial(_converted_call(), self)
        return call(
            queries, candidates, sample_weight=sample_weight, score_mask=score_mask,
            candidate_sampling_probability=candidate_sampling_probability, compute_metrics=False,
        )  # fmt: skip
