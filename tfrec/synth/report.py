"""What synthesis did, in numbers: made, dropped and kept per source, and how fast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from tfrec.synth.candidates import Candidates


def report(
    names: Sequence[str],
    made: Sequence[Candidates],
    checks: dict[str, Any],
    examples: pl.DataFrame,
    seconds: dict[str, float],
) -> dict[str, Any]:
    """The content of report.json.

    Args:
        names: the sources.
        made: what each of them made.
        checks: the report of the checks (tfrec.synth.checking.checked).
        examples: the columns of tfrec.synth.labelling.EXAMPLES.
        seconds: query_vectors, of encoding queries (and the catalogue, where no source had to) in this process;
            labels_and_shards, of labelling and writing.

    Returns:
        sources: name -> samples, seconds, samples_per_second, examples, groups (queries or shoppers), mean_weight,
        labelled_by_teacher; checks, as they reported; seconds of each step; whole: samples and examples of all
        sources, seconds of all steps, samples_per_second through all of them.
    """
    by_source = {
        str(row["source"]): row
        for row in examples.group_by("source")
        .agg(
            pl.len().alias("examples"),
            pl.col("group").n_unique().alias("groups"),
            pl.col("weight").mean().alias("mean_weight"),
            (pl.col("label") == "teacher").sum().alias("labelled_by_teacher"),
        )
        .iter_rows(named=True)
    }
    empty = {"examples": 0, "groups": 0, "mean_weight": None, "labelled_by_teacher": 0}
    sources: dict[str, Any] = {}
    for name, one in zip(names, made, strict=True):
        found = {key: by_source.get(name, empty)[key] for key in empty}
        sources[name] = {"samples": one.samples.height, **_speed(one.samples.height, one.seconds), **found}
    total = sum(one.samples.height for one in made)
    steps = {"sources": sum(one.seconds for one in made), "checks": checks["seconds"], **seconds}
    return {
        "sources": sources,
        "checks": checks["checks"],
        "seconds": {step: round(spent, 3) for step, spent in steps.items()},
        "whole": {"samples": total, "examples": examples.height, **_speed(total, sum(steps.values()))},
    }


def _speed(samples: int, seconds: float) -> dict[str, float]:
    return {"seconds": round(seconds, 3), "samples_per_second": round(samples / max(seconds, 1e-3), 1)}
