"""Filters, diversity and what was seen, from the client to a really running server and back."""

from __future__ import annotations

from typing import Any

import pytest

from tfrec.serving.client import Client, ClientError


def ids(rows: Any) -> list[list[str]]:
    return [[hit.item_id for hit in row] for row in rows]


def test_filters_hold_for_every_row(client: Client) -> None:
    assert ids(client.search(["red", "sofa"], 5, filters=["kind=S"])) == [["S-1", "S-2", "S-3"], ["S-3", "S-1", "S-2"]]
    assert ids(client.search("red", 5, filters=["kind=L", "kind=灯"])) == [["L-1", "灯-é"]]
    assert ids(client.recommend([["S-1"], []], 5, filters=["kind=L"])) == [["L-1"], ["L-1"]]


def test_what_was_seen_comes_back_where_wanted(client: Client) -> None:
    [seen] = ids(client.recommend([["S-1", "L-1"]], 5, exclude_seen=False))
    [new] = ids(client.recommend([["S-1", "L-1"]], 5, filters=["kind=S"]))
    assert set(seen[:2]) == {"S-1", "L-1"} and len(seen) == 5 and new == ["S-2", "S-3"]


def test_diversity_moves_what_is_alike_down(client: Client) -> None:
    plain, spread = ids(client.search("red sofa", 3)), ids(client.search("red sofa", 3, diversity=0.9))
    assert plain == [["S-1", "S-3", "L-1"]] and spread[0][0] == "S-1" and spread[0][1] == "灯-é"


def test_wrong_wishes_are_refused(client: Client) -> None:
    with pytest.raises(ClientError, match="columns that can be filtered: kind") as refused:
        client.search("red", filters=["price<=3"])
    assert refused.value.code == "INVALID_ARGUMENT"
    with pytest.raises(ClientError, match="between 0 and 1"):
        client.search("red", diversity=3)
    with pytest.raises(ClientError, match="a list of conditions"):
        client.search("red", filters="kind=S")
