"""A language model as one more judge: it grades the pool's pairs as people do, from 0 to 3."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tfrec.config import Config
from tfrec.config.synth_llm import LlmConfig
from tfrec.data.judging.strokes import GRADES, MACHINE, Stroke, grades_of
from tfrec.pipeline.judging.store import Store
from tfrec.synth.llm.client import Cache, Client
from tfrec.synth.llm.endpoint import Endpoint
from tfrec.synth.llm.prompts import Prompt, listed, request_of
from tfrec.synth.llm.replies import numbered
from tfrec.synth.llm.source import ask_all

_TASK = (
    "You judge the search results of an online shop. Say for each numbered product how well it answers what a shopper "
    "typed: 3 just what is wanted, 2 well but not quite, 1 barely, 0 not at all. Judge by the product's text alone and "
    "every product by itself; most lists hold good and bad ones in no order. Answer with one JSON object only: the "
    'product number as key, the grade as value, like {"1": 3, "2": 0}.'
)


def grade_pool(config: Config, store: Store, answers: Path) -> tuple[str, int, int]:
    """Asks a language model for grades of all pairs of the pool that it has not graded.

    The endpoint is that of synthesis (synthesis.llm), with its limits; query and item text are sent to it, and nothing
    that people said. Answers are kept, so that a killed run pays none twice.

    Args:
        config: the whole configuration.
        store: the opened judgments.
        answers: folder of paid answers, unless synthesis.llm.cache names one.

    Returns:
        (the judge's name, pairs graded now, pairs of the pool still without its grade).

    Raises:
        ConfigError: the endpoint is not configured, or refuses the key or the model.
        TfrecError: it does not answer, or too many prompts fail.
    """
    settings = config.synthesis.llm
    endpoint = Endpoint.of(settings)
    judge = MACHINE + " ".join(str(settings.model).replace("|", "/").split())
    done = {(stroke.query, stroke.item) for stroke in store.strokes.by_judge.get(judge, ())}
    texts = dict(zip(store.shop.item_ids, store.shop.item_texts, strict=True))
    numbers = {item: number for number, item in enumerate(store.shop.item_ids)}
    asked: list[tuple[str, list[str]]] = []
    for one in store.pool:
        items = [item for item in _mixed(one.query, one.items) if (one.query, item) not in done]
        asked += ((one.query, some) for some in _groups(items, settings.items_per_request))
    prompts = [
        Prompt(
            tuple(numbers[item] for item in items), _request(query, [texts[i] for i in items], settings, config.seed)
        )
        for query, items in asked
    ]
    client = Client(endpoint, settings, Cache(Path(settings.cache) if settings.cache else answers), has_grades)
    graded = 0
    for (query, items), reply in zip(asked, ask_all(client, prompts, settings), strict=False):
        found = grades_in(reply.content, len(items)) if reply is not None else []
        for item, grade in zip(items, found, strict=False):
            if grade is not None:
                store.strokes.add(Stroke(judge, query, item, grade))
                graded += 1
    store.keep(grades_of(store.strokes.by_judge))
    return judge, graded, sum(len(items) for _, items in asked) - graded


def grades_in(content: str, items: int) -> list[int | None]:
    """The grade of each product in a model's text; None where it gives none, or none of the scale."""
    return [next((grade for value in values if (grade := _grade(value)) is not None), None)
            for values in numbered(content, items)]  # fmt: skip


def has_grades(content: str, items: int) -> bool:
    """Whether there is a grade for any product."""
    return any(grade is not None for grade in grades_in(content, items))


def _grade(value: Any) -> int | None:
    if isinstance(value, dict):
        value = value.get("grade", value.get("score"))
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value not in GRADES:
        return None
    return int(value)


def _request(query: str, texts: Sequence[str], settings: LlmConfig, seed: int) -> dict[str, Any]:
    system = f"{_TASK} {settings.instructions}".strip()
    return request_of(system, f"Typed: {' '.join(query.split())}\n\n{listed(texts, settings)}", settings, 0.0, seed)


def _mixed(query: str, items: Sequence[str]) -> list[str]:
    """A query's candidates in an order that is always the same and has nothing to do with where they were found."""
    return sorted(items, key=lambda item: hashlib.sha256(f"{query}\0{item}".encode("utf-8", "replace")).digest())


def _groups(items: Sequence[str], size: int) -> Iterator[list[str]]:
    for first in range(0, len(items), size):
        yield list(items[first : first + size])
