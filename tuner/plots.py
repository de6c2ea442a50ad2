"""The plots of a search as inline SVG: no script, no dependency, readable in any browser and in print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from tfrec.tuner.importance import coordinates
from tfrec.tuner.results import TrialResult
from tfrec.tuner.tables import short_names

_WIDTH, _HEIGHT, _MARGIN = 860, 320, 56
_DEFAULT, _BEST, _OTHER = "#b3261e", "#1b6e3c", "#8a8f98"


def parallel_coordinates(results: Sequence[TrialResult], paths: Sequence[str], best: int) -> str:
    """A line per trial over the axes of all fields and the score; gaps where a field did not vary."""
    scored = [trial for trial in results if trial.score is not None]
    axes = [(name, *coordinates(scored, path)) for path, name in short_names(paths).items()]
    scores = np.array([trial.score for trial in scored], np.float64)
    low, high = scores.min(), scores.max()
    axes.append(
        (
            "score", (scores - low) / (high - low) if high > low else np.full(len(scores), 0.5),
            [(0.0, f"{low:.4f}"), (1.0, f"{high:.4f}")] if high > low else [(0.5, f"{low:.4f}")],
        )
    )  # fmt: skip
    width = max(_WIDTH, 100 * len(axes))
    xs = np.linspace(_MARGIN, width - _MARGIN, len(axes))
    parts = []
    for x, (name, _, marks) in zip(xs, axes, strict=True):
        parts.append(_line(x, _y(0), x, _y(1), "#c8ccd2"))
        parts.append(_text(x, 18, name, "middle"))
        parts += [_text(x + 4, _y(place) + 4, text, "start", "mark") for place, text in marks]
    for row in np.argsort(scores):
        trial = scored[int(row)]
        points = [(x, float(column[row])) for x, (_, column, _) in zip(xs, axes, strict=True)]
        shown = " ".join(f"{x:.1f},{_y(place):.1f}" for x, place in points if not np.isnan(place))
        parts.append(_path(shown, trial, best))
    return _svg("Parallel coordinates", parts, width)


def importance_bars(shares: Mapping[str, float]) -> str:
    """A bar per field."""
    parts = []
    for number, (path, share) in enumerate(shares.items()):
        y = 30 + 24 * number
        parts.append(_text(250, y + 12, path, "end"))
        parts.append(f'<rect x="260" y="{y}" width="{max(1.0, 480 * share):.1f}" height="16" fill="#4a6fa5"/>')
        parts.append(_text(266 + 480 * share, y + 12, f"{100 * share:.0f} %", "start", "mark"))
    return _svg("Importance", parts, _WIDTH, 40 + 24 * len(shares))


def learning_curves(results: Sequence[TrialResult], best: int) -> str:
    """Dev score of each trial over its steps."""
    curves = [(trial, trial.curve) for trial in results if trial.score is not None and trial.curve]
    return _scatter(curves, best, "Learning curves", "step", "dev score", joined=True)


def time_and_score(results: Sequence[TrialResult], best: int) -> str:
    """Each trial's time and score, and the front: no trial is both faster and better than one on it."""
    scored = [trial for trial in results if trial.score is not None]
    points = [(trial, [[trial.seconds or trial.wall, trial.score or 0.0]]) for trial in scored]
    return _scatter(points, best, "Time and score", "training seconds", "dev score", front=time_front(scored))


def time_front(results: Sequence[TrialResult]) -> list[TrialResult]:
    """Trials that no other one beats in both time and score, the fastest first."""
    front: list[TrialResult] = []
    for trial in sorted(results, key=lambda t: (t.seconds or t.wall, -(t.score or 0.0))):
        if trial.score is not None and (not front or trial.score > (front[-1].score or 0.0)):
            front.append(trial)
    return front


def _scatter(
    series: Sequence[tuple[TrialResult, list[list[float]]]], best: int, title: str, across: str, up: str,
    joined: bool = False, front: Sequence[TrialResult] = (),
) -> str:  # fmt: skip
    if not series:
        return ""
    everything = np.array([point for _, points in series for point in points], np.float64)
    (left, low), (right, high) = everything.min(0), everything.max(0)

    def x(value: float) -> float:
        return _MARGIN + (_WIDTH - 2 * _MARGIN) * ((value - left) / (right - left) if right > left else 0.5)

    def y(value: float) -> float:
        return _y((value - low) / (high - low) if high > low else 0.5)

    parts = [
        _line(_MARGIN, _y(0), _WIDTH - _MARGIN, _y(0), "#c8ccd2"),
        _line(_MARGIN, _y(0), _MARGIN, _y(1), "#c8ccd2"),
    ]
    parts += [_text(x(v), _y(0) + 18, f"{v:.4g}", "middle", "mark") for v in {left, right}]
    parts += [_text(_MARGIN - 4, y(v) + 4, f"{v:.4f}", "end", "mark") for v in {low, high}]
    parts += [_text(_WIDTH / 2, _HEIGHT - 4, across, "middle"), _text(_MARGIN, 18, up, "middle")]
    if front:
        shown = " ".join(f"{x(t.seconds or t.wall):.1f},{y(t.score or 0.0):.1f}" for t in front)
        parts.append(f'<polyline points="{shown}" fill="none" stroke="#4a6fa5" stroke-dasharray="4 3"/>')
    for trial, points in series:
        if joined:
            parts.append(_path(" ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in points), trial, best))
        parts += [
            f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="{_colour(trial, best)}">{_title(trial)}</circle>'
            for a, b in points
        ]
    return _svg(title, parts)


def _path(points: str, trial: TrialResult, best: int) -> str:
    width = 2.2 if trial.number in (0, best) else 1.0
    return (
        f'<polyline points="{points}" fill="none" stroke="{_colour(trial, best)}" stroke-width="{width}">'
        f"{_title(trial)}</polyline>"
    )


def _colour(trial: TrialResult, best: int) -> str:
    return _BEST if trial.number == best else _DEFAULT if trial.number == 0 else _OTHER


def _title(trial: TrialResult) -> str:
    return f"<title>trial {trial.number}: {trial.score:.4f}</title>"


def _y(place: float) -> float:
    return _HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * place


def _line(x: float, y: float, to_x: float, to_y: float, colour: str) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str = "label") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(text)}</text>'


def _svg(title: str, parts: Sequence[str], width: float = _WIDTH, height: float = _HEIGHT) -> str:
    return (
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}">{"".join(parts)}</svg>'
    )
