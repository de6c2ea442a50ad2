"""The page in a headless Chromium, with a real keyboard's events: from the browser to the model and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving.demo.browser import Browser
from tests.serving.demo.conftest import HOSTILE

FOCUS = "document.activeElement.dataset.id || document.activeElement.id"
LIST = "document.activeElement.closest('ol').id"


@pytest.fixture
def browser(chromium: Browser, page: Any) -> Iterator[Browser]:
    """The browser, on the page; nothing went wrong in it when the test is over."""
    chromium.complaints.clear()
    chromium.open(page.url)
    _shown(chromium, "What sells")
    yield chromium
    assert chromium.complaints == []


def _shown(browser: Browser, begins: str) -> None:
    browser.wait(f"document.querySelector('#found').textContent.startsWith({begins!r})")


def _texts(browser: Browser, selector: str) -> list[str]:
    return browser.value(f"[...document.querySelectorAll({selector!r})].map((node) => node.textContent)")


def test_search_look_and_go_on_by_keyboard_alone(browser: Browser) -> None:
    assert browser.value(FOCUS) == "words"
    browser.type("red leather sofa")
    _shown(browser, "5 items")
    for key, focus in (("ArrowDown", "S-1"), ("ArrowDown", "S-2"), ("Home", "S-1"), ("ArrowDown", "S-2")):
        browser.press(key)
        assert browser.value(FOCUS) == focus
    assert browser.value("document.title") == "red leather sofa · tfrec"
    browser.press("Enter")
    browser.wait("document.activeElement.id == 'item-title'")
    _shown(browser, "5 items · ")
    browser.wait("document.querySelector('#found').textContent.endsWith('personal')")
    assert _texts(browser, "#item-title") == ["Blue sofa & more"]
    assert _texts(browser, "#because-title") == ["Because you looked at Blue sofa & more"]
    browser.press("ArrowDown")
    assert browser.value(LIST) == "similar"
    for key, where in (("ArrowRight", "because"), ("ArrowRight", "recommended"), ("ArrowRight", "recommended")):
        browser.press(key)
        assert browser.value(LIST) == where
    browser.press("Escape")
    assert browser.value(FOCUS) == "words"


def test_a_slash_goes_to_the_search_and_is_typed_within_it(browser: Browser) -> None:
    browser.press("ArrowDown")
    browser.press("/")
    assert browser.value(FOCUS) == "words" and browser.value("document.querySelector('#words').value") == ""
    browser.press("/")
    assert browser.value("document.querySelector('#words').value") == "/"


def test_a_focused_card_is_in_sight(browser: Browser) -> None:
    for key in ("ArrowDown", "End", "ArrowUp", "Home"):
        browser.press(key)
        box = browser.value("JSON.parse(JSON.stringify(document.activeElement.getBoundingClientRect()))")
        assert box["top"] >= 0 and box["bottom"] <= browser.value("innerHeight")
        # Nothing lies over it.
        middle = f"document.elementFromPoint({box['left'] + box['width'] / 2}, {box['top'] + box['height'] / 2})"
        assert browser.value(f"document.activeElement.contains({middle})")


def test_arrows_that_choose_characters_do_not_move(browser: Browser) -> None:
    browser.value(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowDown', isComposing: true,"
        " bubbles: true}))"
    )
    assert browser.value(FOCUS) == "words"


def test_texts_of_items_stay_texts(browser: Browser, page: Any) -> None:
    browser.open(page.url + "?q=%3Cimg+src%3Dx+onerror%3D%22document.title%3D1%22%3E+red+leather+sofa")
    _shown(browser, "5 items")
    assert "Red <b>sofa</b>" in _texts(browser, "#hits b")
    browser.value("document.querySelector('#hits [data-id=\"S-1\"]').click()")
    browser.wait("document.querySelector('#found').textContent.endsWith('personal')")
    assert _texts(browser, "#item-description") == [HOSTILE]
    assert browser.value("document.querySelectorAll('main img, main script, #hits b b').length") == 0
    assert browser.value("document.title").endswith("red leather sofa · tfrec")


def test_an_address_shows_the_same_again_and_a_picture_of_it(browser: Browser, page: Any, tmp_path: Path) -> None:
    browser.open(page.url + "?q=red+leather+sofa&looked=S-2")
    browser.wait("document.querySelector('#recommended').children.length")
    _shown(browser, "5 items")
    parts = browser.value("[...document.querySelectorAll('#hits .bar')].map((bar) => bar.children.length)")
    assert parts == [1] * 5 and _texts(browser, "#legend") == ["dense"]
    # No score is broken over two lines, and nothing is wider than the window.
    heights = browser.value("[...document.querySelectorAll('.row .soft')].map((score) => score.offsetHeight)")
    assert heights and max(heights) < 30
    assert browser.value("document.documentElement.scrollWidth <= innerWidth")
    picture = tmp_path / "page.png"
    browser.picture(picture)
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and picture.stat().st_size > 20_000
