"""The checks together: order kept, everything accounted for, the same again."""

from __future__ import annotations

import json

import polars as pl

from tfrec.synth.filters.pipeline import checks_of, run_filters
from tfrec.synth.source import SAMPLES

PAIRS = [
    ("red leather sofa", 0), ("Red leather sofa", 0), ("красный диван", 0), ("x", 1), ("walnut table", 3),
    ("floor lamp brill", 5), ("brill lamp floor", 5), ("oak table", 7), ("desk lamp", 4),
]  # fmt: skip
FATES = {
    "Red leather sofa": "duplicates", "красный диван": "language", "x": "language", "walnut table": "evaluated_queries",
    "brill lamp floor": "near_duplicates", "oak table": "round_trip",
}  # fmt: skip
SETTINGS = {"round_trip": {"top": 2}}


def test_every_sample_is_kept_or_dropped_for_its_reason(samples, context):
    frame = samples(PAIRS)
    filtered = run_filters(frame, context(evaluated=["walnut tables"], settings=SETTINGS))
    assert filtered.kept["query"].to_list() == ["red leather sofa", "floor lamp brill", "desk lamp"]
    assert dict(filtered.dropped.select("query", "check").iter_rows()) == FATES
    assert filtered.kept.columns == [*SAMPLES, "teacher_rank", "teacher_margin"]
    assert filtered.dropped.columns == [*SAMPLES, "measure", "check"]
    assert (
        filtered.kept["teacher_rank"].to_list() == [1.0, 1.0, 1.0] and filtered.kept["teacher_margin"].null_count() == 3
    )
    report = json.loads(json.dumps(filtered.report.to_json(), allow_nan=False))
    assert (report["given"], report["kept"]) == (9, 3)
    seen = 9
    for check in report["checks"]:
        assert check["seen"] == seen and sum(check["by_source"].values()) == check["dropped"]
        assert len(check["examples"]) == min(5, check["dropped"])
        seen -= check["dropped"]
    assert seen == 3


def test_shuffled_samples_meet_the_same_fate_where_no_two_are_alike(samples, context):
    frame = samples(PAIRS[2:6] + PAIRS[7:])
    where = context(evaluated=["walnut tables"], settings=SETTINGS)
    first = run_filters(frame, where).kept.sort("query")
    assert first.equals(run_filters(frame.reverse(), where).kept.sort("query"))
    assert first.equals(run_filters(frame, where).kept.sort("query"))


def test_recommendation_samples_pass_unread_and_in_their_place(samples, context):
    frame = pl.concat([samples([("", 3), ("", 3)], task="recommendation", history=[[1, 2], [2]]), samples(PAIRS)])
    filtered = run_filters(frame, context(settings=SETTINGS))
    assert filtered.kept["task"].to_list()[:2] == ["recommendation"] * 2
    assert filtered.kept["history"].to_list()[:2] == [[1, 2], [2]]


def test_untouched_sources_meet_the_guard_only(samples, context):
    frame = samples(PAIRS, source="catalogue")
    filtered = run_filters(frame, context(evaluated=["walnut tables"]))
    assert dict(filtered.dropped.select("query", "check").iter_rows()) == {"walnut table": "evaluated_queries"}


def test_no_samples_at_all(samples, context):
    filtered = run_filters(samples([]), context(evaluated=["sofa"]))
    assert filtered.kept.height == filtered.dropped.height == 0 and len(filtered.report.checks) == 7


def test_switched_off_checks_do_not_run_but_the_guard_does(context):
    off = {name: {"enabled": False} for name in ("language", "length", "near_duplicates", "round_trip")}
    names = [check.name for check in checks_of(context(settings={**off, "caps": {"per_item": None}}))]
    assert names == ["duplicates", "evaluated_queries"]
    assert [check.name for check in checks_of(context(settings={"enabled": False}))] == ["evaluated_queries"]
