"""`tfrec query`: asks a running server and prints a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfrec.cli.console import command_errors, console
from tfrec.errors import ServingError

if TYPE_CHECKING:
    from rich.table import Table

    from serving.client import Hit


@command_errors
def query(
    words: Annotated[str, typer.Argument(help='What a shopper types; "" with --history recommends.')] = "",
    history: Annotated[str, typer.Option(help="Item ids the shopper looked at, oldest first: id,id,...")] = "",
    k: Annotated[int, typer.Option("--k", "-k", help="How many items.")] = 10,
    target: Annotated[str | None, typer.Option(help="Server as host:port [127.0.0.1:8500].")] = None,
    model_name: Annotated[str | None, typer.Option(help="Name of the served model [tfrec].")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration of the run, for titles.")] = None,
    run: Annotated[Path | None, typer.Option(help="Run folder, for titles.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the answer.")] = 5.0,
    filters: Annotated[
        list[str], typer.Option("--filter", help="Condition on an item column, as in price<=50; may be repeated.")
    ] = [],  # noqa: B006
    diversity: Annotated[float, typer.Option(min=0.0, max=1.0, help="How much likeness to items above costs.")] = 0.0,
) -> None:
    """Ask a running server: `tfrec query "red leather sofa"`."""
    from serving.client import ClientError
    from tfrec.cli.places import item_titles, serving_settings

    settings = serving_settings(config)
    ids = [item_id.strip() for item_id in history.split(",") if item_id.strip()]
    address = target or f"{settings.host}:{settings.port}"
    try:
        hits = ask(words, ids, k, address, model_name or settings.model_name, timeout, filters, diversity)
    except ClientError as error:
        raise ServingError(error.message) from None
    if not hits:
        console.print("No item found.")
        return
    console.print(answer_table(hits, item_titles(run, config, [hit.item_id for hit in hits])))


def ask(
    words: str, history: Sequence[str], k: int, target: str, model: str, timeout: float, filters: Sequence[str] = (),
    diversity: float = 0.0,
) -> list[Hit]:  # fmt: skip
    """Calls the signature that fits: search, recommend or personalised_search.

    Args:
        words: typed words, may be empty.
        history: item ids, oldest first, may be empty.
        k: how many hits.
        target: "host:port".
        model: the served model's name.
        timeout: seconds.
        filters: conditions on item columns.
        diversity: 0..1.

    Raises:
        ServingError: neither words nor history are given.
        ClientError: the server does not answer or refuses.
    """
    from serving.client import Client

    if not words.strip() and not history:
        raise ServingError('Say what to look for: tfrec query "red leather sofa", or --history ID,ID.')
    with Client(target, model, timeout) as client:
        if not history:
            return client.search(words, k, filters=filters, diversity=diversity)[0]
        if not words.strip():
            return client.recommend([history], k, filters=filters, diversity=diversity)[0]
        return client.personalised_search(words, [history], k, filters=filters, diversity=diversity)[0]


def answer_table(hits: Sequence[Hit], titles: Mapping[str, str]) -> Table:
    """A table of rank, id, title (when any is known) and score."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    table.add_column("rank", justify="right")
    table.add_column("item_id", no_wrap=True)
    if titles:
        table.add_column("title")
    table.add_column("score", justify="right")
    for rank, hit in enumerate(hits, start=1):
        title = [escape(titles.get(hit.item_id, ""))] if titles else []
        table.add_row(str(rank), escape(hit.item_id), *title, f"{hit.score:.4f}")
    return table
