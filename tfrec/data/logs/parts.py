"""A whole log in bounded memory: files are dealt out by visitor, each share is joined alone, and both survive a kill.

What is done lies in a work folder until the shop's data is prepared; each file and each share is there whole or not.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config.preparation import CleaningConfig
from tfrec.config.search_log import SearchLogConfig
from tfrec.data.fingerprint import fingerprint
from tfrec.data.logs.joining import joined
from tfrec.data.logs.reading import log_rows
from tfrec.data.logs.rows import ROW, SHOWN
from tfrec.data.privacy import ShopperIds
from tfrec.data.report import TableReport
from tfrec.data.tables.opened import is_packed
from tfrec.files import atomic_directory, read_json, write_json
from tfrec.progress import Progress

FORMAT = 3  # raise it when the same log shall be read anew
_BYTES_OF_A_SHARE = 128 << 20
_MOST_SHARES = 256
_PACKED = 10  # a packed byte stands for about so many
_SEARCHES_OF_A_SHARE = 1 << 32


def log_digest(
    config: SearchLogConfig, cleaning: CleaningConfig, files: Sequence[Path], ids: ShopperIds | None = None
) -> str:
    """sha256 (hex) of all that decides what is read and joined; how labels are made is none of it."""
    settings = config.model_dump_json(exclude={"labels"}) + cleaning.model_dump_json()
    content = "".join(f"\0{path.name}\0{fingerprint(path)}" for path in files)
    state = "" if ids is None else ids.state
    return hashlib.sha256(f"{FORMAT}{settings}{state}{content}".encode()).hexdigest()


def read_log(
    files: Sequence[Path],
    config: SearchLogConfig,
    root: Path,
    cleaning: CleaningConfig,
    work: Path,
    report: TableReport,
    ids: ShopperIds | None = None,
) -> list[Path]:
    """Reads and joins a log.

    Args:
        files: its files.
        config: its section.
        root: folder that paths in it are relative to.
        cleaning: how queries are repaired, and how strict to be.
        work: folder of what is done already and what will be, of this log alone (log_digest).
        report: is told everything that is left out.
        ids: what becomes of the ids of visitors, users and sessions; None leaves them as they are.

    Returns:
        a folder for each share of the visitors, with searches.parquet and actions.parquet (tfrec.data.logs.joining).

    Raises:
        DataError: a file is not what the configuration says, or has too many faulty rows.
    """
    shares = _shares(files)
    dealt = [work / f"rows-{number:04d}" for number in range(len(files))]
    with Progress("Reading the search log", len(files) + shares) as progress:
        for path, folder in zip(files, dealt, strict=True):
            if not (folder / "report.json").is_file():
                _deal(path, folder, shares, config, root, cleaning, ids)
            progress.advance(note=path.name)
        told = [read_json(folder / "report.json") for folder in dealt]
        lowest = [one["first_position"] for one in told if one["first_position"] is not None]
        first_position = 1 if lowest and min(lowest) >= 1 else 0
        for one in told:
            report.absorb(one["report"])
        found = []
        for share in range(shares):
            folder = work / f"joined-{share:04d}"
            if not (folder / "counts.json").is_file():
                _join([one / f"{share:04d}.parquet" for one in dealt], folder, config, first_position, share)
            found.append(folder)
            progress.advance()
    _tell(found, report)
    return found


def _shares(files: Sequence[Path]) -> int:
    size = sum(path.stat().st_size * (_PACKED if _is_dense(path) else 1) for path in files)
    return max(1, min(_MOST_SHARES, math.ceil(size / _BYTES_OF_A_SHARE)))


def _is_dense(path: Path) -> bool:
    return is_packed(path) or path.name.endswith((".parquet", ".pq"))


def _deal(
    path: Path, folder: Path, shares: int, config: SearchLogConfig, root: Path, cleaning: CleaningConfig,
    ids: ShopperIds | None,
) -> None:  # fmt: skip
    """Writes a file's rows as a Parquet file for each share of the visitors."""
    import pyarrow.parquet as pq

    report = TableReport("search_log", cleaning)
    first_position: int | None = None
    schema = pl.DataFrame(schema=ROW).to_arrow().schema
    with atomic_directory(folder) as aside, ExitStack() as stack:
        writers = [
            stack.enter_context(pq.ParquetWriter(aside / f"{share:04d}.parquet", schema, compression="zstd"))
            for share in range(shares)
        ]
        for rows in log_rows(path, config, root, cleaning, report, ids):
            places = rows.filter(pl.col("kind") == SHOWN)["position"].drop_nulls().unique().to_list()
            first_position = min([*places, *([] if first_position is None else [first_position])], default=None)
            if shares == 1:
                writers[0].write_table(rows.to_arrow().cast(schema))
                continue
            visitors = rows["visitor"].unique()
            dealt = [zlib.crc32(visitor.encode()) % shares for visitor in visitors]  # the same in every run and version
            share_of = pl.DataFrame({"visitor": visitors, "_share": pl.Series(dealt, dtype=pl.Int32)})
            for (share,), some in rows.join(share_of, on="visitor", how="left").group_by("_share"):
                writers[int(share)].write_table(some.drop("_share").to_arrow().cast(schema))  # type: ignore[call-overload]
        write_json(aside / "report.json", {"report": report.to_json(), "first_position": first_position})


def _join(dealt: Sequence[Path], folder: Path, config: SearchLogConfig, first_position: int, share: int) -> None:
    rows = pl.concat(
        [pl.read_parquet(path).with_columns(pl.col("order") + number * (1 << 40)) for number, path in enumerate(dealt)]
    )
    found = joined(rows, config, first_position, share * _SEARCHES_OF_A_SHARE)
    with atomic_directory(folder) as aside:
        found.searches.write_parquet(aside / "searches.parquet")
        found.actions.write_parquet(aside / "actions.parquet")
        write_json(aside / "counts.json", {"left_out": found.left_out, "counts": found.counts})


def _tell(folders: Sequence[Path], report: TableReport) -> None:
    left_out: dict[str, int] = {}
    counts: dict[str, int] = {}
    for folder in folders:
        told: dict[str, Any] = read_json(folder / "counts.json")
        for kind, number in told["left_out"].items():
            left_out[kind] = left_out.get(kind, 0) + number
        for kind, number in told["counts"].items():
            counts[kind] = counts.get(kind, 0) + number
    for kind, number in sorted(left_out.items()):
        report.change(f"{kind}, left out", number)
    report.notes += [f"{number:,} {kind}" for kind, number in sorted(counts.items()) if number]
