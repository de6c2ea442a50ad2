"""tf.train.Example by Protocol Buffers' own classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def example_of(row: Mapping[str, Any]) -> Any:
    """A row as an example: texts are bytes, floats and whole numbers (or lists of these) as they are."""
    from tfrec.tensorflow_setup import tf

    example = tf.train.Example()
    for name, value in row.items():
        feature = example.features.feature[name]
        if isinstance(value, str):
            feature.bytes_list.value.append(value.encode())
        elif isinstance(value, float):
            feature.float_list.value.append(value)
        else:
            feature.int64_list.value.extend(value if isinstance(value, list) else [value])
    return example
