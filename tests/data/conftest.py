"""A small shop whose every file can be replaced, for all tests of the data stage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tfrec.config import Config, parse_config

ITEMS = "item_id,title,brand,price\n" + "".join(f"I{n},title number {n},brand{n % 3},{n}.5\n" for n in range(40))
SEARCHES = "query,item_id,gain\n" + "".join(
    f"query {q},I{(q * 3 + k) % 40},{gain}\n" for q in range(20) for k, gain in enumerate((1, 0.1, 0))
)
PURCHASES = "user_id,item_id,timestamp\n" + "".join(
    f"u{user},I{(user * 7 + step) % 40},2024-0{1 + step}-10T00:00:00Z\n" for user in range(12) for step in range(5)
)

MakeShop = Callable[..., Config]


@pytest.fixture
def make_shop(tmp_path: Path) -> MakeShop:
    """make_shop(items=..., searches=..., interactions=..., split=..., cleaning=...) writes files, gives a Config.

    A table is text or bytes (written to NAME.csv), or a dict of its configuration with `content` and `path`; None
    leaves it out. Interactions are left out unless given; True gives the default purchases. Searches are held out as in
    a shop with many, however few there are; split={"few_queries": N} says otherwise.
    """

    def make(items: Any = ITEMS, searches: Any = SEARCHES, interactions: Any = None, **data: Any) -> Config:
        root = tmp_path / "shop"
        root.mkdir(exist_ok=True)
        interactions = PURCHASES if interactions is True else interactions
        tables = {"items": items, "searches": searches, "interactions": interactions}
        section: dict[str, Any] = {"root": str(root), **data}
        section["split"] = {"few_queries": 0, **section.get("split", {})}
        for name, table in tables.items():
            if table is None:
                continue
            table = dict(table) if isinstance(table, dict) else {"content": table}
            content = table.pop("content", None)
            table.setdefault("path", f"{name}.csv")
            if content is not None:
                raw = content.encode() if isinstance(content, str) else content
                (root / table["path"]).write_bytes(raw)
            section[name] = table
        return parse_config({"name": "test", "runs_dir": str(tmp_path / "runs"), "data": section})

    return make


@pytest.fixture
def left_over(tmp_path: Path) -> Callable[[], list[str]]:
    """left_over() lists the files that a failed preparation left in the run folder."""

    def look() -> list[str]:
        folder = tmp_path / "runs" / "test"
        return sorted(path.name for path in folder.rglob("*") if path.is_file())

    return look
