"""How alike two texts are to an encoder, as graph code for input pipelines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tfrec.encoder.text_encoder import TextEncoder
from tfrec.tensorflow_setup import tf


def text_similarity(encoder: TextEncoder, max_tokens: int, precision: str | None = None) -> Callable[[Any, Any], Any]:
    """Cosines of text vectors, with the encoder's weights of this moment as constants.

    Args:
        encoder: the encoder; later training does not change the function.
        max_tokens: greatest number of tokens of a text, marks included.
        precision: "bf16" or "f32"; None for the encoder's own.

    Returns:
        (string [B], string [B]) -> float32 [B]; both are encoded in one pass.
    """
    encode = encoder.inference_function(precision or encoder.precision)

    def similarity(first: Any, second: Any) -> Any:
        both = tf.math.l2_normalize(encode(tf.concat([first, second], 0), max_tokens, "query"), axis=1)
        one, other = both[: tf.size(first)], both[tf.size(first) :]
        return tf.reduce_sum(one * other, axis=1)

    return similarity
