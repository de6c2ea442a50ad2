"""Writes the files of the demo shop: its catalogue, its judged searches, its purchases, and its search log if any."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import datetime, timezone
from itertools import zip_longest
from pathlib import Path
from random import Random

import numpy as np

from tfrec.data.demo.catalogue import Catalogue, draw_catalogue, item_id
from tfrec.data.demo.dirt import Row, cancellations, soil_text, with_duplicates
from tfrec.data.demo.queries import Query, draw_queries, words_of
from tfrec.data.demo.query_words import QueryWriter
from tfrec.data.demo.relations import RELATION_COLUMNS, relation_rows
from tfrec.data.demo.shoppers import draw_purchases, user_id
from tfrec.data.demo.texts import ItemWriter, brand_names
from tfrec.data.demo.vocabulary import Vocabulary, load_vocabulary
from tfrec.errors import DataError
from tfrec.files import atomic_directory

ITEM_COLUMNS = ("item_id", "title", "description", "brand", "color", "material", "category", "price")
SEARCH_COLUMNS = ("query_id", "query", "item_id", "gain", "split")
PURCHASE_COLUMNS = ("order_id", "user_id", "item_id", "event", "timestamp", "quantity")
_SPLITS = (("train", 0.70), ("dev", 0.85), ("test", 1.0))
_NO_PRICE = 0.02
_FEWEST_ITEMS = 200
_QUERIES_PER_ITEM = 10


def generate(
    folder: Path | str,
    language: str = "en",
    items: int = 3000,
    queries: int = 1500,
    shoppers: int = 2000,
    seed: int = 17,
    log: int = 0,
    taste: float = 0.0,
    relations: bool = False,
) -> None:
    """Writes items.csv, searches.csv and purchases.csv of the demo shop; equal arguments give equal bytes.

    Relevance comes from latent attributes that titles tell only in part and in other words than queries use, so a
    lexical index does well and a trained encoder can do better. `needs` defines the gains.

    Args:
        folder: where to write; appears whole or not at all, an existing one is replaced.
        language: "en" or "zh".
        items: the number of different items, at least 200.
        queries: the number of different queries; 70 % train, 15 % dev, 15 % test.
        shoppers: the number of shoppers, each with at least one purchase.
        seed: the seed.
        log: the number of searches in search_log.ndjson, which has as many queries again without judgments (where the
            items give them); 0 writes none, and changes nothing of the other files.
        taste: how much clicks follow each shopper's own taste, that of the purchases; 0 lets all like the same.
        relations: whether relations.csv is written, too.

    Raises:
        DataError: unknown language, a number that is too small, or more queries than the items give.
    """
    if items < _FEWEST_ITEMS or queries < 10 or shoppers < 1:
        raise DataError(
            f"The demo shop needs at least {_FEWEST_ITEMS} items, 10 queries and 1 shopper, "
            f"not {items}, {queries} and {shoppers}: ask for more."
        )
    if queries > _QUERIES_PER_ITEM * items:
        raise DataError(
            f"{items} items do not give {queries} different queries: "
            f"ask for at most {_QUERIES_PER_ITEM * items} queries."
        )
    vocabulary = load_vocabulary(language)
    catalogue = draw_catalogue(items, seed)
    brands = brand_names(catalogue.brands, vocabulary, Random(seed * 1000 + 4))
    writer = QueryWriter(vocabulary, brands, Random(seed * 1000 + 5))
    with atomic_directory(folder) as target:
        _write(target / "items.csv", ITEM_COLUMNS, _item_rows(catalogue, vocabulary, brands, seed))
        judged = list(draw_queries(catalogue, writer, queries, seed))
        if log:
            _write_log(target, catalogue, vocabulary, brands, judged, log, shoppers, seed, taste)
        _write(target / "searches.csv", SEARCH_COLUMNS, _search_rows(judged, seed))
        if relations:
            _write(target / "relations.csv", RELATION_COLUMNS, relation_rows(catalogue))
        _write(target / "purchases.csv", PURCHASE_COLUMNS, _purchase_rows(catalogue, shoppers, seed))


def _write_log(
    folder: Path, catalogue: Catalogue, vocabulary: Vocabulary, brands: list[str], judged: list[Query], searches: int,
    shoppers: int, seed: int, taste: float,
) -> None:  # fmt: skip
    """The log of judged queries and of others, which stand in between by how often they are typed."""
    from tfrec.data.demo.log import write_search_log

    most = min(2 * len(judged), _QUERIES_PER_ITEM * catalogue.size)
    writer = QueryWriter(vocabulary, brands, Random(seed * 1000 + 9))
    seen = {words_of(query.text) for query in judged}
    drawn = draw_queries(catalogue, writer, most, seed + 1)
    others = [query for query in drawn if words_of(query.text) not in seen]
    typed = [query for pair in zip_longest(judged, others[: most - len(judged)]) for query in pair if query is not None]
    write_search_log(folder, catalogue, typed, searches, shoppers, seed, taste)


def _item_rows(catalogue: Catalogue, vocabulary: Vocabulary, brands: list[str], seed: int) -> list[Row]:
    random = Random(seed * 1000 + 6)
    writer = ItemWriter(catalogue, vocabulary, brands, random)
    brand, category = catalogue["brand"].tolist(), catalogue["category"].tolist()
    rows: list[Row] = []
    for row, euro in enumerate(catalogue.price.tolist()):
        text = writer.write(row)
        price = "" if random.random() < _NO_PRICE else _money(euro, vocabulary.price_factor)
        rows.append(
            (
                item_id(row),
                soil_text(text.title, random),
                soil_text(text.description, random),
                brands[brand[row]],
                text.color,
                text.material,
                soil_text(vocabulary.forms("category", "shop", category[row])[0], random),
                price,
            )
        )
    return with_duplicates(rows, random)


def _money(euro: float, factor: float) -> str:
    return f"{euro:.2f}" if factor == 1.0 else f"{round(euro * factor):.2f}"


def _search_rows(queries: list[Query], seed: int) -> list[Row]:
    """Every query with all its judgments stands in one split."""
    places = np.random.default_rng([seed, 7]).permutation(len(queries)) / len(queries)
    rows: list[Row] = []
    for number, (query, place) in enumerate(zip(queries, places.tolist(), strict=True), start=1):
        split = next(name for name, end in _SPLITS if place < end)
        for item, gain in zip(query.items.tolist(), query.gains.tolist(), strict=True):
            rows.append((f"q{number:05d}", query.text, item_id(item), f"{gain:g}", split))
    return rows


def _purchase_rows(catalogue: Catalogue, shoppers: int, seed: int) -> list[Row]:
    random = Random(seed * 1000 + 8)
    bought = draw_purchases(catalogue, shoppers, seed)
    columns = (bought.order, bought.user, bought.item, bought.timestamp, bought.quantity)
    lines = list(zip(*(column.tolist() for column in columns), strict=True))
    timed: list[tuple[int, Row]] = []
    for order, user, item, time, quantity in lines:
        timed.append((time, (f"{500000 + order}", user_id(user), item_id(item), "purchase", _iso(time), quantity)))
    for line, time in cancellations(bought, random):
        order, user, item, _, quantity = lines[line]
        row: Row = (f"C{500000 + order}", user_id(user), item_id(item), "purchase", _iso(time), -quantity)
        timed.append((time, row))
    timed.sort(key=lambda pair: pair[0])
    return with_duplicates([row for _, row in timed], random)


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write(path: Path, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
