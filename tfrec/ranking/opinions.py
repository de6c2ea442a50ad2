"""Which scorers a ranker hears one by one, by what its requests hold."""

from __future__ import annotations

from tfrec.retrieval.fusion import Fusion

# Situations (tfrec.retrieval.weights.SITUATIONS) that have rankers, and how these are named.
QUERY, HISTORY, BOTH = 1, 2, 3
HEADS = {QUERY: "search", HISTORY: "recommendation", BOTH: "personalised"}
# The towers have been trained on what shoppers took in a ranker's windows; words say nothing where nothing was typed.
UNREAD = {QUERY: (), HISTORY: ("dense", "lexical"), BOTH: ()}


def opinions_of(fusion: Fusion, situation: int = HISTORY) -> list[int]:
    """Numbers of the scorers that a ranker hears one by one: those that read the request and know nothing of what was
    right in the requests that it learns from."""
    used = fusion.weights.used([situation])
    return [
        number
        for number, scorer in enumerate(fusion.scorers)
        if used[number] and not scorer.constant and scorer.label not in UNREAD[situation]
    ]
