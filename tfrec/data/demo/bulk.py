"""Streams a very large synthetic catalogue, column-wise, for tests of scale."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tfrec.data.demo.catalogue import NONE, Catalogue, draw_catalogue
from tfrec.data.demo.structure import product_types
from tfrec.data.demo.texts import brand_names
from tfrec.data.demo.vocabulary import Vocabulary, load_vocabulary
from tfrec.errors import DataError
from tfrec.files import speaking_os_errors

if TYPE_CHECKING:
    import polars as pl

_CHUNK = 100_000
_DUPLICATED_IN_CHUNK = 200


def generate_items(path: Path | str, count: int = 1_000_000, seed: int = 17) -> None:
    """Writes a CSV of English products with the columns of the demo shop's items.csv; equal arguments, equal bytes.

    In each 100,000 items 200 rows stand twice and one title of fifty has an HTML entity and a double blank.

    Args:
        path: the file; appears whole or not at all.
        count: the number of different items, at least 1.
        seed: the seed.

    Raises:
        DataError: `count` is below 1.
    """
    if count < 1:
        raise DataError(f"A catalogue of {count} items cannot be generated: ask for at least 1.")
    vocabulary = load_vocabulary("en")
    catalogue = draw_catalogue(count, seed)
    brands = brand_names(catalogue.brands, vocabulary, Random(seed * 1000 + 4))
    rng = np.random.default_rng([seed, 9])
    path = Path(path)
    aside = path.with_name(f".{path.name}.partial")
    with speaking_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with aside.open("wb") as handle:
                for start in range(0, count, _CHUNK):
                    rows = np.arange(start, min(start + _CHUNK, count))
                    frame = _frame(catalogue, vocabulary, brands, rows, rng)
                    frame.write_csv(handle, include_header=start == 0)
                    frame.head(min(_DUPLICATED_IN_CHUNK, len(rows) // 100)).write_csv(handle, include_header=False)
                handle.flush()
                os.fsync(handle.fileno())
            os.replace(aside, path)
        finally:
            aside.unlink(missing_ok=True)


def _frame(
    catalogue: Catalogue, vocabulary: Vocabulary, brands: list[str], rows: NDArray[np.int64], rng: np.random.Generator
) -> pl.DataFrame:
    import polars as pl

    def told(attribute: str, column: str, chance: float) -> pl.Series:
        """The words of an attribute, null where the item has none or the shop is silent."""
        forms = vocabulary.tables[attribute][column]
        flat = pl.Series([form for alternatives in forms for form in alternatives], dtype=pl.String)
        counts = np.array([len(alternatives) for alternatives in forms])
        first = np.cumsum(counts) - counts
        values = catalogue[attribute][rows]
        known = (values != NONE) & (rng.random(len(rows)) < chance) & (counts[values] > 0)
        safe = np.where(known, values, 0)
        place = first[safe] + np.floor(counts[safe] * rng.random(len(rows)) ** 1.7).astype(np.int64)
        return flat.gather(np.minimum(place, len(flat) - 1)).set(pl.Series(~known), None)

    def sizes() -> pl.Series:
        schemes = [kind.size_scheme for kind in product_types()]
        width = max(len(values) for values in vocabulary.sizes.values())
        table = [value[0] for scheme in schemes for value in _padded(vocabulary.sizes.get(scheme, ()), width)]
        values = catalogue["size"][rows]
        place = catalogue["type"][rows].astype(np.int64) * width + np.maximum(values, 0)
        return pl.Series(table, dtype=pl.String).gather(place).set(pl.Series(values == NONE), None)

    colour, material = told("colour", "shop", 1.0), told("material", "shop", 1.0)
    title = {
        "brand": pl.Series(brands).gather(catalogue["brand"][rows].astype(np.int64)),
        "audience": told("audience", "shop", 1.0),
        "style": told("style", "shop", 0.6),
        "feature": told("feature", "shop", 0.5),
        "material": _silent(material, rng, 0.5),
        "type": told("type", "shop", 1.0),
        "use": told("use", "shop", 0.4),
        "colour": _silent(colour, rng, 0.5),
        "size": sizes(),
        "code": pl.Series(rows).cast(pl.String).str.zfill(7).str.replace(r"^(\d\d)(\d)", "M${1}${2}-"),
    }
    sentences = [told("use", "text", 0.7), told("feature", "text", 0.7), told("material", "text", 0.5)]
    text = pl.concat_str([pl.lit(one) for one in title.values()], separator=" ", ignore_nulls=True)
    soiled = pl.Series(rng.random(len(rows)) < 0.02)
    return pl.select(
        item_id=pl.lit(pl.Series(rows + 100_000)).cast(pl.String),
        title=pl.when(pl.lit(soiled)).then(pl.concat_str([text, pl.lit("  &amp; more")])).otherwise(text),
        description=pl.concat_str([pl.lit(one) for one in sentences], separator=". ", ignore_nulls=True),
        brand=pl.lit(title["brand"]),
        color=pl.lit(_silent(colour, rng, 0.8)),
        material=pl.lit(_silent(material, rng, 0.7)),
        category=pl.lit(told("category", "shop", 1.0)),
        price=pl.lit(pl.Series(catalogue.price[rows])),
    ).with_columns(item_id="P" + pl.col("item_id"))


def _silent(words: pl.Series, rng: np.random.Generator, chance: float) -> pl.Series:
    import polars as pl

    return words.set(pl.Series(rng.random(len(words)) >= chance), None)


def _padded(values: tuple[tuple[str, ...], ...], width: int) -> tuple[tuple[str, ...], ...]:
    return values + (("",),) * (width - len(values))
