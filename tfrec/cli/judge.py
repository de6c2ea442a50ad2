"""`tfrec judge`, and `tfrec judge llm | report | import`."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Annotated

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config
from tfrec.cli.waiting import terminated_as_interrupted, wait_for_interrupt

app = typer.Typer(invoke_without_command=True)
FolderOption = Annotated[Path | None, typer.Option(help="Folder of the judgments [judging, beside the shop's files].")]
QueriesOption = Annotated[
    Path | None, typer.Option(help="File of the queries to judge, with a column query; without, the most telling.")
]
CountOption = Annotated[int, typer.Option(min=1, max=1000, help="Queries to choose where no file names them.")]
DepthOption = Annotated[int, typer.Option(min=1, max=100, help="Items of each system for each query.")]
AgainOption = Annotated[
    bool, typer.Option("--again", help="Choose queries and items anew; what was judged stays judged.")
]


@app.callback()
@command_errors
def judge(
    context: typer.Context,
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    folder: FolderOption = None,
    queries: QueriesOption = None,
    count: CountOption = 20,
    depth: DepthOption = 10,
    again: AgainOption = False,
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
    from tfrec.pipeline.judging.store import JUDGMENTS_FILE, judging_folder
    from tfrec.serving.judge.server import JudgeServer
    from tfrec.serving.judge.session import judging

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


@app.command("llm")
@command_errors
def llm_command(
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    folder: FolderOption = None,
    queries: QueriesOption = None,
    count: CountOption = 20,
    depth: DepthOption = 10,
    again: AgainOption = False,
) -> None:
    """Let a language model grade the same pairs from 0 to 3, as one more judge.

    It is asked as synthesis.llm says; a stopped command goes on where it was and pays no answer twice. Its grades
    become labels only once people have graded enough of its pairs and it agrees with them (judging).
    """
    parsed = read_config(config, overrides)
    from tfrec.data.judging.strokes import grades_of
    from tfrec.pipeline.judging.grading import grade_pool
    from tfrec.pipeline.judging.machines import machine_judges
    from tfrec.pipeline.judging.store import JUDGMENTS_FILE, judging_folder, opened_store

    place = folder or judging_folder(parsed)
    with opened_store(parsed, place, queries, count, depth, again) as store:
        judge, graded, left = grade_pool(parsed, store, place / "answers")
        grades = grades_of(store.strokes.by_judge)
    console.print(f"{judge} has graded {graded:,} pairs.", highlight=False, soft_wrap=True, markup=False)
    if left:
        console.print(f"{left:,} pairs have no grade of it yet: the same command asks for them again.")
    for one in machine_judges(grades, parsed.judging, parsed.seed):
        for sentence in one.sentences():
            console.print(sentence, highlight=False, soft_wrap=True, markup=False)
    console.print(f"Judgments: {place / JUDGMENTS_FILE}", highlight=False, soft_wrap=True, markup=False)


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
    from tfrec.cli.judge_tables import told_of
    from tfrec.pipeline.judging.report import judging_report
    from tfrec.pipeline.judging.store import judging_folder, kept_grades

    report = judging_report(kept_grades(folder or judging_folder(parsed)), parsed.judging, parsed.seed)
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=2, ensure_ascii=False))
        return
    for part in told_of(report, most):
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
