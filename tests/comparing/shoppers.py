"""Shoppers of known taste who search with two versions, through the real client into a real event file."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np

from tests.comparing.test_attribution import Answers
from tfrec.clicks import Fitted
from tfrec.clicks.prior import Prior
from tfrec.comparing.traffic import Traffic
from tfrec.serving.client import Experiment

QUERIES, ITEMS, DEPTH = 30, 12, 8
EXAMINATION = 1.0 / np.arange(1, DEPTH + 1) ** 0.8
START = datetime(2025, 3, 1, tzinfo=timezone.utc)


def tastes(seed: int = 1) -> np.ndarray:
    """Attractiveness [Q, I]."""
    return np.random.default_rng(seed).beta(1.2, 6.0, (QUERIES, ITEMS))


def rankings(taste: np.ndarray, right: float, seed: int) -> np.ndarray:
    """int [Q, DEPTH]: items by taste, the more so the larger `right` is, and by a lasting error."""
    noise = np.random.default_rng(seed).random(taste.shape)
    ranks = taste.argsort(axis=1).argsort(axis=1) / ITEMS
    return np.argsort(-(right * ranks + noise), axis=1)[:, :DEPTH]


def write_events(path: Path, method: Any, sessions: int, better: float, seed: int = 2, before: int = 0) -> None:
    """Sessions of one or two searches with versions a and b; b is right by `better` more. Before that, a alone."""
    rng, taste = np.random.default_rng(seed), tastes()
    lists = [rankings(taste, 0.5, 5), rankings(taste, 0.5 + better, 5)]
    records: list[dict[str, Any]] = []
    with Experiment(Answers([]), Answers([]), "june", method) as experiment:
        for number in range(before + sessions):
            visitor, session = f"v{number % max(1, sessions)}", f"s{number}"
            for search in range(1 + number % 2):
                query = int(rng.integers(QUERIES))
                for client, ranking in zip(experiment._clients, lists, strict=True):
                    client._items = [f"P{item}" for item in ranking[query]]  # type: ignore[attr-defined]
                answer = experiment.search(f"{query} words", visitor, DEPTH)
                items = [int(hit.item_id[1:]) for hit in answer.hits]
                when, key = START + timedelta(minutes=number), f"q{number}-{search}"
                record = answer.ubi_query(key, visitor, session, when=when)
                if number < before:
                    items = lists[0][query].tolist()
                    record["query_response_object_ids"] = [f"P{item}" for item in items]
                    del record["query_attributes"]
                records.append(record)
                clicked = rng.random(len(items)) < taste[query, items] * EXAMINATION[: len(items)]
                records += [
                    {
                        "action_name": "click", "query_id": key, "client_id": visitor, "session_id": session,
                        "timestamp": (when + timedelta(seconds=9)).isoformat(),
                        "event_attributes": {"object": {"object_id": f"P{items[place]}"}},
                    }
                    for place in np.flatnonzero(clicked)
                ]  # fmt: skip
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def traffic(searches: int, seed: int = 3, session_of: int = 2) -> tuple[Traffic, np.ndarray]:
    """Sessions of so many searches that ranking a shows, and what a better ranking shows instead."""
    rng, taste = np.random.default_rng(seed), tastes()
    query = rng.integers(QUERIES, size=searches)
    a, b = (query[:, None] * ITEMS + rankings(taste, right, 5)[query] for right in (0.5, 1.0))
    fitted = Fitted(
        "pbm", np.zeros(0), np.zeros(0), taste.ravel(), Prior(0.2, 10.0), {"examination": EXAMINATION.tolist()}
    )  # fmt: skip
    return Traffic(a, np.arange(searches) // session_of, fitted, {"cart": 0.4, "purchase": 0.15}), b
