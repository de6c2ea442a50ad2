"""What turns features into a correction of the fused score: Keras models that correct nothing at the start."""

from __future__ import annotations

from typing import Any

from tfrec.tensorflow_setup import keras, tf

import tensorflow_recommenders as tfrs  # isort: skip  (after Keras 2 has been chosen)

Tensor = Any
# One cross layer and one dense: two of each gained nothing more on a gift shop, and cost time in serving.
_DEEP = 64
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
    # TensorFlow does a product, its bias and its ReLU in one op where the inputs are a matrix.
    last = flat = tf.reshape(inputs, [-1, features])
    if kind == "dcn":
        start, regulariser = keras.initializers.TruncatedNormal(stddev=0.02), keras.regularizers.L2(pull)
        cross = tfrs.layers.dcn.Cross(kernel_initializer=start, kernel_regularizer=regulariser, name="cross")
        deep = keras.layers.Dense(_DEEP, activation="relu", kernel_regularizer=regulariser, name="deep")
        last = keras.layers.Concatenate()([cross(flat, flat), deep(flat)])
    output = keras.layers.Dense(
        1, use_bias=False, kernel_initializer="zeros", kernel_regularizer=keras.regularizers.L2(pull), name="output"
    )
    return keras.Model(inputs, tf.reshape(output(last), tf.shape(inputs)[:2]))


def attributed(model: Any, inputs: Tensor) -> Tensor:
    """What each feature adds to the corrections of a model: integrated gradients along the straight line from the mean
    candidate, whose features are all 0.

    No sum stands for the integral: along that line a cross layer is a polynomial, and a ReLU changes its slope at one
    point, which is known. Of a linear model these are its products of weight and feature.

    Args:
        model: of `new_model`.
        inputs: float32 [B, K, F].

    Returns:
        float32 [B, K, F]; the sum over F is what the model says of `inputs` above what it says of zeros.

    Source: Sundararajan et al. 2017, Axiomatic Attribution for Deep Networks.
    """
    features = inputs.shape[2]
    out = tf.convert_to_tensor(model.get_layer("output").kernel)[:, 0]
    slope = out[:features]
    if len(model.weights) == 1:
        return inputs * slope
    kernel, bias = (tf.convert_to_tensor(part) for part in model.get_layer("cross").weights)
    # Of u x (x W + b + 1) at t x the gradient is u (t x W + b + 1) + t (u x) W', whose mean over t from 0 to 1 follows.
    crossed = slope * (0.5 * _times(inputs, kernel) + bias + 1.0)
    crossed += 0.5 * _times(slope * inputs, tf.transpose(kernel))
    kernel, bias = (tf.convert_to_tensor(part) for part in model.get_layer("deep").weights)
    rise = _times(inputs, kernel)
    # A unit of t rise + b is active on one side of t = -b / rise.
    turn = tf.clip_by_value(tf.math.divide_no_nan(-bias, rise), 0.0, 1.0)
    active = tf.where(rise > 0, 1.0 - turn, tf.where(rise < 0, turn, tf.cast(bias > 0, tf.float32)))
    return inputs * (crossed + _times(active * out[features:], tf.transpose(kernel)))


def _times(values: Tensor, matrix: Tensor) -> Tensor:
    """float32 [B, K, F] times [F, G]."""
    return tf.tensordot(values, matrix, 1)
