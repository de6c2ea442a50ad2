"""Rounds: the better model teaches the next one; the best round is the run's own training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import tfrec
from tfrec.config import load_config
from tfrec.files import read_json

SETTINGS = [
    "training.epochs=1", "training.evaluations=1",
    "training.tasks.recommendation=0", "training.interpolation=[]",
]  # fmt: skip


@pytest.mark.slow  # several whole trainings, and off by default
@pytest.mark.parametrize("rounds", [2, 3])
def test_rounds_keep_the_best_and_are_read_back(shop_home: Path, rounds: int) -> None:
    synthesis = f"synthesis={{enabled: true, queries: 40, rounds: {rounds}}}"
    config = load_config(shop_home, [f"name=rounds{rounds}", synthesis, *SETTINGS])
    trained = tfrec.train(config)
    run = shop_home.parent / "runs" / f"rounds{rounds}"
    scores = trained.summary["rounds"]
    assert 2 <= len(scores) <= rounds
    ended = scores[:-1] if scores[-1] <= max(scores[:-1]) else scores
    assert ended == sorted(set(ended)), "it goes on only while dev gains"
    assert len(ended) < len(scores) or len(scores) == rounds
    best = int(np.argmax(scores)) + 1
    states = [
        read_json(next((run / "rounds" / str(n + 1) / "checkpoints").glob("*/last/state.json")))
        for n in range(len(scores))
    ]
    assert len({state["signature"] for state in states}) == len(scores)
    assert max(e["score"] for e in states[best - 1]["summary"]["evaluations"]) == pytest.approx(max(scores), abs=1e-6)

    first = pl.read_parquet(run / "synthetic" / "examples" / "samples.parquet")
    second = pl.read_parquet(run / "rounds" / "2" / "synthetic" / "examples" / "samples.parquet")
    assert first["query"].unique().sort().equals(second["query"].unique().sort()), "the same queries of the catalogue"
    assert not first["item"].equals(second["item"]), "labelled by the model of round 1"

    before = {path: path.stat().st_mtime_ns for path in run.rglob("weights*")}
    again, loaded = tfrec.train(config), tfrec.load(config)
    assert {path: path.stat().st_mtime_ns for path in run.rglob("weights*")} == before
    assert again.summary == trained.summary
    np.testing.assert_allclose(loaded.catalogue, trained.catalogue, atol=1e-6)
    assert read_json(run / "metrics.json")["training"]["rounds"] == scores
