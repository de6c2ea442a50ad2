"""A shop's tables, read, cleaned and split, with the examples made of them: what a prepared folder holds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config import Config, DataConfig, InteractionsConfig
from tfrec.data.clean import normalised_query
from tfrec.data.examples import SCHEMA, known_positives, shoppers_with_groups, training_examples
from tfrec.data.interactions import load_interactions
from tfrec.data.items import item_rows, load_items
from tfrec.data.logs.stage import joined_log, log_searches
from tfrec.data.personalised.table import TASK, personalised_searches, training_rows
from tfrec.data.personalised.weeks import held_out_weeks
from tfrec.data.places import TABLES, Sources
from tfrec.data.privacy import shopper_ids
from tfrec.data.relations import load_relations
from tfrec.data.report import NothingKnown, TableReport
from tfrec.data.searches import load_searches
from tfrec.data.split import EVALUATED, FOLDS, check_leaks, split_interactions, split_searches
from tfrec.errors import DataError
from tfrec.files import write_json

_MUCH = 0.2  # of the rows, from which repeats are worth a word


def build(config: Config, sources: Sources, folder: Path, work: Path, trains: bool) -> dict[str, Any]:
    """Reads, splits and writes all tables, the examples, and report.json.

    Args:
        config: the whole configuration.
        sources: the shop's files.
        folder: gets what is written.
        work: where a search log lies while it is read; what a killed run has done there is not done again.
        trains: whether it is to be trained on; without, searches and purchases may all be of products that have left.

    Returns:
        what the manifest tells: the numbers of items and examples, and of pictures where they are read.

    Raises:
        DataError: a table is unreadable or faulty beyond the configured share, splits leak, or no example is left.
    """
    data, root = sources.data, sources.root
    assert data.items is not None
    cleaning = data.cleaning
    report: dict[str, Any] = {}
    tables = {name: TableReport(name, cleaning) for name in TABLES}
    catalogue = load_items(data.items, root, data.template, cleaning, tables["items"])
    catalogue.frame.write_parquet(folder / "items.parquet")
    images: dict[str, Any] = {}
    if config.model.images.enabled:
        images = _images(config, data, root, catalogue.frame, folder, report)
    report["items"] = tables["items"].to_json()

    searches = interactions = None
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
        interactions = _unless_all_left(
            load_interactions, trains, data.interactions, root, catalogue, data.items, cleaning, table, None,
            shopper_ids(config, "interactions"),
        )  # fmt: skip
    if data.interactions is not None and interactions is not None:
        _note_repeats(interactions, data.interactions, table)
        interactions, cuts = split_interactions(interactions, data.split, trains)
        interactions.write_parquet(folder / "interactions.parquet")
        report["interactions"] = table.to_json()
        splits["interactions"] = _sizes(interactions, "interactions", "user_id", "shoppers")
        splits["cuts"] = cuts
    if data.search_log is not None:
        table = tables["search_log"]
        shares = joined_log(config, data, root, work, table)
        timed = None if data.interactions is None or data.interactions.order_is_time else interactions
        weeks = held_out_weeks(config, data, shares, item_rows(catalogue), timed, cuts)
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
    report["leak_check"] = check_leaks(searches, interactions)
    repeats = data.interactions is not None and data.interactions.repeats
    own = training_examples(config, searches, interactions, repeats)
    personalised = None
    if data.search_log is not None:
        groups, evaluated = own[2] + shoppers_with_groups(interactions), {*map(normalised_query, held_out)}
        found = personalised_searches(config, data, shares, item_rows(catalogue), timed, weeks, evaluated, groups)
        found.table.write_parquet(folder / f"{TASK}.parquet")
        report[TASK], personalised = {"left_out": found.told}, found.table
        splits[TASK] = _sizes(personalised.unique("search"), "searches", "user_id", "shoppers")
    report["examples"] = _write_examples(config, searches, interactions, own, personalised, folder, trains)
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


def _note_repeats(interactions: pl.DataFrame, config: InteractionsConfig, report: TableReport) -> None:
    """Says how much of what shoppers take they have taken before, where it is much."""
    times = interactions.select("user_id", "item", "timestamp").unique()
    again = 1 - times.select("user_id", "item").unique().height / times.height
    if again >= _MUCH and not config.repeats:
        report.notes.append(
            f"{again:.0%} of the rows repeat what the shopper took before: these are no examples and are not evaluated "
            "(data.interactions.repeats: true counts them)"
        )


def _unless_all_left(load: Callable[..., pl.DataFrame], trains: bool, *given: Any) -> pl.DataFrame | None:
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
    interactions: pl.DataFrame | None,
    own: tuple[pl.DataFrame, pl.DataFrame, int],
    personalised: pl.DataFrame | None,
    folder: Path,
    trains: bool,
) -> dict[str, int]:
    from tfrec.data.shards import write_shards

    of_searches, of_shoppers, first_group = own
    of_both = pl.DataFrame(schema=SCHEMA) if personalised is None else training_rows(personalised).select(list(SCHEMA))
    examples = pl.concat([of_searches, of_shoppers.select(list(SCHEMA)), of_both])
    makes = config.training.tasks.search > 0 if config.synthesis.enabled == "auto" else config.synthesis.enabled
    # Few labelled queries choose and do not train: a pretrained encoder needs no example to be ranked by.
    chooses = searches is not None and bool((searches["split"] == FOLDS).any())
    if not examples.height and not makes and trains and not chooses:
        raise DataError(
            "No training example is left: train needs queries with a gain of at least training.min_gain, or shoppers "
            "with more than one purchase; synthesis.enabled=true trains on made examples alone."
        )
    pairs = pl.concat([of_searches, of_both])
    known_positives(pairs, interactions, first_group).write_parquet(folder / "known_positives.parquet")
    write_shards(examples, folder / "shards", config.seed)
    counts = {"search": of_searches.height, "recommendation": of_shoppers.height}
    return counts if personalised is None else {**counts, TASK: of_both.height}
