"""The first stage: a shop's files become checked, cleaned, split data that every later stage reads."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config import Config, DataConfig, InteractionsConfig, ItemsConfig, SearchesConfig, as_config
from tfrec.data.examples import SCHEMA, known_positives, recommendation_examples, search_examples
from tfrec.data.fingerprint import fingerprint
from tfrec.data.interactions import load_interactions
from tfrec.data.items import load_items
from tfrec.data.read import files_of
from tfrec.data.report import TableReport
from tfrec.data.searches import load_searches
from tfrec.data.shop import ShopData
from tfrec.data.split import check_leaks, split_interactions, split_searches
from tfrec.errors import DataError, TfrecError
from tfrec.files import atomic_directory, read_json, sha256_file, write_json

FORMAT = 3  # raise it when the prepared files change their meaning: older ones are then built anew


def prepare(config: Config | Path | str, folder: Path | None = None) -> ShopData:
    """Prepares a shop's data, or finds it prepared already.

    Args:
        config: the whole configuration, or the path of its file; data, seed and training.min_gain matter.
        folder: where it goes; runs_dir/name/data when not given.

    Returns:
        the prepared shop.

    Raises:
        DataError: the files are missing, unreadable, faulty beyond the configured share, or leak between splits.
    """
    config = as_config(config)
    run = Path(config.runs_dir) / config.name
    folder = Path(folder) if folder is not None else run / "data"
    data = config.data if config.data.demo is None else _demo(config, run)
    root = Path(data.root)
    inputs = _fingerprints(data, root)
    key = {"format": FORMAT, "config": config.hash_of("data"), "min_gain": config.training.min_gain, "inputs": inputs}
    if config.model.images.enabled:
        key["image_size"] = config.model.images.size
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    done = _finished(folder, digest, root)
    if done is not None:
        print(f"{folder} is up to date.", file=sys.stderr)
        return done
    with atomic_directory(folder) as aside:
        counts = _build(config, data, root, aside)
        names = sorted(str(path.relative_to(aside).as_posix()) for path in aside.rglob("*") if path.is_file())
        files = {name: sha256_file(aside / name) for name in names}
        manifest: dict[str, Any] = {
            "hash": digest,
            "format": FORMAT,
            "inputs": inputs,
            "min_gain": config.training.min_gain,
            "files": files,
            "fingerprint": hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest(),
            **counts,
        }
        write_json(aside / "manifest.json", manifest)
    return ShopData.open(folder)


def _demo(config: Config, run: Path) -> DataConfig:
    """Generates the demo shop's files once and describes them like any other shop's."""
    from tfrec.data.demo import generate

    assert config.data.demo is not None
    demo, folder = config.data.demo, run / "demo"
    wanted = {**demo.model_dump(mode="json"), "seed": config.seed, "format": FORMAT}
    made = folder / "demo.json"
    if not made.exists() or read_json(made) != wanted:
        with atomic_directory(folder) as aside:
            generate(aside, demo.language, demo.items, demo.queries, max(1, demo.shoppers), config.seed)
            write_json(aside / "demo.json", wanted)
    return config.data.model_copy(
        update={
            "demo": None,
            "root": str(folder),
            "items": ItemsConfig.model_validate("items.csv"),
            "searches": SearchesConfig.model_validate("searches.csv"),
            "interactions": InteractionsConfig.model_validate("purchases.csv") if demo.shoppers else None,
        }
    )


def _fingerprints(data: DataConfig, root: Path) -> dict[str, str]:
    found = {}
    for section in ("items", "searches", "interactions"):
        table = getattr(data, section)
        if table is not None:
            for path in files_of(table, root):
                found[f"{section}: {path.relative_to(root) if path.is_relative_to(root) else path}"] = fingerprint(path)
    return found


def _finished(folder: Path, digest: str, root: Path) -> ShopData | None:
    """The prepared data when it is whole and of the same input, else None."""
    if not (folder / "manifest.json").exists():
        return None
    try:
        if read_json(folder / "manifest.json").get("hash") != digest:
            return None
        shop = ShopData.open(folder, verify=True)
        return shop if _images_unchanged(shop, root) else None
    except (TfrecError, KeyError, AttributeError):
        return None


def _images_unchanged(shop: ShopData, root: Path) -> bool:
    """Whether the image files that the items name are those that were read."""
    if not shop.has_images:
        return True
    from tfrec.data.images import files_state

    return shop.manifest["image_state"] == files_state(shop.items["image"].to_list(), root)


def _build(config: Config, data: DataConfig, root: Path, folder: Path) -> dict[str, Any]:
    assert data.items is not None
    cleaning = data.cleaning
    report: dict[str, Any] = {}
    tables = {name: TableReport(name, cleaning) for name in ("items", "searches", "interactions")}
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
        searches = load_searches(data.searches, root, catalogue, data.items, cleaning, table)
        whole = searches.height
        searches = split_searches(searches, data.split, config.seed)
        if searches.height < whole:
            table.notes.append(f"{whole - searches.height} training judgments are left out: data.split.train_share")
        searches = searches.select("query_id", "query", "item_id", "item", "gain", "weight", "split")
        searches.write_parquet(folder / "searches.parquet")
        report["searches"] = table.to_json()
        splits["searches"] = _sizes(searches, "judgments", "query", "queries")
    if data.interactions is not None:
        table = tables["interactions"]
        interactions = load_interactions(data.interactions, root, catalogue, data.items, cleaning, table)
        interactions, cuts = split_interactions(interactions, data.split)
        interactions.write_parquet(folder / "interactions.parquet")
        report["interactions"] = table.to_json()
        splits["interactions"] = _sizes(interactions, "interactions", "user_id", "shoppers")
        splits["cuts"] = cuts
    report["splits"] = splits
    report["leak_check"] = check_leaks(searches, interactions)
    report["examples"] = _write_examples(config, data, searches, interactions, folder)
    write_json(folder / "report.json", report)
    return {"items": catalogue.frame.height, "examples": sum(report["examples"].values()), **images}


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
    config: Config, data: DataConfig, searches: pl.DataFrame | None, interactions: pl.DataFrame | None, folder: Path
) -> dict[str, int]:
    from tfrec.data.shards import write_shards

    empty = pl.DataFrame(schema=SCHEMA)
    of_searches = of_shoppers = empty
    if searches is not None:
        of_searches = search_examples(searches, config.training.min_gain, data.negatives_per_query, config.seed)
    first_group = int(of_searches["group"].max()) + 1 if of_searches.height else 0  # type: ignore[arg-type]
    if interactions is not None:
        of_shoppers = recommendation_examples(
            interactions, data.history_length, data.max_examples_per_user, first_group, data.example_half_life_days
        )
    examples = pl.concat([of_searches, of_shoppers])
    makes = config.training.tasks.search > 0 if config.synthesis.enabled == "auto" else config.synthesis.enabled
    if not examples.height and not makes:
        raise DataError(
            "No training example is left: train needs queries with a gain of at least training.min_gain, or shoppers "
            "with more than one purchase; synthesis.enabled=true trains on made examples alone."
        )
    known_positives(of_searches, interactions, first_group).write_parquet(folder / "known_positives.parquet")
    write_shards(examples, folder / "shards", config.seed)
    return {"search": of_searches.height, "recommendation": of_shoppers.height}
