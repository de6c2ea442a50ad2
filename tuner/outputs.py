"""The files that a search leaves for people and tools: trials.parquet, report.html, TensorBoard's HParams."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfrec.files import atomic_directory, atomic_write, speaking_os_errors, write_json
from tfrec.tuner.plan import Plan
from tfrec.tuner.report import html_report
from tfrec.tuner.results import TrialResult
from tfrec.tuner.tables import sentences

if TYPE_CHECKING:
    from tfrec.tuner.search_result import SearchResult


def write_outputs(plan: Plan, result: SearchResult) -> None:
    """Writes all of them into the folder of the search, and result.json, which says that it has ended.

    Args:
        plan: the search.
        result: what it found.
    """
    write_pages(plan, result)
    write_json(plan.folder / "result.json", result_json(result))


def write_pages(plan: Plan, result: SearchResult) -> None:
    """Writes trials.parquet, report.html and TensorBoard's events; see `write_outputs`."""
    write_parquet(plan.folder / "trials.parquet", list(plan.space), result.trials)
    write_hparams(plan.folder / "tensorboard", result.trials)
    atomic_write(plan.folder / "report.html", html_report(plan, result))


def result_json(result: SearchResult) -> dict[str, Any]:
    """What was found as plain JSON values."""
    finals = result.finals
    found = None
    if finals is not None:
        found = {
            "seeds": finals.seeds,
            "default": finals.default,
            "threshold": finals.threshold,
            "winner": finals.winner.number if finals.winner else None,
            "finalists": [
                {
                    "trial": f.trial.number,
                    "scores": f.scores,
                    "comparison": f.comparison.to_dict() if f.comparison else None,
                    "crossed": asdict(f.crossed) if f.crossed else None,
                }
                for f in finals.finalists
            ],
        }
    best = {"number": result.best.number, "values": result.best.values, "score": result.best.score}
    return {"best": best, "finals": found, "sentences": sentences(result)}


def write_parquet(path: Path, paths: Sequence[str], results: Sequence[TrialResult]) -> None:
    """One row per trial: number, status, score, seconds, wall, steps, reason, place, continues, curve (lists of step
    and dev score), and a column per path of the space; null where it did not vary.

    Args:
        path: the file.
        paths: of the space.
        results: the trials.
    """
    import polars as pl

    columns: dict[str, Any] = {
        "number": pl.Series([t.number for t in results], dtype=pl.Int64),
        "status": pl.Series(["failed" if t.score is None else t.stopped for t in results], dtype=pl.String),
        "score": pl.Series([t.score for t in results], dtype=pl.Float64),
        "seconds": pl.Series([t.seconds for t in results], dtype=pl.Float64),
        "wall": pl.Series([t.wall for t in results], dtype=pl.Float64),
        "steps": pl.Series([t.steps for t in results], dtype=pl.Int64),
        "reason": pl.Series([t.reason for t in results], dtype=pl.String),
        "place": pl.Series([t.place for t in results], dtype=pl.String),
        "continues": pl.Series([t.continues for t in results], dtype=pl.Int64),
        "curve": pl.Series([t.curve for t in results], dtype=pl.List(pl.List(pl.Float64))),
    }
    for name in paths:
        values = [t.values.get(name) for t in results]
        if all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values if v is not None):
            columns[name] = pl.Series(values, dtype=pl.Float64)
        else:
            columns[name] = pl.Series([None if v is None else str(v) for v in values], dtype=pl.String)
    aside = path.with_name(f".{path.name}")
    with speaking_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        pl.DataFrame(columns).write_parquet(aside)
        aside.replace(path)


def write_hparams(folder: Path, results: Sequence[TrialResult]) -> None:
    """Events for TensorBoard's HParams page: a run per trial with values, score, learning curve, and how it ended.

    Args:
        folder: replaced when it exists.
        results: the trials.
    """
    from tfrec.tuner.kerastuner import keras_tuner  # noqa: F401  TensorBoard imports TensorFlow, which must be quiet

    # isort: split
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import api, api_pb2
    from tensorboard.plugins.hparams.summary import session_end_pb
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    with atomic_directory(folder) as aside:
        for trial in results:
            writer = EventFileWriter(str(aside / f"trial_{trial.number}"))
            values = {name: v if isinstance(v, (bool, int, float)) else str(v) for name, v in trial.values.items()}
            now = time.time()
            writer.add_event(Event(wall_time=now, step=0, summary=api.hparams_pb(values, f"trial_{trial.number}")))
            points = [("dev/score", int(step), score) for step, score in trial.curve]
            for tag, step, value in points + ([] if trial.score is None else [("score", 0, trial.score)]):
                scalar = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
                writer.add_event(Event(wall_time=now, step=step, summary=scalar))
            status = api_pb2.STATUS_FAILURE if trial.score is None else api_pb2.STATUS_SUCCESS
            end = Summary.FromString(session_end_pb(status).SerializeToString())  # TensorFlow's own class, of one form
            writer.add_event(Event(wall_time=now, step=0, summary=end))
            writer.close()
