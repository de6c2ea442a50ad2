"""What the scorers add to a score, from a real model through both server and client."""

from __future__ import annotations

import pytest

from tfrec.serving.client import Client, ClientError


def test_the_parts_sum_up_to_the_scores(client: Client) -> None:
    [hits] = client.personalised_search("red sofa", [["L-1"]], k=3)
    [parts] = client.explain("red sofa", [["L-1"]], [[hit.item_id for hit in hits]])
    assert [set(part) for part in parts] == [{"dense"}] * 3
    assert [sum(part.values()) for part in parts] == pytest.approx([hit.score for hit in hits])


def test_lists_of_different_length_and_unknown_items(client: Client) -> None:
    first, second = client.explain(["sofa", "台灯"], None, [["S-1", "nothing", "S-3"], ["灯-é"]])
    assert len(first) == 3 and first[1] == {"dense": 0.0}
    assert second == [pytest.approx({"dense": 1.0})]
    assert client.explain(None, [["S-1"]], [["S-1"]])[0][0]["dense"] == pytest.approx(1.0)


def test_one_list_for_each_request(client: Client) -> None:
    with pytest.raises(ClientError, match="2 requests need as many lists of items, not 1"):
        client.explain(["a", "b"], None, [["S-1"]])
