"""The charts of a search: parallel coordinates, importance, learning curves, time and score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from tfrec.reporting.charts import BLUE, GREEN, GREY, LIGHT, RED, Line, bars, draw, lines
from tfrec.tuner.importance import coordinates
from tfrec.tuner.results import TrialResult
from tfrec.tuner.tables import short_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def parallel_coordinates(results: Sequence[TrialResult], paths: Sequence[str], best: int) -> Markup:
    """A line per trial over the axes of all fields and the score; gaps where a field did not vary."""
    scored = sorted((t for t in results if t.score is not None), key=lambda trial: trial.score or 0.0)
    scores = np.array([trial.score for trial in scored], np.float64)
    low, high = scores.min(), scores.max()
    even = high <= low
    axes_of = [(name, *coordinates(scored, path)) for path, name in short_names(paths).items()]
    marks = [(0.5, f"{low:.4f}")] if even else [(0.0, f"{low:.4f}"), (1.0, f"{high:.4f}")]
    axes_of.append(("score", np.full(len(scores), 0.5) if even else (scores - low) / (high - low), marks))

    def paint(axes: Axes) -> None:
        for x, (_, _, places) in enumerate(axes_of):
            axes.axvline(x, color=LIGHT, linewidth=1)
            for place, text in places:
                axes.annotate(text, (x, place), (4, 0), textcoords="offset points", fontsize=8, color="#60656f")
        for row, trial in enumerate(scored):
            known = [(x, float(column[row])) for x, (_, column, _) in enumerate(axes_of) if not np.isnan(column[row])]
            axes.plot(*zip(*known, strict=True), color=_colour(trial, best), linewidth=_width(trial, best))
        axes.set_xticks(range(len(axes_of)), [name for name, _, _ in axes_of])
        axes.xaxis.tick_top()
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(False)

    return draw("Parallel coordinates", 3.4, paint, max(8.6, 1.1 * len(axes_of)))


def importance_bars(shares: Mapping[str, float]) -> Markup:
    """A bar per field."""
    return bars("Importance", {path: 100 * share for path, share in shares.items()}, "%", "{:.0f} %")


def learning_curves(results: Sequence[TrialResult], best: int) -> Markup:
    """Dev score of each trial over its steps."""
    shown = [trial for trial in results if trial.score is not None and trial.curve]
    curves = [Line(f"{t.number}", t.curve, _colour(t, best), _width(t, best)) for t in _prominent_last(shown, best)]
    return lines("Learning curves", curves, "step", "dev score", legend=False) if curves else Markup("")


def time_and_score(results: Sequence[TrialResult], best: int) -> Markup:
    """Each trial's time and score, and the front: no trial is both faster and better than one on it."""
    scored = [trial for trial in results if trial.score is not None]
    front = Line("front", [_place(trial) for trial in time_front(scored)], BLUE, 1.0, dashed=True)
    points = [Line(f"{t.number}", [_place(t)], _colour(t, best), 0) for t in _prominent_last(scored, best)]
    return lines("Time and score", [front, *points], "training seconds", "dev score", legend=False)


def time_front(results: Sequence[TrialResult]) -> list[TrialResult]:
    """Trials that no other one beats in both time and score, the fastest first."""
    front: list[TrialResult] = []
    for trial in sorted(results, key=lambda t: (t.seconds or t.wall, -(t.score or 0.0))):
        if trial.score is not None and (not front or trial.score > (front[-1].score or 0.0)):
            front.append(trial)
    return front


def _place(trial: TrialResult) -> tuple[float, float]:
    return trial.seconds or trial.wall, trial.score or 0.0


def _prominent_last(trials: Sequence[TrialResult], best: int) -> list[TrialResult]:
    return sorted(trials, key=lambda trial: trial.number in (0, best))


def _colour(trial: TrialResult, best: int) -> str:
    return GREEN if trial.number == best else RED if trial.number == 0 else GREY


def _width(trial: TrialResult, best: int) -> float:
    return 2.0 if trial.number in (0, best) else 0.8
