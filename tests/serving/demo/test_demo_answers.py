"""What the page is told: titles, attributes and score parts of a really served model."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tfrec.serving.client import Client, ClientError, Hit
from tfrec.serving.demo.catalogue import Catalogue

Get = Callable[..., tuple[int, Any]]


def ids(hits: list[dict[str, Any]]) -> list[str]:
    return [hit["id"] for hit in hits]


def test_a_search_tells_titles_attributes_and_parts(get: Get) -> None:
    status, told = get("/api/search", q="red leather sofa", k=2)
    assert status == 200 and ids(told["hits"]) == ["S-1", "S-2"] and told["personal"] is False
    first = told["hits"][0]
    assert first["title"] == "Red <b>sofa</b>" and first["attributes"] == {"brand": "Kora", "color": "red"}
    assert first["price"] == 499.0 and told["hits"][1]["price"] is None
    assert Catalogue([{"item_id": "a", "price": float("nan")}]).item("a")["price"] is None  # JSON has no NaN
    assert first["score"] == pytest.approx(1) and first["parts"] == {"dense": pytest.approx(1)}
    assert told["milliseconds"] > 0


def test_an_item_without_a_row_shows_its_id(get: Get) -> None:
    _, told = get("/api/search", q="red lamp", k=1)
    assert told["hits"][0]["title"] == "L-1" and told["hits"][0]["attributes"] == {}


def test_what_was_looked_at_has_its_say(get: Get) -> None:
    _, plain = get("/api/search", q="sofa", k=3)
    _, mine = get("/api/search", q="sofa", k=3, looked="S-1")
    assert ids(plain["hits"])[0] == "S-3" and ids(mine["hits"])[0] == "S-1" and mine["personal"] is True
    _, none = get("/api/search", looked=["S-3", "灯-é"], k=2)
    assert set(ids(none["hits"])) == {"S-3", "灯-é"}  # the toy model recommends what was seen


def test_wishes_reach_the_model(get: Get) -> None:
    _, told = get("/api/search", q="red", filter=["kind=L", " "], k=5)
    assert ids(told["hits"]) == ["L-1"]
    assert get("/api/search", q="red", filter="colour=red")[0] == 400


def test_similar_items_and_because_you_looked_at(get: Get) -> None:
    _, told = get("/api/similar", item="S-2", k=2)
    assert told["item"]["title"] == "Blue sofa & more" and len(told["hits"]) == 2
    _, told = get("/api/because", looked=["L-1", "S-2"], k=2)
    assert told["item"]["id"] == "S-2" and not {"S-2", "L-1"} & set(ids(told["because"]))
    assert ids(told["looked"]) == ["L-1", "S-2"]
    assert ids(told["because"])[0] == "S-3" and len(told["hits"]) == 2 and "S-2" not in ids(told["hits"])


def test_why_an_item_stands_there(get: Get) -> None:
    _, told = get("/api/why", item="S-1", q="red sofa", looked=["L-1", "S-1"])
    assert set(told["words"]) == {"red", "sofa"} and {one["id"] for one in told["looked"]} == {"L-1", "S-1"}
    for falls in (list(told["words"].values()), [one["falls"] for one in told["looked"]]):
        assert falls == sorted(falls, reverse=True), "what counts most stands first"
    assert next(one for one in told["looked"] if one["id"] == "S-1")["title"] == "Red <b>sofa</b>"
    assert get("/api/why", item="S-1", q="sofa")[1] == {"words": {}, "looked": []}
    assert get("/api/why", q="sofa")[0] == 400


def test_about(get: Get) -> None:
    _, told = get("/api/about")
    assert told["items"] == 3 and [version["state"] for version in told["versions"]] == ["AVAILABLE"]


@pytest.mark.parametrize(
    ("path", "parameters", "sentence"),
    [
        ("/api/search", {"k": "0"}, "k must be a number from 1 to 100, not '0'."),
        ("/api/search", {"k": "many"}, "k must be a number"),
        ("/api/search", {"diversity": "nan"}, "diversity must be a number from 0 to 1"),
        ("/api/search", {"q": "x" * 501}, "q may have 500 characters, not 501."),
        ("/api/search", {"x": ["1"] * 201}, "fields"),
        ("/api/similar", {}, "Name an item"),
        ("/api/because", {"looked": " "}, "Name the items"),
    ],
)
def test_wrong_parameters_are_told(get: Get, path: str, parameters: dict[str, Any], sentence: str) -> None:
    status, told = get(path, **parameters)
    assert status == 400 and sentence in told["error"]


def test_other_names_and_paths_are_turned_away(get: Get) -> None:
    assert get("/api/about", host="[")[0] == 403
    assert get("/api/about", host="evil.example")[0] == 403
    assert get("/api/about", host="localhost:1")[0] == 200
    assert get("/../../etc/passwd")[0] == 404 and get("/api/nothing")[0] == 404


def test_nothing_typed_is_printed(get: Get, capfd: pytest.CaptureFixture[str]) -> None:
    get("/api/search", q="secret words")
    assert "secret" not in "".join(capfd.readouterr())


def test_a_model_server_that_is_gone_is_told_in_one_sentence(items_file: Path) -> None:
    from tfrec.serving.demo.server import _STATUS
    from tfrec.serving.demo.shop import DemoShop

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Client(f"127.0.0.1:{port}", retries=0) as client, pytest.raises(ClientError) as failed:
        DemoShop(client, Catalogue.open(items_file)).search("sofa")
    assert _STATUS[failed.value.code] == 503 and failed.value.message.startswith("No server answers")


class Older(Client):
    """A server whose export has no signature `explain`."""

    asked = 0

    def search(self, *_: Any, **__: Any) -> Any:
        return [[Hit("S-1", 0.5)]]

    def explain(self, *_: Any, **__: Any) -> Any:
        self.asked += 1
        raise ClientError("FAILED_PRECONDITION", 'Serving signature key "explain" not found.')


def test_an_export_without_parts_is_shown_without_them(items_file: Path) -> None:
    from tfrec.serving.demo.shop import DemoShop

    with Older("127.0.0.1:1") as client:
        shop = DemoShop(client, Catalogue.open(items_file))
        assert [shop.search("sofa")["hits"][0]["parts"] for _ in range(3)] == [{}] * 3
    assert client.asked == 1


def test_catalogues_that_are_missing_or_broken(tmp_path: Path) -> None:
    from tfrec.errors import DataError

    assert len(Catalogue.open(None)) == len(Catalogue.open(tmp_path / "none.parquet")) == 0
    (tmp_path / "items.parquet").write_text("no parquet")
    with pytest.raises(DataError, match="items.parquet cannot be read"):
        Catalogue.open(tmp_path / "items.parquet")


def test_a_body_of_a_question_is_no_second_question(page: Any) -> None:
    inner = b"GET /api/similar?item=S-1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for headers, status in (
        (f"Content-Length: {len(inner)}", 200), ("Transfer-Encoding: chunked", 400), ("Content-Length: 99999999", 413),
    ):  # fmt: skip
        asked = f"GET /api/about HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n\r\n".encode() + inner
        with socket.create_connection(("127.0.0.1", page.port), timeout=10) as client:
            client.sendall(asked)
            client.shutdown(socket.SHUT_WR)
            told = b""
            while part := client.recv(65536):
                told += part
        assert told.startswith(b"HTTP/1.1 %d " % status) and told.count(b"Content-Length") == 1 and b"S-1" not in told
