"""Filters, diversity and what was seen, from the client to a really running server and back."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
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
    for diversity in (3, -1, float("nan"), float("inf")):
        with pytest.raises(ClientError, match="between 0 and 1") as refused:
            client.search("red", diversity=diversity)
        assert refused.value.code == "INVALID_ARGUMENT"
    with pytest.raises(ClientError, match="a list of conditions"):
        client.search("red", filters="kind=S")


WRONG = {
    "words<=": "the filter 'words<=' must have a number after <=, such as 1234.50",
    "words>= ": "the filter 'words>= ' must have a number after >=, such as 1234.50",
    "words=": "the filter 'words=' must have a number after =, such as 1234.50",
    "words<=1,5": "the filter 'words<=1,5' must have a number after <=, such as 1234.50",
    "words<=nan": "the filter 'words<=nan' must have a number after <=, such as 1234.50",
    "words>=-inf": "the filter 'words>=-inf' must have a number after >=, such as 1234.50",
    "words=1e999": "the filter 'words=1e999' must have a number after =, such as 1234.50",
    "words<3": "the filter 'words<3' cannot be read: it must read column=value, column<=number or column>=number",
    "words": "the filter 'words' cannot be read: it must read column=value, column<=number or column>=number",
    "kind<=S": "the filter 'kind<=S' does not fit: the column kind holds text and can only be asked for with =",
    "colour=red": "the filter 'colour=red' asks for an unknown column; columns that can be filtered: kind, words",
}


@pytest.fixture(scope="module")
def url(export_dir: Path) -> Iterator[str]:
    """The REST address of the toy shop."""
    from tfrec.serving.server.frontends import FrontendOptions
    from tfrec.serving.server.server import ModelServer, ServerOptions

    options = ServerOptions(warm_up=False, poll_seconds=0)
    with ModelServer(export_dir, "shop", port=0, options=options, frontend=FrontendOptions(rest_port=0)) as server:
        yield f"http://127.0.0.1:{server.rest_port}/v1/models/shop:predict"


def ask(url: str, **inputs: Any) -> tuple[int, Any]:
    body = json.dumps({"signature_name": "search_filtered", "inputs": inputs}).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body), timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.parametrize("condition", WRONG)
def test_a_wrong_condition_is_named_in_one_sentence_on_every_way(client: Client, url: str, condition: str) -> None:
    for call in (
        lambda: client.search("red", filters=["kind=S", condition]),
        lambda: client.recommend([["S-1"]], filters=[condition]),
        lambda: client.predict(
            "search_filtered",
            {"query": ["a", "b"], "filters": [["kind=S"], [condition]], "k": np.int32(1), "diversity": np.float32(0)},
        ),
    ):
        with pytest.raises(ClientError) as refused:
            call()
        assert refused.value.code == "INVALID_ARGUMENT"
        assert refused.value.message.endswith(f"refused the request (INVALID_ARGUMENT): {WRONG[condition]}.")
    assert ask(url, query=["red"], filters=[[condition]], k=1, diversity=0) == (400, {"error": WRONG[condition]})


@pytest.mark.parametrize(
    ("condition", "count"),
    [("words<=1", 1), ("words>=2.5", 2), ("words=+3e0", 2), ("words<=.5", 0), ("kind=a,b", 0), ("kind=", 0), (" ", 5)],
)
def test_what_is_right_is_answered(client: Client, condition: str, count: int) -> None:
    assert len(client.search("red", 9, filters=[condition])[0]) == count


def test_places_that_stay_free_are_minus_infinity(client: Client, url: str) -> None:
    inputs = {"query": ["red"], "filters": [["words>=3"]], "k": np.int32(4), "diversity": np.float32(0)}
    raw = client.predict("search_filtered", inputs)
    assert raw["item_ids"].tolist() == [[b"S-1", b"S-2", b"", b""]] and np.isneginf(raw["scores"][0, 2:]).all()
    assert [len(row) for row in client.search(["red", "sofa"], 4, filters=["words>=3"])] == [2, 2]
    status, told = ask(url, query=["red"], filters=[["words>=3"]], k=4, diversity=0)
    assert status == 200 and told["outputs"]["item_ids"][0][2:] == ["", ""]
    assert told["outputs"]["scores"][0][2:] == [float("-inf")] * 2  # -Infinity, as TF Serving writes it
