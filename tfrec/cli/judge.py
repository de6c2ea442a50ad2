"""`tfrec judge`, and `tfrec judge report | import`."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config
from tfrec.cli.waiting import terminated_as_interrupted, wait_for_interrupt

if TYPE_CHECKING:
    from tfrec.pipeline.judging.report import JudgingReport

app = typer.Typer(invoke_without_command=True)
FolderOption = Annotated[Path | None, typer.Option(help="Folder of the judgments [judging, beside the shop's files].")]


@app.callback()
@command_errors
def judge(
    context: typer.Context,
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    folder: FolderOption = None,
    queries: Annotated[
        Path | None, typer.Option(help="File of the queries to judge, with a column query; without, the most telling.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=1000, help="Queries to choose where no file names them.")] = 20,
    depth: Annotated[int, typer.Option(min=1, max=100, help="Items of each system for each query.")] = 10,
    again: Annotated[
        bool, typer.Option("--again", help="Choose queries and items anew; what was judged stays judged.")
    ] = False,
    host: Annotated[str, typer.Option(help="Interface that the page is on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the page, 0 takes a free one.")] = 8081,
) -> None:
    """Open a page for judging search results by hand, with the keys 0 to 3; every answer is saved at once.

    Shown are the queries that `tfrec advise` names, or those of a file, each with the best items by words, by meaning
    and by both (and of the run's newest export), in random order. The answers make judgments.csv in the folder, a file
    for data.searches. Several people may judge, each by name.
    """
    if context.invoked_subcommand is not None:
        if context.args or any((config != DEFAULT_CONFIG, overrides, folder, queries, again)):
            from tfrec.errors import ConfigError

            raise ConfigError(
                f"Options go after the command: `tfrec judge {context.invoked_subcommand} --config FILE`."
            )
        return
    parsed = read_config(config, overrides)
    from tfrec.serving.judge.server import JudgeServer
    from tfrec.serving.judge.session import JUDGMENTS_FILE, judging, judging_folder

    place = folder or judging_folder(parsed)
    with contextlib.ExitStack() as stack:
        stack.enter_context(terminated_as_interrupted())
        opened = stack.enter_context(judging(parsed, place, queries, count, depth, again))
        page = stack.enter_context(JudgeServer(opened.desk, opened.pictures, host, port))
        pairs = sum(len(one.items) for one in opened.pool)
        console.print(f"{len(opened.pool)} queries with {pairs:,} items to judge.", highlight=False)
        console.print(f"The page is at {page.url} (stop with Ctrl-C).", highlight=False, soft_wrap=True, markup=False)
        console.print(f"Judgments: {place / JUDGMENTS_FILE}", highlight=False, soft_wrap=True, markup=False)
        with contextlib.suppress(KeyboardInterrupt):
            wait_for_interrupt()
    console.print("Stopped; the same command goes on.")


@app.command("report")
@command_errors
def report_command(
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    folder: FolderOption = None,
    most: Annotated[int, typer.Option(min=1, max=1000, help="Doubtful pairs that are shown.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with all doubtful pairs.")] = False,
) -> None:
    """Say how far judges agree (Krippendorff's alpha, weighted kappa), and about which pairs they do not."""
    parsed = read_config(config, overrides)
    from tfrec.pipeline.judging.report import judging_report
    from tfrec.serving.judge.session import judging_folder, kept_grades

    report = judging_report(kept_grades(folder or judging_folder(parsed)), parsed.seed)
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=2, ensure_ascii=False))
        return
    for part in _told(report, most):
        console.print(part, highlight=False)


@app.command("import")
@command_errors
def import_command(
    file: Annotated[Path, typer.Argument(help="Ratings: Quepid's CSV or JSON, RRE's JSON, or qrels of TREC.")],
    output: Annotated[Path, typer.Option(help="File for data.searches; must not be there yet.")] = Path(
        "judgments.csv"
    ),
    topics: Annotated[
        Path | None, typer.Option(help="TREC: file with a query's number and its words on each line.")
    ] = None,
) -> None:
    """Make a file for data.searches of another tool's ratings."""
    import csv
    import io

    from tfrec.data.judging.ratings import read_ratings
    from tfrec.errors import DataError
    from tfrec.files import atomic_write

    if output.exists():
        raise DataError(f"{output} is there already: name another file with --output, or move it away.")
    ratings, notes = read_ratings(file, topics)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["query", "item_id", "gain"])
    rows.writerows((query, item, f"{grade:g}") for query, item, grade in ratings)
    atomic_write(output, text.getvalue())
    queries = len({query for query, _, _ in ratings})
    console.print(
        f"{len(ratings):,} ratings of {queries:,} queries in {output}: name it in data.searches, where the highest "
        "grade is a gain of 1 (data.searches.gains can name a gain for each).",
        highlight=False, soft_wrap=True, markup=False,
    )  # fmt: skip
    for note in notes:
        console.print(f"{note}.", highlight=False, soft_wrap=True, markup=False)


def _told(report: JudgingReport, most: int) -> list[Any]:
    from rich.markup import escape
    from rich.table import Table

    told: list[Any] = [f"{report.pairs:,} pairs of {report.queries:,} queries are judged."]
    judges = Table(title="Judges", title_justify="left", title_style="bold")
    judges.add_column("judge", overflow="fold")
    for name in ("0", "1", "2", "3", "all", "mean"):
        judges.add_column(name, justify="right")
    for judge, counts in report.by_judge.items():
        total = sum(counts)
        mean = sum(grade * count for grade, count in enumerate(counts)) / total
        judges.add_row(escape(judge), *(f"{count:,}" for count in [*counts, total]), f"{mean:.2f}")
    if report.by_judge:
        told.append(judges)
    alpha = report.alpha
    if alpha.value is None:
        told.append("Agreement needs pairs that two judged, and grades that differ.")
    else:
        between = "" if alpha.low is None else f" (95 % CI {alpha.low:.3f} to {alpha.high:.3f})"
        told.append(
            f"Krippendorff's alpha (ordinal) {alpha.value:.3f}{between} by {alpha.units:,} pairs that several judged; "
            "from .8 on grades are taken for reliable, from .667 on for usable with care."
        )
    for one, other, kappa, pairs in report.kappas:
        value = "not to be told" if kappa is None else f"{kappa:.3f}"
        told.append(escape(f"Weighted kappa (quadratic) of {one} and {other}: {value}, {pairs:,} pairs."))
    if report.doubtful:
        doubts = Table(title="Pairs to talk about", title_justify="left", title_style="bold")
        for name in ("query", "item", "grades"):
            doubts.add_column(name, overflow="fold")
        for doubt in report.doubtful[:most]:
            given = ", ".join(f"{judge} {grade}" for judge, grade in doubt.grades.items())
            doubts.add_row(escape(doubt.query), escape(doubt.item_id), escape(given))
        told.append(doubts)
    return told
