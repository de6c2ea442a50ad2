"""What turns features into a correction of the fused score: Keras models that correct nothing at the start."""

from __future__ import annotations

from typing import Any

from tfrec.tensorflow_setup import keras, tf

import tensorflow_recommenders as tfrs  # isort: skip  (after Keras 2 has been chosen)

_CROSSES, _DEEP = 1, (64,)  # two of each gained nothing more on a gift shop, and cost time in serving
LARGEST = 5.0  # standard deviations of a feature; what lies beyond is cut


def new_model(kind: str, features: int, pull: float) -> Any:
    """An untrained model: float32 [B, K, F] to corrections float32 [B, K], all 0.

    Args:
        kind: "linear" or "dcn": a cross layer beside a dense one.
        features: F.
        pull: weight of the squared parameters in the loss.

    Source of dcn: Wang et al. 2021, DCN V2: Improved Deep & Cross Network.
    """
    inputs = keras.Input([None, features])
    last = hidden = inputs
    if kind == "dcn":
        for _ in range(_CROSSES):
            start = keras.initializers.TruncatedNormal(stddev=0.02)
            cross = tfrs.layers.dcn.Cross(kernel_initializer=start, kernel_regularizer=keras.regularizers.L2(pull))
            last = cross(inputs, last)
        for size in _DEEP:
            regulariser = keras.regularizers.L2(pull)
            hidden = keras.layers.Dense(size, activation="relu", kernel_regularizer=regulariser)(hidden)
        last = keras.layers.Concatenate()([last, hidden])
    output = keras.layers.Dense(
        1, use_bias=False, kernel_initializer="zeros", kernel_regularizer=keras.regularizers.L2(pull)
    )
    return keras.Model(inputs, tf.squeeze(output(last), axis=2))
