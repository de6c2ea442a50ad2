"""A merchant's rules change scores as written, and what they cannot do is said."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

N = 6
BASE = np.array([[6.0, 5.0, 4.0, 3.0, 2.0, -np.inf]], np.float32)
ITEMS = pl.DataFrame(
    {
        "item_id": [f"P{n}" for n in range(N)],
        "title": ["sofa"] * N,
        "brand": ["Acme", "Acme", "Best", "Best", "Best", "Acme"],
        "stock": ["0", "3", "", "2", "1", "1"],
        "margin": ["1", "1", "1", "1", "9", "1"],
    }
)


def _rules(tmp_path: Path, text: str) -> Any:
    from tfrec.rules.applied import Rules
    from tfrec.rules.reading import read_rules

    (tmp_path / "rules.yaml").write_text(text)
    config: Any = SimpleNamespace(rules=SimpleNamespace(file="rules.yaml"), data=SimpleNamespace(root=str(tmp_path)))
    shop: Any = SimpleNamespace(items=ITEMS, item_ids=ITEMS["item_id"].to_list(), size=N)
    read = read_rules(config, shop)
    assert read is not None
    return Rules(read)


def _order(rules: Any, query: str) -> list[int]:
    from tfrec.tensorflow_setup import tf

    scores = rules(tf.constant([query, ""]), tf.constant(np.repeat(BASE, 2, axis=0))).numpy()
    assert np.isneginf(scores[:, 5]).all(), "an item that is out stays out"
    return np.argsort(-scores[0], kind="stable")[:5].tolist()


@pytest.mark.parametrize(
    ("rule", "query", "order"),
    [
        ("{boost: 9, items: [P3]}", "sofa", [3, 0, 1, 2, 4]),
        ("{boost: -9, where: [brand=Acme]}", "sofa", [2, 3, 4, 0, 1]),
        ("{bury: true, where: [brand=Acme]}", "sofa", [2, 3, 4, 0, 1]),
        ("{pin: [P4, P2]}", "sofa", [4, 2, 0, 1, 3]),
        ("{first: stock}", "sofa", [1, 3, 4, 0, 2]),
        ("{weigh: {margin: 5}}", "sofa", [4, 0, 1, 2, 3]),
        ("{pin: [P4], when: {query: 'Red, SOFA!'}}", "red sofa", [4, 0, 1, 2, 3]),
        ("{pin: [P4], when: {query: red sofa}}", "red sofa bed", [0, 1, 2, 3, 4]),
        ("{pin: [P4], when: {contains: red sofa}}", "my red sofa bed", [4, 0, 1, 2, 3]),
        ("{pin: [P4], when: {contains: red}}", "bored sofa", [0, 1, 2, 3, 4]),
    ],
)
def test_one_rule(tmp_path: Path, rule: str, query: str, order: list[int]) -> None:
    assert _order(_rules(tmp_path, f"rules: [{rule}]"), query) == order


def test_a_boost_is_measured_over_the_items_that_are_in(tmp_path: Path) -> None:
    from tfrec.tensorflow_setup import tf

    changed = _rules(tmp_path, "rules: [{boost: 2, items: [P3]}]")(tf.constant([""]), tf.constant(BASE)).numpy()
    assert changed[0, 3] - BASE[0, 3] == pytest.approx(2 * BASE[0, :5].std(), abs=1e-4)


def test_a_pin_stands_above_all_other_rules(tmp_path: Path) -> None:
    rules = _rules(
        tmp_path, "rules: [{pin: [P0]}, {bury: true, items: [P0]}, {first: stock}, {boost: 50, items: [P4]}]"
    )
    assert _order(rules, "sofa") == [0, 4, 1, 3, 2]


def test_what_rules_cannot_do_is_said(tmp_path: Path) -> None:
    from tfrec.errors import ConfigError

    notes = _rules(tmp_path, "rules: [{name: sale, pin: [P9, P1]}, {boost: 1, where: [brand=Nobody]}]").notes
    assert notes == (
        "rule 1 (sale) names 1 items that the catalogue does not have: P9",
        "rule 2 changes no item of the catalogue",
    )
    wrong = {
        "rules: [{boost: 1, where: [colour=red]}]": "colour",
        "rules: [{boost: 1}]": "need items or where",
        "rules: [{pin: [P1], bury: true}]": "exactly one",
        "rules: [{pni: [P1]}]": "pni",
        "rules: [{first: brand}]": "no item has a number in the column 'brand'",
        "rules: [{boost: 1, where: [brand<=3]}]": "rule 1",
        "rules: [{pin: [P1], when: {query: '!'}}]": "needs a word",
        "rules: [": "rules.yaml",
    }
    for text, told in wrong.items():
        with pytest.raises(ConfigError, match=told.replace("(", r"\(")):
            _rules(tmp_path, text)
