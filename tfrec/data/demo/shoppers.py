"""Draws the shoppers of the demo shop: tastes, and half a year of orders that follow them.

A purchase is drawn in two steps: a product type (the shopper's categories and hobbies, the month, the occasion of the
order), then one of some popular items of the type (brand, colour, price, hobby, and a "vibe" that no text shows). So
the words of past purchases and the company that items keep both say something about the next one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfrec.data.demo.catalogue import Catalogue
from tfrec.data.demo.structure import CONSUMABLE, SEASONS, attribute_keys, product_types

FIRST_DAY = 1735689600  # 2025-01-01T00:00:00Z
DAYS_OF_MONTHS = (31, 28, 31, 30, 31, 30)
DAYS = sum(DAYS_OF_MONTHS)
_HOURS = np.array([2, 1, 1, 1, 1, 1, 2, 4, 6, 8, 9, 10, 12, 11, 9, 9, 9, 10, 12, 15, 18, 17, 11, 5], float)
_WEEKDAYS = np.array([1.0, 0.95, 0.95, 1.0, 1.05, 1.2, 1.35])  # Monday first
_THIN_SHARE = 0.15
_CANDIDATES = 32
_CHUNK = 20_000


@dataclass(frozen=True)
class Purchases:
    """L order lines, in order of time.

    Attributes:
        order: int64[L], lines of one order have the same number; numbers rise with time.
        user: int64[L], 0..shoppers-1.
        item: int64[L], rows of the catalogue; never a cold item.
        timestamp: int64[L], unix seconds, UTC.
        quantity: int64[L], >= 1.
    """

    order: NDArray[np.int64]
    user: NDArray[np.int64]
    item: NDArray[np.int64]
    timestamp: NDArray[np.int64]
    quantity: NDArray[np.int64]


@dataclass(frozen=True)
class Tastes:
    """What each of S shoppers likes, whatever the month and the occasion."""

    types: NDArray[np.float64]  # [S, types], relative frequency
    hobbies: NDArray[np.float64]  # [S, uses], 0 or 1
    colours: NDArray[np.float64]  # [S, colours + 1]
    audience: NDArray[np.float64]  # [S, audiences + 1], 0 = bought for, negative = not
    band: NDArray[np.int64]  # [S]
    vibe: NDArray[np.int64]  # [S]
    brand_seed: NDArray[np.int64]  # [S], chooses the shopper's favourite brands


def user_id(number: int) -> str:
    """The shop's id of a shopper, who are numbered from 0."""
    return f"u{number + 1:05d}"


def draw_purchases(catalogue: Catalogue, shoppers: int, seed: int) -> Purchases:
    """Draws the orders of all shoppers.

    Args:
        catalogue: the latent items.
        shoppers: the number of shoppers; every one buys at least once.
        seed: the seed.

    Returns:
        the order lines.
    """
    rng = np.random.default_rng([seed, 3])
    tastes = _draw_tastes(rng, shoppers)
    user, order, timestamp = _draw_orders(rng, shoppers)
    item = np.empty(len(user), np.int64)
    # One occasion per order: the hobby that this basket serves.
    occasion = rng.random((int(order[-1]) + 1, tastes.hobbies.shape[1]))
    for start in range(0, len(user), _CHUNK):
        part = slice(start, start + _CHUNK)
        serves = np.argmax(tastes.hobbies[user[part]] * occasion[order[part]], axis=1)
        item[part] = _draw_items(rng, catalogue, tastes, user[part], timestamp[part], serves)
    quantity = 1 + (rng.random(len(user)) < 0.15) + (rng.random(len(user)) < 0.05)
    keep = _first_time_or_consumable(catalogue, user, item)
    return Purchases(order[keep], user[keep], item[keep], timestamp[keep], quantity[keep].astype(np.int64))


def tastes_of(shoppers: int, seed: int) -> Tastes:
    """The tastes that `draw_purchases` draws."""
    return _draw_tastes(np.random.default_rng([seed, 3]), shoppers)


def lasting_liking(
    catalogue: Catalogue, tastes: Tastes, user: NDArray[np.int64], items: NDArray[np.int64]
) -> NDArray[np.float64]:
    """How much shoppers like items of a kind that they want anyway: brand, colour, audience, hobby, price and vibe.

    Args:
        catalogue: the latent items.
        tastes: of all shoppers.
        user: int64, of a shape that fits items.
        items: rows of the catalogue, int64 [...].

    Returns:
        float64 [...], logits.
    """
    brand = catalogue["brand"][items].astype(np.int64)
    favourite = (brand * 2654435761 + tastes.brand_seed[user]) % 11 == 0
    hobbies = np.concatenate([tastes.hobbies, np.zeros((len(tastes.hobbies), 1))], axis=1)
    return (
        1.6 * favourite
        + tastes.colours[user, catalogue["colour"][items]]
        + tastes.audience[user, catalogue["audience"][items]]
        + 1.0 * hobbies[user, catalogue["use"][items]]
        - 0.9 * np.abs(catalogue["band"][items] - tastes.band[user])
        + 3.0 * (catalogue.vibe[items] == tastes.vibe[user])
    )


def _draw_tastes(rng: np.random.Generator, shoppers: int) -> Tastes:
    keys, types = attribute_keys(), product_types()
    uses, categories = len(keys["use"]), len(keys["category"])
    hobbies = (rng.random((shoppers, uses)).argsort(axis=1) < rng.integers(2, 5, (shoppers, 1))).astype(float)
    serves = np.array([[use in kind.uses for use in keys["use"]] for kind in types], float)
    categories_of_types = np.array([keys["category"].index(kind.category) for kind in types])
    interest = rng.gamma(0.25, 1.0, (shoppers, categories)) + 0.01
    liking = interest[:, categories_of_types] * (0.4 + hobbies @ serves.T) * rng.gamma(0.7, 1.0, (shoppers, len(types)))
    colours = np.zeros((shoppers, len(keys["colour"]) + 1))
    for _ in range(3):
        colours[np.arange(shoppers), rng.integers(0, len(keys["colour"]), shoppers)] += 0.8
    # Half the shoppers buy for one adult, the others for the family.
    women, kids, men = (keys["audience"].index(key) for key in ("women", "kids", "men"))
    audience = np.zeros((shoppers, len(keys["audience"]) + 1))
    whom = rng.random(shoppers)
    audience[whom < 0.45, men] = audience[(whom >= 0.45) & (whom < 0.8), women] = -4.0
    audience[rng.random(shoppers) < 0.65, kids] = -4.0
    band = rng.choice(3, shoppers, p=[0.35, 0.4, 0.25])
    return Tastes(
        types=liking / liking.sum(axis=1, keepdims=True), hobbies=hobbies, colours=colours, audience=audience,
        band=band, vibe=rng.integers(0, 8, shoppers), brand_seed=rng.integers(0, 1 << 31, shoppers),
    )  # fmt: skip


def _draw_orders(
    rng: np.random.Generator, shoppers: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """User, order and time of every line, in order of time."""
    lines = np.clip(np.round(rng.lognormal(2.55, 0.75, shoppers)), 3, 120).astype(np.int64)
    thin = rng.random(shoppers) < _THIN_SHARE
    lines[thin] = rng.integers(1, 3, int(thin.sum()))
    user = np.repeat(np.arange(shoppers), lines)
    # A line opens a new order with chance 0.55, so a basket holds 1.8 lines on average.
    first_line = np.r_[True, user[1:] != user[:-1]]
    opens = first_line | (rng.random(len(user)) < 0.55)
    order = np.cumsum(opens) - 1
    order_user = user[opens]
    # Four shoppers of ten join during the first four months.
    joined = np.where(rng.random(shoppers) < 0.4, rng.integers(0, 120, shoppers), 0)[order_user]
    day = joined + np.floor((DAYS - joined) * rng.random(len(order_user))).astype(np.int64)
    weekday = (day + 2) % 7  # 2025-01-01 was a Wednesday
    moved = rng.random(len(day)) * _WEEKDAYS.max() > _WEEKDAYS[weekday]
    day = np.where(moved & (day + 2 < DAYS), day + (7 - weekday) % 3, day)
    hour = rng.choice(24, len(day), p=_HOURS / _HOURS.sum())
    time = FIRST_DAY + day * 86400 + hour * 3600 + rng.integers(0, 3600, len(day))
    by_time = np.lexsort((order_user, time))
    rank = np.empty(len(time), np.int64)
    rank[by_time] = np.arange(len(time))
    sorting = np.argsort(rank[order], kind="stable")
    return user[sorting], rank[order][sorting], time[order][sorting]


def _draw_items(
    rng: np.random.Generator, catalogue: Catalogue, tastes: Tastes, user: NDArray[np.int64], time: NDArray[np.int64],
    occasion: NDArray[np.int64],
) -> NDArray[np.int64]:  # fmt: skip
    keys, types = attribute_keys(), product_types()
    month = np.searchsorted(np.cumsum(DAYS_OF_MONTHS), (time - FIRST_DAY) // 86400, side="right")
    season = np.ones((len(DAYS_OF_MONTHS), len(keys["use"])))
    for use, factors in SEASONS.items():
        season[:, keys["use"].index(use)] = factors
    serves = np.array([[use in kind.uses for use in keys["use"]] for kind in types], float)
    in_season = season @ serves.T / np.maximum(serves.sum(axis=1), 1)

    sold = np.bincount(catalogue["type"], weights=catalogue.popularity, minlength=len(types)) > 0
    chance = tastes.types[user] * in_season[month] * (1.0 + 3.0 * serves[:, occasion].T) * sold
    chance = np.cumsum(chance, axis=1)
    kind = (chance < rng.random((len(user), 1)) * chance[:, -1:]).sum(axis=1)

    # Candidates: popular items of the type, by inversion of the popularity summed up type after type.
    shelf = np.lexsort((np.arange(catalogue.size), catalogue["type"]))
    summed = np.concatenate([[0.0], np.cumsum(catalogue.popularity[shelf])])
    ends = np.searchsorted(catalogue["type"][shelf], np.arange(len(types)), side="right")
    starts = np.searchsorted(catalogue["type"][shelf], np.arange(len(types)), side="left")
    low, high = summed[starts[kind]][:, None], summed[ends[kind]][:, None]
    target = low + (high - low) * (1.0 - rng.random((len(user), _CANDIDATES)))
    place = np.clip(np.searchsorted(summed, target, side="left") - 1, starts[kind][:, None], ends[kind][:, None] - 1)
    items = shelf[place]

    use = catalogue["use"][items]
    liking = lasting_liking(catalogue, tastes, user[:, None], items)
    liking += 1.0 * (use == occasion[:, None]) + np.log(season[month[:, None], use]) * (use >= 0)
    liking -= 0.6 * np.log(-np.log(rng.random(liking.shape)))  # Gumbel noise: a draw from the softmax of liking / 0.6
    liking[catalogue.popularity[items] == 0] = -np.inf
    return items[np.arange(len(user)), np.argmax(liking, axis=1)]


def _first_time_or_consumable(
    catalogue: Catalogue, user: NDArray[np.int64], item: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Nobody buys the same sofa twice; soap and pens run out. A shopper's first line always stays."""
    categories = attribute_keys()["category"]
    runs_out = np.array([key in CONSUMABLE for key in categories])[catalogue["category"][item]]
    first = np.zeros(len(user), bool)
    first[np.unique(user * catalogue.size + item, return_index=True)[1]] = True
    return first | runs_out
