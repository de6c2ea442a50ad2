"""The report of a run: report.html, from what the stages left in the run folder. Needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from tfrec.config import Config, plain_yaml
from tfrec.data.places import TABLES, folder_of
from tfrec.errors import EvaluationError
from tfrec.files import atomic_write, read_json
from tfrec.pipeline.run_folder import RunFolder
from tfrec.pipeline.stages import STAGES, read_stages
from tfrec.reporting.charts import BLUE, GREEN, GREY, Line, bars, lines
from tfrec.reporting.log import log_html
from tfrec.reporting.page import render
from tfrec.reporting.tasks import task_html
from tfrec.training.training_state import last_state, training_folder

_UNITS = {"search": "queries", "recommendation": "shoppers", "personalised": "searches"}
_SIDE_BY_SIDE, _PLACES = 8, 5  # queries won and lost; items of each
BASELINE = "BM25"


def write_report(config: Config) -> Path:
    """Writes the page into the run folder and gives its path.

    Args:
        config: names the run; the page tells what lies there.

    Raises:
        EvaluationError: the run has not been trained.
    """
    run = RunFolder(config)
    metrics = run.metrics()
    if not metrics:
        raise EvaluationError(f"{run.path} holds no trained model to report on: run `tfrec train` first.")
    measured = metrics.get("evaluation", {})
    tasks = {task: measured[task] for task in _UNITS if task in measured}
    atomic_write(
        run.report,
        render(
            "run.html",
            title=f"Report of {config.name}",
            metrics=metrics,
            chosen=measured.get("chosen", []),
            tasks={task: (found, task_html(found, _UNITS[task])) for task, found in tasks.items()},
            sides=_side_by_side(run.path / "rankings" / "search.parquet") if "search" in tasks else None,
            reliability=_reliability(run.ranking(metrics["signature"]) / "sure" / "confidence.json"),
            curves=_curves(metrics.get("training", {})),
            training=metrics.get("training", {}),
            tables=_tables(run, metrics["signature"]),
            stages=_stages(run.path),
            drift=_drift(run.export),
            config=plain_yaml(config),
            log_html=log_html,
        ),
    )
    return run.report


def _side_by_side(file: Path) -> dict[str, Any] | None:
    """Queries where the model gains and loses most against BM25 in nDCG@10, with what both found first."""
    if not file.is_file():
        return None
    frame = pl.read_parquet(file)
    metric = frame.columns[2]
    ours, theirs = (frame.filter(pl.col("system") == name) for name in (frame["system"][0], BASELINE))
    if not len(theirs):
        return None
    both = ours.join(theirs, "query", suffix="_there", maintain_order="left").with_columns(
        gap=pl.col(metric) - pl.col(f"{metric}_there")
    )
    gap = pl.col("gap")
    ordered = both.sort("gap", maintain_order=True)
    won, lost = ordered.filter(gap > 0).reverse().head(_SIDE_BY_SIDE), ordered.filter(gap < 0).head(_SIDE_BY_SIDE)
    counts = {name: both.filter(condition).height for name, condition in _OUTCOMES.items()}
    return {"metric": metric, "counts": counts, "won": _pairs(won, metric), "lost": _pairs(lost, metric)}


_OUTCOMES = {"better": pl.col("gap") > 0, "the same": pl.col("gap") == 0, "worse": pl.col("gap") < 0}


def _pairs(frame: pl.DataFrame, metric: str) -> list[dict[str, Any]]:
    return [
        {
            "query": row["query"], "gap": row["gap"],
            "sides": [
                (name, row[f"{metric}{end}"], list(zip(*(row[f"{c}{end}"][:_PLACES] for c in _COLUMNS), strict=True)))
                for name, end in (("tfrec", ""), (BASELINE, "_there"))
            ],
        }
        for row in frame.iter_rows(named=True)
    ]  # fmt: skip


_COLUMNS = ("item_ids", "titles", "gains")


def _reliability(file: Path) -> Markup:
    """How often items were right, by how likely they were said to be."""
    bins = (read_json(file) if file.is_file() else {}).get("bins", [])
    if not bins:
        return Markup("")
    right = Line("right", [(said, share) for said, share, _ in bins])
    agreement = Line("agreement", [(0, 0), (1, 1)], GREY, dashed=True)
    return lines("Reliability", [right, agreement], "probability", "share that is right")


def _curves(training: Mapping[str, Any]) -> Markup:
    """Dev scores over the steps of training; mixtures of weights, made after the last step, stand at its end."""
    evaluations = [e for e in training.get("evaluations", []) if "step" in e]
    names = [name for name in (evaluations[0] if evaluations else {}) if name not in ("step", "seconds", "share")]
    if not names or len(evaluations) < 2:
        return Markup("")
    colours = dict(zip(names, [BLUE, GREEN, GREY, "#c77f1a", "#7b4fa3"] * len(names), strict=False))
    curves = [
        Line(name, [(e["step"], e[name]) for e in evaluations if "share" not in e and name in e], colours[name])
        for name in names
    ]
    mixed = [(e["step"], e["score"]) for e in evaluations if "share" in e and "score" in e]
    if mixed:
        curves.append(Line("score of averaged weights", mixed, "#b3261e", 0))
    return lines("Learning curves", curves, "step", "on dev")


def _tables(run: RunFolder, signature: str) -> dict[str, dict[str, Any]]:
    """What reading did to each table, by name."""
    about = last_state(training_folder(run.checkpoints, signature)).get("about") or {}
    file = folder_of(run.data, about.get("prepared", "")) / "report.json"
    found = read_json(file) if about and file.is_file() else {}
    return {name: found[name] for name in TABLES if name in found}


def _drift(export: Path) -> dict[str, Any]:
    """What the gate's newest verdict says of drift; empty without one."""
    files = sorted(export.glob("*.verdict.json"), key=lambda file: (len(file.name), file.name))
    verdict = read_json(files[-1]) if files else {}
    found = verdict.get("numbers", {}).get("drift", [])
    return {"version": verdict["version"], "against": verdict["against"], "found": found} if found else {}


def _stages(folder: Path) -> dict[str, Any]:
    noted = read_stages(folder)
    times = {STAGES[name]: found["seconds"] for name, found in noted.items()}
    chart = bars("Time of each stage", times, "seconds", "{:,.1f}") if times else Markup("")
    return {"rows": [(STAGES[name], found) for name, found in noted.items()], "chart": chart}
