"""The page over HTTP: who is let in, what is refused, and which files can be seen."""

from __future__ import annotations

import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.serving.judge.conftest import PIXEL, Send, kept
from tfrec.data.judging.strokes import Strokes
from tfrec.serving.judge.server import JudgeServer


def test_an_answer_is_on_the_disk_when_it_is_acknowledged(send: Send, tmp_path: Path) -> None:
    status, told = send("/api/next", {"judge": "ann"})
    card = told["card"]
    assert status == 200 and card["query"] == "red sofa" and card["item"]["title"].startswith("S-")
    answer = {"judge": "ann", "query": card["query"], "item": card["item"]["id"], "answer": 3}
    status, after = send("/api/answer", answer)
    assert status == 200 and after["done"] == 1
    assert f"red sofa,{card['item']['id']},1,1,,ann,3" in (tmp_path / "judgments.csv").read_text()
    assert send("/api/undo", {"judge": "ann"}) == (200, told)
    assert (tmp_path / "judgments.csv").read_text().count("\n") == 1


@pytest.mark.parametrize(
    ("path", "told", "more", "status", "sentence"),
    [
        ("/api/next", {"judge": "ann"}, {"X_Judge_Key": "wrong"}, 403, "Open the address"),
        ("/api/next", {"judge": "ann"}, {"X_Judge_Key": ""}, 403, "Open the address"),
        ("/api/next", {"judge": "ann"}, {"Host": "evil.example"}, 403, "own address only"),
        ("/api/next", None, {"method": "GET"}, 405, "are sent (POST)"),
        ("/api/next", None, {"method": "OPTIONS"}, 405, "are sent (POST)"),
        ("/", {}, {}, 405, "can only be asked for"),
        ("/other", {}, {}, 404, "No such page"),
        ("/api/other", {}, {}, 404, "no such page"),
        ("/api/next", b"{", {}, 400, "no JSON object"),
        ("/api/next", [1], {}, 400, "no JSON object"),
        ("/api/next", {}, {}, 400, "Say who judges"),
        ("/api/answer", {"judge": "ann", "query": 1, "item": [], "answer": 1}, {}, 400, "are not judged here"),
    ],
)
def test_what_is_refused(send: Send, path: str, told: Any, more: dict[str, str], status: int, sentence: str) -> None:
    found, error = send(path, told, **more)
    assert found == status and sentence in error["error"]


def test_another_site_can_neither_ask_nor_frame(page: JudgeServer) -> None:
    with urllib.request.urlopen(page.url.partition("#")[0], timeout=20) as response:
        headers, text = response.headers, response.read().decode()
    assert page.key not in text and "access-control-allow-origin" not in headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"


def test_pictures_come_from_the_shops_folder_alone(send: Send) -> None:
    assert send("/api/picture", {"item": "S-1"}) == (200, PIXEL)
    for item in ("up", "link", "text", "gone", "absolute", "url", "nul", "none", "unknown", "../secret.txt"):
        assert send("/api/picture", {"item": item})[0] == 404, item
    assert send("/api/picture", {"item": "S-1"}, X_Judge_Key="no")[0] == 403


def test_several_judges_at_once_lose_nothing(send: Send, strokes: Strokes) -> None:
    def judge(name: str) -> None:
        told = send("/api/next", {"judge": name})[1]
        while card := told["card"]:
            answer = {"judge": name, "query": card["query"], "item": card["item"]["id"], "answer": len(name) % 4}
            told = send("/api/answer", answer)[1]

    names = ["a", "bb", "ccc", "dddd"]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(judge, names))
    assert len(kept(strokes)) == 6
    assert all(given == {name: len(name) % 4 for name in names} for given in kept(strokes).values())
