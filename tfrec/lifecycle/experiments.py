"""The joined search log of a shop as its files are now, for reading experiments and planning them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from tfrec.comparing.counterfactual import Counterfactual, counterfactual
from tfrec.comparing.randomised_log import randomised_log
from tfrec.config import Config
from tfrec.data.layouts.resolve import every_file
from tfrec.data.logs.parts import log_digest, read_log
from tfrec.data.logs.stage import FOLDER, work_folder
from tfrec.data.places import sources_of
from tfrec.data.prepare import found_prepared
from tfrec.data.privacy import shopper_ids
from tfrec.data.report import TableReport
from tfrec.errors import DataError
from tfrec.export.loaded import LoadedModel
from tfrec.pipeline.run_folder import RunFolder

_TABLES = ("searches", "actions")


def joined_log(config: Config, log: Path | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Searches and actions, as in tfrec.data.logs.joining.

    Those of the prepared data where it is of the files as they are; else the log alone is read, and nothing is kept.

    Args:
        config: the whole configuration.
        log: a file in the place of data.search_log's.

    Raises:
        DataError: there is no log, or it cannot be read.
    """
    run = RunFolder(config)
    if log is None and (shop := found_prepared(config)) is not None and shop.has_search_log:
        tables = [pl.read_parquet(sorted(shop.folder.glob(f"{FOLDER}/*/{name}.parquet"))) for name in _TABLES]
        if "attribution" in tables[0].columns:
            return tables[0], tables[1]
    sources = sources_of(config)
    section = sources.data.search_log
    if section is None:
        if log is None:
            raise DataError("The shop has no search log: give data.search_log in the configuration, or --log FILE.")
        from tfrec.config.search_log import SearchLogConfig

        section = SearchLogConfig.model_validate({"path": str(log.resolve())})
    elif log is not None:
        section = section.model_copy(update={"path": str(log.resolve())})
    files, ids = every_file(section, sources.root), shopper_ids(config, "search_log")
    cleaning = sources.data.cleaning
    digest = log_digest(section, cleaning, files, ids)[:16]
    aside = work_folder(run.data)  # which `tfrec forget` clears, should a kill leave something
    aside.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="compare-", dir=aside) as work:
        report = TableReport("search_log", cleaning)
        shares = read_log(files, section, sources.root, cleaning, Path(work) / digest, report, ids)
        searches, actions = (pl.read_parquet([share / f"{name}.parquet" for share in shares]) for name in _TABLES)
    return searches, actions


def foretold_of(
    config: Config, version: int, metric: str, depth: int | None = None, log: Path | None = None
) -> Counterfactual:
    """What a version would have earned on the log's randomised searches.

    Args:
        config: the whole configuration.
        version: number of an export.
        metric: click, cart or purchase.
        depth: first places that count; None counts all.
        log: a file in the place of data.search_log's.

    Raises:
        DataError: the log has no randomised searches.
        ExportError: there is no such version.
    """
    randomised = randomised_log(*joined_log(config, log), metric, depth)
    model = LoadedModel.open(RunFolder(config).export / str(version))
    found = model.search(randomised.queries, randomised.searches.item.shape[1], "Searching")
    target = randomised.target({q: [item for item, _ in found.hits(row)] for row, q in enumerate(randomised.queries)})
    return counterfactual(randomised.searches, target, randomised.foretold(target))
