"""Shoppers' ids as prepared data has them, and shoppers taken out of it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.data.logs.written import write
from tests.data.test_training_examples import _parsed
from tfrec.config import Config, load_config
from tfrec.data.forgetting import held, take_out
from tfrec.data.prepare import prepare
from tfrec.data.privacy import forget_shoppers, forgotten_shoppers, shopper_ids
from tfrec.data.shop import ShopData
from tfrec.errors import DataError

_VISITORS = ("ann", "bob", "eve")


def _shop(folder: Path, privacy: str = "") -> Config:
    folder.mkdir(exist_ok=True)
    items = ["S1", "S2", "S3", "L1", "L2"]
    pl.DataFrame({"item_id": items, "title": [f"title {item}" for item in items]}).write_csv(folder / "items.csv")
    bought = [(f"{who}", item, f"2024-0{1 + month}-01") for who in ("ann", "cid", "dan", "bob")
              for month, item in enumerate(("S1", "L1", "S2"))]  # fmt: skip
    pl.DataFrame(bought, schema=["user_id", "item_id", "timestamp"], orient="row").write_csv(folder / "bought.csv")
    log = write("ubi.ndjson", folder).name
    (folder / "shop.yaml").write_text(
        f"data: {{root: ., items: items.csv, interactions: bought.csv, split: {{dev_days: 0}}, {privacy}\n"
        f"  search_log: {{path: {log}, labels: {{min_searches: 1, min_confidence: 0}}}}}}\n"
    )
    return load_config(folder / "shop.yaml")


def _visitors(shop: ShopData) -> set[str]:
    return set(shop.log_table("searches").collect()["visitor"])


def test_ids_of_a_log_are_hashed_with_a_salt_of_the_shops_own(tmp_path: Path) -> None:
    config = _shop(tmp_path)
    shop = prepare(config)
    salt = tmp_path / "runs" / "shoppers.salt"
    assert salt.stat().st_mode & 0o777 == 0o600 and len(bytes.fromhex(salt.read_text())) == 32
    ids = shopper_ids(config, "search_log")
    assert ids is not None and _visitors(shop) == {ids.of(one) for one in _VISITORS} and ids.of("") == ""
    assert set(shop.interactions["user_id"]) == {"ann", "bob", "cid", "dan"}
    for file in [*shop.folder.rglob("searches.parquet"), *shop.folder.rglob("actions.parquet")]:
        assert not any(one in repr(pl.read_parquet(file).rows()) for one in ("'ann'", "'bob'", "'eve'"))
    both = prepare(_shop(tmp_path, "privacy: {hash_ids: [search_log, interactions]},"))
    assert _visitors(both) & set(both.interactions["user_id"]) == {ids.of("ann"), ids.of("bob")}
    neither = prepare(_shop(tmp_path, "privacy: {hash_ids: []},"))
    assert _visitors(neither) == set(_VISITORS) and len({one.hash for one in (shop, both, neither)}) == 3
    other = prepare(_shop(tmp_path / "other"))
    assert not _visitors(other) & _visitors(shop), "another shop has another salt"
    salt.write_text("no salt")
    with pytest.raises(DataError, match=r"shoppers.salt holds no salt"):
        shopper_ids(config, "search_log")


def test_forgotten_shoppers_leave_rows_examples_and_actions_and_do_not_come_back(tmp_path: Path) -> None:
    config = _shop(tmp_path)
    shop = prepare(config)
    assert forgotten_shoppers(config) == frozenset()
    ids = forget_shoppers(config, ["cid", "bob"])
    assert "bob" not in (tmp_path / "runs" / "shoppers.salt.forgotten").read_text()
    keys = {key: ids.of(one) for one in ("cid", "bob") for key in (one, ids.of(one))}
    assert held(shop.folder, keys) and not held(shop.folder, {"nobody": "nobody's hash"})
    assert take_out(shop.folder, keys) > 0 and take_out(shop.folder, keys) == 0
    assert held(shop.folder, keys), "what was trained on it was trained with them"
    left = ShopData.open(shop.folder, verify=True)
    assert (left.hash, left.fingerprint) == (shop.hash, shop.fingerprint), "what was trained on it stays noted"
    now = prepare(config)
    assert not held(now.folder, keys)
    assert now.folder != shop.folder and now.fingerprint != shop.fingerprint
    for one in (left, now):
        assert set(one.interactions["user_id"]) == {"ann", "dan"}
        assert _visitors(one) == {ids.of("ann"), ids.of("eve")}
    # examples and groups are those of a shop that never had them
    purchases = [
        sorted(
            (int(row["group"]) - min(int(r["group"]) for r in _parsed(one) if r["task"] == b"recommendation"),
             tuple(row["history"]), int(row["item"]))
            for row in _parsed(one) if row["task"] == b"recommendation"
        )
        for one in (left, now)
    ]  # fmt: skip
    assert purchases[0] == purchases[1] and len(purchases[0]) == 4
    users = 2
    for one in (left, now):
        groups = one.known_positives[0]
        assert len(set(groups[groups > groups.max() - users])) == users
    changes = now.report["interactions"]["cleaning"]
    assert any("tfrec forget" in kind for kind in changes), changes
