"""Two-sided encoders: pictures and words as vectors of one space (CLIP: Radford et al. 2021, arXiv 2103.00020)."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from tfrec.encoder.hub_loading import handle_fingerprint
from tfrec.encoder.parts import encoder_parts
from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import tf

Tensor = Any
FORM = (
    "a SavedModel with the signatures image (float32 [B, S, S, 3], RGB from 0 to 1) and text (string [B]), each of one "
    "input and one output float [B, D] of the same D"
)


def has_sides(loaded: Any) -> bool:
    """Whether a loaded SavedModel names the signatures of a two-sided encoder."""
    return {"image", "text"} <= set(getattr(loaded, "signatures", {}))


class TwoSidedEncoder:
    """A SavedModel whose signatures `image` and `text` give vectors of one space; its weights stay as they are.

    Everything else that a model needs stands in its graph: mean and deviation of the pixels, the tokenizer of the text.

    Args:
        loaded: what TensorFlow loaded.
        handle: where from, for messages.
        size: side in pixels of the pictures that it will get.

    Attributes:
        dimension: D of its vectors.
        size: as given.
        parts: variables, tables and files that a module must track whose functions call this encoder.

    Raises:
        EncoderError: the signatures are of another form, or do not run.
    """

    def __init__(self, loaded: Any, handle: str, size: int) -> None:
        self._handle, self.size = handle, size
        self._loaded = loaded  # signatures alone do not keep variables alive
        self.parts = encoder_parts(loaded)
        self._sides = {name: _Side(loaded.signatures[name], name, handle) for name in ("image", "text")}
        dimensions = {}
        for name, example in (("image", tf.zeros([2, size, size, 3])), ("text", tf.constant(["a", ""]))):
            try:
                found = self._vectors(name, example).numpy()
            except (tf.errors.OpError, TypeError, ValueError) as error:
                hint = f" (model.images.size = {size} must be its S)" if name == "image" else ""
                raise EncoderError(
                    f"The signature {name} of {handle} does not run ({' '.join(str(error).split())[:200]}){hint}: a "
                    f"two-sided encoder is {FORM}."
                ) from error
            if found.ndim != 2 or len(found) != 2 or not np.isfinite(found).all():
                raise EncoderError(f"The signature {name} of {handle} gives no finite vector for each row: it must.")
            dimensions[name] = found.shape[1]
        if len(set(dimensions.values())) != 1:
            raise EncoderError(
                f"{handle} gives vectors of {dimensions['image']} numbers for pictures and of {dimensions['text']} for "
                f"words: a two-sided encoder is {FORM}."
            )
        self.dimension = dimensions["image"]

    @functools.cached_property
    def fingerprint(self) -> str:
        """See `tfrec.encoder.hub_loading.handle_fingerprint`."""
        return handle_fingerprint(self._handle)

    def image_vectors(self, pictures: Tensor) -> Tensor:
        """Pictures float32 [B, S, S, 3], 0..1, to unit vectors float32 [B, D]."""
        return self._vectors("image", pictures)

    def text_vectors(self, texts: Tensor) -> Tensor:
        """Texts string [B] to unit vectors float32 [B, D]."""
        return self._vectors("text", texts)

    def _vectors(self, name: str, values: Tensor) -> Tensor:
        return tf.math.l2_normalize(tf.cast(self._sides[name](values), tf.float32), axis=1)


class _Side:
    """A signature with one input and one output, called by position."""

    def __init__(self, function: Any, name: str, handle: str) -> None:
        inputs, outputs = function.structured_input_signature[1], function.structured_outputs
        kind = {"image": tf.float32, "text": tf.string}[name]
        if len(inputs) != 1 or len(outputs) != 1 or next(iter(inputs.values())).dtype != kind:
            told = ", ".join(f"{key} {spec.dtype.name}" for key, spec in inputs.items())
            raise EncoderError(
                f"The signature {name} of {handle} takes ({told}) and gives {len(outputs)} outputs: a two-sided "
                f"encoder is {FORM}."
            )
        self._function, [self._input], [self._output] = function, inputs, outputs

    def __call__(self, values: Tensor) -> Tensor:
        return self._function(**{self._input: values})[self._output]
