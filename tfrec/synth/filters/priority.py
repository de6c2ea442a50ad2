"""Which of several samples is kept when not all can be."""

from __future__ import annotations

import numpy as np
import polars as pl


def by_priority(samples: pl.DataFrame) -> np.ndarray:
    """Row numbers int64 [R], best first: by confidence, then by the teacher's rank where it is known, then by row."""
    rank = samples["teacher_rank"] if "teacher_rank" in samples.columns else pl.Series([None] * samples.height)
    ranks = rank.cast(pl.Float64).fill_null(np.inf).fill_nan(np.inf).to_numpy()
    confidence = samples["confidence"].cast(pl.Float64).fill_null(0.0).to_numpy()
    return np.lexsort((np.arange(samples.height), ranks, -confidence))
