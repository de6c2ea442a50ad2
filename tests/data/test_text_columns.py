"""All of a catalogue's words are found, whatever the format, and nothing that is no words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tfrec.config import Config, TableConfig
from tfrec.data.prepare import prepare
from tfrec.data.text_columns import holds_text, plain_texts, text_columns

SIZE = 30
WORDS = ["oak", "steel", "glass", "linen", "wool"]


def _rows() -> list[dict]:
    return [
        {
            "item_id": f"I{n}",
            "title": f"chair {n}",
            "attr_material": WORDS[n % 5],
            "size": ["XL", "10", "M", "S 2"][n % 4],
            "features": {"made of": WORDS[n % 5], "waterproof": n % 2 == 0, "legs": 4, "tags": ["light", None]},
            "bullets": [f"Goes with {WORDS[(n + 1) % 5]}", "stackable"],
            "rooms": [{"room": "kitchen"}, {"room": "hall"}],
            "名称": "椅子 木" if n % 2 else "",
            "sku": f"AB-{n:04d}",
            "ean": f"40{n:011d}",
            "hash": f"{n:032x}",
            "rating": f"{n % 5}.5",
            "cost": f"€ {n}.99",
            "added": f"2024-01-{1 + n % 28:02d}",
            "seen": f"2024-01-{1 + n % 28:02d}T10:00:00Z",
            "link": f"https://shop.example/chair/{n}",
            "picture": f"images/chair_{n}.jpg",
            "stocked": ["true", "false"][n % 2],
            "nothing": "",
            "vector": [0.5, 0.25],
        }
        for n in range(SIZE)
    ]


HELD = {"title", "attr_material", "size", "features", "bullets", "rooms", "名称"}


def _write(folder: Path, kind: str) -> str:
    rows = _rows()
    if kind == "parquet":
        pl.DataFrame(rows).write_parquet(folder / "items.parquet")
    elif kind == "jsonl":
        (folder / "items.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n")
    else:
        texts = [{k: v if isinstance(v, str) else json.dumps(v) for k, v in row.items()} for row in rows]
        pl.DataFrame(texts).write_csv(folder / "items.csv")
    return f"items.{kind}"


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_words_are_found_in_every_format(kind: str, make_shop: Callable[..., Config], tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    config = make_shop(items={"path": _write(tmp_path / "shop", kind)}, searches="query,item_id\nq,I1\nr,I2\n")
    shop = prepare(config)
    found = {column.name: column for column in text_columns(shop.items)}
    lost = HELD ^ set(found)
    assert lost <= ({"vector"} if kind == "csv" else set()), lost  # a list of numbers in CSV is only a text
    assert set(found) | {"item_id", "text"} >= set(shop.items.columns)
    assert found["名称"].filled == pytest.approx(0.5)
    said = " ".join(plain_texts([shop.items["features"][0], shop.items["bullets"][0], shop.items["rooms"][0]]))
    for word in ("oak", "waterproof", "light", "steel", "stackable", "kitchen", "hall"):
        assert word in said
    assert "made of" not in said and "waterproof" not in " ".join(plain_texts([shop.items["features"][1]]))
    assert any("sku" in note and "link" in note for note in shop.report["items"]["notes"]) or kind == "parquet"


def test_what_differs_from_row_to_row_of_a_product_is_none_of_its_texts(make_shop: Callable[..., Config]) -> None:
    lines = [f"I{n % 10},cup {n % 10},{WORDS[n % 5]},{['Spain', 'France', 'Italy'][n // 10]} {n}" for n in range(SIZE)]
    items = "item_id,title,material,country\n" + "\n".join(lines) + "\n"
    shop = prepare(make_shop(items=items, searches="query,item_id\nq,I1\nr,I2\n"))
    assert shop.size == 10 and shop.items.columns == ["item_id", "title", "material", "text"]
    assert not shop.report["items"]["faults"]["count"]
    assert any("country" in note for note in shop.report["items"]["notes"])


def test_named_columns_stay_as_they_are(make_shop: Callable[..., Config]) -> None:
    items = {"content": "item_id,title,margin\n" + "".join(f"I{n},t{n},{n}\n" for n in range(9))}
    searches = "query,item_id\nq,I1\nr,I2\n"
    assert "margin" not in prepare(make_shop(items=items, searches=searches)).items.columns
    named = prepare(make_shop(items=items | {"columns": {"margin": "margin"}}, searches=searches))
    assert named.items["margin"].to_list() == [str(n) for n in range(9)]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["red", "blue", "red"], True),
        (["12 cm", "3/4 in", "5 ft"], True),
        (["1,299.00", "$5", "7 %", "12 EUR"], False),
        (["A1", "B2", "A1", "B2", "A1"], True),  # shared by items: a model line, not a key
        (["XK9-1", "XK9-2", "XK9-3"], False),
        (["yes", "no", "yes"], False),
        (["//cdn.example/a.png", "b.JPG"], False),
    ],
)
def test_words_or_not(values: list[str], words: bool) -> None:
    assert holds_text(pl.Series(values)) is words


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "xml"])
def test_lists_of_categories_stay_lists(kind: str, tmp_path: Path) -> None:
    from tfrec.data.tables.read import read_table
    from tfrec.understanding.categories import top_of

    rows = [("1", ["Home & Garden", "Sale"]), ("2", ["Toys"]), ("3", [])]
    path = tmp_path / f"items.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps({"item_id": item, "category": names}) + "\n" for item, names in rows))
    elif kind == "parquet":
        pl.DataFrame(rows, schema=["item_id", "category"], orient="row").write_parquet(path)
    else:
        cells = ["".join(f"<category>{name.replace('&', '&amp;')}</category>" for name in names) for _, names in rows]
        path.write_text(f"<all>{''.join(f'<p><item_id>{n}</item_id>{cell}</p>' for n, cell in enumerate(cells))}</all>")
    [batch] = read_table(TableConfig(path=path.name), tmp_path, ("item_id", "category"), (), "items")
    assert batch.frame["category"].to_list() == ["Home & Garden | Sale", "Toys", ""]
    assert [top_of(value) for value in batch.frame["category"]] == ["Home & Garden", "Toys", ""]


def test_lists_of_paths_of_categories_are_paths(tmp_path: Path) -> None:
    from tfrec.data.ids import listed_text

    assert listed_text([["Sports & Outdoors", "Boats"], ["Sale", None]]) == "Sports & Outdoors > Boats | Sale"
