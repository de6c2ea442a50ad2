"""How much a column's name says that it is one of tfrec's columns."""

from __future__ import annotations

import functools
import re
import unicodedata
from pathlib import Path

import yaml

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BRACKETS = re.compile(r"\(.*?\)|\[.*?\]")
_SIGN = re.compile(r"[\W_]+")
_WHOLE, _BESIDE, _INSIDE, _ASIDE = 1.0, 0.8, 0.7, 0.97
NAMED = 0.55
"""Likeness from which a name speaks for a role."""
_STEP = 0.004  # a later name of a list is believed a little less
_SCRIPTS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@functools.cache
def _lists() -> dict[str, list[str]]:
    return yaml.safe_load((Path(__file__).parent / "names.yaml").read_text("utf-8"))


@functools.cache
def _table(role: str) -> dict[str, float]:
    """Compact name -> belief."""
    table: dict[str, float] = {}
    for place, name in enumerate(_lists()[role]):
        table.setdefault(_compact(_words(name)), _WHOLE - _STEP * min(place, 50))
        table.setdefault(_compact(_words(_bare(name))), _WHOLE - _STEP * min(place, 50))
    return table


def _bare(text: str) -> str:
    """Without accents, as many exports write it."""
    apart = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ł", "l"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _words(name: str) -> list[str]:
    text = unicodedata.normalize("NFKC", name).split("}")[-1]
    return [word for word in _SIGN.sub(" ", _CAMEL.sub(" ", text)).lower().split() if word]


def _compact(words: list[str]) -> str:
    return "".join(words)


def likeness(role: str, column: str) -> float:
    """How much a column's name says that it has a role.

    Args:
        role: tfrec's name of a column, or "parent".
        column: the file's name of it; of `a.b` the last part counts most.

    Returns:
        0 for not at all, 1 for what is certain.
    """
    parts = column.split(".")
    best = _of_name(role, column)
    bare = _BRACKETS.sub("", unicodedata.normalize("NFKC", column)).strip()
    if bare and bare != column:
        best = max(best, _ASIDE * _of_name(role, bare))  # price (with tax)
    if len(parts) > 1:
        best = max(best, 0.9 * _of_name(role, parts[-1]), _of_name(role, f"{parts[-2]} {parts[-1]}"))
    return best


def _of_name(role: str, column: str) -> float:
    words = _words(column)
    if not words:
        return 0.0
    table = _table(role)
    whole = table.get(_compact(words)) or table.get(_compact(_words(_bare(column))))
    if whole is not None:
        return whole
    neutral = set(_lists()["neutral"])
    best = 0.0
    for start in range(len(words)):
        for end in range(len(words), start, -1):
            outside = words[:start] + words[end:]
            if all(word in neutral or word.isdigit() for word in outside):
                best = max(best, _BESIDE * table.get(_compact(words[start:end]), 0.0))
    if not best and _SCRIPTS.search(column):
        text = _compact(words)
        inside = [
            belief for name, belief in table.items() if len(name) > 1 and _SCRIPTS.search(name) and text.endswith(name)
        ]
        best = _INSIDE * max(inside, default=0.0)
    return best


def file_says(name: str) -> tuple[bool, bool]:
    """Whether a file's name speaks of a catalogue, and whether it speaks of something else."""
    text = unicodedata.normalize("NFKC", name).lower()
    lists = _lists()
    return tuple(any(word in text for word in lists[kind]) for kind in ("catalogue_files", "other_files"))  # type: ignore[return-value]
