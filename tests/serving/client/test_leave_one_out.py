"""What counts for an answer: what is left out, and by how much scores of a real model fall then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrec.serving.client import Client, ClientError
from tfrec.serving.client.leave_one_out import MOST_ITEMS, MOST_WORDS, variants

TEXTS = st.text(st.sampled_from("ab 台灯\t"), max_size=12)


def test_each_word_and_item_is_left_out_once_wherever_it_repeats() -> None:
    several = variants("Red sofa red", ["a", "b", "a"])
    assert [(one.left_out, one.query, one.history) for one in several] == [
        ("", "Red sofa red", ["a", "b", "a"]),
        ("red", "sofa", ["a", "b", "a"]),
        ("sofa", "Red  red", ["a", "b", "a"]),
        ("a", "Red sofa red", ["b"]),
        ("b", "Red sofa red", ["a", "a"]),
    ]
    assert [one.query for one in variants("台灯 red", [])] == ["台灯 red", "灯 red", "台 red", "台灯"]


@given(TEXTS, st.lists(st.sampled_from("xyz"), max_size=4))
def test_something_always_remains_and_only_what_is_named_is_gone(query: str, history: list[str]) -> None:
    whole, *others = variants(query, history)
    assert (whole.query, whole.history) == (query, history)
    for one in others:
        assert one.query or one.history
        if one.kind == "words":
            assert one.history == history and one.left_out in query
            assert "".join(one.query.split()) == "".join(query.split()) or len(one.query) < len(query)
        else:
            assert one.query == query and one.history == [item for item in history if item != one.left_out]


def test_long_requests_are_bounded() -> None:
    several = variants(" ".join(f"w{n}" for n in range(40)), [str(n) for n in range(60)])
    assert len(several) == 1 + MOST_WORDS + MOST_ITEMS and several[-1].left_out == "59", "the latest items"


def test_falls_are_differences_of_what_is_answered(client: Client) -> None:
    [hits] = client.personalised_search("red sofa", [["L-1"]], k=3)
    ids = [hit.item_id for hit in hits]
    found = client.leave_one_out("red sofa", ["L-1"], ids)
    without_red, without_past = client.explain(["sofa", "red sofa"], [["L-1"], []], [ids, ids])
    for number, (hit, one) in enumerate(zip(hits, found, strict=True)):
        assert set(one.words) == {"red", "sofa"} and set(one.history) == {"L-1"}
        assert one.words["red"] == pytest.approx(hit.score - sum(without_red[number].values()), abs=1e-5)
        assert one.history["L-1"] == pytest.approx(hit.score - sum(without_past[number].values()), abs=1e-5)
    assert any(abs(fall) > 1e-3 for one in found for fall in [*one.words.values(), *one.history.values()])


def test_one_word_alone_stands_on_nothing_else(client: Client) -> None:
    assert client.leave_one_out("sofa", [], ["S-1"]) == [({}, {})]
    assert client.leave_one_out(" ", ["S-1"], ["S-1"]) == [({}, {})]


def test_items_must_be_named(client: Client) -> None:
    with pytest.raises(ClientError, match="Name the items to explain"):
        client.leave_one_out("red sofa", [], [])
