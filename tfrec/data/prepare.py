"""The first stage: a shop's files become checked, cleaned, split data that every later stage reads."""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config import Config, DataConfig, InteractionsConfig, as_config
from tfrec.data.examples import SCHEMA, known_positives, recommendation_examples, search_examples
from tfrec.data.interactions import load_interactions
from tfrec.data.items import load_items
from tfrec.data.logs.stage import log_searches, work_folder
from tfrec.data.places import Sources, data_folder, folder_of, manifests, sources_of
from tfrec.data.report import NothingKnown, TableReport
from tfrec.data.searches import load_searches
from tfrec.data.shop import ShopData
from tfrec.data.split import FOLDS, check_leaks, split_interactions, split_searches
from tfrec.errors import DataError, TfrecError
from tfrec.files import atomic_directory, sha256_file, write_json
from tfrec.locks import alone_at

_MUCH = 0.2  # of the rows, from which repeats are worth a word
_TABLES = ("items", "searches", "interactions", "search_log")


def prepare(config: Config | Path | str, trains: bool = True) -> ShopData:
    """Prepares a shop's data, or finds it prepared already.

    Each state of the files has a folder of its own, so that what was trained on an earlier one keeps its data.

    Args:
        config: the whole configuration, or the path of its file; data, seed and training.min_gain matter.
        trains: whether it is to be trained on; without, searches and purchases may all be of products that have left.

    Returns:
        the prepared shop, in runs_dir/name/data/<hash>.

    Raises:
        DataError: the files are missing, unreadable, faulty beyond the configured share, or leak between splits.
        BusyError: another command is at work in the run folder, and the data has to be prepared.
    """
    config = as_config(config)
    base = data_folder(config)
    done = found_prepared(config)
    if done is not None:
        print(f"{done.folder} is up to date.", file=sys.stderr)
        return done
    with alone_at(base.parent, "preparing data"):
        sources = _generated(config)
        done = _finished(base, sources)
        return done if done is not None else _prepared(config, sources, base, trains)


def found_prepared(config: Config) -> ShopData | None:
    """The prepared data of the files as they are now, None when it has not been made; nothing is written.

    Raises:
        DataError: a file is missing.
    """
    return _finished(data_folder(config), sources_of(config))


def _prepared(config: Config, sources: Sources, base: Path, trains: bool) -> ShopData:
    digests = map(sources.hash, itertools.count())
    digest = next(digest for digest in digests if not _whole(folder_of(base, digest)))
    folder = folder_of(base, digest)
    with atomic_directory(folder) as aside:
        counts = _build(config, sources.data, sources.root, aside, work_folder(base), trains)
        names = sorted(str(path.relative_to(aside).as_posix()) for path in aside.rglob("*") if path.is_file())
        files = {name: sha256_file(aside / name) for name in names}
        manifest: dict[str, Any] = {
            "hash": digest,
            "settings": sources.settings,
            "inputs": sources.inputs,
            "min_gain": config.training.min_gain,
            "files": files,
            "fingerprint": hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest(),
            "repeats": sources.data.interactions is not None and sources.data.interactions.repeats,
            **counts,
        }
        write_json(aside / "manifest.json", manifest)
    shutil.rmtree(work_folder(base), ignore_errors=True)
    return ShopData.open(folder)


def _generated(config: Config) -> Sources:
    """The shop's files, those of a demo shop generated."""
    sources = sources_of(config)
    if sources.demo is None or sources.inputs:
        return sources
    from tfrec.data.demo import generate

    assert config.data.demo is not None
    demo = config.data.demo
    with atomic_directory(sources.root) as aside:
        generate(aside, demo.language, demo.items, demo.queries, max(1, demo.shoppers), config.seed, demo.log)
        write_json(aside / "demo.json", sources.demo)
    return sources_of(config)


def _finished(base: Path, sources: Sources) -> ShopData | None:
    """The prepared data that is whole and of the same input, else None."""
    for folder, manifest in manifests(base).items():
        if sources.made(manifest) and (shop := _whole(folder)) and images_unchanged(shop, sources.root):
            faulty = any(shop.report[table]["faults"]["count"] for table in _TABLES if table in shop.report)
            return None if faulty and sources.data.cleaning.strict else shop  # prepared again, it is told
    return None


def _whole(folder: Path) -> ShopData | None:
    try:
        return ShopData.open(folder, verify=True)
    except (TfrecError, KeyError, AttributeError, OSError):
        return None


def images_unchanged(shop: ShopData, root: Path) -> bool:
    """Whether the image files that the items name are those that were read."""
    if not shop.has_images:
        return True
    from tfrec.data.images import files_state

    return shop.manifest["image_state"] == files_state(shop.items["image"].to_list(), root)


def _build(config: Config, data: DataConfig, root: Path, folder: Path, work: Path, trains: bool) -> dict[str, Any]:
    assert data.items is not None
    cleaning = data.cleaning
    report: dict[str, Any] = {}
    tables = {name: TableReport(name, cleaning) for name in _TABLES}
    catalogue = load_items(data.items, root, data.template, cleaning, tables["items"])
    catalogue.frame.write_parquet(folder / "items.parquet")
    images: dict[str, Any] = {}
    if config.model.images.enabled:
        images = _images(config, data, root, catalogue.frame, folder, report)
    report["items"] = tables["items"].to_json()

    searches = interactions = None
    splits: dict[str, Any] = {}
    if data.searches is not None:
        table = tables["searches"]
        searches = _unless_all_left(load_searches, trains, data.searches, root, catalogue, data.items, cleaning, table)
    if data.searches is not None and searches is not None:
        searches = _split(searches, config, data, table)
        report["searches"] = table.to_json()
    if data.search_log is not None:
        table = tables["search_log"]
        log = log_searches(config, data, root, work, folder, catalogue, searches, table)
        if searches is None:  # nobody judged: some of the log's queries choose and are evaluated
            searches = _split(log.searches, config, data, table)
        else:
            learned = log.searches.with_columns(pl.lit("train").alias("split")).select(searches.columns)
            searches = pl.concat([searches, learned])
        report["search_log"] = {**table.to_json(), **log.told}
    if searches is not None:
        searches.write_parquet(folder / "searches.parquet")
        splits["searches"] = _sizes(searches, "judgments", "query", "queries")
    if data.interactions is not None:
        table = tables["interactions"]
        interactions = _unless_all_left(
            load_interactions, trains, data.interactions, root, catalogue, data.items, cleaning, table
        )
    if data.interactions is not None and interactions is not None:
        _note_repeats(interactions, data.interactions, table)
        interactions, cuts = split_interactions(interactions, data.split, trains)
        interactions.write_parquet(folder / "interactions.parquet")
        report["interactions"] = table.to_json()
        splits["interactions"] = _sizes(interactions, "interactions", "user_id", "shoppers")
        splits["cuts"] = cuts
    report["splits"] = splits
    report["leak_check"] = check_leaks(searches, interactions)
    report["examples"] = _write_examples(config, data, searches, interactions, folder, trains)
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
    data: DataConfig,
    searches: pl.DataFrame | None,
    interactions: pl.DataFrame | None,
    folder: Path,
    trains: bool,
) -> dict[str, int]:
    from tfrec.data.shards import write_shards

    empty = pl.DataFrame(schema=SCHEMA)
    of_searches = of_shoppers = empty
    if searches is not None:
        of_searches = search_examples(searches, config.training.min_gain, data.negatives_per_query, config.seed)
    first_group = int(of_searches["group"].max()) + 1 if of_searches.height else 0  # type: ignore[arg-type]
    if interactions is not None:
        of_shoppers = recommendation_examples(
            interactions, data.history_length, data.max_examples_per_user, first_group, data.example_half_life_days,
            repeats=data.interactions is not None and data.interactions.repeats,
        )  # fmt: skip
    examples = pl.concat([of_searches, of_shoppers])
    makes = config.training.tasks.search > 0 if config.synthesis.enabled == "auto" else config.synthesis.enabled
    # Few labelled queries choose and do not train: a pretrained encoder needs no example to be ranked by.
    chooses = searches is not None and bool((searches["split"] == FOLDS).any())
    if not examples.height and not makes and trains and not chooses:
        raise DataError(
            "No training example is left: train needs queries with a gain of at least training.min_gain, or shoppers "
            "with more than one purchase; synthesis.enabled=true trains on made examples alone."
        )
    known_positives(of_searches, interactions, first_group).write_parquet(folder / "known_positives.parquet")
    write_shards(examples, folder / "shards", config.seed)
    return {"search": of_searches.height, "recommendation": of_shoppers.height}
