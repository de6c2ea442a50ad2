"""Trials as a table of the terminal, and what a search came to in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tfrec.tuner.results import TrialResult

if TYPE_CHECKING:
    from rich.table import Table

    from tfrec.tuner.finals import Finalist
    from tfrec.tuner.search_result import SearchResult


def trial_table(
    results: Sequence[TrialResult],
    best: TrialResult | None = None,
    running: Mapping[int, Mapping[int, list[float]]] | None = None,
) -> Table:
    """The trials, the best first, those that run last.

    Args:
        results: trials that have ended.
        best: the one to be marked.
        running: number of a trial -> its evaluations so far.
    """
    from rich import box
    from rich.table import Table

    table = Table(title="Trials by dev score", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("trial", justify="right")
    paths = list(dict.fromkeys(path for result in results for path in result.values))
    for path, name in short_names(paths).items():
        table.add_column(name, justify="right", min_width=min(8, len(path)))
    for column in ("steps", "seconds", "score"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("")
    for trial in sorted(results, key=lambda t: (t.score is None, -(t.score or 0.0), t.number)):
        table.add_row(
            str(trial.number),
            *(shown(trial.values[path]) if path in trial.values else "" for path in paths),
            "" if trial.steps is None else str(trial.steps),
            f"{trial.wall:.0f}",
            "" if trial.score is None else f"{trial.score:.4f}",
            ", ".join(_notes(trial, best)),
        )
    for number, curve in sorted((running or {}).items()):
        score = f"{curve[max(curve)][1]:.4f}" if curve else ""
        table.add_row(str(number), *("" for _ in paths), "", "", score, f"runs, evaluation {max(curve, default=0)}")
    return table


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """The last part of each path, or the whole where that part is not the only one of its name."""
    names = [path.rpartition(".")[2] for path in paths]
    return {
        path: name.replace("_", " ") if names.count(name) == 1 else path
        for path, name in zip(paths, names, strict=True)
    }


def shown(value: Any) -> str:
    """A value of a configuration, short."""
    return f"{value:.3g}" if isinstance(value, float) else "none" if value is None else str(value)


def sentences(result: SearchResult) -> list[str]:
    """What a search came to, in plain English."""
    default, told = result.trials[0], []
    finals = result.finals
    if not result.ended:
        told.append(f"The search has not ended; {len(result.trials)} trials have.")
    elif finals is None:
        if result.best.number == 0:
            told.append("No trial stood above the configuration's own values on dev: nothing better was found.")
        elif default.score is None or result.best.score is None:
            told.append(f"Best on dev: trial {result.best.number}; the default failed, so there is no gain to tell.")
        else:
            told.append(
                f"Trial {result.best.number} stands {result.best.score - default.score:+.4f} above the default on dev, "
                f"which also chose it among {len(result.trials)} trials with one seed each: the gain is flattered, and "
                "no test was run on it (tune.finals.seeds is 0)."
            )
    elif not finals.finalists:
        told.append("No trial stood above the configuration's own values on dev: nothing better was found.")
    else:
        told += [_compared(finalist) for finalist in finals.finalists]
        if finals.winner is not None:
            told.append(f"Trial {finals.winner.number} is better than the default (p at most {finals.threshold:.3g}).")
        else:
            told.append(f"Nothing better was found: no finalist's gain reaches p = {finals.threshold:.3g}.")
    told += [f"Trial {t.number} failed: {t.reason}" for t in result.trials if t.score is None]
    told += _unequal(result.trials)
    if result.ended:
        told.append(f"Written: {result.best_config} (train it with `tfrec train --config {result.best_config}`)")
    if result.candidate_config is not None:
        told.append(f"The unproven best is in {result.candidate_config}.")
    return told


def _compared(finalist: Finalist) -> str:
    name = f"Trial {finalist.trial.number} against the default, fresh seeds, dev:"
    if finalist.comparison is None:
        return f"{name} no seed finished for both"
    words = f"{name} over queries {finalist.comparison.sentence()}"
    if finalist.crossed is not None and finalist.comparison.enough:
        words += f"; over queries and seeds {finalist.crossed.sentence()}"
    failed = finalist.scores.count(None)
    return words + (f"; its training failed with {failed} of {len(finalist.scores)} seeds" if failed else "")


def _unequal(trials: Sequence[TrialResult]) -> list[str]:
    """Says so when a time budget gave trials of the same length different numbers of steps."""
    lengths: dict[tuple[Any, ...], list[int]] = {}
    for trial in trials:
        if trial.stopped == "finished" and trial.steps is not None:
            size = tuple(str(value) for value in trial.values.values() if not isinstance(value, float))
            lengths.setdefault(size, []).append(trial.steps)  # batch size, frozen layers: what makes steps slow
    apart = [steps for steps in lengths.values() if max(steps) > 1.1 * min(steps)]
    if not apart:
        return []
    steps = max(apart, key=lambda steps: max(steps) / min(steps))
    return [
        f"In the same minutes trials came to between {min(steps)} and {max(steps)} steps, so the machine's load has a "
        "part in their scores: training.max_steps compares at equal steps."
    ]


def _notes(trial: TrialResult, best: TrialResult | None) -> list[str]:
    notes = ["default"] if trial.number == 0 else []
    notes += ["best"] if best is not None and trial.number == best.number else []
    notes += ["failed"] if trial.score is None else []
    notes += [trial.place] if trial.place else []
    notes += [f"goes on with {trial.continues}"] if trial.continues is not None else []
    notes += ["hopeless"] if trial.stopped == "hopeless" else []
    return notes
