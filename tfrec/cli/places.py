"""Where `serve` and `query` find an export, settings and titles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfrec.errors import ServingError

if TYPE_CHECKING:
    from tfrec.config import ServingConfig


def run_folder(run: Path | None, config: Path | None) -> Path | None:
    """The run folder: the one that is named, or that of a configuration; None without either."""
    if run is not None:
        if not run.is_dir():
            raise ServingError(f"There is no run folder {run}: name an existing one or run `tfrec train` first.")
        return run
    if config is None:
        return None
    from tfrec.cli.options import read_config

    tree = read_config(config, [])
    return Path(tree.runs_dir) / tree.name


def serving_settings(config: Path | None) -> ServingConfig:
    """The `serving` section of a configuration, or its defaults."""
    from tfrec.cli.options import read_config
    from tfrec.config import ServingConfig

    return ServingConfig.model_validate({}) if config is None else read_config(config, []).serving


def export_folder(export: Path | None, run: Path | None, config: Path | None) -> Path:
    """The folder to serve: the one that is named, or `export` in the run folder.

    Raises:
        ServingError: nothing is named, or the run folder has no export.
    """
    if export is not None:
        return export
    folder = run_folder(run, config)
    if folder is None:
        raise ServingError("Say what to serve: --export FOLDER, --run FOLDER or --config FILE.")
    return folder / "export"


def item_titles(run: Path | None, config: Path | None, item_ids: Sequence[str]) -> dict[str, str]:
    """Titles of items from the prepared catalogue of a run.

    Args:
        run: the run folder, or None.
        config: a configuration that names the run, or None.
        item_ids: the items wanted.

    Returns:
        Title by item id; empty when there is no catalogue or it has no titles.
    """
    folder = run_folder(run, config)
    if folder is None or not (folder / "data" / "items.parquet").is_file():
        return {}
    import polars as pl

    items = pl.scan_parquet(folder / "data" / "items.parquet")
    if "title" not in items.collect_schema().names():
        return {}
    wanted = items.filter(pl.col("item_id").is_in(list(item_ids))).select("item_id", "title").collect()
    return dict(wanted.iter_rows())
