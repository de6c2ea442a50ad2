"""The stage of the lexical index: tuned by what may be known, kept in the run folder while nothing changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.files import atomic_directory, read_json, write_json
from tfrec.retrieval.lexical_index import LexicalIndex
from tfrec.retrieval.lexical_tuning.configuration import Configuration, draw, usual_weights
from tfrec.retrieval.lexical_tuning.counted import counted
from tfrec.retrieval.lexical_tuning.fields import MAIN
from tfrec.retrieval.lexical_tuning.tuner import Judgments, LexicalTuner
from tfrec.retrieval.tokens import Tokenizer

FORMAT = 1  # raise it when the same configuration shall be tuned anew
_SETTINGS = 64
_ARRAYS = ("starts", "items", "weights", "pairs")


@dataclass(frozen=True)
class TunedLexical:
    """A tuned index.

    Attributes:
        index: what is searched.
        record: what was chosen, by how many queries; "told" is one sentence.
        language: of the stemmer.
    """

    index: LexicalIndex
    record: dict[str, Any]
    language: str

    def scores(self, query: str) -> np.ndarray:
        """Score of every item, float32 [N]; 0 where no word is shared."""
        return self.index.scores(self.index.rows(Tokenizer("none", measures=True)(query)))


def lexical_tuner(config: Config, shop: ShopData, judgments: Judgments) -> LexicalTuner:
    """The settings of `retrieval.lexical` for a shop, to be weighed by labelled queries.

    Args:
        config: section retrieval.lexical and the seed are read.
        shop: the prepared data.
        judgments: the labelled queries that may ever choose, query -> item row -> gain; at most
            retrieval.lexical.queries of them are used.

    Raises:
        ConfigError: a configured column is not in the catalogue, or there is no stemmer for the language.
    """
    return _tuner(config, shop, judgments)[0]


def tuned_lexical(config: Config, shop: ShopData, judgments: Judgments, folder: Path | None = None) -> TunedLexical:
    """The lexical index of a shop, tuned by labelled queries.

    Args:
        config, shop, judgments: of `lexical_tuner`.
        folder: where the outcome is kept and read back from; None keeps nothing.

    Raises:
        ConfigError: of `lexical_tuner`.
    """
    section = config.retrieval.lexical
    key = _key(config, shop, judgments)
    kept = None if folder is None else _read(folder, key, section.language)
    if kept is not None:
        return kept
    tuner, left_out = _tuner(config, shop, judgments)
    tuned = tuner.tuned()
    record = tuner.record(tuned) | {"left_out": left_out}
    found = TunedLexical(tuner.index(tuned, sorted(judgments)), record, section.language)
    if folder is not None:
        with atomic_directory(folder) as aside:
            np.savez(aside / "index.npz", **{name: getattr(found.index, name) for name in _ARRAYS})
            terms = found.index.terms
            pl.DataFrame({"word": list(terms), "term": list(terms.values())}).write_parquet(aside / "terms.parquet")
            write_json(aside / "lexical.json", {"key": key, "size": found.index.size, "record": record})
    return found


def kept_lexical(config: Config, shop: ShopData, splits: Sequence[str], folder: Path | None) -> TunedLexical:
    """The index tuned by the labelled queries of some splits, kept in the part of a folder that is for these.

    Args:
        config, shop: of `lexical_tuner`.
        splits: whose labels may be known. What is evaluated must not be among them.
        folder: where the parts are kept; None keeps nothing.
    """
    part = None if folder is None else folder / "-".join(splits)
    return tuned_lexical(config, shop, known_judgments(shop, splits), part)


def known_judgments(shop: ShopData, splits: Sequence[str]) -> dict[str, dict[int, float]]:
    """The labelled queries of some splits, query -> item row -> gain."""
    if not shop.has_searches:
        return {}
    found: dict[str, dict[int, float]] = {}
    rows = shop.searches.filter(pl.col("split").is_in(splits)).select("query", "item", "gain")
    for query, item, gain in rows.iter_rows():
        found.setdefault(query, {})[item] = gain
    return found


def _tuner(config: Config, shop: ShopData, judgments: Judgments) -> tuple[LexicalTuner, list[str]]:
    section = config.retrieval.lexical
    fields, counts = counted(section, shop)
    tuning = section.tune == "auto"
    names = counts.names
    usual = np.array([fields.weights[n] for n in names]) if fields.weights else usual_weights(counts.mean_lengths)
    if tuning:
        main = names.index(MAIN) if MAIN in names else int(np.argmax(usual))
        configurations = draw(usual, main, _SETTINGS, config.seed)
    else:
        configurations = [Configuration(usual, np.full(len(names), section.b), section.k1)]
    few = _some(judgments, section.queries) if tuning else {}
    return LexicalTuner(counts, configurations, few), fields.left_out


def _some(judgments: Judgments, most: int) -> Judgments:
    """At most so many queries, by the hash of their text: the same whatever order they come in."""
    order = sorted(judgments, key=lambda query: hashlib.sha256(query.encode("utf-8", "replace")).digest())
    return {query: judgments[query] for query in order[:most]}


def _key(config: Config, shop: ShopData, judgments: Judgments) -> str:
    labels = [[query, sorted(gains.items())] for query, gains in sorted(judgments.items())]
    parts = [FORMAT, config.seed, config.retrieval.lexical.model_dump(mode="json"), shop.fingerprint, labels]
    return hashlib.sha256(json.dumps(parts, default=float).encode()).hexdigest()


def _read(folder: Path, key: str, language: str) -> TunedLexical | None:
    file = folder / "lexical.json"
    kept = read_json(file) if file.is_file() else {}
    if kept.get("key") != key:
        return None
    try:
        with np.load(folder / "index.npz", allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in _ARRAYS}
        table = pl.read_parquet(folder / "terms.parquet")
        if read_json(file).get("key") != key:  # another command has replaced the folder meanwhile
            return None
    except OSError:
        return None
    terms = dict(zip(table["word"].to_list(), table["term"].to_list(), strict=True))
    return TunedLexical(LexicalIndex(kept["size"], terms=terms, **found), kept["record"], language)
