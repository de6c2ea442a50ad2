"""Purchases that do not fit into memory: the same tables and examples as of those that do, and nothing left behind."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tfrec.config import Config, parse_config
from tfrec.data import by_shopper, shards
from tfrec.data.by_shopper import ByShopper, whole_shoppers
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData

FILES, ROWS = 8, 150


def _dates(rng: random.Random) -> str:
    """Refunds, cancelled orders, guests, unknown items, repeated rows; the order of day and month is told late."""
    day = rng.randrange(1, 13) if rng.random() < 0.99 else 31
    date = f"{day}/{rng.choice([1, 3, 5])}/2024 {rng.randrange(24)}:00" if rng.random() < 0.97 else "soon"
    order = f"{rng.choice(['C', '', '', '', '', ''])}{rng.randrange(9)}"
    return f"{order},{date},{rng.choice([-1, 0, 1, 1, 1, 2, 2, 3, 'x'])},{rng.choice(['DE', 'FR'])}"


def _ratings(rng: random.Random) -> str:
    return f"{rng.choice(['', 1, 2, 5])},{rng.choice([1, 2, 4, 5, 'none'])}"


def _events(rng: random.Random) -> str:
    return f"{rng.randrange(1_600_000_000, 1_700_000_000)},{rng.choice(['view', 'buy', 'scroll'])}"


KINDS: dict[str, tuple[str, Callable[[random.Random], str], dict[str, Any]]] = {
    "dates": ("order_id,timestamp,quantity,segment", _dates, {"cancelled_pattern": "C.*"}),
    "ratings": ("timestamp,rating", _ratings, {"min_rating": 2, "order_is_time": True}),
    "events": ("timestamp,event", _events, {"events": {"view": 1, "buy": 4}, "repeats": True}),
}


def write_purchases(root: Path, kind: str) -> dict[str, Any]:
    header, rest, settings = KINDS[kind]
    rng = random.Random(3)
    (root / "bought").mkdir(parents=True)
    for number in range(FILES):
        users = [f"u{min(int(rng.expovariate(0.05)), 90)}" for _ in range(ROWS)]
        lines = [f"{rng.choice([user, user, user, ''])},I{rng.randrange(44)},{rest(rng)}\n" for user in users]
        lines += rng.choices(lines, k=10)
        (root / "bought" / f"{number}.csv").write_text(f"user_id,item_id,{header}\n" + "".join(lines))
    return {"path": "bought/*.csv", **settings}


@pytest.mark.parametrize("kind", ["dates", "events", pytest.param("ratings", marks=pytest.mark.slow)])
def test_the_tables_are_those_that_fit_into_memory(
    kind: str, make_shop: Callable[..., Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = write_purchases(tmp_path / "shop", kind)
    config = make_shop(
        interactions=table, example_half_life_days=90.0, history_length=3,
        cleaning={"max_faulty_share": 1}, split={"dev_days": 20, "test_days": 10},
    )  # fmt: skip
    monkeypatch.setattr(shards, "EXAMPLES_PER_SHARD", 40)
    whole = prepare(config)
    monkeypatch.setattr(by_shopper, "AT_ONCE", 100)
    monkeypatch.setattr(by_shopper, "_KNOWN_OF_A_RUN", 20)
    monkeypatch.setattr(shards, "_SHARDS_AT_ONCE", 2)
    parts: list[int] = []
    monkeypatch.setattr(ByShopper, "_ranges", lambda self, of=ByShopper._ranges: _noted(parts, of(self)))
    other = prepare(parse_config({**config.model_dump(), "runs_dir": str(tmp_path / "others")}))
    assert parts[0] > 3, "the rows were in several runs"
    assert len(whole.train_shards) > 4
    _same(whole, other)
    assert not list((tmp_path / "others").rglob("aside"))


def _noted(parts: list[int], found: list[pl.Expr]) -> list[pl.Expr]:
    parts.append(len(found))
    return found


def _same(one: ShopData, other: ShopData) -> None:
    """Row groups alone may differ."""
    cut = {"interactions.parquet", "known_positives.parquet"}
    for name in one.manifest["files"]:
        if name not in cut:
            assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes(), name
    for name in cut:
        assert pl.read_parquet(one.folder / name).equals(pl.read_parquet(other.folder / name)), name
    assert one.manifest["files"].keys() == other.manifest["files"].keys()


def test_every_part_has_whole_shoppers_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_shopper, "AT_ONCE", 50)
    rng = random.Random(7)
    users = ["b"] * 130 + [f"{rng.randrange(60)}" for _ in range(400)]  # one has more rows than fit
    rng.shuffle(users)
    table = pl.DataFrame({"user_id": users, "at": range(len(users))})
    rows = ByShopper(tmp_path / "runs")
    for start in range(0, len(users), 30):
        rows.add(table[start : start + 30])
    assert rows.rows == len(users)
    found = list(rows.parts())
    assert len(found) > 5 and not (tmp_path / "runs").exists()
    assert pl.concat(found).equals(table.sort("user_id", maintain_order=True))
    pl.concat(found).write_parquet(tmp_path / "all.parquet")
    read = list(whole_shoppers(tmp_path / "all.parquet"))
    assert pl.concat(read).equals(pl.concat(found)) and len(read) > 5
    for parts in (found, read):
        seen = [set(part["user_id"]) for part in parts]
        assert sum(map(len, seen)) == len(set(users)), "nobody is in two parts"
