"""A search as one HTML page that needs nothing else."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tfrec.tuner.importance import importance
from tfrec.tuner.plan import Plan
from tfrec.tuner.plots import importance_bars, learning_curves, parallel_coordinates, time_and_score
from tfrec.tuner.tables import sentences, short_names, shown

if TYPE_CHECKING:
    from tfrec.tuner.search_result import SearchResult

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 960px; margin: 2em auto; padding: 0 1em; color: #1d2026; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }
th, td { padding: .25em .7em; text-align: right; border-bottom: 1px solid #e3e6ea; }
th { font-weight: 600; } td:last-child { text-align: left; }
tr.best { background: #e6f3ea; } tr.default { background: #fbeceb; }
svg { max-width: 100%; height: auto; } svg text.label { font-size: 12px; }
svg text.mark { font-size: 10px; fill: #60656f; }
"""


def html_report(plan: Plan, result: SearchResult) -> str:
    """The page: what was found, all trials, parallel coordinates, importance, learning curves, time and score."""
    best, paths, trials = result.best.number, list(plan.space), result.trials
    shares = importance(trials, paths, plan.config.seed)
    minutes = sum(trial.wall for trial in trials) / 60
    important = importance_bars(shares) if shares else "<p>Too few trials to tell.</p>"
    told = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences(result))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Search of {escape(plan.config.name)}</title>
<style>{_STYLE}</style></head>
<body>
<h1>Search of {escape(plan.config.name)}</h1>
<p>{len(trials)} trials by {plan.config.tune.oracle}, {minutes:.1f} minutes of trials, seed {plan.config.seed}.
Green is the configuration that best.yaml holds, red the default.</p>
{told}
{_finals(result)}
<h2>Trials</h2><div class="wide">{_trials(result, paths)}</div>
<h2>Parallel coordinates</h2><div class="wide">{parallel_coordinates(trials, paths, best)}</div>
<h2>Importance</h2>
<p>Share of what a forest over the trials explains that is lost when a field is shuffled. A hint, not a measurement.</p>
{important}
<h2>Learning curves</h2>{learning_curves(trials, best)}
<h2>Time and score</h2><p>The dashed line joins the trials that no other one beats in both.</p>
{time_and_score(trials, best)}
</body></html>
"""


def _trials(result: SearchResult, paths: list[str]) -> str:
    names = short_names(paths)
    head = "".join(
        f"<th>{escape(name)}</th>" for name in ("trial", *names.values(), "steps", "seconds", "score", "ended")
    )
    rows = []
    for trial in sorted(result.trials, key=lambda t: (t.score is None, -(t.score or 0.0), t.number)):
        kind = "best" if trial.number == result.best.number else "default" if trial.number == 0 else ""
        ended = trial.reason or ", ".join(part for part in (trial.stopped, trial.place) if part)
        cells = [
            str(trial.number),
            *(shown(trial.values[path]) if path in trial.values else "" for path in paths),
            "" if trial.steps is None else str(trial.steps),
            f"{trial.wall:.0f}",
            "" if trial.score is None else f"{trial.score:.4f}",
            ended,
        ]
        rows.append(f'<tr class="{kind}">{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>')
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _finals(result: SearchResult) -> str:
    finals = result.finals
    if finals is None or not finals.finalists:
        return ""
    rows = [("default", finals.default), *((f"trial {f.trial.number}", f.scores) for f in finals.finalists)]
    head = "".join(f"<th>seed {seed}</th>" for seed in finals.seeds)
    body = "".join(
        f"<tr><td>{name}</td>{''.join(f'<td>{_score(score)}</td>' for score in scores)}</tr>" for name, scores in rows
    )
    return f"<h2>Finals</h2><table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"


def _score(score: float | None) -> str:
    return "failed" if score is None else f"{score:.4f}"
