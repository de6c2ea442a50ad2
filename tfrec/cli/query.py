"""`tfrec query`: asks a running server and prints a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfrec.cli.console import command_errors, console
from tfrec.errors import ServingError

if TYPE_CHECKING:
    from rich.table import Table

    from tfrec.serving.client import Client, Hit, LeftOut, Parts, Understood

_COUNTING = 4  # words and items of the history that a table names for each item


@command_errors
def query(
    words: Annotated[str, typer.Argument(help='What a shopper types; "" with --history recommends.')] = "",
    history: Annotated[
        list[str],
        typer.Option(
            help="Item ids the shopper looked at, oldest first: id,id,...; an id with a comma stands in quotation "
            "marks, as in '\"a,b\",c'; may be repeated."
        ),
    ] = [],  # noqa: B006
    k: Annotated[int, typer.Option("--k", "-k", help="How many items.")] = 10,
    target: Annotated[str | None, typer.Option(help="Server as host:port [127.0.0.1:8500].")] = None,
    model_name: Annotated[str | None, typer.Option(help="Name of the served model [tfrec].")] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Configuration of the run, for titles.")] = None,
    run: Annotated[Path | None, typer.Option(help="Run folder, for titles.")] = None,
    export: Annotated[Path | None, typer.Option(help="Export folder that is served, for titles.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the answer.")] = 5.0,
    filters: Annotated[
        list[str], typer.Option("--filter", help="Condition on an item column, as in price<=50; may be repeated.")
    ] = [],  # noqa: B006
    diversity: Annotated[float, typer.Option(min=0.0, max=1.0, help="How much likeness to items above costs.")] = 0.0,
    interpret: Annotated[
        bool, typer.Option("--interpret", help='Obey price wishes ("under 50") and "without" in the words.')
    ] = False,
    understand: Annotated[bool, typer.Option("--understand", help="Say what the words mean, above the items.")] = False,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Say what each scorer adds, and which words or items of the history count."),
    ] = False,
    image: Annotated[
        Path | None,
        typer.Option(help="Find items whose picture is like this JPEG or PNG file's; words may stand beside."),
    ] = None,
    words_share: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="How much words beside a picture count [the export's own].")
    ] = None,
    ca: Annotated[Path | None, typer.Option(help="Authority of the server's certificate (PEM); encrypts.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="File with the bearer token for the server.")] = None,
) -> None:
    """Ask a running server: `tfrec query "red leather sofa"`."""
    from tfrec.cli.places import item_titles, serving_settings
    from tfrec.serving.client import Client, ClientError, Tls
    from tfrec.serving.client.client import available

    settings = serving_settings(config)
    ids = history_ids(history)
    if image is not None and (ids or interpret or understand or explain):
        raise ServingError("--image goes with words, --words-share, --filter and --diversity: leave the others out.")
    if image is None and (not words.strip() and not ids):
        raise ServingError('Say what to look for: tfrec query "red leather sofa", --history ID,ID, or --image FILE.')
    picture = None if image is None else _bytes_of(image)
    address, tls = target or f"{settings.host}:{settings.port}", Tls(ca) if ca is not None else None
    try:
        with Client(address, model_name or settings.model_name, timeout, tls=tls, token_file=token_file) as client:
            if picture is None:
                hits = ask(client, words, ids, k, filters, diversity, interpret)
            else:
                beside: dict[str, Any] = {"words": words.strip() or None, "words_share": words_share}
                [hits] = client.search_image(picture, k, filters=filters, diversity=diversity, **beside)
            meaning = client.understand(words)[0] if understand else None
            parts = explained(client, words, ids, hits) if explain and hits else []
            left_out = client.leave_one_out(words, ids, [hit.item_id for hit in hits]) if parts else []
            named = export is not None or run is not None or config is not None
            answers = available(client.status()) if hits and named else None
    except ClientError as error:
        raise ServingError(error.message) from None
    if meaning is not None:
        console.print(meaning_table(meaning))
    if not hits:
        console.print("No item found.")
        return
    titles = {} if answers is None else item_titles(export, run, config, answers.version, [h.item_id for h in hits])
    console.print(answer_table(hits, titles, parts, left_out))


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ServingError(f"{file} cannot be read ({error.strerror}): name a JPEG or PNG file with --image.") from None


def history_ids(values: Sequence[str]) -> list[str]:
    """The item ids of repeated `--history` options, each a row of CSV: an id with a comma is quoted.

    Raises:
        ServingError: a quotation mark is not closed.
    """
    import csv
    import re

    ids: list[str] = []
    for value in values:
        try:
            for row in csv.reader([re.sub(r'"\s+(?=,|$)', '"', value)], skipinitialspace=True, strict=True):
                ids += [item_id.strip() for item_id in row if item_id.strip()]
        except csv.Error:
            raise ServingError(
                f"--history {value!r} cannot be read: an id with a comma stands in quotation marks, as in '\"a,b\",c', "
                "and a quotation mark at its beginning is doubled within them."
            ) from None
    return ids


def ask(
    client: Client, words: str, history: Sequence[str], k: int, filters: Sequence[str] = (), diversity: float = 0.0,
    interpret: bool = False,
) -> list[Hit]:  # fmt: skip
    """Calls the signature that fits: search, recommend or personalised_search.

    Args:
        client: connected to the server.
        words: typed words, may be empty.
        history: item ids, oldest first, may be empty.
        k: how many hits.
        filters: conditions on item columns.
        diversity: 0..1.
        interpret: whether price wishes and negation in the words count.

    Raises:
        ClientError: the server does not answer or refuses.
    """
    if not history:
        return client.search(words, k, filters=filters, diversity=diversity, interpret=interpret)[0]
    if not words.strip():
        return client.recommend([history], k, filters=filters, diversity=diversity)[0]
    found = client.personalised_search(words, [history], k, filters=filters, diversity=diversity, interpret=interpret)
    return found[0]


def explained(client: Client, words: str, history: Sequence[str], hits: Sequence[Hit]) -> list[Parts]:
    """For each hit what every scorer, ranker and rule adds to its score; without wishes the sum is the score.

    Args:
        client: connected to the server.
        words: typed words, may be empty.
        history: item ids, oldest first, may be empty.
        hits: of these.

    Raises:
        ClientError: the server does not answer, or its export has no such signature.
    """
    queries, histories = words if words.strip() else None, [history] if history else None
    return client.explain(queries, histories, [[hit.item_id for hit in hits]])[0]


def meaning_table(meaning: Understood) -> Table:
    """A table of what a query means, without what it says nothing of."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, show_header=False)
    likely = ", ".join(f"{name} {share:.2f}" for name, share in meaning.categories.items())
    rows = {
        "searched": meaning.text, "language": meaning.language, "category": likely,
        "conditions": ", ".join(meaning.conditions), "without": ", ".join(meaning.denied),
        "measures": ", ".join(meaning.measures),
    }  # fmt: skip
    for name, value in rows.items():
        if value:
            table.add_row(f"[bold]{name}[/bold]", escape(value))
    return table


def answer_table(
    hits: Sequence[Hit], titles: Mapping[str, str], parts: Sequence[Parts] = (), left_out: Sequence[LeftOut] = ()
) -> Table:
    """A table of rank, id, title (when any is known), score, and its parts where they are given, the largest first;
    with how sure each item is, where the export says it, and by how much the score falls without what counts most."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    table.add_column("rank", justify="right")
    table.add_column("item_id", no_wrap=True)
    if titles:
        table.add_column("title")
    table.add_column("score", justify="right")
    says = any(part.sure is not None for part in parts)
    if says:
        table.add_column("sure", justify="right")
    if parts:
        table.add_column("made of")
    counts = [sorted([*one.words.items(), *one.history.items()], key=lambda part: -part[1]) for one in left_out]
    if any(counts):
        table.add_column("without: falls by")
    for rank, hit in enumerate(hits, start=1):
        title = [escape(titles.get(hit.item_id, ""))] if titles else []
        own = sorted(parts[rank - 1].items(), key=lambda part: -abs(part[1])) if parts else []
        told = [escape(", ".join(f"{name} {value:+.3f}" for name, value in own if value))] if parts else []
        sure = parts[rank - 1].sure if says else None
        likely = [] if not says else ["" if sure is None else f"{sure:.0%}"]
        most = [part for part in counts[rank - 1] if part[1] > 0][:_COUNTING] if any(counts) else []
        falls = [escape(", ".join(f"{name} {value:.3f}" for name, value in most))] if any(counts) else []
        table.add_row(str(rank), escape(hit.item_id), *title, f"{hit.score:.4f}", *likely, *told, *falls)
    return table
