"""A search as one HTML page that needs nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from tfrec.reporting.page import render
from tfrec.tuner.importance import importance
from tfrec.tuner.plan import Plan
from tfrec.tuner.plots import importance_bars, learning_curves, parallel_coordinates, time_and_score
from tfrec.tuner.tables import sentences, short_names, shown

if TYPE_CHECKING:
    from tfrec.tuner.search_result import SearchResult


def html_report(plan: Plan, result: SearchResult) -> Markup:
    """The page: what was found, all trials, parallel coordinates, importance, learning curves, time and score."""
    best, paths, trials = result.best.number, list(plan.space), result.trials
    shares = importance(trials, paths, plan.config.seed)
    return render(
        "search.html",
        title=f"Search of {plan.config.name}",
        config=plan.config,
        trials=sorted(trials, key=lambda t: (t.score is None, -(t.score or 0.0), t.number)),
        minutes=sum(trial.wall for trial in trials) / 60,
        sentences=sentences(result),
        finals=_finals(result),
        best=best,
        names=short_names(paths),
        shown=shown,
        charts={
            "parallel": parallel_coordinates(trials, paths, best),
            "importance": importance_bars(shares) if shares else "Too few trials to tell.",
            "curves": learning_curves(trials, best),
            "time": time_and_score(trials, best),
        },
    )


def _finals(result: SearchResult) -> dict[str, list[float | None]]:
    """Scores by seed: of the default, and of each finalist; empty without finals."""
    finals = result.finals
    if finals is None or not finals.finalists:
        return {}
    return {
        "": list(finals.seeds),
        "default": list(finals.default),
        **{f"trial {f.trial.number}": list(f.scores) for f in finals.finalists},
    }
