"""The first stage: a shop's files become checked, cleaned, split data that every later stage reads."""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfrec.config import Config, as_config
from tfrec.data.build import build
from tfrec.data.logs.stage import work_folder
from tfrec.data.places import TABLES, Sources, data_folder, folder_of, manifests, sources_of
from tfrec.data.shop import ShopData
from tfrec.errors import TfrecError
from tfrec.files import atomic_directory, sha256_file, write_json
from tfrec.locks import alone_at


def prepare(config: Config | Path | str, trains: bool = True, beam: Sequence[str] | None = None) -> ShopData:
    """Prepares a shop's data, or finds it prepared already.

    Each state of the files has a folder of its own, so that what was trained on an earlier one keeps its data.

    Args:
        config: the whole configuration, or the path of its file; data, seed and training.min_gain matter.
        trains: whether it is to be trained on; without, searches and purchases may all be of products that have left.
        beam: options of Apache Beam, such as "--runner=FlinkRunner", by which purchases are read and sorted, into the
            same files; None does it in this process.

    Returns:
        the prepared shop, in runs_dir/name/data/<hash>.

    Raises:
        ConfigError: the package apache-beam is missing where it is asked for.
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
        return done if done is not None else _prepared(config, sources, base, trains, beam)


def found_prepared(config: Config) -> ShopData | None:
    """The prepared data of the files as they are now, None when it has not been made; nothing is written.

    Raises:
        DataError: a file is missing.
    """
    return _finished(data_folder(config), sources_of(config))


def _prepared(config: Config, sources: Sources, base: Path, trains: bool, beam: Sequence[str] | None) -> ShopData:
    digests = map(sources.hash, itertools.count())
    digest = next(digest for digest in digests if not _whole(folder_of(base, digest)))
    folder = folder_of(base, digest)
    with atomic_directory(folder) as aside:
        counts = build(config, sources, aside, work_folder(base), trains, beam)
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
        shoppers, seed = max(1, demo.shoppers), config.seed
        more = demo.log, demo.taste, demo.relations
        generate(aside, demo.language, demo.items, demo.queries, shoppers, seed, *more)
        write_json(aside / "demo.json", sources.demo)
    return sources_of(config)


def _finished(base: Path, sources: Sources) -> ShopData | None:
    """The prepared data that is whole and of the same input, else None."""
    for folder, manifest in manifests(base).items():
        if sources.made(manifest) and (shop := _whole(folder)) and images_unchanged(shop, sources.root):
            faulty = any(shop.report[table]["faults"]["count"] for table in TABLES if table in shop.report)
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
