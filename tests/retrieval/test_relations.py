"""What is related to an item, in the graph and as matrices, is what plain Python says."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tfrec.retrieval.relations import LARGEST, Relations
from tfrec.tensorflow_setup import tf

SIZE = 300
SCHEMA = {"item": pl.Int64, "relation": pl.String, "other": pl.Int64, "value": pl.String}


def drawn() -> list[tuple[int, str, int | None, str]]:
    rng = np.random.default_rng(8)
    rows: set[tuple[int, str, int | None, str]] = set()
    for _ in range(400):
        one, other = rng.choice(SIZE, 2, replace=False).tolist()
        rows.add((one, str(rng.choice(["fits", "accessory"])), other, ""))
    rows |= {(int(rng.integers(SIZE)), "series", None, f"s{rng.integers(30)}") for _ in range(200)}
    rows |= {(item, "department", None, "all") for item in range(LARGEST + 5)}
    return sorted(rows, key=str)


def plain(rows: list[tuple[int, str, int | None, str]], item: int, kind: str) -> set[int]:
    values = {value for one, some, other, value in rows if one == item and some == kind and other is None}
    found = {other for one, some, other, _ in rows if one == item and some == kind and other is not None}
    return found | {one for one, some, other, value in rows if some == kind and other is None and value in values}


def test_the_graph_finds_what_the_rows_say() -> None:
    rows = drawn()
    relations = Relations(pl.DataFrame(rows, SCHEMA, orient="row"), SIZE)
    assert relations.names == ["accessory", "department", "fits", "series"]
    for kind in relations.names:
        items = np.arange(-1, SIZE, dtype=np.int32)
        call = tf.function(relations.__call__, autograph=False)
        found = call(tf.constant(items), tf.constant([f" {kind.title()} "] * len(items))).numpy()
        assert not found[0].any()
        matrix = relations.matrix(kind)
        for item in range(SIZE):
            expected = plain(rows, item, kind)
            assert set(np.flatnonzero(found[item + 1]).tolist()) == expected
            few = set() if kind == "department" else expected - {item}
            assert set(matrix[item].indices.tolist()) == few and (matrix[item].data == 1).all()


def test_mixed_wishes_and_an_unknown_one() -> None:
    rows = drawn()
    relations = Relations(pl.DataFrame(rows, SCHEMA, orient="row"), SIZE)
    wanted = ["fits", "series", "accessory", "fits"]
    found = relations(tf.constant([3, 7, 3, 9]), tf.constant(wanted)).numpy()
    for row, (item, kind) in enumerate(zip((3, 7, 3, 9), wanted, strict=True)):
        assert set(np.flatnonzero(found[row]).tolist()) == plain(rows, item, kind)
    with pytest.raises(tf.errors.InvalidArgumentError, match="accessory, department, fits, series"):
        relations(tf.constant([3]), tf.constant(["twin"]))
