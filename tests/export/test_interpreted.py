"""An export obeys what a query says of prices and of what is not wanted, if the caller wishes so."""

from __future__ import annotations

from typing import Any


def test_what_is_understood_are_the_catalogues_own_values(loaded: Any) -> None:
    (meaning,) = loaded.understand("oak shelf between 5 and 20 without steel")
    assert meaning.conditions == ["price>=5", "price<=20", "material=oak"]
    assert (meaning.denied, meaning.text, meaning.language) == (["steel"], "oak shelf", "en")
    assert meaning.categories == {}, "this shop has no categories"


def test_wishes_are_obeyed_only_where_the_caller_wants_it(loaded: Any, trained: Any) -> None:
    price = dict(zip(trained.shop.item_ids, trained.shop.items["price"], strict=True))
    material = dict(zip(trained.shop.item_ids, trained.shop.items["material"], strict=True))
    query = "sofa under 10 without leather"
    found = [item for item, _ in loaded.search(query, 10, interpret=True).hits(0)]
    assert len(found) == 10
    assert all(price[item] <= 10 and material[item] != "leather" for item in found)
    plain = [item for item, _ in loaded.search(query, 10).hits(0)]
    assert any(price[item] > 10 or material[item] == "leather" for item in plain)


def test_without_a_wish_interpreted_answers_are_the_plain_ones(loaded: Any) -> None:
    queries = ["red sofa", "Grün lamp 7", ""]
    plain, read = loaded.search(queries, 7), loaded.search(queries, 7, interpret=True)
    assert plain.item_ids.tolist() == read.item_ids.tolist()
    history = [["item-1", "item-2"]]
    one = loaded.personalised_search("red sofa", history, 5)
    other = loaded.personalised_search("red sofa", history, 5, interpret=True)
    assert one.item_ids.tolist() == other.item_ids.tolist()
