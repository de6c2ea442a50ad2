"""How far a run is, in steps or in minutes, and what that means for the learning rates."""

from __future__ import annotations

import math
import time


class Schedule:
    """Linear warm-up, then cosine to zero, over whichever ends first: the steps or the time budget.

    Args:
        total_steps: steps of the whole run.
        max_minutes: time budget of the whole run, or None.
        warmup_share: share of the run in which the rate rises.
        elapsed: seconds that earlier parts of a resumed run have used.
    """

    def __init__(self, total_steps: int, max_minutes: float | None, warmup_share: float, elapsed: float = 0.0) -> None:
        self.total_steps = total_steps
        self.budget = None if max_minutes is None else max_minutes * 60.0
        self.warmup_share = warmup_share
        self._before = elapsed
        self._started = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds used so far, over all parts of a resumed run."""
        return self._before + time.monotonic() - self._started

    def progress(self, step: int) -> float:
        """0 at the start, 1 when the run is over."""
        by_steps = step / self.total_steps
        by_time = self.elapsed / self.budget if self.budget else 0.0
        return min(1.0, max(by_steps, by_time))

    def factor(self, progress: float) -> float:
        """What the peak learning rate is multiplied by at `progress` (0..1)."""
        if progress < self.warmup_share:
            return max(progress / self.warmup_share, 1e-3)
        rest = (progress - self.warmup_share) / max(1.0 - self.warmup_share, 1e-9)
        return 0.5 * (1.0 + math.cos(math.pi * min(1.0, rest)))
