"""Whether the time budget of a search still has room for a trial."""

from __future__ import annotations

from tfrec.config import TuneConfig
from tfrec.tuner.results import TrialResult


def is_spent(settings: TuneConfig, results: list[TrialResult], workers: int, running: int) -> bool:
    """Whether one more trial would leave too little of `minutes` for the finals.

    Time counts as the trials' processes took it, shared by the workers, so that a search which was killed and resumed
    is charged neither for the pause nor for what it did twice.

    Args:
        settings: section tune.
        results: trials that have ended.
        workers: trials at a time.
        running: trials that have begun and not ended.
    """
    if settings.minutes is None or not results:
        return False
    mean = sum(result.wall for result in results) / len(results)
    whole = [result.wall for result in results if result.whole]
    longest = max(whole or [result.wall for result in results])
    finals = settings.finals.seeds * (settings.finals.finalists + 1) * longest
    needed = sum(result.wall for result in results) + mean * (running + 1) + finals
    return needed / workers > settings.minutes * 60
