"""How long ago interactions were, and what they weigh by that."""

from __future__ import annotations

import numpy as np

DAY = 86_400  # seconds


def days_before_newest(seconds: np.ndarray) -> np.ndarray:
    """Unix seconds int64 [R] to days before the newest of them, float64 [R]."""
    return (seconds.max(initial=0) - seconds) / DAY


def halved(days: np.ndarray, half_life: float | None) -> np.ndarray:
    """Weights float64 [R]: 1 at 0 days, half of it after every `half_life` days; None weighs all alike."""
    return np.ones(len(days)) if half_life is None else np.exp2(-days / half_life)
