"""What a language model answered, read with patience."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_THINKING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL)
_TITLE = re.compile(r"\s*(?:product\s*)?#?(\d+)\s*[.:)]?\s*", re.IGNORECASE)
_EDGES = " \t\"'“”„«»`*-•,;"
_LONGEST = 100  # characters of a query


class BadReply(Exception):
    """The answer is not what was asked for; another attempt may give a better one.

    Attributes:
        prompt_tokens, answer_tokens: spent on it, as far as it tells.
    """

    def __init__(self, message: str, prompt_tokens: int = 0, answer_tokens: int = 0) -> None:
        super().__init__(message)
        self.prompt_tokens, self.answer_tokens = prompt_tokens, answer_tokens


@dataclass(frozen=True)
class Reply:
    """An answer as kept.

    Attributes:
        content: the text of the answer.
        prompt_tokens: spent on the prompt.
        answer_tokens: spent on the answer.
    """

    content: str
    prompt_tokens: int
    answer_tokens: int


def read_reply(body: bytes, prompt_tokens: int, usable: Callable[[str], bool]) -> Reply:
    """The answer in the body of a response of chat/completions.

    Args:
        body: JSON of the protocol.
        prompt_tokens: counted when the server does not say how many it read.
        usable: whether a text holds anything that was asked for; one that does not is a bad answer.

    Raises:
        BadReply: it is not of the protocol, or of no use.
    """
    try:
        tree = json.loads(body)
        content = tree["choices"][0]["message"]["content"]
        usage = tree.get("usage") or {}
        prompt = max(0, int(usage.get("prompt_tokens") or prompt_tokens))
        answer = max(0, int(usage.get("completion_tokens") or len(content or "") // 4))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise BadReply(f"not an answer of chat/completions ({type(error).__name__})") from None
    if not isinstance(content, str) or not usable(content):
        raise BadReply("nothing in the answer that was asked for", prompt, answer)
    return Reply(content, prompt, answer)


def numbered(content: str, items: int) -> list[list[Any]]:
    """What a text says of each numbered product.

    Args:
        content: the model's text: a JSON object by number, perhaps with words around it.
        items: how many products were asked about.

    Returns:
        one list for each, of the values at its number; empty where there are none.
    """
    found: list[list[Any]] = [[] for _ in range(items)]
    tree = _json_in(_THINKING.sub("", content))
    if isinstance(tree, dict) and len(tree) == 1 and isinstance(next(iter(tree.values())), (dict, list)) and items > 1:
        tree = next(iter(tree.values()))  # {"queries": {...}}
    if isinstance(tree, list):
        tree = {str(number): value for number, value in enumerate(tree, 1)} if items > 1 else {"1": tree}
    if not isinstance(tree, dict):
        return found
    for name, value in tree.items():
        number = _TITLE.fullmatch(str(name))
        place = int(number.group(1)) - 1 if number else (0 if items == 1 else -1)
        if 0 <= place < items:
            found[place].append(value)
    return found


def queries_of(content: str, items: int) -> list[list[str]]:
    """The queries for each product.

    Args:
        content: the model's text.
        items: how many products were asked about.

    Returns:
        one list for each; empty where there are none.
    """
    found = []
    for values in numbered(content, items):
        queries: list[str] = []
        for value in values:
            queries.extend(dict.fromkeys(query for text in _texts(value) if (query := _cleaned(text))))
        found.append(queries)
    return found


def has_queries(content: str, items: int) -> bool:
    """Whether there is a query for any product."""
    return any(queries_of(content, items))


def _json_in(text: str) -> Any:
    """The first JSON object or list in a text; None if there is none."""
    decoder = json.JSONDecoder()
    for match in re.finditer(r"[{\[]", text):
        try:
            return decoder.raw_decode(text, match.start())[0]
        except (ValueError, RecursionError):
            continue
    return None


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [entry for entry in value if isinstance(entry, str)]
    if isinstance(value, dict):
        return [text for entry in value.values() for text in _texts(entry)]
    return []


def _cleaned(text: str) -> str:
    query = " ".join(text.split()).strip(_EDGES)
    return query if len(query) <= _LONGEST and any(map(str.isalnum, query)) else ""
