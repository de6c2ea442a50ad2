"""Shoppers who want to be forgotten: out of all that a run keeps, and out of everything that is read from now on."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tfrec.config import Config
from tfrec.data.forgetting import held, take_out
from tfrec.data.logs.stage import work_folder
from tfrec.data.places import manifests
from tfrec.data.privacy import forget_shoppers
from tfrec.errors import DataError, ExportError
from tfrec.export.manifest import read_manifest
from tfrec.export.version_names import version_number
from tfrec.pipeline.finished import finished_states
from tfrec.pipeline.run_folder import RunFolder
from tfrec.pipeline.warm_start import exported_signature


@dataclass(frozen=True)
class Forgotten:
    """What was taken out.

    Attributes:
        shoppers: whom the file names.
        rows: rows and examples of prepared data that went.
        made: folders of made examples that went, because some were of these shoppers.
        versions: versions whose weights or scorers were made with one of them.
        untold: versions whose data is no longer kept, so that nobody can tell.
    """

    shoppers: int
    rows: int
    made: tuple[str, ...]
    versions: tuple[int, ...]
    untold: tuple[int, ...]


def forget(config: Config, shoppers: Iterable[str]) -> Forgotten:
    """Takes shoppers out of prepared data, logs, samples and histories, and leaves them out of all that is read later.

    The shop's own files are not touched: their rows are passed over. Trained weights and exports stay as they are, and
    those that were made with one of the shoppers are named; a new training is without them.

    Args:
        config: the whole configuration.
        shoppers: ids as the shop's files have them, of users, visitors or sessions.

    Raises:
        DataError: none is given.
        BusyError: another command is at work in the run folder.
    """
    wanted = {one.strip() for one in shoppers} - {""}
    if not wanted:
        raise DataError("The file names no shopper: write one id on each line.")
    run = RunFolder(config)
    with run.alone, run.exporting():
        ids = forget_shoppers(config, wanted)  # first: what is prepared after a kill is without them already
        keys = {key: ids.of(one) for one in wanted for key in (one, ids.of(one))}
        versions, untold = _made_with(run, keys)
        rows = sum(take_out(folder, keys) for folder in manifests(run.data))
        made = tuple(_made_of(run.path, keys))
        for name in made:
            shutil.rmtree(run.path / name, ignore_errors=True)
        for rest in (work_folder(run.data), run.path / "update"):
            shutil.rmtree(rest, ignore_errors=True)
    return Forgotten(len(wanted), rows, made, tuple(versions), tuple(untold))


def _made_with(run: RunFolder, keys: Mapping[str, str]) -> tuple[list[int], list[int]]:
    """(versions that were made with one of the shoppers, versions of which it cannot be told)."""
    holding = {manifest["hash"]: held(folder, keys) for folder, manifest in manifests(run.data).items()}
    with_them, untold = [], []
    folders = run.export.iterdir() if run.export.is_dir() else ()
    for number in sorted(found for path in folders if (found := version_number(path.name)) is not None):
        try:
            manifest = read_manifest(run.export / str(number))
        except ExportError:
            continue
        used = [manifest.get("prepared"), *_trained_on(run, manifest)]
        if any(holding.get(one) for one in used):
            with_them.append(number)
        elif any(one not in holding for one in used):
            untold.append(number)
    return with_them, untold


def _trained_on(run: RunFolder, manifest: dict) -> list[str | None]:
    """Hash of the data that a version's weights were trained on; [None] when that is not known any more."""
    exported = str(manifest.get("data_fingerprint"))
    for _, state in finished_states(run):
        about = state["about"]
        signature = exported_signature(str(state["signature"]), about["parts"]["data"], exported)
        if signature == manifest.get("signature"):
            return [about["prepared"]]
    return [None]


def _made_of(run: Path, keys: Collection[str]) -> list[str]:
    """Folders of made examples in which one of the shoppers stands."""
    found = []
    for folder in [run / "synthetic", *run.glob("rounds/*/synthetic")]:
        for file in folder.rglob("*.parquet"):
            columns = pl.read_parquet_schema(file)
            if columns.get("parent") == pl.String:
                named = pl.scan_parquet(file).filter(pl.col("parent").is_in(list(keys))).select(pl.len()).collect()
                if named.item():
                    found.append(str(folder.relative_to(run)))
                    break
    return found
