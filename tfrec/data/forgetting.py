"""Shoppers taken out of prepared data: their rows, their actions, and the examples made of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.data.logs.stage import FOLDER as LOG_FOLDER
from tfrec.files import atomic_directory, linked, read_json, sha256_file, write_json

_FORGOTTEN = "forgotten"  # in the manifest
_KNOWN = "known_positives.parquet"


def held(folder: Path, keys: Mapping[str, str]) -> bool:
    """Whether prepared data has, or had when it was trained on, a row of one of some shoppers.

    Args:
        folder: the prepared data.
        keys: their ids, and the hashes of these, each with the hash.
    """
    before = read_json(folder / "manifest.json").get(_FORGOTTEN, [])
    return bool(set(before) & set(keys.values())) or bool(_there(folder, keys))


def take_out(folder: Path, keys: Mapping[str, str]) -> int:
    """Takes shoppers out of prepared data; what it was prepared and trained as (hash, fingerprint) stays noted.

    Their hashes stay in the manifest, to tell what was trained with them. Labels of a search log, which count what many
    did, stay until the files are prepared again.

    Args:
        folder: the prepared data, replaced as a whole.
        keys: see `held`.

    Returns:
        rows and examples that went.
    """
    there = _there(folder, keys)
    if not there:
        return 0
    manifest = read_json(folder / "manifest.json")
    with atomic_directory(folder) as aside:
        for name in manifest["files"]:
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            linked(folder / name, aside / name)
        gone = _from_purchases(aside, keys) + sum(_from_log(file, keys) for file in _logs(aside))
        files = {name: sha256_file(aside / name) for name in manifest["files"]}
        forgotten = sorted({*manifest.get(_FORGOTTEN, []), *(keys[one] for one in there)})
        write_json(aside / "manifest.json", {**manifest, "files": files, _FORGOTTEN: forgotten})
    return gone


def _there(folder: Path, keys: Collection[str]) -> set[str]:
    """Those of the keys that stand in the data."""
    found: set[str] = set()
    purchases = folder / "interactions.parquet"
    for file, columns in [
        *([(purchases, ["user_id"])] if purchases.is_file() else []),
        *((file, ["visitor", "user"]) for file in _logs(folder)),
    ]:
        frame = pl.read_parquet(file, columns=columns)
        for name in columns:
            found.update(frame[name].filter(frame[name].is_in(list(keys))).unique())
    return found


def _from_purchases(folder: Path, keys: Collection[str]) -> int:
    file = folder / "interactions.parquet"
    if not file.is_file():
        return 0
    rows = pl.read_parquet(file)
    kept = rows.filter(~pl.col("user_id").is_in(list(keys)))
    train = rows.filter(pl.col("split") == "train")["user_id"].unique(maintain_order=True).to_list()
    known = pl.read_parquet(folder / _KNOWN)
    first = int(known["group"].max()) + 1 - len(train) if known.height else 0  # type: ignore[arg-type]
    left = [user for user in train if user not in keys]
    number = {user: first + place for place, user in enumerate(left)}
    moved = {first + place: number.get(user) for place, user in enumerate(train)}  # groups count who is there
    group = pl.col("group").replace_strict(moved, default=pl.col("group"), return_dtype=pl.Int64)
    _replace(file, kept)
    _replace(folder / _KNOWN, known.with_columns(group).drop_nulls("group").sort("group", "item"))
    examples = sum(_from_shard(shard, moved) for shard in sorted((folder / "shards").glob("*.tfrecord")))
    return rows.height - kept.height + examples


def _from_shard(shard: Path, moved: dict[int, int | None]) -> int:
    from tfrec.tensorflow_setup import tf

    records, gone = [], 0
    for raw in tf.data.TFRecordDataset([str(shard)]).as_numpy_iterator():
        example = tf.train.Example.FromString(raw)
        group = example.features.feature["group"].int64_list.value
        if (now := moved.get(group[0], group[0])) is None:
            gone += 1
            continue
        group[0] = now
        records.append(example.SerializeToString(deterministic=True))
    shard.unlink()  # a link to what stands in the folder until this one takes its place
    with tf.io.TFRecordWriter(str(shard)) as writer:
        for record in records:
            writer.write(record)
    return gone


def _from_log(file: Path, keys: Collection[str]) -> int:
    """Of one share of a log: its searches, and what was done in them."""
    searches = pl.read_parquet(file)
    gone = _rows(searches, ["visitor", "user"], keys)
    _replace(file, searches.join(gone.select("search"), on="search", how="anti", maintain_order="left"))
    actions = pl.read_parquet(file.with_name("actions.parquet"))
    kept = actions.join(gone.select("search"), on="search", how="anti", maintain_order="left")
    _replace(file.with_name("actions.parquet"), kept)
    return gone.height + actions.height - kept.height


def _rows(frame: pl.DataFrame, columns: list[str], keys: Collection[str]) -> pl.DataFrame:
    return frame.filter(pl.any_horizontal(pl.col(name).is_in(list(keys)) for name in columns))


def _logs(folder: Path) -> list[Path]:
    return sorted((folder / LOG_FOLDER).glob("*/searches.parquet"))


def _replace(file: Path, frame: Any) -> None:
    file.unlink()
    frame.write_parquet(file)
