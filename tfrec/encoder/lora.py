"""LoRA: narrow adapters beside an encoder's matrices, trained in their place."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import tf

if TYPE_CHECKING:
    from tfrec.config.modelling import LoraConfig

Tensor = Any
DOWN, UP = "lora_down", "lora_up"


class Adapters(tf.Module):  # type: ignore[misc]
    """Low-rank changes of frozen matrices (Hu et al. 2021, arXiv 2106.09685).

    A matrix W [I, O] acts as W + alpha / rank x D U with D [I, rank], which starts at random, and U [rank, O], which
    starts at zero: training begins at the encoder as it is. Queries, keys and values are one matrix and share their D.

    Args:
        config: rank, alpha and targets.
        weights: name -> variable of the encoder, named as in `sizes.weight_shapes`.
        free: names of the weights that `encoder.freeze` leaves free; only these get an adapter.
        seed: of the random start.

    Raises:
        EncoderError: no target is free.
    """

    def __init__(self, config: LoraConfig, weights: Mapping[str, Any], free: Collection[str], seed: int) -> None:
        super().__init__(name="adapters")
        kernels = {f"{target}/kernel" for target in config.targets}
        self.names = [name for name in weights if name in free and name.partition("/")[2] in kernels]
        if not self.names:
            raise EncoderError(
                "encoder.freeze leaves no matrix that encoder.lora could adapt: encoder.freeze=embeddings adapts all "
                "layers, top:N the top N."
            )
        self._scale = config.alpha / config.rank
        self.down, self.up = [], []
        for name in self.names:
            inputs, outputs = weights[name].shape
            stem, generator = name.removesuffix("/kernel"), np.random.default_rng([seed, zlib.crc32(name.encode())])
            draws = (generator.standard_normal((inputs, config.rank)) / np.sqrt(inputs)).astype(np.float32)
            self.down.append(tf.Variable(draws, name=f"{stem}/{DOWN}"))
            self.up.append(tf.Variable(tf.zeros([config.rank, outputs]), name=f"{stem}/{UP}"))

    @property
    def in_order(self) -> list[Any]:
        """All adapters' variables."""
        return [*self.down, *self.up]

    @property
    def idle(self) -> bool:
        """Whether they change nothing yet."""
        return not any(np.any(up.numpy()) for up in self.up)

    def beside(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weights with each adapter beside its matrix, for `transformer.sequence_vectors`."""
        found = dict(weights)
        for name, down, up in zip(self.names, self.down, self.up, strict=True):
            stem = name.removesuffix("/kernel")
            found[f"{stem}/{DOWN}"], found[f"{stem}/{UP}"] = tf.convert_to_tensor(down), self._scale * up
        return found

    def merged(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weights as if they had been trained themselves: what encoding, exports and saved encoders have."""
        found = dict(weights)
        for name, down, up in zip(self.names, self.down, self.up, strict=True):
            found[name] = found[name] + self._scale * tf.matmul(down, up)
        return found
