"""A shop's tables, read, cleaned and split, with the examples made of them: what a prepared folder holds."""

from __future__ import annotations

import itertools
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from tfrec.config import Config, DataConfig
from tfrec.data.by_shopper import write_table, written_aside
from tfrec.data.clean import normalised_query
from tfrec.data.examples import SCHEMA, known_positives, training_examples
from tfrec.data.items import item_rows, load_items
from tfrec.data.logs.stage import joined_log, log_searches
from tfrec.data.personalised.table import TASK, personalised_searches, training_rows
from tfrec.data.personalised.weeks import held_out_weeks
from tfrec.data.places import TABLES, Sources
from tfrec.data.purchases import Purchases, prepare_purchases
from tfrec.data.relations import load_relations
from tfrec.data.report import NothingKnown, TableReport
from tfrec.data.searches import load_searches
from tfrec.data.shopper_examples import ShopperExamples
from tfrec.data.split import EVALUATED, FOLDS, check_leaks, split_searches
from tfrec.errors import DataError
from tfrec.files import write_json

_Table = TypeVar("_Table")


def build(
    config: Config, sources: Sources, folder: Path, work: Path, trains: bool, beam: Sequence[str] | None = None
) -> dict[str, Any]:
    """Reads, splits and writes all tables, the examples, and report.json.

    Args:
        config: the whole configuration.
        sources: the shop's files.
        folder: gets what is written.
        work: where a search log lies while it is read; what a killed run has done there is not done again.
        trains: whether it is to be trained on; without, searches and purchases may all be of products that have left.
        beam: see `tfrec.data.purchases.prepare_purchases`.

    Returns:
        what the manifest tells: the numbers of items and examples, and of pictures where they are read.

    Raises:
        DataError: a table is unreadable or faulty beyond the configured share, splits leak, or no example is left.
    """
    data, root = sources.data, sources.root
    assert data.items is not None
    aside = folder / "aside"  # for what does not fit into memory
    cleaning = data.cleaning
    report: dict[str, Any] = {}
    tables = {name: TableReport(name, cleaning) for name in TABLES}
    catalogue = load_items(data.items, root, data.template, cleaning, tables["items"])
    catalogue.frame.write_parquet(folder / "items.parquet")
    images: dict[str, Any] = {}
    if config.model.images.enabled:
        images = _images(config, data, root, catalogue.frame, folder, report)
    report["items"] = tables["items"].to_json()

    searches = purchases = None
    held_out: list[str] = []
    cuts: dict[str, int] = {}
    splits: dict[str, Any] = {}
    if data.searches is not None:
        table = tables["searches"]
        searches = _unless_all_left(load_searches, trains, data.searches, root, catalogue, data.items, cleaning, table)
    if data.searches is not None and searches is not None:
        searches = _split(searches, config, data, table)
        report["searches"] = table.to_json()
    if data.interactions is not None:
        table = tables["interactions"]
        purchases = _unless_all_left(
            prepare_purchases, trains, config, data, root, folder, aside / "purchases", catalogue, table, trains,
            beam,
        )  # fmt: skip
    if purchases is not None:
        cuts = purchases.cuts
        report["interactions"] = table.to_json()
        splits["interactions"] = purchases.sizes
        splits["cuts"] = cuts
    if data.search_log is not None:
        table = tables["search_log"]
        shares = joined_log(config, data, root, work, table)
        weeks = held_out_weeks(config, data, shares, item_rows(catalogue), _timed(purchases, data), cuts)
        log = log_searches(config, data, shares, folder, catalogue, searches, weeks.labels_before, table)
        if searches is None:  # nobody judged: some of the log's queries choose and are evaluated
            searches = _split(log.searches, config, data, table)
            held_out = searches.filter(pl.col("split").is_in(EVALUATED))["query"].unique().to_list()
        else:
            held_out = searches["query"].unique().to_list()
            learned = log.searches.with_columns(pl.lit("train").alias("split")).select(searches.columns)
            searches = pl.concat([searches, learned])
        report["search_log"] = {**table.to_json(), **log.told}
    if searches is not None:
        searches.write_parquet(folder / "searches.parquet")
        splits["searches"] = _sizes(searches, "judgments", "query", "queries")
    if data.relations is not None:
        table = tables["relations"]
        relations = _unless_all_left(
            load_relations, trains, data.relations, root, catalogue, data.items, cleaning, table
        )
        if relations is not None:
            relations.write_parquet(folder / "relations.parquet")
            report["relations"] = table.to_json()
    report["splits"] = splits
    report["leak_check"] = check_leaks(searches, None if purchases is None else purchases.table())
    repeats = data.interactions is not None and data.interactions.repeats
    bought = purchases.parts() if purchases is not None else ()
    own = training_examples(config, searches, bought, repeats, aside / "examples")
    personalised = None
    if data.search_log is not None:
        shoppers = purchases.sizes.get("train", {}).get("shoppers", 0) if purchases is not None else 0
        groups, evaluated = own[2] + shoppers, {*map(normalised_query, held_out)}
        timed = _timed(purchases, data)
        found = personalised_searches(config, data, shares, item_rows(catalogue), timed, weeks, evaluated, groups)
        found.table.write_parquet(folder / f"{TASK}.parquet")
        report[TASK], personalised = {"left_out": found.told}, found.table
        splits[TASK] = _sizes(personalised.unique("search"), "searches", "user_id", "shoppers")
    report["examples"] = _write_examples(config, searches, purchases, own, personalised, folder, aside, trains)
    shutil.rmtree(aside)
    for name, table in tables.items():
        if table.rows_gone > table.rows_read / 2:
            print(
                f"{table.rows_gone:,} of {table.rows_read:,} rows of {name} are of products that are not in the "
                "catalogue; `tfrec data inspect` shows some.", file=sys.stderr,
            )  # fmt: skip
    write_json(folder / "report.json", report)
    return {"items": catalogue.frame.height, "examples": sum(report["examples"].values()), **images}


def _split(searches: pl.DataFrame, config: Config, data: DataConfig, table: TableReport) -> pl.DataFrame:
    whole = searches.height
    searches = split_searches(searches, data.split, config.seed)
    if searches.height < whole:
        table.notes.append(f"{whole - searches.height} training judgments are left out: data.split.train_share")
    return searches.select("query_id", "query", "item_id", "item", "gain", "weight", "split")


def _timed(purchases: Purchases | None, data: DataConfig) -> Iterable[pl.DataFrame]:
    """Purchases whose times can be compared with a log's."""
    if purchases is None or data.interactions is None or data.interactions.order_is_time:
        return ()
    return purchases.parts(["user_id", "item", "timestamp"])


def _unless_all_left(load: Callable[..., _Table], trains: bool, *given: Any) -> _Table | None:
    """A loaded table; None where all its rows are of products that have left, and nobody trains on it."""
    try:
        return load(*given)
    except NothingKnown:
        if trains:
            raise
        return None


def _images(
    config: Config, data: DataConfig, root: Path, items: pl.DataFrame, folder: Path, report: dict[str, Any]
) -> dict[str, Any]:
    from tfrec.data.images import files_state, pack_images

    names = items["image"].to_list() if "image" in items.columns else [""] * items.height
    state = files_state(names, root)  # before they are read: a file that changes meanwhile is read again next time
    packed = pack_images(items["item_id"].to_list(), names, root, config.model.images.size, data.cleaning, folder)
    if packed["note"]:
        print(f"{packed['note']}.", file=sys.stderr)
    report["images"] = packed
    return {"image_size": config.model.images.size, "image_state": state, "with_image": packed["with_image"]}


def _sizes(frame: pl.DataFrame, rows: str, column: str, distinct: str) -> dict[str, dict[str, int]]:
    sizes = frame.group_by("split").agg(pl.len(), pl.col(column).n_unique())
    return {split: {rows: number, distinct: different} for split, number, different in sizes.iter_rows()}


def _write_examples(
    config: Config,
    searches: pl.DataFrame | None,
    purchases: Purchases | None,
    own: tuple[pl.DataFrame, ShopperExamples, int],
    personalised: pl.DataFrame | None,
    folder: Path,
    aside: Path,
    trains: bool,
) -> dict[str, int]:
    from tfrec.data.shards import write_shards

    of_searches, of_shoppers, first_group = own
    of_both = pl.DataFrame(schema=SCHEMA) if personalised is None else training_rows(personalised).select(list(SCHEMA))
    count = of_searches.height + of_shoppers.height + of_both.height
    makes = config.training.tasks.search > 0 if config.synthesis.enabled == "auto" else config.synthesis.enabled
    # Few labelled queries choose and do not train: a pretrained encoder needs no example to be ranked by.
    chooses = searches is not None and bool((searches["split"] == FOLDS).any())
    if not count and not makes and trains and not chooses:
        raise DataError(
            "No training example is left: train needs queries with a gain of at least training.min_gain, or shoppers "
            "with more than one purchase; synthesis.enabled=true trains on made examples alone."
        )
    bought = purchases.parts(["user_id", "item", "split"]) if purchases is not None else ()
    known = written_aside(known_positives(pl.concat([of_searches, of_both]), bought, first_group), aside / "known")
    write_table(pl.scan_parquet(known), folder / "known_positives.parquet")
    examples = itertools.chain([of_searches], (part.select(list(SCHEMA)) for part in of_shoppers), [of_both])
    write_shards(examples, count, folder / "shards", config.seed)
    counts = {"search": of_searches.height, "recommendation": of_shoppers.height}
    return counts if personalised is None else {**counts, TASK: of_both.height}
