"""Approximate nearest neighbours with ScaNN, for catalogues that are too large to read whole for every request.

An optional extra (`pip install 'tfrec-shop[scann]'`) beside the exports, which stay exact: ScaNN's index is no stock op
of TensorFlow Serving, and its own TensorFlow ops are built for another TensorFlow (those of scann 1.4.2 for 2.20;
beside 2.21 they end in an undefined symbol). Only its library without TensorFlow is used here. Wherever its answers are
used, state its recall, which `recall` measures.

Source: Guo et al. 2020 (anisotropic vector quantization).
"""

from __future__ import annotations

import importlib
import math
import sys
from typing import Any

import numpy as np

from tfrec.errors import ConfigError

_LIBRARY = "scann.scann_ops.py.scann_ops_pybind"
_TRAINED_ON = 250_000  # items that the partitions are fitted on at most


class ApproximateIndex:
    """The items whose vectors have the largest inner product with a query's, most of them.

    The catalogue is parted by k-means; only the partitions nearest to a query are read, in quantised form, and the best
    items found there are scored again in f32.

    Args:
        vectors: unit vectors of the items, float32 [N, D], at least two (tfrec.export.vectors reads an export's).
        share: share of the partitions that a query reads, above 0 and at most 1: more finds more and takes longer.
        rescore: candidates per request that are scored again in f32.

    Raises:
        ConfigError: the package scann is missing.
        ValueError: there are no vectors, or the share is out of range.
    """

    def __init__(self, vectors: np.ndarray, share: float = 0.1, rescore: int = 200) -> None:
        vectors = np.ascontiguousarray(vectors, np.float32)
        if vectors.ndim != 2 or len(vectors) < 2 or not 0 < share <= 1:
            raise ValueError(f"vectors [N, D] of two items or more and a share in 0..1 are needed, not {vectors.shape}")
        self._vectors, self._rescore = vectors, min(rescore, len(vectors))
        partitions = max(1, round(math.sqrt(len(vectors))))
        builder = _library().builder(vectors, self._rescore, "dot_product")
        builder = builder.tree(partitions, max(1, math.ceil(share * partitions)), min(len(vectors), _TRAINED_ON))
        builder = builder.score_ah(2, anisotropic_quantization_threshold=0.2)
        self._searcher = builder.reorder(self._rescore).build()

    def search(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The best items found for every query.

        Args:
            queries: unit vectors float32 [B, D].
            k: items wanted, at least 1 and at most N.

        Returns:
            (rows int32 [B, k], inner products float32 [B, k]), best first; -1 and -inf in places that nothing fills.
        """
        wanted = max(k, self._rescore)
        found = self._searcher.search_batched(np.asarray(queries, np.float32), k, wanted)
        rows, scores = np.full([len(queries), k], -1, np.int32), np.full([len(queries), k], -np.inf, np.float32)
        for number, (items, values) in enumerate(zip(*found, strict=True)):
            real = np.isfinite(values)
            count = int(real.sum())
            rows[number, :count], scores[number, :count] = np.asarray(items)[real], np.asarray(values)[real]
        return rows, scores

    def recall(self, queries: np.ndarray, k: int) -> float:
        """Share of the exact best k that `search` finds, mean over the queries float32 [B, D]."""
        exact = np.argpartition(-(np.asarray(queries, np.float32) @ self._vectors.T), k - 1, axis=1)[:, :k]
        rows, _ = self.search(queries, k)
        return float(np.mean([len(set(found) & set(best)) / k for found, best in zip(rows, exact, strict=True)]))


def _library() -> Any:
    """ScaNN without its TensorFlow ops, which do not load beside another TensorFlow than they were built for."""
    hidden = "scann" in sys.modules and sys.modules["scann"] is None  # by tfrec.tensorflow_setup
    if hidden:
        del sys.modules["scann"]
    try:
        return importlib.import_module(_LIBRARY)
    except ModuleNotFoundError:
        raise ConfigError(
            "The approximate index needs the package scann: pip install 'tfrec-shop[scann]', or search exactly."
        ) from None
    except Exception as error:
        # The package imports its library first, then its TensorFlow ops, which fail; the library is usable alone.
        if _LIBRARY in sys.modules:
            return sys.modules[_LIBRARY]
        raise ConfigError(f"The package scann cannot be loaded here ({error}): search exactly.") from None
    finally:
        if hidden:
            sys.modules["scann"] = None  # type: ignore[assignment]
