"""The terminal table and the JSON of an evaluation."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from rich.console import Console

from tfrec.errors import EvaluationError
from tfrec.evaluation.metrics import RankingMetrics, evaluate_rankings
from tfrec.evaluation.recommendation import evaluate_recommendations
from tfrec.evaluation.table import build_report


def measured(place_of_answer: int, queries: int = 40) -> RankingMetrics:
    """A system that puts the right item at this place, one lower for every third query."""
    judgments = {f"q{number}": {"right": 1.0} for number in range(queries)} | {"none": {"right": 0.0}}
    rankings = {
        query: [(f"wrong {place}", 0.0) for place in range(place_of_answer - 1 + (number % 3 == 0))] + [("right", 0.0)]
        for number, query in enumerate(judgments)
    }
    return evaluate_rankings(judgments, rankings)


def shown(report, width: int = 160, terminal: bool = False) -> str:
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=terminal, color_system=None if not terminal else "standard").print(
        report.to_table()
    )
    return out.getvalue()


SYSTEMS = {"tfrec [dense]": measured(1), "BM25": measured(2), "popularity": measured(30)}


def test_table_shows_numbers_and_comparison():
    text = shown(build_report(SYSTEMS, ["BM25"], title="dev"))
    lines = {name: next(line for line in text.splitlines() if line.startswith(f"│ {name}")) for name in SYSTEMS}
    assert "tfrec [dense]" in text  # square brackets are no markup
    for name, metrics in SYSTEMS.items():
        assert all(f"{mean:.3f}" in lines[name] for mean in metrics.means.values())
    difference = SYSTEMS["tfrec [dense]"].means["nDCG@10"] - SYSTEMS["BM25"].means["nDCG@10"]
    assert f"{difference:+.3f} [" in lines["tfrec [dense]"]
    assert "[" not in lines["BM25"] and "vs BM25" in text
    assert "n = 40, 1 skipped" in text and "unjudged = 0" in text


def test_only_the_best_is_bold():
    report = build_report(SYSTEMS, ["BM25"])
    cells = [list(column.cells) for column in report.to_table().columns]
    rows = {name: [column[row] for column in cells] for row, name in enumerate(SYSTEMS)}
    assert all(str(cell.style) == "bold" for cell in rows["tfrec [dense]"][1:6])
    assert not rows["popularity"][1].style
    assert "\x1b[1m" in shown(report, terminal=True)


def test_narrow_terminal_keeps_every_number():
    text = shown(build_report(SYSTEMS, ["BM25"]), width=80)
    assert all(len(line) <= 80 for line in text.splitlines())
    for metrics in SYSTEMS.values():
        assert all(f"{mean:.3f}" in text for mean in metrics.means.values())


def test_a_system_against_its_own_copy_is_no_difference():
    report = build_report({"BM25": measured(2), "copy": measured(2)}, ["BM25"])
    assert "no difference shown" in shown(report)
    assert report.sentences() == [
        "copy vs BM25: no difference shown: +0.000 nDCG@10 (95 % CI +0.000 to +0.000, p = 1.00)"
    ]


def test_json_holds_means_counts_comparisons_and_protocol():
    value = build_report(SYSTEMS, ["BM25", "popularity"]).to_json()
    again = json.loads(json.dumps(value, allow_nan=False))
    assert again == value
    assert value["queries"] == 40 and value["skipped"] == 1
    assert value["systems"]["BM25"]["means"]["MRR"] == pytest.approx(SYSTEMS["BM25"].means["MRR"])
    for word in ("whole catalogue", "unjudged = 0", "linear gains", "gain >= 0.5"):
        assert word in value["protocol"]
    assert set(value["comparisons"]["tfrec [dense]"]) == {"BM25", "popularity"}
    assert set(value["comparisons"]["BM25"]) == {"popularity"}
    comparison = value["comparisons"]["tfrec [dense]"]["BM25"]["nDCG@10"]
    assert comparison["shown"] and comparison["low"] > 0


def test_queries_without_any_relevant_item_leave_a_dash():
    metrics = evaluate_rankings({"q": {"a": 0.1}, "r": {"b": 0.1}}, {"q": [("a", 1.0)]})
    report = build_report({"one": metrics, "two": metrics}, ["one"])
    assert " - " in shown(report)
    json.dumps(report.to_json(), allow_nan=False)


def test_recommendation_metrics_fit_too():
    rng = np.random.default_rng(0)
    truths = [[number % 50] for number in range(80)]
    good = np.array([[number % 50, 51] for number in range(80)])
    systems = {
        "tfrec": evaluate_recommendations(truths, good, 60),
        "popularity": evaluate_recommendations(truths, rng.integers(0, 60, (80, 2)), 60),
    }
    report = build_report(systems, ["popularity"])
    text = shown(report)
    assert "Recall@20 vs popularity" in text and "Coverage@20" in text
    json.dumps(report.to_json(), allow_nan=False)


def test_bad_input_is_named():
    with pytest.raises(EvaluationError, match="no system"):
        build_report({})
    with pytest.raises(EvaluationError, match="'BM52'"):
        build_report(SYSTEMS, ["BM52"])
    with pytest.raises(EvaluationError, match="different queries"):
        build_report({"a": measured(1), "b": measured(1, 39)})
