"""Mined negatives in the input graph, beside the judged ones of the shards."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrec.synth.hard_negatives import MinedNegatives
from tfrec.tensorflow_setup import tf


class MinedTable:
    """Looks up the mined negatives of training groups inside a tf.data graph.

    Args:
        mined: the table; groups that it does not hold have none.
    """

    def __init__(self, mined: MinedNegatives) -> None:
        # One more row, which is empty, stands for all groups that are not there.
        self._lengths = tf.constant(np.append(mined.counts, 0))
        self._rows = tf.RaggedTensor.from_row_lengths(tf.constant(mined.items), self._lengths)

    def beside(self, negatives: Any, groups: Any) -> Any:
        """Appends to each row the mined negatives of its group.

        Args:
            negatives: ragged int64 [B, None], the judged ones.
            groups: int64 [B].

        Returns:
            ragged int64 [B, None].
        """
        last = tf.cast(tf.size(self._lengths), tf.int64) - 1
        return tf.concat([negatives, tf.gather(self._rows, tf.minimum(groups, last))], axis=1)
