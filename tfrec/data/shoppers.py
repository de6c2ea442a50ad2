"""Shoppers as they are evaluated: what each took before a split's window, and in it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tfrec.data.shopper_examples import shopper_rows


@dataclass(frozen=True)
class Shopper:
    """A shopper as evaluated.

    Attributes:
        user_id: the shop's name of the shopper.
        history: item indices taken before the cut, each once, at its last time, oldest first; empty for a newcomer.
        truth: item indices taken in the split's window, and never before unless the shop's purchases repeat; never
            empty.
        repeats: whether what was taken before is to be found again (data.interactions.repeats).
    """

    user_id: str
    history: list[int]
    truth: list[int]
    repeats: bool = False

    @property
    def excluded(self) -> list[int]:
        """The items that a list for this shopper leaves out: the history, or nothing where purchases repeat."""
        return [] if self.repeats else self.history


def shoppers_of(interactions: pl.DataFrame, split: str, repeats: bool) -> list[Shopper]:
    """The shoppers who take something new in a split's window.

    Args:
        interactions: with user_id, item, timestamp, split; sorted by user and time.
        split: dev (history = train) or test (history = train and dev); any other has none.
        repeats: whether what was taken before is to be found again.

    Returns:
        the shoppers, by user_id, those without history too.
    """
    before = {"dev": ["train"], "test": ["train", "dev"]}.get(split)
    if before is None:
        return []
    interactions = interactions.select("user_id", "item", "timestamp", "split")
    window = interactions.filter(pl.col("split") == split)
    earlier = interactions.filter(pl.col("split").is_in(before))
    earlier = earlier.join(window.select("user_id"), on="user_id", how="semi", maintain_order="left")  # few of all
    past = {user: list(dict.fromkeys(reversed(items)))[::-1] for user, items, _ in shopper_rows(earlier)}
    found = []
    for user, items, _ in shopper_rows(window):
        history = past.get(user, [])
        known = set() if repeats else set(history)
        truth = [item for item in dict.fromkeys(items) if item not in known]
        if truth:
            found.append(Shopper(user, history, truth, repeats))
    return found
