"""The generator as a source, on a shop where a query is always brand and type."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from tfrec.synth.generator import checkpoint, training
from tfrec.synth.generator.fitting import _key, fitted, warm_up_pairs
from tfrec.synth.generator.pairs import Pairs, made_pairs, train_pairs
from tfrec.synth.generator.source import GeneratorSource
from tfrec.synth.source import SAMPLES, SourceContext

SHORT = (
    "{warm_up: catalogue, minimum_pairs: 50, width: 16, layers: 1, batch_size: 8, warm_up_steps: 2, steps: 6, "
    "evaluate_every: 2}"
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the module's whole training leaves: its folder and, after the first test, its samples."""
    return {"folder": tmp_path_factory.mktemp("trained")}


def test_it_writes_brand_and_type_of_items_whose_brand_no_training_query_names(
    toy: Any, trained: dict[str, Any], context_of: Callable[..., SourceContext]
) -> None:
    samples = trained["samples"] = GeneratorSource().samples(context_of(trained["folder"]))
    assert dict(samples.schema) == SAMPLES
    made = samples.filter(pl.col("parent").is_in(list(toy.unseen)))
    pairs = list(made.select("parent", "query").iter_rows())
    right = {parent for parent, query in pairs if toy.answer[parent] == query}
    assert len(right) >= 0.9 * len(pairs) and len(right) >= 0.85 * len(toy.unseen)
    assert samples["confidence"].is_between(0, 1).all() and (samples["confidence"] == 1).any()
    assert set(samples["query"]).isdisjoint(toy.answer[item] for item in toy.answer if item not in toy.unseen)


def test_a_finished_training_is_read_back_and_samples_the_same(
    toy: Any, trained: dict[str, Any], context_of: Callable[..., SourceContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(training.Training, "_train", never)
    context = context_of(trained["folder"], "synthesis.generator.novel_only=false")
    every = GeneratorSource().samples(context)
    known = {toy.answer[item] for item in toy.answer if item not in toy.unseen}
    new = every.filter(~pl.col("query").is_in(list(known)))
    assert every.height > new.height
    assert new.drop("confidence").equals(trained["samples"].drop("confidence"))


def test_the_checkpoint_key_depends_on_training_but_not_on_sampling(
    tmp_path: Path, context_of: Callable[..., SourceContext]
) -> None:
    encoder, pairs = SimpleNamespace(fingerprint="e"), made_pairs([("a", 1)])

    def key(*changes: str, made: Pairs = pairs) -> str:
        return _key(context_of(tmp_path, *changes), encoder, [made])  # type: ignore[arg-type]

    assert key() == key("synthesis.generator.top_p=0.5", "synthesis.generator.queries=3")
    others = [key("synthesis.generator.width=32"), key("seed=5"), key(made=made_pairs([("b", 1)]))]
    assert len({key(), *others}) == 4


@pytest.mark.slow
def test_an_interrupted_training_ends_with_the_same_weights(
    tmp_path: Path, context_of: Callable[..., SourceContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    def weights(folder: Path) -> list[np.ndarray]:
        context = context_of(folder, f"synthesis.generator={SHORT}")
        found = fitted(context, train_pairs(context.shop, 1000, context.config.seed))
        assert found.summary["stopped_at"] == 8
        return found.decoder.get_weights()

    # trainings of a few steps: tracing each of their graphs would take ten times as long as the steps
    monkeypatch.setattr(training.tf, "function", lambda function, **_: function)
    trained_step, steps = training.Training._train, list[int]()

    def until_killed(self: training.Training, step: int) -> float:
        steps.append(step)
        if step == 5:
            raise KeyboardInterrupt
        return trained_step(self, step)

    whole = weights(tmp_path / "whole")
    monkeypatch.setattr(training.Training, "_train", until_killed)
    with pytest.raises(KeyboardInterrupt):
        weights(tmp_path / "halved")
    monkeypatch.setattr(training.Training, "_train", lambda self, step: steps.append(step) or trained_step(self, step))
    again = weights(tmp_path / "halved")
    assert steps == [*range(6), *range(4, 8)]  # on from the last checkpoint, after step 4
    for one, other in zip(whole, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_templates_lend_clean_pairs_for_the_warm_up(tmp_path: Path, context_of: Callable[..., SourceContext]) -> None:
    context = context_of(tmp_path, "synthesis.generator={warm_up: templates, warm_up_pairs: 90}")
    made = warm_up_pairs(context)
    assert 60 <= len(made) <= 90 and made.fingerprint == warm_up_pairs(context).fingerprint
    for query, item in zip(made.queries, made.items, strict=True):
        assert set(query.split()) <= set(context.shop.item_texts[item].split()), query
    assert context.config.synthesis.templates.queries != 90  # the shop's own configuration stays as it is


def test_with_too_few_pairs_templates_stand_in_and_a_line_says_why(
    tmp_path: Path, context_of: Callable[..., SourceContext], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ["synthesis.generator={minimum_pairs: 5000, queries: 50}"]
    samples = GeneratorSource().samples(context_of(tmp_path, *settings, "synthesis.sources=[generator]"))
    assert samples.height == 50 and dict(samples.schema) == SAMPLES
    assert set(samples["source"]) == {"generator"} and samples["generator"].str.starts_with("templates: ").all()
    assert "252 training pairs of 252 queries" in capsys.readouterr().err
    both = GeneratorSource().samples(context_of(tmp_path, *settings, "synthesis.sources=[templates, generator]"))
    assert both.height == 0 and dict(both.schema) == SAMPLES, "templates are asked themselves"
    assert "the source templates" in capsys.readouterr().err


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
