"""Shoppers taken out of prepared data: their rows, their actions, and the examples made of them."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.data.logs.stage import FOLDER as LOG_FOLDER
from tfrec.data.personalised.events import shopper_of
from tfrec.data.personalised.table import TABLE, TASK
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
        gone = _from_examples(aside, keys) + sum(_from_log(file, keys) for file in _logs(aside))
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


def _touched(folder: Path, keys: Collection[str]) -> list[str]:
    """The keys, and shoppers with a visitor among them: their histories may hold what was done in his name."""
    names = set(keys)
    for file in _logs(folder):
        names.update(shopper_of(_rows(pl.read_parquet(file), ["visitor", "user"], keys))["user_id"])
    return sorted(names)


def _from_examples(folder: Path, keys: Collection[str]) -> int:
    """Of purchases, of personalised searches, and of the examples made of both."""
    purchases, searches = folder / "interactions.parquet", folder / f"{TASK}.parquet"
    bought = pl.read_parquet(purchases) if purchases.is_file() else pl.DataFrame(schema={"user_id": pl.String})
    searched = pl.read_parquet(searches) if searches.is_file() else pl.DataFrame(schema=TABLE)
    left_bought = bought.filter(~pl.col("user_id").is_in(list(keys)))
    left_searched = searched.filter(~pl.col("user_id").is_in(_touched(folder, keys)))
    known = pl.read_parquet(folder / _KNOWN)
    moved = _moved(bought, left_bought, searched, left_searched, known)
    group = pl.col("group").replace_strict(moved, default=pl.col("group"), return_dtype=pl.Int64)
    _replace(folder / _KNOWN, known.with_columns(group).drop_nulls("group").sort("group", "item"))
    if purchases.is_file():
        _replace(purchases, left_bought)
    if searches.is_file():
        _replace(searches, left_searched.with_columns(group))
    examples = sum(_from_shard(shard, moved) for shard in sorted((folder / "shards").glob("*.tfrecord")))
    return bought.height - left_bought.height + searched.height - left_searched.height + examples


def _moved(
    bought: pl.DataFrame, left_bought: pl.DataFrame, searched: pl.DataFrame, left_searched: pl.DataFrame,
    known: pl.DataFrame,
) -> dict[int, int | None]:  # fmt: skip
    """Group -> its number without those who go, None for theirs. Groups count queries, then shoppers with purchases,
    then what shoppers searched for: those of queries stay."""
    shoppers, left = _trained(bought), set(_trained(left_bought))
    personal = _groups(searched)
    first = int(known["group"].max()) + 1 - len(shoppers) - len(personal) if known.height else 0  # type: ignore[arg-type]
    stay = set(_groups(left_searched))
    there = [(first + place, user in left) for place, user in enumerate(shoppers)]
    there += [(group, group in stay) for group in personal]
    numbers = itertools.count(first)
    return {group: next(numbers) if stays else None for group, stays in there}


def _trained(bought: pl.DataFrame) -> list[str]:
    """The shoppers who have a group, in its order."""
    if "split" not in bought.columns:
        return []
    return bought.filter(pl.col("split") == "train")["user_id"].unique(maintain_order=True).to_list()


def _groups(searched: pl.DataFrame) -> list[int]:
    return searched.filter(pl.col("group") >= 0)["group"].unique().sort().to_list()


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
