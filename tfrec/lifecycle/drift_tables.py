"""The data of a version beside the data as it is now, as tables for monitors such as Evidently."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.drift.profile import category_column, lengths, queries_of
from tfrec.errors import ExportError
from tfrec.export.manifest import read_manifest
from tfrec.files import atomic_directory
from tfrec.pipeline.finished import trained_data
from tfrec.pipeline.run_folder import RunFolder
from tfrec.retrieval.tokens import Tokenizer


def write_tables(config: Config, shop: ShopData, version: int, target: Path) -> None:
    """Writes then/NAME.parquet and now/NAME.parquet of catalogue, purchases and queries into a new folder.

    Where `tfrec drift` compares with a profile that lies in the export, other monitors read whole tables: the prepared
    data of that version must still be there. A row is an item, a purchase or a query by numbers and categories: price,
    category, words of the text; hour and weekday of a purchase. No text, no id, no shopper.

    Args:
        config: evaluation.item_group and retrieval.lexical.language are read.
        shop: the data as it is now.
        version: of the run's export.
        target: a folder that is not there yet.

    Raises:
        ExportError: the folder is there, or the version's data has gone.
    """
    run = RunFolder(config)
    if target.exists():
        raise ExportError(f"{target} is there already: name a folder that is not (--tables).")
    served = read_manifest(run.export / str(version))
    then = trained_data(run, served)
    if then is None or then.hash != served.get("prepared"):
        raise ExportError(f"The prepared data of version {version} has gone: `tfrec drift` alone needs none of it.")
    with atomic_directory(target) as aside:
        for side, data in (("then", then), ("now", shop)):
            (aside / side).mkdir()
            for name, table in _tables(config, data).items():
                table.write_parquet(aside / side / f"{name}.parquet")


def _tables(config: Config, shop: ShopData) -> dict[str, pl.DataFrame]:
    """What can be compared of a shop."""
    column, tokens = category_column(config, shop), Tokenizer(config.retrieval.lexical.language)
    kinds = [name for name in ("price", column) if name and name in shop.items.columns]
    items = pl.DataFrame({**{name: shop.items[name] for name in kinds}, "words": lengths(tokens, shop.item_texts)})
    tables = {"catalogue": items}
    if shop.has_interactions:
        bought = shop.interactions
        tables["purchases"] = items[bought["item"].to_list()].with_columns(**_when(bought))
    if shop.has_searches:
        tables["queries"] = pl.DataFrame({"words": lengths(tokens, queries_of(shop))})
    return tables


def _when(bought: pl.DataFrame) -> dict[str, Any]:
    times = pl.from_epoch(bought["timestamp"], time_unit="s")
    return {"hour": times.dt.hour(), "weekday": times.dt.weekday().cast(pl.String)}
