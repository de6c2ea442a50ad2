"""An installed encoder that reads query and item together, and gives one number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfrec.config import Config
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.packed_encoder import PackedEncoder
from tfrec.errors import ConfigError
from tfrec.ranking.cross.pairs import item_pieces
from tfrec.tensorflow_setup import tf

Tensor = Any
_SPREAD = 0.02  # of the head's start weights


class CrossEncoder:
    """A cross-encoder (Nogueira, Cho 2019, arXiv 1901.04085).

    It sees which words of both belong together, which no pair of vectors can hold, and so it must read every candidate
    anew for every query.

    Args:
        config: sections encoder and ranking and the seed are read.
        texts: N item texts.

    Attributes:
        encoder: with its pretrained weights, or those that were assigned.
        items: int32 [N, T], see `item_pieces`.

    Raises:
        ConfigError: the encoder is none of ours that reads word pieces in context.
    """

    def __init__(self, config: Config, texts: Sequence[str]) -> None:
        section, own = config.ranking.cross_encoder, config.encoder
        name = section.encoder or own.name.partition("+")[0]
        wanted = {"name": name, "freeze": section.freeze, "dropout": section.dropout, "lora": type(own.lora)()}
        encoder = load_encoder(own.model_copy(update={**wanted, "query_prompt": "", "item_prompt": ""}), config.seed)
        if not isinstance(encoder, PackedEncoder):
            raise ConfigError(
                f"ranking.cross_encoder.encoder: {name!r} does not read query and item together; take an installed "
                "transformer encoder (`tfrec encoder list`), such as minilm."
            )
        self.encoder, self.query_tokens = encoder, own.query_tokens
        self.items = item_pieces(encoder, list(texts), section.item_tokens)
        start = np.random.default_rng(config.seed).normal(0.0, _SPREAD, [encoder.hidden_size, 1])
        self.head = tf.Variable(start, dtype=tf.float32, name="head")

    @property
    def trainable_variables(self) -> list[Any]:
        """Of the encoder what is not frozen, and the head."""
        return [*self.encoder.trainable_variables, self.head]

    def query_pieces(self, queries: Tensor) -> Tensor:
        """Pieces of queries string [B] with their marks, int32 [B, Q], -1 behind them."""
        return self.encoder.tokenize(queries, self.query_tokens).to_tensor(-1)

    def scores(self, word_ids: Tensor, lengths: Tensor, training: bool) -> Tensor:
        """What pairs are worth, float32 [P], differentiable; see `joined`."""
        ragged = tf.RaggedTensor.from_tensor(word_ids, tf.cast(lengths, tf.int64))
        [vectors] = self.encoder.pooled([ragged], training)
        return tf.matmul(vectors, self.head)[:, 0]

    def learned(self) -> list[np.ndarray]:
        """What training has changed."""
        return [variable.numpy() for variable in self.trainable_variables]

    def assign(self, learned: Sequence[np.ndarray]) -> None:
        """Takes what another one of the same configuration has learned."""
        for variable, value in zip(self.trainable_variables, learned, strict=True):
            variable.assign(value)
