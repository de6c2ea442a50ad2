"""A demo shop whose assortment, taste and vocabulary change from week to week: its files as they are in each week.

Products come and leave; from the third week on, part of the shoppers buy what others used to; every week some words of
queries are typed in another form that no product's text has. What was typed and bought in the week after is the truth.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np

from tfrec.data.demo import generate

WEEKS = 6
ITEMS, SHOPPERS, BASE_QUERIES, OLD_QUERIES, WEEKLY_QUERIES = 600, 600, 340, 80, 50
_QUERIES = BASE_QUERIES + OLD_QUERIES + (WEEKS + 1) * WEEKLY_QUERIES
_FIRST_WEEK = datetime(2025, 5, 3, tzinfo=timezone.utc)  # when the shop of week 0 ends, and week 1 begins
_ALWAYS, _LEAVE = 0.6, 0.15  # of the products: there from the first day; those of them that leave some week
_TURNED, _TURN_WEEK = 0.4, 3  # shoppers whose taste turns, and when
_NEW_WORDS, _TYPED = 4, 0.8  # words that get another form each week, and how often it is typed then
Judged = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Purchase:
    """One line."""

    user: str
    item: str
    time: str
    row: list[str]


class ChangingShop:
    """The shop in every week.

    Args:
        folder: where the generated files of the whole time are kept.
        seed: draws everything.
    """

    def __init__(self, folder: Path, seed: int = 17) -> None:
        whole = folder / "whole"
        if not whole.is_dir():
            generate(whole, items=ITEMS, queries=_QUERIES, shoppers=SHOPPERS, seed=seed)
        self._rng = np.random.default_rng([seed, 6])
        self._item_header, rows = _read(whole / "items.csv")
        self._items = {row[0]: row for row in rows}  # the last of the duplicates
        ids = sorted(self._items)
        draw, week = self._rng.random(len(ids)), self._rng.integers(1, WEEKS + 1, len(ids))
        self._comes = {i: 0 if d < _ALWAYS else int(w) for i, d, w in zip(ids, draw, week, strict=True)}
        leaves = self._rng.random(len(ids)) < _LEAVE
        self._leaves = {
            i: int(w) if gone and not self._comes[i] else WEEKS + 2
            for i, gone, w in zip(ids, leaves, week, strict=True)
        }
        self._queries = self._with_new_words(whole)
        self._purchases = self._with_new_taste(whole)

    def items(self, week: int) -> set[str]:
        """Ids of what is sold in a week."""
        return {item for item in self._items if self._comes[item] <= week < self._leaves[item]}

    @property
    def lasting(self) -> set[str]:
        """Ids of what is sold in every week."""
        return {item for item in self._items if not self._comes[item] and self._leaves[item] > WEEKS + 1}

    def queries(self, week: int) -> Judged:
        """Judged queries that are first typed in a week (0: before), gains of all products."""
        start = BASE_QUERIES + OLD_QUERIES + (week - 1) * WEEKLY_QUERIES
        return dict(self._queries[:BASE_QUERIES] if week == 0 else self._queries[start : start + WEEKLY_QUERIES])

    @property
    def old_queries(self) -> Judged:
        """Queries of the time before week 1 that are in no file."""
        return dict(self._queries[BASE_QUERIES : BASE_QUERIES + OLD_QUERIES])

    def purchases(self, first: int, last: int) -> list[Purchase]:
        """What was bought from one week to another, both included, of what was sold then."""
        return [one for one in self._purchases if first <= (w := _week(one.time)) <= last and self._sold(one.item, w)]

    def write(self, folder: Path, week: int) -> None:
        """Writes items.csv, searches.csv and purchases.csv as they are at a week's end."""
        folder.mkdir(parents=True, exist_ok=True)
        there = self.items(week)
        _write(folder / "items.csv", self._item_header, [row for item, row in self._items.items() if item in there])
        rows = []
        for known in range(week + 1):
            for number, (query, gains) in enumerate(self.queries(known).items()):
                split = "dev" if number % 6 == 5 else "train"
                rows += [[query, item, f"{gain:g}", split] for item, gain in gains.items() if item in there]
        _write(folder / "searches.csv", ["query", "item_id", "gain", "split"], rows)
        header = ["order_id", "user_id", "item_id", "event", "timestamp", "quantity"]
        _write(folder / "purchases.csv", header, [one.row for one in self.purchases(-99, week)])

    def _sold(self, item: str, week: int) -> bool:
        return self._comes.get(item, 99) <= max(week, 0) < self._leaves[item]

    def _with_new_words(self, whole: Path) -> list[tuple[str, dict[str, float]]]:
        _, rows = _read(whole / "searches.csv")
        judged: Judged = {}
        for _, query, item, gain, _ in rows:
            judged.setdefault(query, {})[item] = float(gain)
        names = list(judged)
        order = self._rng.permutation(len(names)).tolist()
        often = Counter(word for name in names for word in set(re.findall(r"[a-z]{4,}", name.lower())))
        words = [word for word, _ in often.most_common(_NEW_WORDS * WEEKS)]
        self._rng.shuffle(words)
        syllables = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
        forms = {word: "".join(self._rng.choice(syllables, 3).tolist()) for word in words}
        found: dict[str, dict[str, float]] = {}
        for place, number in enumerate(order):
            week = max(0, (place - BASE_QUERIES - OLD_QUERIES) // WEEKLY_QUERIES + 1)
            query = names[number]
            for word in words[: _NEW_WORDS * week]:
                if self._rng.random() < _TYPED:
                    query = re.sub(rf"\b{word}\b", forms[word], query, flags=re.IGNORECASE)
            found[query if query not in found else f"{query} {place}"] = judged[names[number]]
        return list(found.items())

    def _with_new_taste(self, whole: Path) -> list[Purchase]:
        _, rows = _read(whole / "purchases.csv")
        users = sorted({row[1] for row in rows})
        turned = self._rng.permutation(users)[: int(_TURNED * len(users))].tolist()
        other = dict(zip(turned, turned[1:] + turned[:1], strict=True))
        found = []
        for row in rows:
            user = other.get(row[1], row[1]) if _week(row[4]) >= _TURN_WEEK else row[1]
            found.append(Purchase(user, row[2], row[4], [row[0], user, *row[2:]]))
        return found


def _week(time: str) -> int:
    """0 and less before the first week."""
    passed = datetime.fromisoformat(time.replace("Z", "+00:00")) - _FIRST_WEEK
    return passed // timedelta(days=7) + 1


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(encoding="utf-8", newline="") as handle:
        header, *rows = csv.reader(handle)
    return header, rows


def _write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([header, *rows])
