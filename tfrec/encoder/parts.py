"""What a SavedModel must track of an encoder beside the functions that it calls."""

from __future__ import annotations

from typing import Any

from tfrec.tensorflow_setup import tf

_RESOURCES = (tf.Variable, tf.saved_model.Asset, tf.saved_model.experimental.TrackableResource)


def encoder_parts(encode: Any) -> list[Any]:
    """Of an encoder (see TextEncoder.inference_function) what a function cannot carry itself.

    Its functions are saved through the signatures that call them; tracked as well, they would be traced and saved a
    second time with all the encoder's constants.
    """
    return [part for part in tf.train.TrackableView(encode).descendants() if isinstance(part, _RESOURCES)]
