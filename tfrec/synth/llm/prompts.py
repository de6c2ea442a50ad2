"""What the language model is asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfrec.config.synth_llm import LlmConfig

_TASK = (
    "You write search queries for an online shop. For each numbered product write {count} different queries that a "
    "shopper who wants exactly such a product might type. Vary them: short and long, by kind of thing, brand, "
    "attribute or use. Write in the language of the product texts{like}. Never copy a whole product text. "
    'Answer with one JSON object only: the product number as key, a list of queries as value, like {{"1": ["...", '
    '"..."]}}.'
)
_LIKE_EXAMPLES = " and in the style of the examples: their length, spelling and wording"


@dataclass(frozen=True)
class Prompt:
    """One request.

    Attributes:
        items: item indices asked about; product number n in the text is the n-th of them, from 1.
        payload: body of the request, all that the answer depends on.
    """

    items: tuple[int, ...]
    payload: dict[str, Any]

    @property
    def digest(self) -> str:
        """sha256 (hex) of the payload."""
        return hashlib.sha256(json.dumps(self.payload, sort_keys=True).encode()).hexdigest()

    @property
    def tokens(self) -> int:
        """About how many tokens the prompt has: four ASCII characters each, other characters one each."""
        text = "".join(message["content"] for message in self.payload["messages"])
        wide = sum(not character.isascii() for character in text)
        return (len(text) - wide) // 4 + wide + 8


def prompts(texts: Sequence[str], labels: Mapping[str, Sequence[int]], settings: LlmConfig, seed: int) -> list[Prompt]:
    """The requests for items drawn from a catalogue.

    Args:
        texts: of all items.
        labels: labelled training query -> items that answer it; the only queries that a prompt may show.
        settings: how many items, examples and queries.
        seed: of the choices; the same seed gives the same prompts, so that paid answers are found again.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(texts))[: settings.items].tolist()
    known = [query for query in sorted(labels) if labels[query]]
    made = []
    for first in range(0, len(drawn), settings.items_per_request):
        items = tuple(drawn[first : first + settings.items_per_request])
        shown = [known[place] for place in rng.permutation(len(known))[: settings.examples]]
        examples = [(query, texts[labels[query][int(rng.integers(len(labels[query])))]]) for query in shown]
        made.append(Prompt(items, _payload([texts[item] for item in items], examples, settings, seed)))
    return made


def _payload(
    texts: Sequence[str], examples: Sequence[tuple[str, str]], settings: LlmConfig, seed: int
) -> dict[str, Any]:
    def short(text: str) -> str:
        return shortened(text, settings)

    task = _TASK.format(count=settings.queries_per_item, like=_LIKE_EXAMPLES if examples else "")
    system = f"{task} {settings.instructions}".strip()
    parts = []
    if examples:
        shown = [f"product: {short(text)}\nquery: {query}" for query, text in examples]
        parts.append("Examples from this shop:\n" + "\n".join(shown))
    parts.append(listed(texts, settings))
    return request_of(system, "\n\n".join(parts), settings, settings.temperature, seed)


def listed(texts: Sequence[str], settings: LlmConfig) -> str:
    """Products by number, from 1."""
    return "Products:\n" + "\n".join(f"{number}. {shortened(text, settings)}" for number, text in enumerate(texts, 1))


def shortened(text: str, settings: LlmConfig) -> str:
    """As much of an item's text as a prompt shows."""
    return " ".join(text.split())[: settings.item_characters]


def request_of(system: str, user: str, settings: LlmConfig, temperature: float, seed: int) -> dict[str, Any]:
    """The body of a request.

    Args:
        system: what the model is to do.
        user: what it is to do it with.
        settings: model and limits.
        temperature: of its sampling.
        seed: likewise, for a model that heeds it.
    """
    payload: dict[str, Any] = {
        "model": settings.model,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
        "temperature": temperature,
        "max_tokens": settings.max_answer_tokens,
        "seed": seed,
    }
    if settings.json_mode:
        payload["response_format"] = {"type": "json_object"}
    return payload
