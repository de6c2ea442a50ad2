"""The whole of training on a shop whose answers are certain: batches, learning, resumption."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import TRAINED_WITH
from tfrec.config import load_config
from tfrec.errors import TrainingError

SHORT = TRAINED_WITH[1:]


def _batches(encoder: Any, config_path: Path, *overrides: str) -> Any:
    from tfrec.data.prepare import prepare
    from tfrec.training.pipeline import Batches

    config = load_config(config_path, overrides)
    shop = prepare(config)
    return Batches(config, shop, encoder.tokenize), shop


def _same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    flat = [
        {k: (v.flat_values if hasattr(v, "flat_values") else v).numpy() for k, v in batch.items()} for batch in (a, b)
    ]
    return all(np.array_equal(flat[0][key], flat[1][key]) for key in flat[0])


def test_batches_repeat_for_a_seed_and_can_be_entered_anywhere(shop_home: Path, known_encoder: Any) -> None:
    batches, _ = _batches(known_encoder, shop_home)
    first = list(batches.from_step(0).take(6))
    assert all(_same(a, b) for a, b in zip(first, batches.from_step(0).take(6), strict=True))
    assert all(_same(a, b) for a, b in zip(first[4:], batches.from_step(4).take(2), strict=True))
    assert not _same(first[0], first[1])
    other, _ = _batches(known_encoder, shop_home, "seed=99", "name=other_seed")
    assert not _same(first[0], next(iter(other.from_step(0))))


def test_batches_hold_both_tasks_and_only_judged_negatives(shop_home: Path, known_encoder: Any) -> None:
    batches, shop = _batches(known_encoder, shop_home)
    seen = {True: 0, False: 0}
    for batch in batches.from_step(0).take(8):
        rows = len(batch["weight"])
        search = batch["is_search"].numpy()
        for flag in (True, False):
            seen[flag] += int((search == flag).sum())
        assert np.array_equal(batch["has_text"].numpy(), search), "recommendation rows type nothing"
        assert batch["allowed"].shape == (rows, len(batch["items"]))
        assert batch["allowed"].numpy()[np.arange(rows), np.arange(rows)].all()
        negatives = batch["items"].numpy()[rows:]
        assert len(negatives) <= rows and (negatives >= 0).all() and (negatives < shop.size).all()
        assert len(set(negatives.tolist())) == len(negatives)
    assert min(seen.values()) > 0


@pytest.fixture(scope="module")
def learned(known_shop: Path, trained_shop: Any) -> Any:
    """The shop trained in one go."""
    import tfrec

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(known_shop.parent / "home"))
        return tfrec.load(load_config(known_shop, TRAINED_WITH))


def test_training_teaches_what_the_untrained_encoder_cannot_know(shop_home: Path, learned: Any) -> None:
    import tfrec

    start, best = learned.summary["evaluations"][0], max(learned.summary["evaluations"], key=lambda e: e["score"])
    assert best["search nDCG@10"] > start["search nDCG@10"] + 0.2
    assert best["search nDCG@10"] > 0.6
    report = tfrec.evaluate(learned)["search"]
    assert report.systems["tfrec"].means["nDCG@10"] == pytest.approx(best["search nDCG@10"], abs=1e-6)

    again = tfrec.train(learned.config)  # a finished run is read back, not repeated
    assert again.summary == learned.summary
    np.testing.assert_allclose(again.catalogue, learned.catalogue, atol=1e-6)
    with pytest.raises(TrainingError, match="run `tfrec train`"):
        tfrec.load(load_config(shop_home, [*TRAINED_WITH, "training.epochs=13"]))


def test_a_killed_run_ends_like_one_that_was_not(shop_home: Path, learned: Any) -> None:
    import tfrec
    from tfrec.files import read_json

    whole, settings = learned.summary, ["name=killed", *SHORT]
    code = (
        "import tfrec, tfrec.training.trainer as t\n"
        "t._SECONDS_BETWEEN_CHECKPOINTS = 0.0\n"
        f"tfrec.train(tfrec.load_config({str(shop_home)!r}, {settings!r}))\n"
    )
    trainings = shop_home.parent / "runs" / "killed" / "checkpoints"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        states = [read_json(file) for file in trainings.glob("*/last/state.json")]
        if states and not states[0]["finished"] and states[0]["step"] >= whole["steps"] // 3:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.01)
    process.wait(60)
    assert process.returncode == -signal.SIGKILL, "the run ended before it could be killed"
    resumed = tfrec.train(load_config(shop_home, settings)).summary
    assert resumed["steps"] == whole["steps"]
    assert [e["step"] for e in resumed["evaluations"]] == [e["step"] for e in whole["evaluations"]]
    for a, b in zip(resumed["evaluations"], whole["evaluations"], strict=True):
        assert a["score"] == pytest.approx(b["score"], abs=0.02)


def test_too_few_examples_say_so(shop_home: Path) -> None:
    import tfrec

    with pytest.raises(TrainingError, match="batch_size"):
        tfrec.train(load_config(shop_home, ["name=few", "training.batch_size=100000"]))
    with pytest.raises(TrainingError, match="no training example"):
        tfrec.train(load_config(shop_home, ["name=none", "training.tasks={search: 0, recommendation: 0}"]))


def test_a_damaged_checkpoint_is_named(shop_home: Path) -> None:
    from tfrec.tensorflow_setup import tf
    from tfrec.training import checkpoints

    folder = shop_home.parent / "checkpoint"
    checkpoints.save(folder, [tf.Variable(1.0)], {"step": 1})
    assert checkpoints.restore(folder, [tf.Variable(0.0)]) == {"step": 1}
    with pytest.raises(TrainingError, match="does not fit"):
        checkpoints.restore(folder, [tf.Variable([0.0, 1.0])])
    for part in folder.glob("weights.data*"):
        part.write_bytes(b"")
    with pytest.raises(TrainingError, match="damaged"):
        checkpoints.restore(folder, [tf.Variable(0.0)])
