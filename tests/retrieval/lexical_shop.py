"""A catalogue of six text fields whose truth is known: which of them say what an item is, and which are noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KINDS = [
    f"{a}{b}" for a in ("lam", "sof", "cha", "tab", "rug", "vas", "bow", "cur") for b in ("po", "ti", "ka", "mu", "re")
]
MAKERS = [f"mak{a}{b}" for a in "eiou" for b in "bdfg"]
TRAITS = [f"{a}{b}ish" for a in ("red", "oak", "old", "sof", "big") for b in ("lu", "na", "ve", "zo")]
FILLER = [f"fil{a}{b}{c}" for a in "aeiou" for b in "bcdfg" for c in "klmnp"]


@dataclass(frozen=True)
class KnownShop:
    """A catalogue and its true answers.

    Attributes:
        fields: name -> texts; "title" is poor, "kind" and "traits" say what the item is, "story" says it among much
            filler, "remarks" holds words of other items and "legal" one text for all.
        judgments: query -> item -> 1; a query asks for a kind and a trait.
    """

    fields: dict[str, list[str]]
    judgments: dict[str, dict[int, float]]


def known_shop(items: int = 400, queries: int = 120, seed: int = 0) -> KnownShop:
    """Draws the shop."""
    rng = np.random.default_rng(seed)
    kind, maker = rng.integers(0, len(KINDS), items), rng.integers(0, len(MAKERS), items)
    traits = np.stack([rng.choice(len(TRAITS), 3, replace=False) for _ in range(items)])
    other = rng.permutation(items)

    def filler(count: int) -> list[str]:
        return [FILLER[n] for n in rng.integers(0, len(FILLER), count)]

    story = [
        " ".join(rng.permutation([*filler(60), KINDS[kind[n]], *(TRAITS[t] for t in traits[n][:2])]))
        for n in range(items)
    ]
    fields = {
        # a third of the titles name the kind
        "title": [
            f"{MAKERS[maker[n]]} {KINDS[kind[n]] if n % 3 == 0 else FILLER[n % len(FILLER)]}" for n in range(items)
        ],
        "kind": [KINDS[k] for k in kind],
        "traits": [" ".join(TRAITS[t] for t in row) for row in traits],
        "story": story,
        "remarks": [f"{KINDS[kind[o]]} {' '.join(TRAITS[t] for t in traits[o])} {KINDS[kind[o]]}" for o in other],
        "legal": ["all prices with tax and shipping"] * items,
    }
    judgments: dict[str, dict[int, float]] = {}
    for item in rng.permutation(items):
        query = f"{TRAITS[traits[item][0]]} {KINDS[kind[item]]}"
        right = [n for n in range(items) if kind[n] == kind[item] and traits[item][0] in traits[n]]
        judgments[query] = dict.fromkeys(right, 1.0)
        if len(judgments) == queries:
            break
    return KnownShop(fields, judgments)
