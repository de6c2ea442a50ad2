"""Data for commands that only look: what a run rests on is never changed by them."""

from __future__ import annotations

import sys
from pathlib import Path

from tfrec.config import Config
from tfrec.data.places import manifests, settings_of
from tfrec.data.prepare import found_prepared, prepare
from tfrec.data.shop import ShopData
from tfrec.errors import DataError, TfrecError
from tfrec.pipeline.finished import changed_sources, finished_states
from tfrec.pipeline.run_folder import RunFolder


def data_to_read(config: Config) -> ShopData:
    """The prepared data of a configuration, for looking at it.

    Where the shop's files have changed since they were prepared, it is the data as it was, and one sentence says so:
    that of the run's finished training, or else the newest. Only where there is none, the files are prepared.

    Args:
        config: the whole configuration.

    Raises:
        DataError: nothing is prepared, and the files cannot be.
    """
    base = RunFolder(config).data
    try:
        now = found_prepared(config)
    except DataError:
        now = None
    if now is not None:
        return now
    for folder in _candidates(config, base):
        try:
            shop = ShopData.open(folder, verify=True)
        except TfrecError:
            continue
        changed = changed_sources(config, shop)
        if changed:
            print(
                f"{changed} since {folder} was prepared, which is shown; `tfrec data prepare` or `tfrec train` takes "
                "the files as they are now.", file=sys.stderr,
            )  # fmt: skip
        return shop
    return prepare(config)


def _candidates(config: Config, base: Path) -> list[Path]:
    """Data that was prepared in the same way: that of finished trainings first, then the newest."""
    settings = settings_of(config)
    found = {folder: manifest for folder, manifest in manifests(base).items() if manifest.get("settings") == settings}
    trained = [state["about"]["prepared"] for _, state in finished_states(RunFolder(config))]
    return sorted(found, key=lambda folder: found[folder]["hash"] not in trained)


def catalogue_file(run: Path) -> Path | None:
    """The items that the newest export of a run answers about; else those that were prepared last, if any.

    Args:
        run: the run folder.
    """
    exported = _exported_data(run / "export")
    found = manifests(run / "data")
    same = (folder for folder, manifest in found.items() if manifest.get("fingerprint") == exported)
    folder = next(same, next(iter(found), run / "data"))
    return folder / "items.parquet" if (folder / "items.parquet").is_file() else None


def _exported_data(export: Path) -> str | None:
    """Fingerprint of the data that the newest version of an export answers about; None without one.

    Args:
        export: folder of all versions.
    """
    from tfrec.errors import ExportError
    from tfrec.export.manifest import read_manifest
    from tfrec.export.version_names import newest_version

    newest = newest_version(export)
    try:
        return None if newest is None else read_manifest(newest).get("data_fingerprint")
    except ExportError:
        return None


def data_of_samples(config: Config, prepared: str) -> ShopData:
    """The prepared data that made examples speak of.

    Args:
        config: the whole configuration.
        prepared: hash of the data, from the examples' manifest.

    Raises:
        DataError: it is no longer there.
    """
    for folder, manifest in manifests(RunFolder(config).data).items():
        if manifest.get("hash") == prepared:
            return ShopData.open(folder, verify=True)
    raise DataError(
        "The data that these examples were made from is no longer there: run `tfrec synth run` with the same "
        "configuration again."
    )
