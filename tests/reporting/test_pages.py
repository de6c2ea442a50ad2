"""Reports as pages, in notebooks and as frames."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tfrec.config import Config
from tfrec.config.loading import parse_config
from tfrec.errors import EvaluationError
from tfrec.evaluation.metrics import RankingMetrics, evaluate_rankings
from tfrec.evaluation.per_query import ranking_frame
from tfrec.evaluation.table import Report, build_report
from tfrec.export.ranking import Ranking
from tfrec.pipeline.report import write_report
from tfrec.pipeline.run_folder import RunFolder
from tfrec.pipeline.stages import read_stages, stage
from tfrec.reporting.charts import Line, intervals, lines
from tfrec.reporting.tasks import task_html

QUERIES = [f"query {number}" for number in range(12)]
JUDGMENTS = {query: {"good": 1.0, "bad": 0.0} for query in QUERIES}
FOUND = {  # tfrec is right on all but the last, where BM25 is
    "tfrec": {query: [("good", 2.0), ("bad", 1.0)][:: 1 if query != QUERIES[-1] else -1] for query in QUERIES},
    "BM25": {query: [("bad", 2.0), ("good", 1.0)][:: 1 if query != QUERIES[-1] else -1] for query in QUERIES},
}
ITEMS = pl.DataFrame({"item_id": ["good", "bad"], "title": ["a <b>good</b> sofa & more", "灯"]})


class _Checked(HTMLParser):
    """Complains of elements that are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check(page: str) -> None:
    reader = _Checked()
    reader.feed(page)
    assert not reader.open and "<script" not in page and not re.search(r"https?:|@import|url\(['\"]?[^#]", page)


@pytest.fixture(scope="module")
def systems() -> dict[str, RankingMetrics]:
    return {name: evaluate_rankings(JUDGMENTS, found) for name, found in FOUND.items()}


@pytest.fixture(scope="module")
def report(systems: dict[str, RankingMetrics]) -> Report:
    return build_report(systems, ["BM25"], title="<i>Search</i>", resamples=200)


def test_what_every_system_found_is_a_frame(systems: dict[str, RankingMetrics]) -> None:
    frame = ranking_frame(JUDGMENTS, FOUND, systems, ITEMS)
    assert frame.height == 24 and frame.columns[:3] == ["query", "system", "nDCG@10"]
    row = frame.row(by_predicate=(pl.col("query") == QUERIES[0]) & (pl.col("system") == "BM25"), named=True)
    assert row["item_ids"] == ["bad", "good"] and row["titles"][0] == "灯" and row["gains"] == [0.0, 1.0]
    assert row["nDCG@10"] == pytest.approx(1 / np.log2(3), abs=1e-4)


def test_a_report_is_a_frame_and_shows_itself_in_notebooks(report: Report) -> None:
    frame = report.to_polars()
    assert frame["system"].to_list() == ["tfrec", "BM25"] and frame["vs BM25"][1] is None
    assert frame["low"][0] < frame["vs BM25"][0] < frame["high"][0] and frame["shown"][0]
    shown = report._repr_html_()
    check(shown)
    assert "&lt;i&gt;Search" in shown and "<svg" in shown and f"{frame['nDCG@10'][0]:.3f}" in shown


def test_hits_are_a_frame_and_show_themselves_shortly() -> None:
    found = Ranking(np.array([["<a>", "b", ""]], object), np.array([[0.9, 0.5, -np.inf]], np.float32))
    assert found.to_polars().rows() == [(0, 1, "<a>", pytest.approx(0.9)), (0, 2, "b", 0.5)]
    check(found._repr_html_())
    assert "&lt;a&gt;" in found._repr_html_() and len(repr(found)) < 80


def test_an_interval_is_drawn_where_it_lies() -> None:
    chart = intervals(
        "of <two>", [("better", 0.2, 0.1, 0.3), ("too few", -0.1, None, None), ("worse", -0.2, -0.3, -0.1)]
    )
    check(chart)
    assert "of &lt;two&gt;" in chart and ">better</text>" in chart
    assert chart.count("#1b6e3c") and chart.count("#b3261e") and chart.count("#8a8f98")
    assert intervals("a", [("b", 1, 0, 2)]) == intervals("a", [("b", 1, 0, 2)]), "the same page for the same figures"


def test_the_page_tells_of_the_run(report: Report, systems: dict[str, RankingMetrics], tmp_path: Path) -> None:
    config = _config(tmp_path)
    with pytest.raises(EvaluationError, match="run `tfrec train` first"):
        write_report(config)
    run = RunFolder(config)
    run.path.mkdir(parents=True)
    with stage(run.path, "evaluate", "one"):
        pass
    evaluations = [{"step": step, "score": step / 10, "seconds": 1.0} for step in range(3)]
    training = {"steps": 2, "seconds": 60.0, "stopped": "finished", "evaluations": evaluations}
    run.add_rankings({"search": ranking_frame(JUDGMENTS, FOUND, systems, ITEMS), "recommendation": None})
    run.add_metrics("0" * 64, training=training, evaluation={"chosen": ["a < b"], "search": report.to_json()})
    page = write_report(config).read_text("utf-8")
    check(page)
    assert "11 better, 0 the same, 1 worse" in page and "a &lt; b" in page
    assert "a &lt;b&gt;good&lt;/b&gt; sofa &amp; more" in page and "灯" in page
    lost = page[page.index("Most lost") :]
    assert QUERIES[-1] in lost and QUERIES[0] not in lost
    assert "measure beside the baselines" in page and "Learning curves" in page


def test_a_stage_that_finds_its_work_done_keeps_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 50.0, 100.0, 101.0, 200.0, 202.0])
    monkeypatch.setattr("tfrec.pipeline.stages.time.monotonic", lambda: next(clock))
    for made_of, seconds in (("one", 50.0), ("one", 50.0), ("other", 2.0)):
        with stage(tmp_path, "train", made_of):
            pass
        assert read_stages(tmp_path)["train"]["seconds"] == seconds
    assert read_stages(tmp_path)["train"]["peak_bytes"] > 2**20


def _config(folder: Path) -> Config:
    return parse_config({"name": "run", "runs_dir": str(folder), "data": {"items": "items.csv"}})


def test_curves_and_tasks_of_odd_shape_are_drawn(report: Report) -> None:
    check(lines("one point", [Line("a", [(1.0, 2.0)]), Line("none", [])], "step", "score"))
    alone = report.to_json() | {"comparisons": {}, "skipped": 3}
    check(task_html(alone))
    assert "3 skipped" in task_html(alone)
