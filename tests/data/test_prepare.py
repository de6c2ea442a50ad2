"""The stage as a whole: what it skips, what makes it run again, what it guarantees to later stages."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tfrec.config import Config, parse_config
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.data.shoppers import Shopper
from tfrec.errors import DataError


def _stamp(shop: ShopData) -> int:
    return (shop.folder / "manifest.json").stat().st_ino


def test_the_same_input_is_prepared_once(make_shop: Callable[..., Config], capsys: pytest.CaptureFixture[str]) -> None:
    config = make_shop(interactions=True)
    first = prepare(config)
    assert "up to date" not in capsys.readouterr().err
    inode = _stamp(first)
    again = prepare(config)
    assert "up to date" in capsys.readouterr().err
    assert _stamp(again) == inode and again.fingerprint == first.fingerprint


@pytest.mark.parametrize("change", ["min_gain", "seed", "template", "content", "shard", "manifest"])
def test_any_change_prepares_anew(change: str, make_shop: Callable[..., Config], tmp_path: Path) -> None:
    config = make_shop()
    first = prepare(config)
    inode, fingerprint = _stamp(first), first.fingerprint
    tree = config.model_dump()
    if change == "min_gain":
        tree["training"]["min_gain"] = 0.5
    elif change == "seed":
        tree["seed"] = 18
    elif change == "template":
        tree["data"]["template"] = "{title}"
    elif change == "content":  # same size, same time
        path = tmp_path / "shop" / "items.csv"
        times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
        path.write_text(path.read_text().replace("title number 7", "title number 6"))
        os.utime(path, ns=times)
    elif change == "shard":
        first.train_shards[0].write_bytes(first.train_shards[0].read_bytes()[:-1])
    else:
        (first.folder / "manifest.json").write_text("{")
    again = prepare(parse_config(tree))
    assert _stamp(again) != inode
    assert (again.fingerprint == fingerprint) == (change in ("shard", "manifest"))
    ShopData.open(again.folder, verify=True)


def test_two_preparations_are_equal_to_the_byte(make_shop: Callable[..., Config], tmp_path: Path) -> None:
    config = make_shop(interactions=True)
    one, other = prepare(config), prepare(config.model_copy(update={"runs_dir": str(tmp_path / "others")}))
    assert one.folder != other.folder
    assert one.manifest["files"] == other.manifest["files"] and one.fingerprint == other.fingerprint
    assert set(one.manifest["files"]) == {
        "items.parquet", "searches.parquet", "interactions.parquet", "known_positives.parquet", "report.json",
        "shards/train-00000-of-00001.tfrecord",
    }  # fmt: skip


def test_a_failure_keeps_what_was_prepared_before(make_shop: Callable[..., Config]) -> None:
    shop = prepare(make_shop())
    with pytest.raises(DataError):
        prepare(make_shop(searches="query,item_id\n,\n"))
    assert ShopData.open(shop.folder, verify=True).fingerprint == shop.fingerprint


def test_opening_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="tfrec data prepare"):
        ShopData.open(tmp_path)


def test_the_template(make_shop: Callable[..., Config]) -> None:
    items = {
        "content": "item_id,title,brand,make,price\nI1,sofa,B,x,12.50\nI2,lamp,,y,\nI3,,B,z,1\n",
        "columns": {"material": "make"},
    }
    searches = "query,item_id\nq,I1\nr,I2\n"
    shop = prepare(make_shop(items=items, searches=searches, template="{brand} {title}, {material} {colour} ({price})",
                             cleaning={"max_faulty_share": 1}))  # fmt: skip
    assert shop.item_texts == ["B sofa, x (12.5)", "lamp, y ()"]
    assert shop.items.columns == ["item_id", "title", "material", "brand", "price", "text"]
    assert shop.items["price"].to_list() == [12.5, None]
    assert "{colour}" in shop.report["items"]["notes"][0]
    bare = prepare(make_shop(items=items, searches=searches, template="{brand}", cleaning={"max_faulty_share": 1}))
    assert bare.item_texts == ["B", "lamp"]  # an empty text is replaced by the title


def test_shop_data_tells_what_the_files_say(make_shop: Callable[..., Config]) -> None:
    items = "item_id,title\n" + "".join(f"I{n},t{n}\n" for n in range(6))
    searches = "query,item_id,gain\nq,I0,1\nq,I1,0.5\nq,I2,0\nr,I0,1\n"
    purchases = (
        "user_id,item_id,timestamp\n"
        "u,I3,2024-01-01\nu,I4,2024-02-01\nu,I3,2024-03-01\n"  # history I4, I3
        "u,I4,2024-05-25\nu,I5,2024-05-26\nu,I1,2024-05-27\nu,I5,2024-05-28\n"  # dev: I5, I1 are new
        "u,I2,2024-06-30\n"  # test
        "new,I1,2024-05-26\nonly,I2,2024-01-05\nonly,I3,2024-01-06\nold,I2,2024-01-01\nold,I2,2024-05-30\n"
    )
    split = {"dev_share": 0, "dev_days": 40, "test_days": 5}
    shop = prepare(make_shop(items=items, searches=searches, interactions=purchases, split=split))
    assert shop.size == 6 and shop.item_ids == [f"I{n}" for n in range(6)] and shop.item_texts[2] == "t2"
    assert shop.judgments("train") == {"q": {"I0": 1.0, "I1": 0.5, "I2": 0.0}, "r": {"I0": 1.0}}
    assert shop.shoppers("dev") == [Shopper("u", [4, 3], [5, 1])]
    assert shop.shoppers("test") == [Shopper("u", [3, 4, 1, 5], [2])]
    assert shop.shoppers("train") == [] and shop.judgments("dev") == {}
    assert shop.popularity.dtype == np.int64 and shop.popularity.tolist() == [2, 1, 2, 3, 1, 0]
    groups, found = shop.known_positives
    positives = {(int(group), int(item)) for group, item in zip(groups, found, strict=True)}
    assert {item for group, item in positives if group < 2} == {0, 1} and max(groups) == 4
    assert shop.has_searches and shop.has_interactions


def test_only_interactions(make_shop: Callable[..., Config]) -> None:
    shop = prepare(make_shop(searches=None, interactions=True))
    assert not shop.has_searches and shop.judgments("train") == {} and shop.report["examples"]["search"] == 0
    with pytest.raises(DataError, match="no searches"):
        _ = shop.searches


def test_reading_prepared_data_needs_no_tensorflow(make_shop: Callable[..., Config]) -> None:
    shop = prepare(make_shop(interactions=True))
    program = (
        "import sys; from tfrec.data.shop import ShopData; s = ShopData.open(sys.argv[1]);"
        "s.items; s.popularity; s.known_positives; s.shoppers('dev'); s.judgments('train');"
        "assert 'tensorflow' not in sys.modules; print(s.fingerprint)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(shop.folder)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == shop.fingerprint


def test_the_demo_shop_is_an_ordinary_shop(tmp_path: Path) -> None:
    demo = {"items": 200, "queries": 40, "shoppers": 60}
    data = {"demo": demo, "template": "{title} {material}", "split": {"few_queries": 0}}
    config = parse_config({"name": "d", "runs_dir": str(tmp_path), "data": data})
    shop = prepare(config)
    items = next((tmp_path / "d" / "demo").glob("*/items.csv"))
    assert shop.size == 200
    assert shop.judgments("dev") and shop.has_interactions and shop.report["items"]["notes"] == []
    made = items.stat().st_ino
    assert prepare(config).fingerprint == shop.fingerprint
    assert items.stat().st_ino == made
    config.data.demo.language = "zh"  # type: ignore[union-attr]
    other = prepare(config)
    assert other.fingerprint != shop.fingerprint
    assert any("\u4e00" <= letter <= "\u9fff" for letter in other.item_texts[0])


def test_wholes_and_parts_of_the_catalogue_agree(make_shop: Callable[..., Config]) -> None:
    shop = prepare(make_shop(interactions=True))
    ids = shop.item_ids
    for frame in (shop.searches, shop.interactions):
        assert [ids[item] for item in frame["item"]] == frame["item_id"].to_list()
    assert shop.searches.schema["gain"] == pl.Float32 and shop.interactions.schema["timestamp"] == pl.Int64
