"""Single rows of a table that other ops read whole."""

from __future__ import annotations

from typing import Any

from tfrec.tensorflow_setup import tf

Tensor = Any


def read_rows(table: Any, rows: Tensor) -> Tensor:
    """Rows of a table, without a price for those who read all of it.

    `tf.gather` of a variable is a ResourceGather. The first one turns TensorFlow's copy-on-read mode on, in which every
    later read of the variable copies all of it.

    Args:
        table: a tensor or variable [N, ...].
        rows: int32 [...], all within the table.

    Returns:
        [*rows.shape, ...] of the table's dtype.
    """
    return tf.gather(tf.convert_to_tensor(table), rows)
