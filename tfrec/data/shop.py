"""A prepared shop: what all later stages read. Needs no TensorFlow."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tfrec.data.personalised.searches import PersonalisedSearch, searches_of
from tfrec.data.personalised.table import TASK
from tfrec.data.shoppers import Shopper, shoppers_of
from tfrec.data.split import FOLDS
from tfrec.errors import DataError
from tfrec.files import hold_while, read_json, sha256_file


class ShopData:
    """Prepared data in a folder, read lazily.

    Args:
        folder: what `tfrec data prepare` wrote.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        hold_while(self, self.folder / "manifest.json")
        self.manifest: dict[str, Any] = read_json(self.folder / "manifest.json")

    def __repr__(self) -> str:
        tables = [
            name for name, there in (("searches", self.has_searches), ("interactions", self.has_interactions)) if there
        ]
        return f"ShopData('{self.folder}': {', '.join([f'{self.size:,} items', *tables])})"

    @classmethod
    def open(cls, folder: Path | str, verify: bool = False) -> ShopData:
        """Opens a prepared folder.

        Args:
            folder: the folder.
            verify: also compare every file with its sha256.

        Raises:
            DataError: the folder is not there, is not whole, or (with verify) was changed.
        """
        folder = Path(folder)
        if not (folder / "manifest.json").exists():
            raise DataError(f"{folder} holds no prepared data: run `tfrec data prepare` with the same configuration.")
        shop = cls(folder)
        if not isinstance(shop.manifest.get("files"), dict):
            raise DataError(f"{folder / 'manifest.json'} lists no files: run `tfrec data prepare` again.")
        for name, digest in shop.manifest["files"].items():
            path = folder / name
            if not path.exists() or (verify and sha256_file(path) != digest):
                raise DataError(f"{path} is missing or was changed: run `tfrec data prepare` again.")
        return shop

    @property
    def hash(self) -> str:
        """sha256 (hex) of the files and settings that it was prepared from."""
        return str(self.manifest["hash"])

    @property
    def fingerprint(self) -> str:
        """sha256 (hex) over all files' hashes: changes when anything of the data does."""
        return str(self.manifest["fingerprint"])

    @functools.cached_property
    def items(self) -> pl.DataFrame:
        """The catalogue; row = item index; item_id, kept columns, price, text."""
        return pl.read_parquet(self.folder / "items.parquet")

    @functools.cached_property
    def item_ids(self) -> list[str]:
        """The shop's id of every item."""
        return self._item_column("item_id")

    @functools.cached_property
    def item_texts(self) -> list[str]:
        """The text that stands for every item."""
        return self._item_column("text")

    def _item_column(self, name: str) -> list[str]:
        if "items" in self.__dict__:
            return self.items[name].to_list()
        return pl.read_parquet(self.folder / "items.parquet", columns=[name])[name].to_list()

    @property
    def size(self) -> int:
        """Number of items."""
        return int(self.manifest["items"])

    @property
    def has_searches(self) -> bool:
        """Whether the shop has searches."""
        return "searches.parquet" in self.manifest["files"]

    @property
    def has_interactions(self) -> bool:
        """Whether the shop has interactions."""
        return "interactions.parquet" in self.manifest["files"]

    @property
    def repeats(self) -> bool:
        """Whether what a shopper took before counts again when taken again (data.interactions.repeats)."""
        return bool(self.manifest.get("repeats", False))

    @property
    def has_images(self) -> bool:
        """Whether the items' pictures were read (model.images.enabled when the data was prepared)."""
        return "images.parquet" in self.manifest["files"]

    @property
    def images(self) -> list[bytes]:
        """The picture of every item, JPEG bytes of manifest["image_size"] pixels squared; b"" where there is none.

        Raises:
            DataError: the pictures were not read.
        """
        if not self.has_images:
            raise DataError(f"{self.folder} holds no pictures: prepare the data with model.images.enabled=true.")
        return pl.read_parquet(self.folder / "images.parquet")["image"].to_list()

    @functools.cached_property
    def searches(self) -> pl.DataFrame:
        """query_id, query, item_id, item, gain, weight, split.

        Raises:
            DataError: the shop has none.
        """
        return self._table("searches")

    @functools.cached_property
    def interactions(self) -> pl.DataFrame:
        """user_id, item_id, item, event, timestamp, quantity, split, perhaps segment; sorted by user and time.

        Raises:
            DataError: the shop has none.
        """
        return self._table("interactions")

    @property
    def has_relations(self) -> bool:
        """Whether the shop says what belongs together."""
        return "relations.parquet" in self.manifest["files"]

    @functools.cached_property
    def relations(self) -> pl.DataFrame:
        """item, relation, other, value; see tfrec.data.relations.

        Raises:
            DataError: the shop has none.
        """
        return self._table("relations")

    @property
    def has_search_log(self) -> bool:
        """Whether the shop gave its search log."""
        return "log_labels.parquet" in self.manifest["files"]

    @functools.cached_property
    def log_labels(self) -> pl.DataFrame:
        """What the click model made of the log, the columns of tfrec.data.logs.labels.LABELS.

        Raises:
            DataError: the shop gave none.
        """
        return self._table("log_labels", "search_log")

    def log_table(self, name: str) -> pl.LazyFrame:
        """The joined log, of bounded parts: searches or actions, as in tfrec.data.logs.joining.

        Args:
            name: searches or actions.

        Raises:
            DataError: the shop gave no log.
        """
        if not self.has_search_log:
            raise DataError("This shop has no search log: give data.search_log in the configuration.")
        return pl.scan_parquet(self.folder / "search_log" / "*" / f"{name}.parquet")

    @property
    def has_personalised(self) -> bool:
        """Whether the shop's log has searches of which something was taken (tfrec.data.personalised)."""
        return f"{TASK}.parquet" in self.manifest["files"]

    @functools.cached_property
    def personalised(self) -> pl.DataFrame:
        """Searches with what the shopper had done before them, of all splits: tfrec.data.personalised.table.TABLE.

        Raises:
            DataError: the shop gave no log.
        """
        return self._table(TASK, "search_log")

    def personalised_searches(self, split: str, seed: int = 0) -> list[PersonalisedSearch]:
        """A search of each known shopper who took something in a split's weeks; none without a log.

        Args:
            split: dev or test.
            seed: draws which of a shopper's searches it is.
        """
        return searches_of(self.personalised, split, seed) if self.has_personalised else []

    def _table(self, name: str, section: str = "") -> pl.DataFrame:
        if f"{name}.parquet" not in self.manifest["files"]:
            raise DataError(f"This shop has no {name}: give data.{section or name} in the configuration.")
        return pl.read_parquet(self.folder / f"{name}.parquet")

    def judgments(self, split: str) -> dict[str, dict[str, float]]:
        """Gains of the judged items of every query of a split.

        Args:
            split: train, dev, test or folds (see tfrec.data.split.split_searches).

        Returns:
            query -> item_id -> gain (0..1); empty when there is none.
        """
        if not self.has_searches:
            return {}
        found: dict[str, dict[str, float]] = {}
        chosen = self.searches.filter(pl.col("split") == split)
        for query, item, gain in chosen.select("query", "item_id", pl.col("gain").cast(pl.Float64)).iter_rows():
            # gains are stored as float32; 0.1 shall read as 0.1
            found.setdefault(query, {})[item] = round(gain, 6)
        return found

    @property
    def choosing_split(self) -> str:
        """The split of searches that chooses: dev, or folds where the shop has too few labelled queries for one."""
        few = self.has_searches and bool((self.searches["split"] == FOLDS).any())
        return FOLDS if few else "dev"

    def shoppers(self, split: str) -> list[Shopper]:
        """Shoppers with something to predict in a split's window and something to predict it from.

        Args:
            split: dev (history = train) or test (history = train and dev).

        Returns:
            the shoppers, by user_id; those without history or without new items are left out.
        """
        return [shopper for shopper in self._shoppers(split) if shopper.history]

    def newcomers(self, split: str) -> list[Shopper]:
        """Shoppers who appear in a split's window for the first time.

        Args:
            split: dev or test.

        Returns:
            the shoppers, by user_id, each with an empty history and everything taken in the window as truth.
        """
        return [shopper for shopper in self._shoppers(split) if not shopper.history]

    def _shoppers(self, split: str) -> list[Shopper]:
        return shoppers_of(self.interactions, split, self.repeats) if self.has_interactions else []

    @property
    def shopper_segments(self) -> dict[str, str]:
        """user_id -> the latest segment (country, kind of customer), "" for none; empty without the column."""
        if not self.has_interactions or "segment" not in self.interactions.columns:
            return {}
        return dict(self.interactions.select("user_id", "segment").iter_rows())

    @property
    def train_shards(self) -> list[Path]:
        """The TFRecord shards of training examples."""
        return [self.folder / name for name in sorted(self.manifest["files"]) if name.startswith("shards/")]

    @functools.cached_property
    def popularity(self) -> np.ndarray:
        """int64 [N]: train interactions plus train positives of every item."""
        counts = np.zeros(self.size, np.int64)
        if self.has_interactions:
            items = self.interactions.filter(pl.col("split") == "train")["item"].to_numpy()
            counts += np.bincount(items, minlength=self.size)
        if self.has_searches:
            positive = (pl.col("gain") >= self.manifest["min_gain"]) & (pl.col("gain") > 0)
            items = self.searches.filter((pl.col("split") == "train") & positive)["item"].to_numpy()
            counts += np.bincount(items, minlength=self.size)
        return counts

    @functools.cached_property
    def known_positives(self) -> tuple[np.ndarray, np.ndarray]:
        """Train positives of every group: (groups int64 [P], items int64 [P]), sorted by group, then item."""
        frame = pl.read_parquet(self.folder / "known_positives.parquet")
        return frame["group"].to_numpy(), frame["item"].to_numpy()

    @functools.cached_property
    def report(self) -> dict[str, Any]:
        """What reading, cleaning and splitting did (report.json)."""
        return read_json(self.folder / "report.json")
