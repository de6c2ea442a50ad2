"""`tfrec log report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config
from tfrec.errors import DataError

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer(help="What a shop's search log tells.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What a shop's search log tells."""


@app.command("report")
@command_errors
def report_command(
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    most: Annotated[int, typer.Option(min=1, max=50, help="Queries in each table.")] = 15,
) -> None:
    """Show what people search and do not find: frequent queries, without results or clicks, typed anew, by revenue."""
    parsed = read_config(config, overrides)
    from tfrec.pipeline.reading import data_to_read
    from tfrec.reporting.log import TITLES

    told = data_to_read(parsed).report.get("search_log")
    if told is None:
        raise DataError("The shop has no search log to report on: give data.search_log in the configuration.")
    totals, model = told["insights"]["totals"], told["click_model"]
    console.print(
        f"{totals['searches']:,} searches for {totals['queries']:,} queries: {totals['without_results']:,} without "
        f"results, {totals['without_clicks']:,} of {totals['with_list']:,} lists without a click, {totals['again']:,} "
        f"typed anew, {totals['purchases']:,} with a purchase, revenue {totals['revenue']:,.2f}.",
        highlight=False,
    )
    for name, title in TITLES.items():
        if rows := told["insights"]["tables"].get(name):
            console.print(_table(title, rows[:most]))
    console.print(
        f"Clicks are read by the model {model['model']}: {model['labels']:,} labels of {model['queries']:,} queries.",
        highlight=False,
    )


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("query", overflow="fold")
    for name in ("searches", "no results", "no click", "anew", "revenue"):
        table.add_column(name, justify="right")
    table.add_column("as", overflow="fold")
    for row in rows:
        shares = (row["without_results"], row["without_clicks"], row["again"])
        told = ["–" if share is None else f"{share:.0%}" for share in shares]
        revenue = "–" if row["of_revenue"] is None else f"{row['of_revenue']:.1%}"
        table.add_row(escape(row["query"]), f"{row['searches']:,}", *told, revenue, escape(", ".join(row["then"])))
    return table
