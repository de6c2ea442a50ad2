"""Relations of a shop: read, counted, tied to the catalogue; and the demo's are true by what its items are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.data.conftest import MakeShop
from tfrec.data.demo.catalogue import NONE, draw_catalogue, item_id
from tfrec.data.demo.relations import relation_rows
from tfrec.data.demo.shop import generate
from tfrec.data.prepare import prepare
from tfrec.errors import DataError

ROWS = """item_id,relation,related_id,value
I1,Accessory,I2,
I1,accessory ,I2,
I1,series,,Nova
I3,series,,Nova
I2,fits,I1,
I4,fits,I4,
I5,fits,gone,
gone,fits,I5,
I6,,I1,
I7,fits,,
I8,fits,I1,both
"""


def related(make_shop: MakeShop, content: str, **table: object) -> dict[str, object]:
    config = make_shop(cleaning={"max_faulty_share": 0.9})
    (Path(config.data.root) / "relations.csv").write_text(content)
    section = {"path": "relations.csv", **table}
    tree = config.model_dump(mode="json", exclude_unset=True)
    tree["data"]["relations"] = section
    from tfrec.config import parse_config

    shop = prepare(parse_config(tree))
    return {"rows": shop.relations.rows() if shop.has_relations else [], "report": shop.report["relations"]}


def test_every_row_is_kept_or_counted(make_shop: MakeShop) -> None:
    found = related(make_shop, ROWS)
    assert found["rows"] == [(1, "accessory", 2, ""), (1, "series", None, "Nova"), (3, "series", None, "Nova"),
                             (2, "fits", 1, "")]  # fmt: skip
    report = found["report"]
    assert isinstance(report, dict)
    assert report["faults"]["kinds"] == {"empty relation": 1, "related to nothing": 1, "related to two things": 1}
    changes = {kind: entry["count"] for kind, entry in report["cleaning"].items()}
    assert report["rows_gone"] == 2 and changes["rows that relate an item to itself, dropped"] == 1
    assert changes["duplicate rows, dropped"] == 1
    assert report["rows_read"] == report["rows_kept"] + report["faults"]["count"] + report["rows_gone"] + 2


def test_wrong_columns_are_told(make_shop: MakeShop) -> None:
    with pytest.raises(DataError, match="neither a column 'related_id'"):
        related(make_shop, "item_id,relation\nI1,fits\n")
    many = "".join(f"I{n},kind {n},I39,\n" for n in range(33))
    with pytest.raises(DataError, match="33 kinds of relation"):
        related(make_shop, "item_id,relation,related_id,value\n" + many)
    found = related(
        make_shop, "sku,kind,to\nI1,fits,I2\n", columns={"item_id": "sku", "relation": "kind", "related_id": "to"}
    )
    assert found["rows"] == [(1, "fits", 2, "")]


def test_a_shop_without_relations_is_the_same_as_ever(make_shop: MakeShop) -> None:
    config = make_shop()
    assert "relations" not in prepare(config).report
    other = config.model_copy(deep=True)
    other.data.relations = None
    assert other.hash_of("data") == config.hash_of("data")


def test_the_demos_relations_are_true(tmp_path: Path) -> None:
    catalogue = draw_catalogue(600, seed=5)
    number = {item_id(row): row for row in range(catalogue.size)}
    rows, series = relation_rows(catalogue), {}
    kinds = {"substitute": 0, "goes with": 0, "series": 0}
    for one, kind, other, value in rows:
        kinds[str(kind)] += 1
        a = number[str(one)]
        if kind == "series":
            series.setdefault(value, []).append(a)
            continue
        b = number[str(other)]
        assert a != b and catalogue["audience"][a] == catalogue["audience"][b]
        same = {
            name: catalogue[name][a] == catalogue[name][b] for name in ("type", "family", "category", "style", "colour")
        }
        if kind == "substitute":
            assert same["type"] and abs(catalogue.price[a] - catalogue.price[b]) <= 0.25 * catalogue.price[a]
        else:
            assert not same["family"] and same["category"] and same["style"] and same["colour"]
            assert catalogue["style"][a] != NONE
    assert min(kinds.values()) > 30
    for members in series.values():
        assert len(members) >= 3 and len({int(catalogue["brand"][row]) for row in members}) == 1
    generate(tmp_path / "with", items=600, queries=20, shoppers=5, seed=5, relations=True)
    generate(tmp_path / "without", items=600, queries=20, shoppers=5, seed=5)
    for name in ("items.csv", "searches.csv", "purchases.csv"):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()
    assert len((tmp_path / "with" / "relations.csv").read_text().splitlines()) == len(rows) + 1
    assert not (tmp_path / "without" / "relations.csv").exists() and np.all(catalogue.price > 0)
