"""The stage that fills empty attributes: cached by hash, with the provenance of every value."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tfrec.config import Config
from tfrec.config.synth_attributes import AttributesConfig
from tfrec.data.items import rendered
from tfrec.data.shop import ShopData
from tfrec.errors import ConfigError
from tfrec.files import atomic_directory, read_json, write_json
from tfrec.synth.attributes.guessing import Guess, Guesser

_FORMAT = 1
_FILLED: dict[str, Any] = {
    "item": pl.Int64, "item_id": pl.String, "column": pl.String, "value": pl.String, "confidence": pl.Float32,
    "evidence": pl.String, "trust": pl.Float32, "share": pl.Float32, "similarity": pl.Float32,
    "neighbours": pl.List(pl.String),
}  # fmt: skip


class FilledShop(ShopData):
    """A prepared shop whose items have the guessed values; all else, and the files, are as they were.

    Args:
        shop: the prepared shop.
        filled: columns of attributes.parquet.
        template: data.template, by which the texts of filled items are written again.
        key: goes into the fingerprint.
    """

    def __init__(self, shop: ShopData, filled: pl.DataFrame, template: str, key: str) -> None:
        super().__init__(shop.folder)
        self.filled, self._template, self._key = filled, template, key

    @property
    def fingerprint(self) -> str:
        """sha256 (hex) of the prepared data and of what was filled."""
        return hashlib.sha256(f"{super().fingerprint}{self._key}".encode()).hexdigest()

    @functools.cached_property
    def items(self) -> pl.DataFrame:
        """The catalogue with the guessed values in place and the texts that go with them."""
        items = pl.read_parquet(self.folder / "items.parquet")
        changed = np.zeros(items.height, bool)
        for (column,), part in self.filled.group_by("column", maintain_order=True):
            values = items[str(column)].scatter(part["item"].to_numpy(), part["value"])
            items = items.with_columns(values)
            changed[part["item"].to_numpy()] = True
        text = items.select(rendered(self._template, items.columns))["text"]
        return items.with_columns(
            pl.when(pl.Series(changed) & (text != "")).then(text).otherwise(pl.col("text")).alias("text")
        )

    def _item_column(self, name: str) -> list[str]:
        return self.items[name].to_list()


def fill_attributes(
    config: Config, shop: ShopData, vectors: Callable[[], np.ndarray], encoder_fingerprint: str, folder: Path
) -> FilledShop:
    """Fills empty attributes, or reads back what was filled when nothing it depends on has changed.

    Args:
        config: section synthesis.attributes, data.template and the seed are read.
        shop: the prepared data.
        vectors: gives unit vectors of the items' texts as they are, float32 [N, D]; called only when needed.
        encoder_fingerprint: of the encoder behind them.
        folder: where attributes.parquet (every value with its confidence and evidence), report.json go.

    Returns:
        the shop with the values.

    Raises:
        ConfigError: a column holds no text.
    """
    settings = config.synthesis.attributes
    for column in settings.columns:
        if column in ("item_id", "title", "text") or shop.items.schema.get(column, pl.String) != pl.String:
            raise ConfigError(
                f"synthesis.attributes.columns: {column} cannot be guessed, name a text column of the items."
            )
    parts = [_FORMAT, settings.model_dump(mode="json"), config.seed, config.data.template, shop.fingerprint]
    parts += [encoder_fingerprint, config.hash_of("encoder")]
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    report = folder / "report.json"
    if not report.is_file() or read_json(report).get("key") != key:
        filled, told = guess_attributes(shop, vectors(), settings, config.seed)
        with atomic_directory(folder) as aside:
            filled.write_parquet(aside / "attributes.parquet")
            write_json(aside / "report.json", {"key": key, "columns": told})
    return FilledShop(shop, pl.read_parquet(folder / "attributes.parquet"), config.data.template, key)


def guess_attributes(
    shop: ShopData, vectors: np.ndarray, settings: AttributesConfig, seed: int
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Guesses the empty values of all configured columns that the shop has.

    Args:
        shop: the prepared data.
        vectors: unit vectors of the items, float32 [N, D].
        settings: how.
        seed: of the choice of items by which the guesses are checked.

    Returns:
        (the values above the bound with their provenance, per column what was found and how often guesses are right
        where the value is known).
    """
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    told: dict[str, Any] = {}
    for column in settings.columns:
        if column not in shop.items.columns:
            told[column] = {"missing": "the shop has no such column"}
            continue
        values = shop.items[column].fill_null("").to_list()
        guesser = Guesser(shop.items["title"].to_list(), values, vectors, settings)
        sure = _sure(guesser.guess(guesser.empty), settings.least_confidence)
        rows += [_row(column, guess, shop.item_ids) for guess in sure]
        checked = np.sort(rng.permutation(guesser.known)[: settings.check_items])
        answers = _sure(guesser.guess(checked), settings.least_confidence)
        right = sum(guesser.right(guess) for guess in answers)
        told[column] = {
            "empty": len(guesser.empty),
            "filled": len(sure),
            "by_evidence": {kind: sum(g.evidence == kind for g in sure) for kind in ("mention", "neighbours", "both")},
            "check": {
                "items": len(checked),
                "answered": len(answers),
                "right": right,
                "accuracy": round(right / len(answers), 4) if answers else None,
            },
        }
    return pl.DataFrame(rows, schema=_FILLED), told


def _sure(guesses: list[Guess | None], bound: float) -> list[Guess]:
    return [guess for guess in guesses if guess is not None and guess.confidence >= bound]


def _row(column: str, guess: Guess, item_ids: list[str]) -> dict[str, Any]:
    voters = [item_ids[item] for item in guess.neighbours]
    return {**vars(guess), "item_id": item_ids[guess.item], "column": column, "neighbours": voters}
