"""What events and ratings say of liking, as settings of a proposal's interactions."""

from __future__ import annotations

from typing import Any

import polars as pl

from tfrec.data.discovery.columns import Column
from tfrec.data.discovery.proposal import Answers, Proposal, Question
from tfrec.data.discovery.words import event_weights


def event_worth(rows: pl.DataFrame, table: dict[str, Any], answers: Answers, proposal: Proposal) -> None:
    """Sets the weights of kinds of event; asks for those that are not known.

    Args:
        rows: of the file, a column of items and one of events.
        table: gets the setting.
        answers: what the user has said.
        proposal: gets questions and sentences.
    """
    given = answers.numbers("interactions.events")
    if given is not None:
        table["events"] = given
        return
    item, event = rows.columns
    every = [name for name in rows[event].str.strip_chars().unique(maintain_order=True) if name]
    of_items = set(rows.filter(pl.col(item).str.strip_chars() != "")[event].str.strip_chars())
    weights, other, unknown = event_weights([name for name in every if name in of_items])
    empty = [name for name in every if name not in of_items]
    if empty:
        proposal.said.append(f"events that name no product are left out: {', '.join(empty)}")
    if unknown:
        guess = {**weights, **dict.fromkeys(unknown, 1.0)}
        words = ", ".join(unknown[:8])
        text = f"which events of {event} speak of liking, and how much (as in view=1,cart=3)? Unknown: {words}"
        proposal.questions.append(
            Question("interactions.events", text, (",".join(f"{k}={v:g}" for k, v in guess.items()),))
        )
        weights = guess
    table["events"] = weights
    if other:
        proposal.said.append(f"events that are no sign of liking are left out: {', '.join(other)}")


def rating_worth(column: Column, table: dict[str, Any], proposal: Proposal) -> None:
    """Sets the lowest rating that counts as liking."""
    values = sorted(float(value) for value in column.values if _is_number(value))
    if not values:
        return
    highest = values[-1]
    table["min_rating"] = 4.0 if highest == 5 else round(0.7 * highest, 4)
    proposal.said.append(f"ratings of {column.name} from {table['min_rating']:g} of {highest:g} up count as liking")


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False
