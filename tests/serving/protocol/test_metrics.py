"""Prometheus text against Prometheus' own parser, and the drift of scores on known distributions."""

from __future__ import annotations

import math
import threading
from pathlib import Path

import numpy as np
import pytest

from tfrec.export.score_reference import score_reference
from tfrec.serving.server.metrics.counters import Metrics
from tfrec.serving.server.metrics.drift import LEAST, WINDOW, RecentDrift
from tfrec.serving.server.metrics.exposition import Histogram, Metric, exponential, page


def test_the_page_is_what_prometheus_reads() -> None:
    from prometheus_client.parser import text_string_to_metric_families

    counter = Metric("requests_total", "all\nof them \\", "counter", ("name",))
    counter.add('we"ird\\\n')
    counter.add("b", by=2.5)
    gauge = Metric("state", "now", "gauge")
    gauge.set(to=math.nan)
    histogram = Histogram("seconds", "time", (0.1, 1), ("model",))
    for value in (0.05, 0.1, 0.5, 7, math.nan):
        histogram.observe(value, "m")
    unused = Metric("unused", "never", "gauge")
    families = {f.name: f for f in text_string_to_metric_families(page([counter, gauge, histogram, unused]))}
    assert set(families) == {"requests", "state", "seconds"}
    assert families["requests"].documentation == "all\nof them \\"
    assert {s.labels["name"]: s.value for s in families["requests"].samples} == {'we"ird\\\n': 1, "b": 2.5}
    assert math.isnan(families["state"].samples[0].value)
    buckets = {s.labels.get("le", s.name): s.value for s in families["seconds"].samples}
    assert buckets == {"0.1": 2, "1": 3, "+Inf": 4, "seconds_sum": pytest.approx(7.65), "seconds_count": 4}


def test_tf_servings_buckets() -> None:
    bounds = exponential(10, 1.8, 32)
    assert bounds[:2] == (10, 18) and 18 * 60 < bounds[-1] * 1.8 / 1e6 < 30 * 60


def test_counts_from_many_threads_are_all_there() -> None:
    metrics = Metrics()
    metrics.know_models(lambda: ["m"])

    def work() -> None:
        for _ in range(500):
            metrics.request("m", "Predict", "GRPC", "OK", 0.001)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ':tensorflow:serving:request_count{model_name="m",status="OK"} 2000' in metrics.page()


def _reference(scores: np.ndarray) -> RecentDrift:
    reference = score_reference(scores)
    return RecentDrift.from_manifest({"score_reference": {"search": reference}})["search"]


def test_the_same_distribution_does_not_drift_and_a_shifted_one_does() -> None:
    random = np.random.default_rng(1)
    reference = random.normal(0.5, 0.1, 1000).astype(np.float32)
    indices = []
    for shift in (0.0, 0.05, 0.2):
        drift = _reference(reference)
        for score in random.normal(0.5 + shift, 0.1, 2000):
            drift.add(float(score))
        indices.append(drift.index())
    same, moved, far = indices
    assert same is not None and moved is not None and far is not None
    assert 0 <= same < 0.05 < moved < 0.5 < far


@pytest.mark.parametrize("size", [50, 100, 200, 500])
def test_chance_alone_makes_no_drift_whatever_the_references_size(size: int) -> None:
    random, indices = np.random.default_rng(3), []
    for _ in range(20):
        drift = _reference(random.random(size).astype(np.float32))
        for score in random.random(2000):
            drift.add(float(score))
        indices.append(drift.index() or 0.0)
    assert np.median(indices) < 0.1 and max(indices) < 0.25


def test_only_the_latest_scores_count_and_too_few_say_nothing() -> None:
    drift = _reference(np.linspace(0, 1, 200, dtype=np.float32))
    for score in np.linspace(0, 1, LEAST - 1):
        drift.add(float(score))
    assert drift.index() is None
    for _ in range(WINDOW):
        drift.add(5.0)
    far = drift.index()
    for score in np.random.default_rng(1).random(WINDOW):
        drift.add(float(score))
    near = drift.index()
    assert far is not None and near is not None and far > 1 and near < 0.05


def test_references_with_equal_scores_and_without_enough() -> None:
    assert score_reference(np.zeros(49, np.float32)) is None
    assert score_reference(np.full(100, -np.inf, np.float32)) is None
    half = score_reference(np.repeat(np.float32([0.0, 1.0]), 50))
    assert half is not None and half["edges"] == [0, 1] and half["requests"] == 100
    assert sum(half["shares"]) == pytest.approx(1)
    for broken in (None, {}, {"score_reference": 3}, {"score_reference": {"search": {"edges": [2, 1], "shares": []}}}):
        assert RecentDrift.from_manifest(broken) == {}  # type: ignore[arg-type]


def test_a_version_takes_its_drift_along_when_it_ends(tmp_path: Path) -> None:
    metrics = Metrics()
    reference = score_reference(np.random.default_rng(1).random(100))
    metrics.drift.reference("m", 3, {"score_reference": {"search": reference}}, tmp_path)
    metrics.answered("m", 3, "search", 300, 20, np.random.default_rng(2).random(280).tolist())
    line = 'tfrec_serving_score_drift{model="m",version="3",signature="search"}'
    assert line in metrics.page()
    assert 'tfrec_serving_empty_results_total{model="m",signature="search"} 20' in metrics.page()
    metrics.version_state("m", 3, 50)
    assert line not in metrics.page()
