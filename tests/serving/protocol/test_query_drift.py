"""What the server tells of queries beside those that the export knows: known truth."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tfrec.drift.measures import bins_of
from tfrec.drift.profile_file import Profile, write_profile
from tfrec.drift.sketch import Sketch
from tfrec.serving.server.metrics import drift_counters
from tfrec.serving.server.metrics.counters import Metrics
from tfrec.serving.server.metrics.drift import LEAST

WORDS = ["red", "blue", "sofa", "lamp", "table"]
NONE = np.zeros([0, 1], np.float32)


@pytest.fixture
def metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Metrics:
    """Of a version that knows five words, and queries of one to four of them; every request is looked at."""
    monkeypatch.setattr(drift_counters, "_EVERY_SECONDS", 0.0)
    lengths = np.random.default_rng(1).integers(1, 5, 500)
    facts = {"language": "none", "queries": {"length": bins_of(lengths), "words": 100, "unknown": 0.05}}
    write_profile(tmp_path, Profile(facts, Sketch.of(WORDS), Sketch.of([]), Sketch.of([]), NONE, NONE))
    metrics = Metrics()
    metrics.drift.reference("m", 3, {}, tmp_path)
    return metrics


def value(metrics: Metrics, name: str) -> float | None:
    found = re.search(rf'tfrec_serving_{name}{{model="m",version="3"}} (\S+)', metrics.page())
    return float(found[1]) if found else None


def asked(metrics: Metrics, lengths: np.ndarray, words: list[str]) -> None:
    draw = np.random.default_rng(2)
    for length in lengths.tolist():
        metrics.drift.queries("m", 3, [" ".join(draw.choice(words, length)).encode()])


def test_queries_like_those_of_the_export_do_not_drift(metrics: Metrics) -> None:
    asked(metrics, np.random.default_rng(3).integers(1, 5, 1000), WORDS)
    assert value(metrics, "unknown_query_words_total") == 0 and value(metrics, "unknown_query_words_usual") == 0.05
    index = value(metrics, "query_length_drift")
    assert index is not None and index < 0.05


def test_longer_queries_and_unknown_words_are_seen(metrics: Metrics) -> None:
    asked(metrics, np.full(LEAST, 8), [*WORDS, "fnord", "gnarf", "quux", "zork", "blorb"])
    words, unknown = value(metrics, "query_words_total"), value(metrics, "unknown_query_words_total")
    assert words == 8 * LEAST and unknown is not None and 0.4 < unknown / words < 0.6
    index = value(metrics, "query_length_drift")
    assert index is not None and index > 1


def test_too_few_and_blank_queries_and_other_versions_say_nothing(metrics: Metrics) -> None:
    asked(metrics, np.full(LEAST - 1, 2), WORDS)
    metrics.drift.queries("m", 3, [b" ", b"", b"\xff \xfe"])
    metrics.drift.queries("m", 4, [b"red"])
    assert value(metrics, "query_length_drift") is not None, "what is no text has a length, too"
    assert value(metrics, "query_words_total") == 2 * (LEAST - 1)
    metrics.version_gone("m", 3)
    assert not re.search(r'query.*version="3"', metrics.page())


def test_many_requests_cost_no_more_than_few(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift_counters, "_EVERY_SECONDS", 60.0)
    for _ in range(1000):
        metrics.drift.queries("m", 3, [b"red sofa"] * 100)
    assert value(metrics, "query_words_total") == 2 * 32, "of one request, and of its first rows"


def test_a_version_without_a_profile_is_served_all_the_same(tmp_path: Path) -> None:
    metrics = Metrics()
    metrics.drift.reference("m", 1, None, tmp_path)
    metrics.drift.queries("m", 1, [b"red"])
    (tmp_path / "assets.extra").mkdir()
    for name in ("json", "npz"):
        (tmp_path / f"assets.extra/reference_profile.{name}").write_bytes(b"broken")
    metrics.drift.reference("m", 1, None, tmp_path)
    assert "query_words_total{" not in metrics.page()
