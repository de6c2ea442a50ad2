"""The page itself: its HTML, and its script in a small document of node's."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import urllib.request
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tfrec.serving.demo.server import PAGE, content_policy

TEXT = PAGE.read_text("utf-8")
SCRIPT = re.findall(r"<script>(.*?)</script>", TEXT, re.DOTALL)[0]


class Reader(HTMLParser):
    """Notes every element with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.labels = 0
        self.open: list[str] = []
        self.unlabelled: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag == "input" and "label" not in self.open:
            self.unlabelled.append(str(dict(attributes)))
        if tag not in ("meta", "link", "input", "br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"


@pytest.fixture(scope="module")
def reader() -> Reader:
    found = Reader()
    found.feed(TEXT)
    found.close()
    assert found.open == []
    return found


def test_the_page_can_be_read_aloud_and_used_by_keyboard(reader: Reader) -> None:
    tags = Counter(tag for tag, _ in reader.elements)
    assert tags["h1"] == 1 and tags["main"] == 1 and reader.unlabelled == []
    by_id = {attributes["id"]: attributes for _, attributes in reader.elements if "id" in attributes}
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert by_id["found"]["aria-live"] == "polite" and by_id["trouble"]["role"] == "alert"
    assert {tag: a for tag, a in reader.elements}["html"]["lang"] == "en"
    for _, attributes in reader.elements:
        assert all(name in by_id for name in (attributes.get("aria-labelledby") or "").split())
    assert not [a for _, a in reader.elements if int(a.get("tabindex") or 0) > 0]


def test_every_element_that_the_script_asks_for_is_there(reader: Reader) -> None:
    ids = {attributes.get("id") for _, attributes in reader.elements}
    asked = set(re.findall(r'by\("([\w-]+)"\)', SCRIPT))
    assert len(asked) > 12 and asked <= ids


def test_nothing_comes_from_elsewhere_and_no_markup_is_made_of_data(reader: Reader) -> None:
    for _, attributes in reader.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert not re.match(r"(https?:)?//", attributes.get("src") or attributes.get("href") or "")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", SCRIPT)


def test_the_policy_allows_just_this_script_and_style() -> None:
    policy = content_policy(TEXT)
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy and "unsafe" not in policy
    assert content_policy(TEXT.replace("Math.abs", "Math.max")) != policy


def test_the_page_is_sent_with_its_policy(page: Any) -> None:
    with urllib.request.urlopen(page.url, timeout=20) as response:
        assert response.read().decode() == TEXT
        assert response.headers["Content-Security-Policy"] == content_policy(TEXT)
        assert response.headers["X-Content-Type-Options"] == "nosniff"


CHECKS: dict[str, Any] = {
    "logic.move(-1, 3, 'ArrowDown')": 0,
    "logic.move(2, 3, 'ArrowDown')": 2,
    "logic.move(0, 3, 'ArrowUp')": -1,
    "logic.move(1, 3, 'End')": 2,
    "logic.move(1, 3, 'x')": 1,
    "logic.move(-1, 0, 'ArrowDown')": -1,
    "logic.look(['a', 'b'], 'a')": ["b", "a"],
    "logic.look(['a', 'b'], 'c', 2)": ["b", "c"],
    "logic.size({dense: 3, lexical: -1})": 4,
    "logic.widths({dense: 3, lexical: -1}, 8).map((p) => p.width)": [37.5, 12.5],
    "logic.widths({dense: 0}, 0).map((p) => p.width)": [0],
    "logic.widths({}, 1)": [],
    "logic.address('/x', {q: 'a&b ü', looked: ['1,2', '3'], diversity: 0, filter: []})":
        "/x?q=a%26b+%C3%BC&looked=1%2C2&looked=3",
    "logic.address('/', {q: ''})": "/",
    "logic.conditions(' price<=50;; color=red ')": ["price<=50", "color=red"],
    "logic.facts({price: 0, attributes: {brand: 'Kora', color: 'red'}})": "price: 0 · brand: Kora · color: red",
    "logic.picture([{type: 'text/plain'}, {type: 'image/png'}]).file": {"type": "image/png"},
    "logic.picture([{type: 'image/gif'}]).trouble": "Only JPEG and PNG pictures can be searched.",
    "logic.picture([]).trouble": "",
    "logic.facts({price: null, attributes: {}})": "",
}  # fmt: skip


def test_the_scripts_own_rules() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node to run the page's script with")
    told = ", ".join(f"{json.dumps(check)}: {check}" for check in CHECKS)
    done = subprocess.run(
        [node, "-"], input=f"{SCRIPT}\nconsole.log(JSON.stringify({{{told}}}));", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == CHECKS


@pytest.fixture
def play(page: Any) -> Any:
    """play(steps, query) plays steps on the page in node's small document and gives what was shown after each."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node to run the page's script with")

    def run(steps: list[list[Any]], query: str = "") -> list[dict[str, Any]]:
        command = [node, str(Path(__file__).with_name("small_document.js")), str(PAGE), page.url + query]
        done = subprocess.run(command, input=json.dumps(steps), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and done.stdout, done.stderr
        return json.loads(done.stdout)

    return run


def test_typing_moving_and_looking(play: Any) -> None:
    steps = [
        ["type", "red leather sofa"], ["key", "ArrowDown"], ["key", "ArrowDown"], ["key", "Enter"], ["key", "Escape"],
        ["type", "台灯"], ["key", "ArrowDown"], ["key", "ArrowUp"],
    ]  # fmt: skip
    start, typed, first, second, looked, back, lamp, card, words = play(steps)
    assert start["about"] == "version 10 · 3 items" and start["found"].startswith("What sells")
    assert typed["hits"][:2] == ["S-1", "S-2"] and typed["address"] == "/?q=red+leather+sofa"
    assert typed["first"].startswith("Red <b>sofa</b>1.000price: 499 · brand: Kora · color: red")
    assert "dense 1.000" in typed["first"]
    assert [first["focus"], second["focus"]] == ["S-1", "S-2"]
    assert looked["item"] == "Blue sofa & more" and looked["focus"] == "item-title"
    assert re.fullmatch(r"Words: (“(red|leather|sofa)” -?\d\.\d\d( · )?){3}", looked["why"]), looked["why"]
    assert looked["because"] == "Because you looked at Blue sofa & more" and looked["looked"] == ["Blue sofa & more ×"]
    assert looked["address"].endswith("&looked=S-2") and "personal" in looked["found"]
    assert back["focus"] == "words" and lamp["hits"][0] == "灯-é"
    assert card["focus"] == "灯-é" and words["focus"] == "words"


def test_an_address_brings_the_page_back_and_a_chip_forgets(play: Any) -> None:
    start, forgotten = play([["click", "looked", 0]], "?q=sofa&looked=S-1&looked=%E7%81%AF-%C3%A9")
    assert start["looked"] == ["Red <b>sofa</b> ×", "台灯 ×"] and set(start["hits"]) >= {"S-1", "S-2", "S-3"}
    assert forgotten["looked"] == ["台灯 ×"] and forgotten["address"].count("looked=") == 1


def test_a_refusal_is_shown_and_goes_away(play: Any) -> None:
    wrong, right = play([["filter", "kind=L"]], "?q=sofa&filter=size%3D3")
    assert "columns that can be filtered: kind" in wrong["trouble"] and wrong["hits"] == []
    assert right["trouble"] == "" and right["hits"] == ["L-1"] and right["address"] == "/?q=sofa&filter=kind%3DL"
