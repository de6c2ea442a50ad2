"""The dirt that a real shop's files hold, in small doses, so that cleaning has work to do."""

from __future__ import annotations

from random import Random

from tfrec.data.demo.shoppers import Purchases

_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_AMPERSAND, _APOSTROPHE, _WIDE, _BLANKS, _DUPLICATE, _CANCELLED = 0.5, 0.05, 0.025, 0.04, 0.003, 0.015

Row = tuple[object, ...]


def soil_text(text: str, random: Random) -> str:
    """Leaves now and then an HTML entity, full-width letters or too many blanks in a text.

    Args:
        text: the clean text.
        random: the source of all choices.

    Returns:
        the text; after unescaping, NFKC and collapsing blanks it is `text` again.
    """
    if "&" in text and random.random() < _AMPERSAND:
        text = text.replace("&", "&amp;")
    elif "'" in text and random.random() < _APOSTROPHE:
        text = text.replace("'", "&#39;")
    elif text and random.random() < _WIDE:
        words = text.split(" ")
        place = int(len(words) * random.random())
        words[place] = words[place].translate(_FULL_WIDTH)
        text = " ".join(words)
    if random.random() < _BLANKS:
        text = text.replace(" ", "  ", 1) if random.random() < 0.6 else text + " "
    return text


def with_duplicates(rows: list[Row], random: Random) -> list[Row]:
    """Repeats a few rows exactly, each somewhere behind its first appearance (at least one, if there are rows)."""
    repeated = [row for row in rows if random.random() < _DUPLICATE] or rows[:1]
    return rows + repeated


def cancellations(purchases: Purchases, random: Random) -> list[tuple[int, int]]:
    """Chooses the order lines that are sent back.

    Args:
        purchases: the order lines.
        random: the source of all choices.

    Returns:
        (line, unix seconds of the cancellation), at least one.
    """
    lines = range(len(purchases.order))
    chosen = [line for line in lines if random.random() < _CANCELLED] or [0]
    return [(line, int(purchases.timestamp[line]) + 3600 + int(12 * 86400 * random.random())) for line in chosen]
