"""Mined negatives: the window, the margin, no known answer and no copy of one; and how batches draw them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tfrec.config.mining import MinedNegativesConfig
from tfrec.errors import ConfigError
from tfrec.synth.hard_negatives import known_items, mine, mined_negatives
from tfrec.synth.source import Teacher


def _ladder(size: int = 40) -> Teacher:
    """Item i is the i-th best for every query, by certain steps."""
    scores = np.linspace(1.0, 0.0, size).astype(np.float32)
    items = np.stack([scores, np.sqrt(1 - scores**2)], axis=1)
    items[:, 1] *= np.where(np.arange(size) % 2, 1, -1)  # neighbours of the ladder are far from one another
    return Teacher(items, lambda queries: np.tile(np.float32([1, 0]), [len(queries), 1]), lambda query: scores)


def test_negatives_come_from_the_window_hardest_first() -> None:
    settings = MinedNegativesConfig(per_query=5, first_rank=11, last_rank=30, margin=0.0)
    assert mine({"q": {0}}, {"q": {0}}, _ladder(), settings) == {"q": [10, 11, 12, 13, 14]}
    short = MinedNegativesConfig(per_query=50, first_rank=11, last_rank=13, margin=0.0)
    assert mine({"q": {0}}, {"q": {0}}, _ladder(), short) == {"q": [10, 11, 12]}


def test_a_margin_to_the_positive_is_kept_and_judged_items_are_left_out() -> None:
    settings = MinedNegativesConfig(per_query=4, first_rank=1, last_rank=40, margin=0.5)
    found = mine({"q": {0}}, {"q": {0, 25}}, _ladder(), settings)["q"]
    assert 25 not in found and min(found) >= 13, "half of the positive's score lies near the middle of the ladder"
    close = MinedNegativesConfig(per_query=4, first_rank=1, last_rank=40, margin=0.0)
    assert mine({"q": {0}}, {"q": {0, 1}}, _ladder(), close)["q"][0] == 2


def test_copies_of_a_positive_are_no_negatives() -> None:
    ladder = _ladder()
    ladder.items[12] = ladder.items[0] * 0.999
    settings = MinedNegativesConfig(per_query=40, first_rank=1, last_rank=40, margin=0.0)
    assert 12 not in mine({"q": {0}}, {"q": {0}}, ladder, settings)["q"]


def test_a_window_upside_down_is_refused() -> None:
    with pytest.raises(ConfigError, match="first_rank"):
        MinedNegativesConfig(first_rank=20, last_rank=10)


@pytest.fixture()
def mined(shop_home: Path, tmp_path: Path) -> Any:
    from tfrec.config import load_config
    from tfrec.data.prepare import prepare

    settings = "training.mined_negatives={per_query: 6, first_rank: 1, last_rank: 48, margin: 0, duplicate: 1.0}"
    config = load_config(shop_home, ["name=mined", settings])
    shop = prepare(config)
    calls: list[int] = []

    def teacher() -> Teacher:
        calls.append(1)
        rng = np.random.default_rng(0)
        items = rng.normal(size=[shop.size, 8]).astype(np.float32)
        items /= np.linalg.norm(items, axis=1, keepdims=True)
        return Teacher(items, lambda queries: items[: len(queries)], lambda query: np.ones(shop.size, np.float32))

    def run(made: Any = None) -> Any:
        return mined_negatives(config, shop, teacher, "f" * 64, tmp_path / "mined", made)

    return config, shop, run, calls


def test_mining_is_kept_and_off_by_default(mined: Any, shop_home: Path, tmp_path: Path) -> None:
    from tfrec.config import load_config

    config, shop, run, calls = mined
    first, second = run(), run()
    assert calls == [1] and np.array_equal(first.items, second.items) and len(first.items)
    judged = {
        (group, item)
        for group, query in enumerate(shop.judgments("train"))
        for item in (shop.item_ids.index(name) for name in shop.judgments("train")[query])
    }
    assert not judged & set(zip(first.groups.tolist(), first.items.tolist(), strict=True))
    off = load_config(shop_home, ["name=mined"])
    assert mined_negatives(off, shop, lambda: pytest.fail("mined"), "f" * 64, tmp_path / "off") is None


def test_what_made_examples_answer_with_is_no_negative_of_the_query(mined: Any, tmp_path: Path) -> None:
    from tfrec.synth.examples import SyntheticExamples

    _, shop, run, calls = mined
    before = run()
    queries = len(shop.judgments("train"))
    full = np.flatnonzero(before.counts == 6).tolist()
    hardest = {group: int(before.items[before.groups == group][0]) for group in (full[0], full[-1])}
    pairs = [*hardest.items(), (10**6, int(before.items[0]))]  # the last is a made query's own group
    made = SyntheticExamples([], *(np.array(column) for column in zip(*pairs, strict=True)), tmp_path)
    after = run(made)
    assert len(calls) == 2, "what was mined without them is not read back"
    for group in range(queries):
        old, new = (table.items[table.groups == group].tolist() for table in (before, after))
        assert (new[:5] == old[1:] and hardest[group] not in new) if group in hardest else new == old
    assert len(hardest) == 2 and len(after.items) > len(before.items) - 2, "the next one takes the place"
    assert np.array_equal(run(made).items, after.items) and len(calls) == 2


def test_answers_of_another_spelling_are_known_too() -> None:
    answers = pl.DataFrame({"query": ["Red Sofa", "red  sofa", "lamp"], "item": [1, 2, 3]})
    judged = pl.DataFrame({"query": ["Red Sofa", "red  sofa", "lamp", "lamp"], "item": [1, 2, 3, 4]})
    spread = pl.DataFrame({"query": ["lamp"], "item": [5]})
    assert known_items(judged, answers, spread) == {"Red Sofa": {1, 2}, "red  sofa": {1, 2}, "lamp": {3, 4, 5}}


def test_batches_draw_mined_negatives_where_none_is_judged(mined: Any, shop_home: Path) -> None:
    from tfrec.config import load_config
    from tfrec.data.prepare import prepare
    from tfrec.encoder.loading import load_encoder
    from tfrec.training.pipeline import Batches

    table = mined[2]()
    config = load_config(shop_home, ["name=unjudged", "data.negatives_per_query=0"])
    shop = prepare(config)
    tokenize = load_encoder(config.encoder, config.seed).tokenize
    drawn: set[int] = set()
    for batch in Batches(config, shop, tokenize, mined=table).from_step(0).take(4):
        drawn |= set(batch["items"].numpy()[len(batch["weight"]) :].tolist())
    assert len(drawn) > 5 and drawn <= set(table.items.tolist()), "no judged negative is left, so all are mined"


def test_the_lookup_gives_each_group_its_own(mined: Any) -> None:
    from tfrec.tensorflow_setup import tf
    from tfrec.training.mined import MinedTable

    table = mined[2]()
    judged = tf.ragged.constant([[1], [], [2]], dtype=tf.int64)
    rows = MinedTable(table).beside(judged, tf.constant([0, 1, 10**6], tf.int64)).to_list()
    own = [table.items[table.groups == group].tolist() for group in (0, 1)]
    assert rows == [[1, *own[0]], own[1], [2]], "an unknown group has none"


def test_the_correction_counts_what_is_mined(mined: Any) -> None:
    from tfrec.synth.hard_negatives import MinedNegatives
    from tfrec.training.candidate_sampling import _of_searches

    _, shop, _, _ = mined
    groups = np.arange(len(shop.judgments("train")))
    one = MinedNegatives(groups, np.full(len(groups), 7), shop.size)
    without, pairs = _of_searches(shop, 1, None)
    counted, same = _of_searches(shop, 1, one)
    assert pairs == same
    assert counted.sum() == pytest.approx(without.sum()), "as many negatives are drawn, spread over more items"
    assert counted[7] > without[7] + 1


def test_training_mines_when_asked_and_spares_what_made_examples_answer_with(
    shop_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tfrec.config import load_config
    from tfrec.pipeline import api, train_once

    begun: list[Any] = []

    def stop(_: Any, model: Any, batches: Any, *others: Any, **named: Any) -> Any:
        begun.append(batches)
        raise KeyboardInterrupt

    monkeypatch.setattr(train_once, "Trainer", stop)  # what training is given is all that is looked at here
    settings = [
        "name=mining", "data.negatives_per_query=0", "synthesis={enabled: true, sources: [expansion]}",
        "synthesis.expansion={minimum: 0, queries: 20}", "synthesis.max_share=0.1", "training.hard_negatives=4",
        "training.tasks.recommendation=0",
        "training.mined_negatives={per_query: 4, first_rank: 1, last_rank: 48, margin: 0, duplicate: 1.0}",
    ]  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        api.train(load_config(shop_home, settings))
    run = shop_home.parent / "runs" / "mining"
    mined = pl.read_parquet(run / "mined_negatives" / "negatives.parquet")
    spread = pl.read_parquet(run / "synthetic" / "examples" / "known_positives.parquet")
    spread = spread.filter(pl.col("group") <= mined["group"].max())
    assert mined.height > 20 and spread.height > 20
    assert not mined.join(spread, on=["group", "item"]).height
    drawn: set[int] = set()
    for batch in begun[0].from_step(0).take(3):
        drawn |= set(batch["items"].numpy()[len(batch["weight"]) :].tolist())
    assert len(drawn) > 5 and drawn <= set(mined["item"]), "no negative is judged, so all are mined"
