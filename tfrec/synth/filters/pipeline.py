"""All checks in order, over the samples of all sources together."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import numpy as np
import polars as pl

from tfrec.synth.filters.caps import Caps
from tfrec.synth.filters.check import Check, FilterContext, Verdict
from tfrec.synth.filters.duplicates import Duplicates
from tfrec.synth.filters.guard import EvaluatedQueries
from tfrec.synth.filters.language import Language
from tfrec.synth.filters.length import Length
from tfrec.synth.filters.near_duplicates import NearDuplicates
from tfrec.synth.filters.report import CheckReport, FilterReport
from tfrec.synth.filters.round_trip import RoundTrip
from tfrec.synth.filters.second_opinion import SecondOpinion

_GUARD = EvaluatedQueries()
_COLUMNS = ("teacher_rank", "teacher_margin")


@dataclass(frozen=True)
class Filtered:
    """What the checks left.

    Attributes:
        kept: the samples that passed all checks, in their order, with teacher_rank and teacher_margin (Float32; null
            where the teacher was not asked).
        dropped: the others in their order, with check (name of the check that dropped them) and measure (Float32,
            null where the check has none).
        report: counts and examples.
    """

    kept: pl.DataFrame
    dropped: pl.DataFrame
    report: FilterReport


def checks_of(context: FilterContext) -> list[Check]:
    """The configured checks in order: cheap ones first, the guard always."""
    settings = context.settings
    if not settings.enabled:
        return [_GUARD]
    chosen: list[tuple[bool, Check]] = [
        (settings.language.enabled, Language()),
        (settings.length.enabled, Length()),
        (True, Duplicates()),
        (True, _GUARD),
        (settings.near_duplicates.enabled, NearDuplicates()),
        (settings.round_trip.enabled, RoundTrip()),
        (settings.second_opinion.enabled, SecondOpinion()),
        (settings.caps.per_item is not None or settings.caps.per_category is not None, Caps()),
    ]
    return [check for wanted, check in chosen if wanted]


def run_filters(samples: pl.DataFrame, context: FilterContext) -> Filtered:
    """Lets the checks judge the search samples, each what the ones before it have left.

    Args:
        samples: columns of synth.source.SAMPLES. Recommendation samples are kept unread.
        context: what the checks may read.

    Returns:
        what is left and what is not; the same for the same samples, settings and seed.
    """
    numbered = samples.with_columns(
        *(pl.lit(None, pl.Float32).alias(name) for name in _COLUMNS), pl.int_range(pl.len()).alias("_row")
    )
    current = numbered.filter(pl.col("task") == "search")
    dropped: list[pl.DataFrame] = []
    checks: list[CheckReport] = []
    for check in checks_of(context):
        started = time.monotonic()
        # the samples of untouched sources are not even compared with the others
        free = current["source"].is_in(context.settings.untouched) & (check is not _GUARD)
        asked = current.filter(~free)
        verdict = check(asked, context) if asked.height else _nothing()
        seconds = time.monotonic() - started
        told = asked.with_columns(pl.Series("measure", verdict.measure, pl.Float32).fill_nan(None))
        gone = told.filter(~verdict.keep).with_columns(pl.lit(check.name).alias("check"))
        checks.append(_report(check.name, asked.height, gone, seconds, context.settings.examples))
        for name, values in verdict.columns.items():
            told = told.with_columns(pl.Series(name, values, pl.Float32).fill_nan(None))
        stayed = told.filter(verdict.keep).drop("measure")
        current = pl.concat([current.filter(free), stayed]).sort("_row")
        dropped.append(gone)
        print(f"Check {check.name}: {gone.height:,} of {asked.height:,} dropped in {seconds:.1f} s", file=sys.stderr)
    kept = pl.concat([current, numbered.filter(pl.col("task") != "search")]).sort("_row").drop("_row")
    every = pl.concat(dropped).sort("_row").drop("_row", *_COLUMNS)
    return Filtered(kept, every, FilterReport(samples.height, kept.height, checks))


def _nothing() -> Verdict:
    return Verdict(np.zeros(0, bool), np.zeros(0, np.float32))


def _report(name: str, seen: int, gone: pl.DataFrame, seconds: float, examples: int) -> CheckReport:
    by_source = dict(gone.group_by("source").len().sort("source").iter_rows())
    # spread over what was dropped, so that they do not all come from the first source
    places = np.unique(np.linspace(0, max(0, gone.height - 1), min(examples, gone.height)).astype(int))
    shown = gone[places].select("query", "source", "generator", "parent", "measure").to_dicts() if gone.height else []
    shown = [{key: round(v, 3) if isinstance(v, float) else v for key, v in row.items()} for row in shown]
    for row in shown:  # a rank may be infinite, which JSON cannot say
        if row["measure"] is not None and not np.isfinite(row["measure"]):
            row["measure"] = None
    return CheckReport(name, seen, gone.height, by_source, round(seconds, 3), shown)
