"""`tfrec search`: answers a file of queries or shoppers from an export, without a server."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from tfrec.cli.console import command_errors
from tfrec.errors import DataError
from tfrec.output import silence_closed_output, utf8_output

if TYPE_CHECKING:
    from tfrec.export.batch import Answer


class Format(str, Enum):
    """How answers are written."""

    trec = "trec"
    jsonl = "jsonl"
    table = "table"


@command_errors
def search(
    export: Annotated[Path, typer.Option(help="Export folder: its newest version, or one version folder.")],
    queries: Annotated[
        Optional[Path], typer.Option(help="File with columns query_id, query, optional history (ids, space between).")  # noqa: UP045
    ] = None,
    users: Annotated[
        Optional[Path], typer.Option(help="File with columns user_id, history: recommends instead.")  # noqa: UP045
    ] = None,
    k: Annotated[int, typer.Option("--k", "-k", min=1, help="Items per row.")] = 100,
    filters: Annotated[
        list[str], typer.Option("--filter", help="Condition on an item column, as in price<=50; may be repeated.")
    ] = [],  # noqa: B006
    diversity: Annotated[float, typer.Option(min=0.0, max=1.0, help="How much likeness to items above costs.")] = 0.0,
    format: Annotated[Format, typer.Option(help="TREC run, JSON Lines, or a table to read.")] = Format.trec,
    output: Annotated[Optional[Path], typer.Option(help="File to write; without it, standard output.")] = None,  # noqa: UP045
    tag: Annotated[str, typer.Option(help="Last column of a TREC run.")] = "tfrec",
) -> None:
    """Search for a whole file: `tfrec search --export runs/shop/export --queries queries.csv --output run.trec`."""
    if (queries is None) == (users is None):
        raise DataError("Say what to answer: either --queries FILE or --users FILE.")
    from tfrec.export.batch import answers, json_lines, read_requests, trec_lines

    id_column, file = ("user_id", users) if queries is None else ("query_id", queries)
    assert file is not None
    _check_output(output, file, export)
    requests = read_requests(file, id_column)
    if not requests:
        print(f"{file} has no rows: the answer is empty.", file=sys.stderr, flush=True)
    print(f"Loading {export} ...", file=sys.stderr, flush=True)
    from tfrec.export.loaded import LoadedModel

    found = answers(LoadedModel.open(export), requests, id_column, k, filters, diversity)
    if format is Format.trec:
        lines = trec_lines(found, tag)
    elif format is Format.jsonl:
        lines = json_lines(found, id_column)
    else:
        lines = _table_lines(found)
    _write(lines, output)


def _check_output(output: Path | None, requests: Path, export: Path) -> None:
    """What is read must not be written over, and no hour is searched for a file that cannot be."""
    if output is None:
        return
    if output.is_dir():
        raise DataError(f"{output} is a folder: give --output a file.")
    if output.exists() and requests.exists() and output.samefile(requests):
        raise DataError(
            f"{output} is the file of the requests, which the answers would replace: give --output another."
        )
    if export.resolve() in output.resolve().parents:
        raise DataError(f"{output} lies in the export, which its manifest vouches for: give --output another place.")


def _table_lines(found: Iterable[Answer]) -> Iterator[str]:
    for request, hits in found:
        yield " · ".join(part for part in (request.name, request.query, " ".join(request.history)) if part)
        width = max([7, *(len(item_id) for item_id, _ in hits)])
        yield f"  rank  {'item_id':<{width}}  score"
        for rank, (item_id, score) in enumerate(hits, start=1):
            yield f"  {rank:>4}  {item_id:<{width}}  {score:.4f}"
        yield ""


def _write(lines: Iterable[str], output: Path | None) -> None:
    """To standard output, or aside and then renamed, so that a file is whole or not there."""
    if output is None:
        utf8_output()
        try:
            for line in lines:
                print(line)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader, such as head, has seen enough
            silence_closed_output()
        return
    from tfrec.files import aside_of, speaking_os_errors

    with speaking_os_errors(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        aside = aside_of(output)
        try:
            with aside.open("w", encoding="utf-8", newline="\n") as handle:
                for line in lines:
                    handle.write(line + "\n")
                handle.flush()
                os.fsync(handle.fileno())
            os.replace(aside, output)
        finally:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
