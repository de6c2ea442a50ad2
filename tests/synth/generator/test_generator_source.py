"""The generator as a source, on a shop where a query is always brand and type."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tfrec.synth.generator import checkpoint, training
from tfrec.synth.generator.fitting import fitted
from tfrec.synth.generator.pairs import train_pairs
from tfrec.synth.generator.source import GeneratorSource
from tfrec.synth.source import SAMPLES, SourceContext

SHORT = ["synthesis.generator.steps=24", "synthesis.generator.warm_up_steps=6", "synthesis.generator.evaluate_every=6"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the module's whole training leaves its checkpoint."""
    return tmp_path_factory.mktemp("trained")


def test_it_writes_brand_and_type_of_items_whose_brand_no_training_query_names(
    toy: Any, trained: Path, context_of: Callable[..., SourceContext]
) -> None:
    samples = GeneratorSource().samples(context_of(trained))
    assert dict(samples.schema) == SAMPLES
    made = samples.filter(pl.col("parent").is_in(list(toy.unseen)))
    pairs = list(made.select("parent", "query").iter_rows())
    right = {parent for parent, query in pairs if toy.answer[parent] == query}
    assert len(right) >= 0.9 * len(pairs) and len(right) >= 0.85 * len(toy.unseen)
    assert samples["confidence"].is_between(0, 1).all() and (samples["confidence"] == 1).any()
    assert set(samples["query"]).isdisjoint(toy.answer[item] for item in toy.answer if item not in toy.unseen)


def test_a_finished_training_is_read_back_and_other_sampling_needs_no_new_one(
    toy: Any, trained: Path, context_of: Callable[..., SourceContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(training.Training, "_train", never)
    one = "synthesis.generator.per_item=1"
    first = GeneratorSource().samples(context_of(trained, one))
    assert first.equals(GeneratorSource().samples(context_of(trained, one))) and first.height > 0
    with pytest.raises(AssertionError, match="trained again"):
        GeneratorSource().samples(context_of(trained, "seed=5"))


def test_an_interrupted_training_ends_with_the_same_weights(
    tmp_path: Path, context_of: Callable[..., SourceContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    def weights(folder: Path) -> list[np.ndarray]:
        context = context_of(folder, *SHORT, "synthesis.generator.dropout=0.2")
        found = fitted(context, train_pairs(context.shop, 1000, context.config.seed))
        assert found.summary["stopped_at"] == 30
        return found.decoder.get_weights()

    whole = weights(tmp_path / "whole")
    trained_step, steps = training.Training._train, []

    def until_killed(self: training.Training, step: int) -> float:
        steps.append(step)
        if step == 16:
            raise KeyboardInterrupt
        return trained_step(self, step)

    monkeypatch.setattr(training.Training, "_train", until_killed)
    with pytest.raises(KeyboardInterrupt):
        weights(tmp_path / "halved")
    monkeypatch.setattr(training.Training, "_train", lambda self, step: steps.append(step) or trained_step(self, step))
    again = weights(tmp_path / "halved")
    assert steps == [*range(17), *range(12, 30)]  # on from the last checkpoint, after step 12
    for one, other in zip(whole, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_too_few_pairs_give_no_samples_and_a_line_that_says_why(
    tmp_path: Path, context_of: Callable[..., SourceContext], capsys: pytest.CaptureFixture[str]
) -> None:
    samples = GeneratorSource().samples(context_of(tmp_path, "synthesis.generator.minimum_pairs=5000"))
    assert samples.height == 0 and dict(samples.schema) == SAMPLES
    assert "252 training pairs of 252 queries" in capsys.readouterr().err


def test_a_checkpoint_of_another_training_is_not_read_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    from tfrec.errors import TrainingError

    arrays = [np.arange(3.0), np.ones([2, 2])]
    checkpoint.save(tmp_path / "c", {"last": arrays * 6}, {"key": "a", "step": 1})
    assert checkpoint.read(tmp_path / "c", "b") is None and checkpoint.read(tmp_path / "none", "a") is None
    found = checkpoint.read(tmp_path / "c", "a")
    assert found is not None and found[1]["step"] == 1 and len(found[0]["last"]) == 12
    for one, other in zip(arrays * 6, found[0]["last"], strict=True):
        np.testing.assert_array_equal(one, other)
    (tmp_path / "c" / "arrays.npz").write_bytes(b"PK nothing")
    with pytest.raises(TrainingError, match="is damaged"):
        checkpoint.read(tmp_path / "c", "a")
