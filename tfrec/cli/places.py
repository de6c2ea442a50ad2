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


def item_titles(
    export: Path | None, run: Path | None, config: Path | None, version: int, item_ids: Sequence[str]
) -> dict[str, str]:
    """Titles of items as the version that answers has them.

    Args:
        export: folder of its versions, or None.
        run: the run folder, or None.
        config: a configuration that names the run, or None.
        version: that answered.
        item_ids: the items wanted.

    Returns:
        Title by item id. An export from before exports held titles takes those of the run's prepared catalogue; empty
        when there is nothing of either.
    """
    from tfrec.export.shown_items import shown_items_file, titles_in
    from tfrec.pipeline.reading import catalogue_file

    folder = run_folder(run, config)
    base = export if export is not None or folder is None else folder / "export"
    file = None if base is None else shown_items_file(base, version)
    if file is None and folder is not None:
        file = catalogue_file(folder)
    return {} if file is None else titles_in(file, item_ids)
