"""Whether a ranker is used, by requests that had no part in its training."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from tfrec.choosing.chance import beyond_chance
from tfrec.config import Config
from tfrec.retrieval.comparison import Compare


def judged(
    config: Config, task: str, metric: str, before: NDArray[Any], after: NDArray[Any], by: str, compare: Compare
) -> dict[str, Any]:
    """The outcome as plain JSON values, with a sentence.

    Args:
        config: section ranking and the seed are read.
        task: "search" or "recommendation".
        metric: its name.
        before, after: of each request without and with the ranker, float64 [Q].
        by: whose requests these are.
        compare: a paired comparison.
    """
    section, gains = config.ranking, beyond_chance(after - before)
    comparison = compare(after, before, config.seed, metric).to_dict()
    low, high = comparison["low"], comparison["high"]
    between = "" if low is None or high is None else f", {low:+.3f} to {high:+.3f}"
    used = gains or section.enabled == "always"
    how = f"the ranker orders the best {section.candidates} once more" if used else "no ranker, for it gains nothing"
    sure = "" if gains or not used else ", no more than chance; ranking.enabled is always"
    return {
        "used": used, "gains": gains, "metric": metric, "before": float(before.mean()), "after": float(after.mean()),
        "comparison": comparison,
        "told": f"{task}: {how} ({metric} {before.mean():.3f} -> {after.mean():.3f}{between}, for {by}{sure})",
    }  # fmt: skip
