"""Purchases and clicks: read, and sorted by shopper and time, as an Apache Beam pipeline.

The stages are those of tfrec.data.interactions, and so are the rows that come out; what differs is where they run:

1. `Read`: an element is a file, cleaned batch by batch.
2. `Plan`: what all files tell together: how times are read, and by which shoppers the rows are cut into ranges.
3. `Deal`: every batch is parted by ranges, and rows of one range come together (GroupByKey).
4. `Order`: the rows of a range, sorted by shopper and time, become one Parquet file.

A sample of the shoppers cuts the ranges, as in TeraSort (O'Malley 2008), so that they are about equally large and their
files follow each other. Workers see the shop's files and the folder of the parts under the same paths, as on a shared
disk, and have apache-beam beside tfrec: an environment of its own (docs/howto/outgrow.md).
"""

from __future__ import annotations

import functools
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.data.beam_pipeline import beam_pipeline
from tfrec.data.beam_shared import Shared
from tfrec.data.interaction_rows import InteractionRows
from tfrec.data.items import Catalogue
from tfrec.data.report import TableReport
from tfrec.errors import ConfigError, TfrecError
from tfrec.files import atomic_write

RANGE = 1 << 18  # rows of a range, about: what a worker holds at once
SAMPLED = 1 << 9  # of so many rows of a batch one shopper is known
_TOLD = "told"

Frame = tuple[tuple[int, int], bytes]  # (file, batch) and its rows, so that they can be put in the order of the files


@dataclass
class FileTold:
    """What reading a file told.

    Attributes:
        number: of the file.
        rows: the reader, with its report; None where it failed.
        shoppers: some of the rows'.
        error: why it failed.
    """

    number: int
    rows: InteractionRows | None = None
    shoppers: list[str] = field(default_factory=list)
    error: TfrecError | None = None


@dataclass
class Plan:
    """What all files tell together.

    Attributes:
        rows: the merged reader.
        ends: shoppers with which ranges after the first begin, sorted.
        error: why there is no use in going on.
    """

    rows: InteractionRows
    ends: list[str] = field(default_factory=list)
    error: TfrecError | None = None


def load_with_beam(rows: InteractionRows, catalogue: Catalogue, work: Path, options: Sequence[str]) -> list[Path]:
    """Reads interactions by a pipeline, to its end; see `tfrec.data.interactions.load_interactions`.

    Args:
        rows: reads the table, whose paths are absolute; its report is told everything that is dropped.
        catalogue: the products that they must name.
        work: a folder that is not there yet, for the parts; every worker writes into it.
        options: of Beam, such as "--runner=FlinkRunner"; with none it runs in this process.

    Raises:
        ConfigError: the package apache-beam is missing, or the table cannot be read file by file.
        DataError: unreadable files, too many faults, nothing left.
        TfrecError: the pipeline failed.
    """
    if rows.config.pivot is not None:
        raise ConfigError("Beam reads interactions file by file, and data.interactions.pivot needs all: leave one out.")
    shared = Shared.of(work.absolute())
    work = shared.folder
    with beam_pipeline("Preparing purchases", options) as pipeline:
        import apache_beam as beam

        for name in (_TOLD, "parts"):
            (work / name).mkdir(parents=True)
        known = Catalogue(catalogue.frame.select("item_id"), catalogue.merged)
        shared.keep("catalogue", known)
        read = (
            pipeline
            | "Files" >> beam.Create(range(rows.files))
            | "Apart" >> beam.Reshuffle()
            | "Read" >> beam.FlatMap(_read, rows, shared, SAMPLED).with_outputs("told", main="frames")
        )
        told = read.told | "Told" >> beam.combiners.ToList() | "Plan" >> beam.Map(_planned, rows, shared, RANGE)
        _ = (
            read.frames
            | "Deal" >> beam.FlatMap(_dealt, beam.pvalue.AsSingleton(told))
            | "Together" >> beam.GroupByKey()
            | "Order" >> beam.Map(_ordered, beam.pvalue.AsSingleton(told), shared)
        )
    plan = shared.known("plan")
    if plan.error is not None:
        raise plan.error
    rows.absorb(plan.rows)
    rows.decide()
    orders = [shared.known(f"{_TOLD}/{file.name}") for file in sorted((work / _TOLD).iterdir())]
    for kept, late, _ in orders:
        rows.report.add(late)
        rows.rows += kept
    rows.judge()
    for _, _, order in orders:
        rows.report.add(order)
    return sorted((work / "parts").iterdir())


def _read(number: int, rows: InteractionRows, shared: Shared, sampled: int) -> Iterator[Any]:
    """The batches of a file, then what it told."""
    from apache_beam.pvalue import TaggedOutput

    told, one = FileTold(number), rows.alone(number)
    try:
        for place, frame in enumerate(one.read(_catalogue(shared))):
            told.shoppers += frame["user_id"].sort().gather_every(sampled).to_list()
            yield (number, place), _packed(frame)
        told.rows = one
    except TfrecError as error:
        told.error = error
    yield TaggedOutput("told", told)


def _planned(files: Iterable[FileTold], rows: InteractionRows, shared: Shared, each: int) -> Plan:
    """What the files told, merged in their order, and ranges of about `each` rows."""
    plan, shoppers = Plan(rows.alone(0)), []
    for told in sorted(files, key=lambda told: told.number):
        plan.error = plan.error or told.error
        if told.rows is not None:
            plan.rows.absorb(told.rows)
        shoppers += told.shoppers
    ranges = 1 + plan.rows.rows // each
    shoppers.sort()
    plan.ends = sorted({shoppers[len(shoppers) * place // ranges] for place in range(1, ranges)})
    shared.keep("plan", plan)  # as the files told it: whoever reads it decides
    try:
        plan.rows.decide()
    except TfrecError as error:
        plan.error = plan.error or error
    return plan


def _dealt(frame: Frame, plan: Plan) -> Iterator[tuple[int, Frame]]:
    """A batch by ranges; nothing where the pipeline is of no use."""
    if plan.error is None:
        place, packed = frame
        rows = pl.read_ipc(io.BytesIO(packed))
        ends = pl.Series(plan.ends, dtype=pl.String)
        of = rows.with_columns(ends.search_sorted(rows["user_id"], "right").alias("_range"))
        for (number,), part in of.group_by("_range", maintain_order=True):
            yield int(number), (place, _packed(part.drop("_range")))


def _ordered(dealt: tuple[int, Iterable[Frame]], plan: Plan, shared: Shared) -> None:
    """Writes the rows of a range, and what became of them; a second try writes the same."""
    number, frames = dealt
    part = pl.concat([pl.read_ipc(io.BytesIO(packed)) for _, packed in sorted(frames)])
    part = part.sort("user_id", maintain_order=True)
    late, order = (TableReport(plan.rows.report.section, plan.rows.report.cleaning) for _ in range(2))
    before = part.height
    if plan.rows.waiting:
        part = plan.rows.finished(part, late)
    kept = part.height - before
    if part.height:
        written = io.BytesIO()
        plan.rows.in_order(part, order).write_parquet(written)
        atomic_write(shared.folder / "parts" / f"{number:05d}.parquet", written.getvalue())
    shared.keep(f"{_TOLD}/{number:05d}", (kept, late, order))


def _packed(frame: pl.DataFrame) -> bytes:
    packed = io.BytesIO()
    frame.write_ipc(packed, compression="lz4")
    return packed.getvalue()


@functools.lru_cache(maxsize=1)
def _catalogue(shared: Shared) -> Catalogue:
    catalogue: Catalogue = shared.known("catalogue")
    return catalogue
