"""The index that a shop gets: which texts, by which labels, kept while nothing changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.retrieval.lexical_shop import KnownShop, known_shop
from tfrec.config import Config, parse_config
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.errors import ConfigError
from tfrec.retrieval.lexical_tuning import counted, stage
from tfrec.retrieval.lexical_tuning.counts import FieldCounts
from tfrec.retrieval.lexical_tuning.stage import (
    TunedLexical,
    kept_lexical,
    known_judgments,
    lexical_tuner,
    tuned_lexical,
)


@pytest.fixture(scope="module")
def truth() -> KnownShop:
    return known_shop(items=200, queries=40)


@pytest.fixture(scope="module")
def root(truth: KnownShop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    size = len(truth.fields["title"])
    items = pl.DataFrame({"item_id": [f"i{n}" for n in range(size)], **truth.fields})
    items.with_columns(stock=pl.int_range(size).cast(pl.String)).write_csv(folder / "items.csv")
    rows = [
        (query, f"i{item}", gain, ["train", "dev"][number % 4 == 0])
        for number, (query, gains) in enumerate(truth.judgments.items())
        for item, gain in gains.items()
    ]
    pl.DataFrame(rows, schema=["query", "item_id", "gain", "split"], orient="row").write_csv(folder / "searches.csv")
    return folder


def _config(root: Path, **lexical: object) -> Config:
    data = {"root": str(root), "items": "items.csv", "searches": "searches.csv", "split": {"few_queries": 0}}
    tree = {"name": "n", "runs_dir": str(root / "runs"), "data": data, "retrieval": {"lexical": lexical}}
    return parse_config(tree)


@pytest.fixture(scope="module")
def shop(root: Path) -> ShopData:
    return prepare(_config(root))


def test_all_texts_are_read_and_the_record_says_so(root: Path, shop: ShopData) -> None:
    found = kept_lexical(_config(root), shop, ("train",), None)
    assert set(found.record["fields"]) == {"title", "kind", "traits", "story"}
    assert found.record["left_out"] == ["remarks", "legal"]
    train = len(known_judgments(shop, ("train",)))
    assert found.record["labelled_queries"] == train == 30
    assert f"{train} labelled queries" in found.record["told"]
    query = next(iter(shop.judgments("dev")))
    right = shop.judgments("dev")[query]
    best = np.argsort(-found.scores(query), kind="stable")[: len(right)]
    assert len({shop.item_ids[n] for n in best} & set(right)) >= len(right) / 2


def test_what_is_evaluated_never_tunes(root: Path, shop: ShopData) -> None:
    config = _config(root)
    train, dev = known_judgments(shop, ("train",)), known_judgments(shop, ("dev",))
    assert train and dev and not set(train) & set(dev)
    alone = tuned_lexical(config, shop, train)
    np.testing.assert_array_equal(kept_lexical(config, shop, ("train",), None).index.weights, alone.index.weights)
    both = kept_lexical(config, shop, ("train", "dev"), None)
    assert not np.array_equal(both.index.weights, alone.index.weights)


def test_it_is_kept_while_nothing_changes(
    root: Path, shop: ShopData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _config(root)
    first = kept_lexical(config, shop, ("train",), tmp_path)
    assert (tmp_path / "train" / "lexical.json").is_file()
    made: list[int] = []
    real = stage.LexicalTuner.index
    monkeypatch.setattr(stage.LexicalTuner, "index", lambda *parts: made.append(1) or real(*parts))
    again = kept_lexical(config, shop, ("train",), tmp_path)
    assert not made and again.record == first.record and again.index.terms == first.index.terms
    for name in ("starts", "items", "weights", "pairs"):
        np.testing.assert_array_equal(getattr(again.index, name), getattr(first.index, name))
        assert getattr(again.index, name).dtype == getattr(first.index, name).dtype
    query = next(iter(shop.judgments("dev")))
    np.testing.assert_array_equal(again.scores(query), first.scores(query))
    changed = [
        (_config(root, language="none"), ("train",)),
        (_config(root).model_copy(update={"seed": 5}), ("train",)),
        (_config(root, queries=3), ("train",)),
    ]
    for number, (other, splits) in enumerate(changed, start=1):
        kept_lexical(other, shop, splits, tmp_path)
        assert len(made) == number


def test_the_same_seed_makes_the_same_index(root: Path, shop: ShopData) -> None:
    one, other = (kept_lexical(_config(root), shop, ("train",), None) for _ in range(2))
    np.testing.assert_array_equal(one.index.weights, other.index.weights)


def test_a_catalogue_is_counted_once_and_remembers_no_query(
    root: Path, shop: ShopData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counted, "_kept", {})
    made: list[int] = []

    def of(*given: object, **named: object) -> FieldCounts:
        made.append(1)
        return plain(*given, **named)

    plain = FieldCounts.of
    monkeypatch.setattr(FieldCounts, "of", of)
    one, other = (lexical_tuner(_config(root), shop, {}) for _ in range(2))
    assert len(made) == 1 and other.counts.items is one.counts.items
    before = other.index(other.tuned()).terms
    one.index(one.tuned(), ["unheardof " + word + "est" for word in list(before)[:20]])
    again = lexical_tuner(_config(root), shop, {})
    assert again.index(again.tuned()).terms == before and len(made) == 1
    lexical_tuner(_config(root, language="none"), shop, {})
    assert len(made) == 2


def test_fewer_queries_tune_where_the_configuration_says_so(root: Path, shop: ShopData) -> None:
    tuner = lexical_tuner(_config(root, queries=7), shop, known_judgments(shop, ("train",)))
    assert len(tuner.queries) == 7
    untuned = kept_lexical(_config(root, queries=0), shop, ("train",), None)
    assert untuned.record["labelled_queries"] == 0


def test_named_fields_and_no_tuning(root: Path, shop: ShopData) -> None:
    off = kept_lexical(
        _config(root, tune="off", fields={"title": 2.0, "kind": 1.0}, k1=1.0, b=0.5), shop, ("train",), None
    )
    assert [part["weight"] for part in off.record["fields"].values()] == [2.0, 1.0]
    assert off.record["k1"] == 1.0 and "as configured" in off.record["told"] and not len(off.index.pairs)
    named = kept_lexical(_config(root, fields={"story": 1.0}), shop, ("train",), None)
    assert list(named.record["fields"]) == ["story"] and named.record["settings"] > 1
    with pytest.raises(ConfigError, match="no column 'titel'"):
        kept_lexical(_config(root, fields={"titel": 1.0}), shop, ("train",), None)


def test_many_columns_are_read_as_few_fields(root: Path, truth: KnownShop, tmp_path: Path) -> None:
    size = len(truth.fields["title"])
    rng = np.random.default_rng(1)
    wood = rng.choice(["oak", "elm", "ash", "fir"], size)
    columns = {f"attr_{n}": [f"{tree}{n}" for tree in wood] for n in range(12)}
    items = pl.DataFrame({"item_id": [f"i{n}" for n in range(size)], "title": truth.fields["title"], **columns})
    items.write_csv(tmp_path / "items.csv")
    pl.DataFrame({"query": ["a", "b"], "item_id": ["i1", "i2"]}).write_csv(tmp_path / "searches.csv")
    shop = prepare(_config(tmp_path))
    found: TunedLexical = kept_lexical(_config(tmp_path), shop, ("train",), None)
    assert len(found.record["fields"]) <= 8 and "attributes" in found.record["fields"]
    for n in range(12):
        scores = found.scores(f"oak{n}")
        assert {i for i in range(size) if scores[i] > 0} >= {i for i in range(size) if wood[i] == "oak"}
