"""Draws the latent truth of the demo shop's items: what each product IS, before a word is written about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfrec.data.demo.structure import COLOURS, SIZES, attribute_keys, product_types

NONE = -1
LOW, MIDDLE, HIGH = 0, 1, 2
# The chance that an item has the attribute at all, where its type allows one.
_PRESENT = {"material": 0.9, "use": 0.75, "feature": 0.65, "style": 0.55}
_COLD_SHARE = 0.08
_VIBES = 8


@dataclass(frozen=True)
class Catalogue:
    """The latent attributes of N items; -1 = the item has no such attribute.

    Attributes:
        latents: "type", "category", "family", "audience", "colour", "material", "use", "feature", "style", "size",
            "band" and "brand" as int16[N] indices into the keys of `structure` (brand: 0..brands-1).
        price: float64[N], euro, always > 0.
        popularity: float64[N], relative frequency of being bought; 0 for cold items.
        vibe: int16[N], a taste group that no text shows: only purchases tell it.
        brands: the number of brands.
    """

    latents: dict[str, NDArray[np.int16]]
    price: NDArray[np.float64]
    popularity: NDArray[np.float64]
    vibe: NDArray[np.int16]
    brands: int

    @property
    def size(self) -> int:
        """The number of items."""
        return len(self.price)

    def __getitem__(self, attribute: str) -> NDArray[np.int16]:
        return self.latents[attribute]


def item_id(row: int) -> str:
    """The shop's id of the item in a row of the catalogue."""
    return f"P{100000 + row}"


def draw_catalogue(count: int, seed: int) -> Catalogue:
    """Draws `count` items; equal arguments give equal items.

    Args:
        count: the number of items.
        seed: the seed.

    Returns:
        the latent catalogue.
    """
    rng = np.random.default_rng([seed, 1])
    types = product_types()
    keys = attribute_keys()
    category_of = np.array([keys["category"].index(kind.category) for kind in types], np.int16)
    family_of = np.array([keys["family"].index(f"{kind.category}/{kind.family}") for kind in types], np.int16)

    weights = rng.lognormal(0.0, 0.5, len(types))
    kind = rng.choice(len(types), count, p=weights / weights.sum()).astype(np.int16)
    latents = {"type": kind, "category": category_of[kind], "family": family_of[kind]}
    for name, field in (("audience", "audiences"), ("material", "materials"), ("use", "uses"), ("feature", "features"),
                        ("style", "styles")):  # fmt: skip
        allowed = [[keys[name].index(key) for key in getattr(one, field)] for one in types]
        latents[name] = _draw_values(rng, kind, allowed, _PRESENT.get(name, 1.0))
    latents["colour"] = _draw_values(
        rng, kind, [list(range(len(COLOURS))) if one.coloured else [] for one in types], 0.95
    )
    latents["size"] = _draw_values(rng, kind, [list(range(SIZES.get(one.size_scheme, 0))) for one in types], 0.8)

    brands = int(np.clip(round(1.7 * count**0.5), 2 * len(keys["category"]), 2000))
    latents["brand"], level = _draw_brands(rng, latents["category"], brands, len(keys["category"]))
    medians = np.array([one.price for one in types])
    price = medians[kind] * np.exp(rng.normal(0.0, 0.35, count) + 0.35 * level[latents["brand"]])
    latents["band"] = _price_bands(kind, price)
    popularity = rng.lognormal(0.0, 1.4, count) * (rng.random(count) >= _COLD_SHARE)
    vibe = rng.integers(0, _VIBES, count).astype(np.int16)
    return Catalogue(latents, _shop_price(price), popularity / popularity.sum(), vibe, brands)


def _draw_values(
    rng: np.random.Generator, kind: NDArray[np.int16], allowed: list[list[int]], present: float
) -> NDArray[np.int16]:
    """One admissible value per item, by a distribution of its own per type."""
    width = max(len(values) for values in allowed)
    values = np.full((len(allowed), width), NONE, np.int16)
    cumulative = np.ones((len(allowed), width))
    for row, admissible in enumerate(allowed):
        if admissible:
            shares = rng.dirichlet(np.full(len(admissible), 2.5))
            values[row, : len(admissible)] = admissible
            cumulative[row, : len(admissible)] = np.cumsum(shares)
            cumulative[row, len(admissible) - 1 :] = 1.0
    uniform = rng.random(len(kind))
    column = np.zeros(len(kind), np.int64)
    for i in range(width - 1):  # column by column: no [N, width] array for a million items
        column += uniform >= cumulative[kind, i]
    drawn = values[kind, column]
    return np.where(rng.random(len(kind)) < present, drawn, NONE).astype(np.int16)


def _draw_brands(
    rng: np.random.Generator, category: NDArray[np.int16], brands: int, categories: int
) -> tuple[NDArray[np.int16], NDArray[np.float64]]:
    """Brands live in one category, every fifth in a second one too; a few big ones sell most."""
    home = np.arange(brands) % categories
    second = np.where(rng.random(brands) < 0.2, rng.integers(0, categories, brands), home)
    strength = rng.pareto(1.5, brands) + 0.4
    brand = np.zeros(len(category), np.int16)
    for one in range(categories):
        rows = np.flatnonzero(category == one)
        members = np.flatnonzero((home == one) | (second == one))
        share = np.cumsum(strength[members])
        picked = np.searchsorted(share, rng.random(len(rows)) * share[-1], side="right")
        brand[rows] = members[np.minimum(picked, len(members) - 1)]
    return brand, rng.normal(0.0, 1.0, brands)


def _price_bands(kind: NDArray[np.int16], price: NDArray[np.float64]) -> NDArray[np.int16]:
    """Low, middle and high: the quarters of the price within the type."""
    order = np.lexsort((price, kind))
    ordered = kind[order]
    starts = np.searchsorted(ordered, ordered, side="left")
    counts = np.searchsorted(ordered, ordered, side="right") - starts
    position = (np.arange(len(kind)) - starts + 0.5) / counts
    band = np.full(len(kind), MIDDLE, np.int16)
    band[order[position < 0.25]] = LOW
    band[order[position > 0.75]] = HIGH
    return band


def _shop_price(price: NDArray[np.float64]) -> NDArray[np.float64]:
    """Prices as shops write them: 12.99, 149.90, 690.00."""
    step = np.where(price < 20, 1.0, np.where(price < 100, 5.0, 10.0))
    off = np.where(price < 20, 0.01, np.where(price < 100, 0.05, 0.0))
    return np.round(np.maximum(np.ceil(price / step) * step, step) - off, 2)
