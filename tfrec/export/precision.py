"""Whether an export may carry its encoder in bf16: the CPU must be fast with it, and the answers must stay the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tfrec.encoder.cpu import cpu_multiplies_bf16
from tfrec.models.two_tower import TwoTower
from tfrec.tensorflow_setup import tf

Encode = Callable[..., Any]
LEAST_AGREEMENT = 0.98
TOP = 10
_BATCH = 64


@dataclass(frozen=True)
class Precision:
    """The choice and what it rests on.

    Attributes:
        precision: "bf16" or "f32".
        wanted: what the configuration says: "auto", "bf16" or "f32".
        cpu_has_bf16: whether this CPU multiplies bf16 in hardware.
        agreement: mean share of the f32 encoder's top 10 that the bf16 encoder has too.
        queries: number of queries it was measured on.
    """

    precision: str
    wanted: str
    cpu_has_bf16: bool
    agreement: float
    queries: int

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON-ready values."""
        return asdict(self)


def choose_precision(model: TwoTower, catalogue: np.ndarray, queries: Sequence[str], wanted: str) -> Precision:
    """Measures bf16 against f32 and chooses.

    Args:
        model: the trained towers.
        catalogue: float32 [N, D].
        queries: a few hundred typed queries.
        wanted: "auto" takes bf16 if the CPU is fast with it and the top 10 agree to 98 %; others are taken as they are.

    Returns:
        The choice.
    """
    # One after the other: each holds all weights several times while it runs.
    bf16 = _top(model, model.encoder.inference_function("bf16"), catalogue, queries)
    f32 = _top(model, model.encoder.inference_function("f32"), catalogue, queries)
    pairs = zip(bf16, f32, strict=True)
    shares = [len(set(some) & set(other)) / len(other) for some, other in pairs]
    agreement, fast = round(float(np.mean(shares)), 4), cpu_multiplies_bf16()
    chosen = wanted if wanted != "auto" else "bf16" if fast and agreement >= LEAST_AGREEMENT else "f32"
    return Precision(chosen, wanted, fast, agreement, len(queries))


def _top(model: TwoTower, encode: Encode, catalogue: np.ndarray, queries: Sequence[str]) -> np.ndarray:
    """Rows of the best 10 items of each query, int32 [Q, min(10, N)]."""
    found = []
    for start in range(0, len(queries), _BATCH):
        some = list(queries[start : start + _BATCH])
        has_text = tf.constant([bool(query.strip()) for query in some])
        nothing = tf.fill([len(some), 1], -1)
        vectors = model.query_tower(
            encode(tf.constant(some), model.query_tokens, "query"), has_text, nothing, catalogue
        )
        scores = tf.matmul(vectors, catalogue, transpose_b=True)
        found.append(tf.math.top_k(scores, min(TOP, len(catalogue))).indices.numpy())
    return np.concatenate(found)
