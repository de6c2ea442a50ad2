"""The files of the demo shop: determinism, counts, splits, dirt, and how hard the searches are."""

from __future__ import annotations

import csv
import html
import os
import subprocess
import sys
import unicodedata
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path

import bm25s
import numpy as np
import pytest

from tfrec.data.demo import generate, generate_items
from tfrec.errors import DataError

FILES = ("items.csv", "searches.csv", "purchases.csv")
Table = list[dict[str, str]]


def read(path: Path) -> Table:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module", params=["en", "zh"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Table]:
    """The three tables of the default shop, in both languages."""
    folder = tmp_path_factory.mktemp("demo") / request.param
    generate(folder, language=request.param)
    return {name: read(folder / name) for name in FILES} | {"language": request.param}  # type: ignore[dict-item]


def test_same_seed_gives_the_same_bytes_and_another_seed_gives_others(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        generate(tmp_path / name, items=400, queries=120, shoppers=60, seed=seed)
    for file in FILES:
        one, two, other = ((tmp_path / name / file).read_bytes() for name in ("one", "two", "other"))
        assert one == two
        assert one != other


def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    """Sets of strings are ordered anew in every process; no choice may depend on that."""
    code = (
        "import sys; from tfrec.data.demo import generate; generate(sys.argv[1], items=400, queries=120, shoppers=60)"
    )
    for hash_seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        subprocess.run([sys.executable, "-c", code, str(tmp_path / hash_seed)], env=environment, check=True)
    for file in FILES:
        assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "2" / file).read_bytes()


def test_more_shoppers_leave_the_catalogue_and_the_searches_as_they_are(tmp_path: Path) -> None:
    for name, shoppers in (("few", 20), ("many", 90)):
        generate(tmp_path / name, items=400, queries=60, shoppers=shoppers)
    for file in ("items.csv", "searches.csv"):
        assert (tmp_path / "few" / file).read_bytes() == (tmp_path / "many" / file).read_bytes()


def test_counts(shop: dict[str, Table]) -> None:
    assert len({row["item_id"] for row in shop["items.csv"]}) == 3000
    assert len({row["category"].replace("&amp;", "&").strip() for row in shop["items.csv"]}) >= 12
    assert (
        len({row["query"] for row in shop["searches.csv"]})
        == len({r["query_id"] for r in shop["searches.csv"]})
        == 1500
    )
    assert len({row["user_id"] for row in shop["purchases.csv"]}) == 2000


def test_splits_share_no_query_and_have_their_sizes(shop: dict[str, Table]) -> None:
    split_of: dict[str, set[str]] = defaultdict(set)
    for row in shop["searches.csv"]:
        words = unicodedata.normalize("NFKC", row["query"]).casefold().split()
        split_of[" ".join(sorted(words))].add(row["split"])
    assert all(len(splits) == 1 for splits in split_of.values())
    assert Counter(split for splits in split_of.values() for split in splits) == {
        "train": 1050,
        "dev": 225,
        "test": 225,
    }


def test_judgments_are_sound(shop: dict[str, Table]) -> None:
    known = {row["item_id"] for row in shop["items.csv"]}
    gains: dict[str, list[float]] = defaultdict(list)
    pairs = [(row["query_id"], row["item_id"]) for row in shop["searches.csv"]]
    assert len(pairs) == len(set(pairs))
    for row in shop["searches.csv"]:
        assert row["item_id"] in known
        gains[row["query_id"]].append(float(row["gain"]))
    for values in gains.values():
        assert set(values) <= {0.0, 0.1, 0.5, 1.0}
        assert max(values) == 1.0
        assert 0.0 in values


def test_purchases_are_like_a_shops(shop: dict[str, Table]) -> None:
    known = {row["item_id"] for row in shop["items.csv"]}
    lines = {tuple(row.values()) for row in shop["purchases.csv"]}
    bought = [row for row in map(dict, shop["purchases.csv"]) if not row["order_id"].startswith("C")]
    assert all(row["item_id"] in known and row["event"] == "purchase" for row in shop["purchases.csv"])
    assert 10_000 < len(lines) < 60_000
    days = [datetime.strptime(row["timestamp"], "%Y-%m-%dT%H:%M:%SZ") for row in bought]
    assert 150 < (max(days) - min(days)).days <= 181
    of_item = Counter(row["item_id"] for row in bought)
    of_user = Counter(row["user_id"] for row in bought)
    popular = sum(count for _, count in of_item.most_common(300))
    assert 0.3 < popular / len(bought) < 0.7  # a tenth of the items makes a third to two thirds of the sales
    assert len(known - set(of_item)) >= 200  # cold items
    assert 0.08 < np.mean([count <= 2 for count in of_user.values()]) < 0.30  # thin users
    basket = {}
    for row in bought:  # an order belongs to one shopper and one moment
        assert basket.setdefault(row["order_id"], (row["user_id"], row["timestamp"])) == (
            row["user_id"],
            row["timestamp"],
        )


def test_dirt_is_there_but_light(shop: dict[str, Table]) -> None:
    items, purchases = shop["items.csv"], shop["purchases.csv"]
    duplicates = len(items) - len({tuple(row.values()) for row in items})
    assert 1 <= duplicates < 40
    assert len({row["item_id"] for row in items}) == len(items) - duplicates
    titles = [row["title"] for row in items]
    for fault in (
        [html.unescape(title) != title for title in titles],
        [unicodedata.normalize("NFKC", title) != title for title in titles],
        ["  " in title or title != title.strip() for title in titles],
    ):
        assert 10 < sum(fault) < 300
    orders = {row["order_id"] for row in purchases}
    cancelled = [row for row in purchases if row["order_id"].startswith("C")]
    assert 20 < len(cancelled) < 0.03 * len(purchases)
    assert all(int(row["quantity"]) < 0 and row["order_id"][1:] in orders for row in cancelled)
    assert all(int(row["quantity"]) > 0 for row in purchases if row not in cancelled)
    assert 1 <= len(purchases) - len({tuple(row.values()) for row in purchases}) < 0.01 * len(purchases)


def ndcg_at_10(ranked: list[str], gains: dict[str, float]) -> float:
    discounts = 1 / np.log2(np.arange(2, 12))
    found = np.array([gains.get(item, 0.0) for item in ranked[:10]])
    ideal = np.array(sorted(gains.values(), reverse=True)[:10])
    return float(found @ discounts[: len(found)] / (ideal @ discounts[: len(ideal)]))


def tokens(texts: list[str], language: str) -> bm25s.tokenization.Tokenized:
    if language == "zh":  # words are not divided by blanks: overlapping pairs of characters
        solid = [text.replace(" ", "").lower() for text in texts]
        texts = [" ".join(a + b for a, b in zip(text, text[1:] or " ", strict=False)) for text in solid]
    return bm25s.tokenize(texts, stopwords=None, show_progress=False)


def test_bm25_is_good_but_beatable(shop: dict[str, Table]) -> None:
    language = str(shop["language"])
    items = {row["item_id"]: f"{html.unescape(row['title'])} {row['brand']}" for row in shop["items.csv"]}
    queries: dict[str, dict[str, float]] = defaultdict(dict)
    for row in shop["searches.csv"]:
        if row["split"] == "test":
            queries[row["query"]][row["item_id"]] = float(row["gain"])
    index = bm25s.BM25()
    index.index(tokens(list(items.values()), language), show_progress=False)
    ranked, _ = index.retrieve(tokens(list(queries), language), corpus=list(items), k=10, show_progress=False)
    values = [ndcg_at_10(list(row), gains) for row, gains in zip(ranked, queries.values(), strict=True)]
    assert 0.35 < np.mean(values) < 0.75


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"language": "tlh"}, "language 'tlh'"),
        ({"items": 10}, "at least 200 items"),
        ({"queries": 0}, "at least 200 items"),
        ({"items": 200, "queries": 2001}, "at most 2000 queries"),
    ],
)
def test_wrong_wishes_give_one_sentence_and_leave_nothing(tmp_path: Path, wrong: dict[str, object], says: str) -> None:
    with pytest.raises(DataError, match=says):
        generate(tmp_path / "demo", **wrong)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_very_large_catalogue_is_streamed(tmp_path: Path) -> None:
    for name in ("one.csv", "two.csv"):
        generate_items(tmp_path / name, count=120_000, seed=5)
    rows = read(tmp_path / "one.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert len({row["item_id"] for row in rows}) == 120_000
    assert len(rows) == 120_000 + 200 + 200
    assert len({row["title"] for row in rows}) == 120_000
    assert list(rows[0]) == ["item_id", "title", "description", "brand", "color", "material", "category", "price"]
    assert sum("&amp;" in row["title"] for row in rows) > 1000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.csv", "two.csv"]


def test_the_shipped_configuration_filters_by_columns_that_the_shop_has(shop: dict[str, Table]) -> None:
    from tfrec.config import load_config

    names = load_config(Path(__file__).resolve().parents[2] / "configs" / "demo.yaml").retrieval.filters
    assert "price" in names and "category" in names
    for name in names:  # most items have a value, so that a condition on it says something
        assert sum(bool(row[name].strip()) for row in shop["items.csv"]) > len(shop["items.csv"]) / 2, name
