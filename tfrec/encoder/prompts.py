"""What some encoders want to read before a text, so that they know a query from an item ("query: ", "passage: ")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tfrec.tensorflow_setup import tf

if TYPE_CHECKING:
    from tfrec.config.modelling import EncoderConfig

Tensor = Any
_ROOM = 64  # tokens that a prompt may have


class Prompts:
    """The prompts of an encoder, as E5 has them (Wang et al. 2022, arXiv 2212.03533).

    Args:
        query: before queries; "" for none.
        item: before items.
        tokens: (texts string [B], most tokens) -> RaggedTensor int32 [B, None] with start and end mark.
    """

    def __init__(self, query: str, item: str, tokens: Callable[[Tensor, int], Tensor]) -> None:
        self._texts = {"query": query, "item": item}
        self._lengths = {
            role: int(tokens(tf.constant([text]), _ROOM).row_lengths()[0]) - 2 if text else 0
            for role, text in self._texts.items()
        }

    def before(self, texts: Tensor, max_tokens: int, role: str) -> tuple[Tensor, int]:
        """The texts string [B] with the prompt of a role, and the most tokens they may have with it."""
        if not role or not self._texts[role]:
            return texts, max_tokens
        return tf.strings.join([self._texts[role], texts]), max_tokens + self._lengths[role]


def chosen_prompts(config: EncoderConfig, facts: Mapping[str, Any]) -> tuple[str, str]:
    """The prompts (query, item) of the configuration, else those the encoder was trained with."""
    own = facts.get("prompts", {})
    chosen = {"query": config.query_prompt, "item": config.item_prompt}
    query, item = (own.get(role, "") if given is None else given for role, given in chosen.items())
    return query, item
