"""Looking up columns in another table: the user in the orders, the query in another file than its labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from tfrec.config.rows import JoinConfig
from tfrec.data.tables.read import Batch
from tfrec.errors import DataError

_KEY, _LEFT = "_key", "_left"
_SHOWN = 3


def keys_of(on: str | dict[str, str]) -> dict[str, str]:
    """This table's column -> the joined table's."""
    return {on: on} if isinstance(on, str) else on


def joined_columns(join: JoinConfig, section: str) -> JoinConfig:
    """A joined table's configuration that reads its keys, too.

    Raises:
        DataError: it adds no column.
    """
    if not join.columns and not join.join:
        raise DataError(f"data.{section} of {join.path} adds no column: name some in its columns.")
    keys = {f"{_KEY}{number}": of for number, of in enumerate(keys_of(join.on).values())}
    return join.model_copy(update={"columns": {**join.columns, **keys}})


@dataclass
class Lookup:
    """A joined table in memory, one row per key.

    Attributes:
        name: of its files, for messages.
        on: as configured.
        columns: tfrec's names of what it adds.
        frame: keys (`_key0`, `_key1` ...) and columns, String.
        rows: how many rows were looked up, so far.
        missing: rows without partner.
        examples: some of their keys.
        repeated: rows of a key that has others with another content; the first counts.
    """

    name: str
    on: str | dict[str, str]
    columns: list[str]
    frame: pl.DataFrame
    rows: int = 0
    missing: int = 0
    examples: list[str] = field(default_factory=list)
    repeated: int = 0

    @classmethod
    def of(cls, batches: Sequence[Batch], on: str | dict[str, str]) -> Lookup:
        """A lookup of a table's batches, in which the keys are columns of the names that `joined_columns` gives."""
        frame = pl.concat([batch.frame for batch in batches if batch.frame.width]).drop("_row")
        keys = [name for name in frame.columns if name.startswith(_KEY)]
        frame = frame.with_columns(pl.col(name).str.strip_chars() for name in keys)
        frame = frame.filter(pl.any_horizontal(pl.col(name) != "" for name in keys)).unique(maintain_order=True)
        single = frame.unique(keys, keep="first", maintain_order=True)
        columns = [name for name in single.columns if name not in keys]
        files = ", ".join(dict.fromkeys(batch.file.name for batch in batches))
        return cls(files, on, columns, single, repeated=frame.height - single.height)

    def add(self, frame: pl.DataFrame, places: dict[str, str]) -> pl.DataFrame:
        """The rows with the looked-up columns, "" where there is no partner.

        Args:
            frame: rows of the other table.
            places: column of that table's file -> its name in the frame.
        """
        left = [places[name] for name in keys_of(self.on)]
        keys = [f"{_LEFT}{number}" for number in range(len(left))]
        partners = self.frame.rename({f"{_KEY}{number}": key for number, key in enumerate(keys)})
        stripped = [pl.col(name).str.strip_chars().alias(key) for name, key in zip(left, keys, strict=True)]
        rows = frame.drop(self.columns, strict=False).with_columns(stripped)
        rows = rows.join(partners.with_columns(pl.lit(True).alias("_met")), on=keys, how="left", maintain_order="left")
        alone = rows.filter(pl.col("_met").is_null())
        self.rows += rows.height
        self.missing += alone.height
        if alone.height and len(self.examples) < _SHOWN:
            self.examples += alone[keys[0]].unique(maintain_order=True).head(_SHOWN).to_list()
        return rows.drop(*keys, "_met").with_columns(pl.col(name).fill_null("") for name in self.columns)

    def sentences(self) -> list[str]:
        """What is worth saying when all rows are through."""
        found = []
        if self.missing:
            shown = ", ".join(repr(key) for key in self.examples[:_SHOWN])
            found.append(f"{self.missing:,} of {self.rows:,} rows have no partner in {self.name}, as {shown}")
        if self.repeated:
            found.append(f"{self.repeated:,} rows of {self.name} repeat a key with other content: the first one counts")
        return found
