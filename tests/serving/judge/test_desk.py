"""What judges see next, and what becomes of their answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.serving.judge.conftest import HOSTILE, POOL, kept, shown
from tfrec.data.judging.strokes import Strokes
from tfrec.pipeline.judging.pool import Pooled
from tfrec.serving.judge.desk import Desk, WrongAnswer

PAIRS = {(one.query, item) for one in POOL for item in one.items}


def pair(told: dict[str, Any]) -> tuple[str, str]:
    return told["card"]["query"], told["card"]["item"]["id"]


def walked(desk: Desk, judge: str, answer: Any = 2) -> list[tuple[str, str]]:
    told, found = desk.next(judge), []
    while told["card"]:
        found.append(pair(told))
        told = desk.answer(judge, *found[-1], answer)
    return found


def test_every_pair_is_shown_once_query_by_query_in_an_order_of_the_judges_own(desk: Desk, strokes: Strokes) -> None:
    ann = walked(desk, "ann")
    assert set(ann) == PAIRS and len(ann) == len(PAIRS)
    assert list(dict.fromkeys(query for query, _ in ann)) == [one.query for one in POOL]
    assert desk.next(" ann  ")["card"] is None  # blanks do not make another judge
    assert desk.next("ann")["graded"] == len(PAIRS)
    assert kept(strokes) == {one: {"ann": 2} for one in ann}


def test_orders_are_random_and_stay(strokes: Strokes) -> None:
    pool = [Pooled("q", "", tuple(f"i{number:02}" for number in range(30)))]
    orders = [[item for _, item in walked(Desk(pool, strokes, shown), judge)] for judge in ("ann", "bob")]
    assert orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1]) == list(pool[0].items)
    # where a candidate was found tells nothing: places of the pool and of the page do not go together
    places = [int(item[1:]) for item in orders[0]]
    assert abs(sum((a - 14.5) * (b - 14.5) for a, b in enumerate(places))) < 0.6 * 2247.5


def test_a_restart_goes_on_where_the_judge_was(desk: Desk, strokes: Strokes, tmp_path: Path) -> None:
    first = desk.next("ann")
    second = desk.answer("ann", *pair(first), 3)
    with Strokes(tmp_path / "judging" / "strokes.jsonl") as again:
        assert Desk(POOL, again, shown).next("ann") == second
    assert (second["done"], second["graded"], second["total"]) == (1, 1, len(PAIRS))


def test_undo_shows_the_item_again_and_skips_are_no_grades(desk: Desk, strokes: Strokes) -> None:
    first = desk.next("ann")
    second = desk.answer("ann", *pair(first), 0)
    third = desk.answer("ann", *pair(second), "skip")
    assert (third["done"], third["graded"]) == (2, 1)
    assert desk.undo("ann") == second
    assert desk.undo("ann") == first == desk.undo("ann")
    assert kept(strokes) == {}
    other = desk.answer("ann", *pair(first), "next")
    assert other["card"]["query"] == HOSTILE and other["done"] == 3 and other["graded"] == 0
    assert desk.undo("ann") == first
    assert desk.next("bob")["done"] == 0


def test_an_answer_given_twice_counts_once_and_the_later_one(desk: Desk, strokes: Strokes) -> None:
    first = pair(desk.next("ann"))
    desk.answer("ann", *first, 1)
    assert desk.answer("ann", *first, 3)["done"] == 1
    assert kept(strokes) == {first: {"ann": 3}}


@pytest.mark.parametrize(
    ("judge", "query", "item", "answer", "sentence"),
    [
        ("", "red sofa", "S-1", 1, "Say who judges"),
        ("a|b", "red sofa", "S-1", 1, "Say who judges"),
        ("x" * 61, "red sofa", "S-1", 1, "Say who judges"),
        (None, "red sofa", "S-1", 1, "Say who judges"),
        ("llm:me", "red sofa", "S-1", 1, "those of language models"),
        ("ann", "red sofa", "灯-é", 1, "are not judged here"),
        *[("ann", "red sofa", "S-1", wrong, "An answer is one of") for wrong in (4, -1, True, 1.0, "3", None, [])],
    ],
)
def test_wrong_answers_are_told_and_not_kept(
    desk: Desk, strokes: Strokes, judge: Any, query: str, item: str, answer: Any, sentence: str
) -> None:
    with pytest.raises(WrongAnswer, match=sentence):
        desk.answer(judge, query, item, answer)
    assert strokes.by_judge == {}
