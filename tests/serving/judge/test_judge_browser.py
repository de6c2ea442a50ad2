"""The judging page in a headless Chromium, with a real keyboard's events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving.demo.browser import Browser
from tests.serving.judge.conftest import HOSTILE, kept
from tfrec.data.judging.strokes import Strokes
from tfrec.serving.judge.server import PAGE, JudgeServer


@pytest.fixture
def browser(chromium: Browser, page: JudgeServer) -> Iterator[Browser]:
    """The browser, on the page; nothing went wrong in it when the test is over."""
    chromium.complaints.clear()
    chromium.open("about:blank#")
    chromium.open(page.url)
    chromium.wait("document.activeElement.id == 'name'")
    yield chromium
    assert chromium.complaints == []


def press(browser: Browser, key: str, done: int) -> str:
    """Presses a key, waits until so many answers are told, and gives the item that is shown then."""
    browser.press(key)
    browser.wait(f"document.body.dataset.done == '{done}'")
    return browser.value("document.body.dataset.shown")


def begin(browser: Browser, name: str) -> str:
    browser.type(name)
    browser.press("Enter")
    browser.wait("'shown' in document.body.dataset")
    return browser.value("document.body.dataset.shown")


def text(browser: Browser, place: str) -> str:
    return browser.value(f"document.querySelector('#{place}').innerText")


def test_judging_by_keyboard_alone(browser: Browser, strokes: Strokes) -> None:
    first = begin(browser, "ann 3")  # digits in a name are no answers
    assert text(browser, "query") == "red sofa" and text(browser, "place") == "query 1 of 3"
    assert text(browser, "why") == "asked 7 times" and text(browser, "who") == "ann 3"
    second = press(browser, "3", 1)
    third = press(browser, "0", 2)
    assert len({first, second, third}) == 3
    assert press(browser, "u", 1) == second  # undone
    assert press(browser, "1", 2) == third
    press(browser, "s", 3)
    assert text(browser, "query") == HOSTILE and "1 of them skipped" in text(browser, "progress")
    press(browser, "n", 5)
    assert text(browser, "query") == "台灯"
    browser.press("x")  # means nothing
    press(browser, "2", 6)
    browser.wait("document.activeElement.id == 'end-title'")
    assert text(browser, "end-told") == "All 6 pairs are answered, 3 with a grade."
    assert kept(strokes) == {
        ("red sofa", first): {"ann 3": 3}, ("red sofa", second): {"ann 3": 1}, ("台灯", "灯-é"): {"ann 3": 2},
    }  # fmt: skip
    assert press(browser, "Backspace", 5) == "灯-é"


def test_texts_stay_texts_and_the_picture_is_shown(browser: Browser, tmp_path: Path) -> None:
    shown = begin(browser, "bob")
    for done in (1, 2):
        if shown != "S-1":
            shown = press(browser, "1", done)
    assert shown == "S-1"
    browser.wait("!document.querySelector('#picture').hidden && document.querySelector('#picture').naturalWidth == 1")
    assert text(browser, "title") == f"S-1 {HOSTILE}" and text(browser, "description") == HOSTILE
    assert text(browser, "attributes").split() == f"price 9.5 colour {HOSTILE}".split()
    browser.press("n")
    browser.wait("document.querySelector('#place').textContent == 'query 2 of 3'")
    assert text(browser, "query") == HOSTILE and browser.value("document.title") == "tfrec · judge"
    assert browser.value("document.querySelectorAll('main script, h2 img, h3 img, dd img').length") == 0
    picture = tmp_path / "page.png"
    browser.picture(picture)
    assert picture.stat().st_size > 10_000
    assert browser.value("document.documentElement.scrollWidth <= innerWidth")


def test_a_server_that_is_gone_is_told_and_a_wrong_key_too(chromium: Browser, page: JudgeServer) -> None:
    chromium.open("about:blank#")
    chromium.open(page.url + "x")
    chromium.wait("document.activeElement.id == 'name'")
    chromium.type("ann")
    chromium.press("Enter")
    chromium.wait("document.querySelector('#trouble').textContent.includes('printed last')")
    assert chromium.value("document.querySelector('#work').hidden")


def test_the_script_makes_no_markup_and_asks_for_what_is_there() -> None:
    page = PAGE.read_text("utf-8")
    [script] = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", script)
    ids = re.findall(r'\bid="([\w-]+)"', page)
    assert len(ids) == len(set(ids)) and set(re.findall(r'by\("([\w-]+)"\)', script)) <= set(ids)
    assert not re.search(r'(src|href)="(https?:)?//|\son\w+="', page)
