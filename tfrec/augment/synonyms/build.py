"""Builds a shop's table of synonyms and keeps it in the run folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from tfrec.augment.synonyms.embeddings import from_embeddings
from tfrec.augment.synonyms.guards import derived, refused
from tfrec.augment.synonyms.queries import from_queries
from tfrec.augment.synonyms.spelling import from_spelling
from tfrec.augment.synonyms.table import OWN, Pair, merged, read_own, read_table, write_table
from tfrec.augment.synonyms.titles import from_titles
from tfrec.augment.synonyms.words import count_phrases
from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.errors import DataError
from tfrec.files import atomic_directory, read_json, sha256_file, write_json

_SAID = ("title", "description", "category", "color", "material")


@dataclass(frozen=True)
class SynonymTable:
    """A built table.

    Attributes:
        pairs: all directions, best first.
        refused: how many mined pairs each guard took out.
        doubtful: pairs of the shop's own list that a guard would have taken out; they are in the table.
    """

    pairs: list[Pair]
    refused: dict[str, int]
    doubtful: list[Pair]


def synonyms_folder(shop: ShopData) -> Path:
    """Where the table of a shop lies: in the run folder, beside that of all its prepared data."""
    return shop.folder.parent.parent / "synonyms"


def own_file(config: Config) -> Path | None:
    """The shop's own list of synonyms, relative to data.root; None without one."""
    own = config.augment.synonyms
    return None if own is None else Path(config.data.root) / Path(own).expanduser()


def build_synonyms(
    config: Config, shop: ShopData, vectors: Callable[[Sequence[str]], np.ndarray] | None
) -> SynonymTable:
    """Mines the shop, merges its own list and writes synonyms.csv and manifest.json into synonyms_folder.

    Sources: training queries that lead to the same items, titles of duplicate products, spellings and plurals in the
    shop's texts, and embedding neighbours that keep the same company. Evaluated queries are never read.

    Args:
        config: augment.synonyms and data.root are read.
        shop: the prepared data.
        vectors: phrases -> float32 [n, d], of an encoder; None leaves that source out.

    Returns:
        the table.

    Raises:
        DataError: the shop's own list cannot be read.
    """
    own = own_file(config)
    own_pairs = [] if own is None else read_own(own)
    judgments = shop.judgments("train")
    titles = shop.items["title"].to_list()
    counts = count_phrases([*titles, *sorted(judgments)])
    mined = [*from_queries(judgments, counts), *from_titles(shop.items), *from_spelling(counts)]
    if vectors is not None:
        mined += from_embeddings(_everything_said(shop.items), counts, vectors)
    brands = brand_names(shop.items)
    taken_out: Counter[str] = Counter()
    kept = []
    for pair in mined:
        reason = refused(pair.phrase, pair.synonym, brands)
        if reason is None and pair.source in ("queries", "titles") and derived(pair.phrase, pair.synonym):
            reason = "same stem or misspelt"
        if reason is None:
            kept.append(pair)
        else:
            taken_out[reason] += 1
    pairs = merged([*kept, *own_pairs])
    with atomic_directory(synonyms_folder(shop)) as aside:
        write_table(aside / "synonyms.csv", pairs)
        sources = Counter(source for pair in pairs for source in pair.source.split("+"))
        about = {"data": shop.fingerprint, "pairs": len(pairs), "sources": dict(sources), "refused": dict(taken_out)}
        about["own"] = None if own is None else sha256_file(own)
        write_json(aside / "manifest.json", about)
    doubtful = [pair for pair in own_pairs if pair.score > 0 and refused(pair.phrase, pair.synonym, brands)]
    return SynonymTable(pairs, dict(taken_out), doubtful)


def load_synonyms(config: Config, shop: ShopData) -> list[Pair]:
    """The built table with the shop's own list as it is now; the list alone where no table was built.

    Raises:
        DataError: the table was built from other data, or a file cannot be read.
    """
    folder, own = synonyms_folder(shop), own_file(config)
    own_pairs = [] if own is None else read_own(own)
    if not (folder / "manifest.json").is_file():
        return merged(own_pairs)
    if read_json(folder / "manifest.json").get("data") != shop.fingerprint:
        raise DataError(f"{folder} was built from other data: run `tfrec augment synonyms build` again or delete it.")
    return merged([pair for pair in read_table(folder / "synonyms.csv") if pair.source != OWN] + own_pairs)


def brand_names(items: pl.DataFrame) -> frozenset[str]:
    """The case-folded brands of a catalogue."""
    if "brand" not in items.columns:
        return frozenset()
    brands = (brand.strip().casefold() for brand in items["brand"].drop_nulls().unique().to_list())
    return frozenset(brand for brand in brands if brand)


def _everything_said(items: pl.DataFrame) -> list[str]:
    columns = [pl.col(name).fill_null("") for name in _SAID if name in items.columns]
    return items.select(pl.concat_str(columns, separator=" . "))[:, 0].to_list()
