"""The sizes of a BERT-like encoder and the names and shapes of its weights."""

from __future__ import annotations

import dataclasses
from typing import Any

from tfrec.encoder.relative_positions import BUCKETS


@dataclasses.dataclass(frozen=True)
class BertSizes:
    """Sizes of a BERT encoder (Devlin et al. 2018).

    Args:
        vocabulary: number of word pieces.
        hidden: width of the token vectors.
        layers: number of transformer layers.
        heads: attention heads per layer; divides `hidden`.
        intermediate: width of the feed-forward layer.
        positions: longest sequence in tokens.
        types: number of segment types.
        epsilon: added to LayerNorm's variance.
        embedding: width of the embeddings where they are projected to `hidden` (ELECTRA); 0: they are as wide.
        relative: whether attention is told how far tokens are apart (MPNet), beside their positions.
    """

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    intermediate: int
    positions: int = 512
    types: int = 2
    epsilon: float = 1e-12
    embedding: int = 0
    relative: bool = False

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.hidden // self.heads

    def as_dict(self) -> dict[str, Any]:
        """The sizes as JSON-ready values; what most families lack is left out, so that it changes no fingerprint."""
        rare = {"embedding", "relative"}
        return {key: value for key, value in dataclasses.asdict(self).items() if value or key not in rare}


LAYER_WEIGHTS = (
    "attention/qkv/kernel",
    "attention/qkv/bias",
    "attention/output/kernel",
    "attention/output/bias",
    "attention/LayerNorm/gamma",
    "attention/LayerNorm/beta",
    "ffn/inner/kernel",
    "ffn/inner/bias",
    "ffn/output/kernel",
    "ffn/output/bias",
    "ffn/LayerNorm/gamma",
    "ffn/LayerNorm/beta",
)


def weight_shapes(sizes: BertSizes) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every weight, in the order in which the encoder holds them.

    Kernels are [inputs, outputs]. The query, key and value kernels of a layer are one [H, 3H] matrix.
    """
    h, f = sizes.hidden, sizes.intermediate
    e = sizes.embedding or h
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings/word": (sizes.vocabulary, e),
        "embeddings/position": (sizes.positions, e),
        "embeddings/type": (sizes.types, e),
        "embeddings/LayerNorm/gamma": (e,),
        "embeddings/LayerNorm/beta": (e,),
    }
    if sizes.embedding:
        shapes |= {"embeddings/projection/kernel": (e, h), "embeddings/projection/bias": (h,)}
    if sizes.relative:
        shapes["embeddings/relative"] = (BUCKETS, sizes.heads)
    per_layer = ((h, 3 * h), (3 * h,), (h, h), (h,), (h,), (h,), (h, f), (f,), (f, h), (h,), (h,), (h,))
    for layer in range(sizes.layers):
        shapes.update({f"layer_{layer}/{name}": s for name, s in zip(LAYER_WEIGHTS, per_layer, strict=True)})
    shapes["pooler/kernel"] = (h, h)
    shapes["pooler/bias"] = (h,)
    return shapes
