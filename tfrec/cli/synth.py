"""`tfrec synth run` and `tfrec synth inspect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfrec.cli.console import command_errors, console
from tfrec.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, read_config
from tfrec.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

app = typer.Typer(help="Training examples made from the shop's own data.", no_args_is_help=True)


@app.command("run")
@command_errors
def run_command(
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
) -> None:
    """Make the samples of synthesis.sources, check and label them; a killed run goes on where it was.

    Sources: catalogue (cut from item texts), templates (shapes of real queries filled from catalogue fields), generator
    (a decoder trained on the shop's pairs), llm (a language model behind an HTTP endpoint), expansion (labels spread to
    similar queries and items), behaviour (simulated purchases and clicks).
    """
    parsed = read_config(config, overrides)
    from tfrec.files import read_json
    from tfrec.pipeline import api
    from tfrec.synth.behaviour.behaviour_source import MARGINALS

    _, examples = api.make_samples(parsed)
    print_report(read_json(examples.folder / "report.json"))
    marginals = examples.folder.parent / "behaviour" / "work" / MARGINALS
    if "behaviour" in parsed.synthesis.sources and marginals.is_file():
        print_marginals(read_json(marginals))
    console.print(f"Written: {examples.folder}", highlight=False, soft_wrap=True)


@app.command("inspect")
@command_errors
def inspect_command(
    config: ConfigOption = DEFAULT_CONFIG,
    overrides: SetOption = [],  # noqa: B006
    source: Annotated[str, typer.Option(help="Only of this source.")] = "",
    query: Annotated[str, typer.Option(help="Only queries that hold this text.")] = "",
    item: Annotated[str, typer.Option(help="Only of this item_id, as label or as parent.")] = "",
    dropped: Annotated[bool, typer.Option("--dropped", help="What the checks dropped, with the check's name.")] = False,
    rows: Annotated[int, typer.Option(min=1, help="Show so many, drawn by the seed when there are more.")] = 20,
) -> None:
    """Show made examples with where they come from, or those that were dropped and why."""
    parsed = read_config(config, overrides)
    from tfrec.files import read_json
    from tfrec.pipeline.reading import data_of_samples
    from tfrec.pipeline.run_folder import RunFolder

    run = RunFolder(parsed)
    manifest = run.synthetic / "examples" / "manifest.json"
    if not manifest.is_file():
        raise DataError(
            f"There are no made examples in {run.synthetic}: run `tfrec synth run` with the same configuration first."
        )
    shop = data_of_samples(parsed, read_json(manifest).get("prepared", ""))
    name = "checked/dropped.parquet" if dropped else "examples/samples.parquet"
    frame = _chosen(run.synthetic / name, source, query, item, shop.item_ids)
    found = frame.height
    if found > rows:
        frame = frame.with_row_index("_row").sample(rows, seed=parsed.seed).sort("_row").drop("_row")
    _print_samples(frame, shop.item_ids, shop.item_texts, dropped)
    seeds = ", ".join(map(str, frame["seed"].unique().sort()))
    console.print(f"{frame.height:,} of {found:,}{f', made with seed {seeds}' if seeds else ''}", highlight=False)


def _chosen(path: Path, source: str, query: str, item: str, item_ids: list[str]) -> pl.DataFrame:
    import polars as pl

    if not path.is_file():
        raise DataError(f"There is no {path}: run `tfrec synth run` with the same configuration first.")
    frame = pl.read_parquet(path)
    if source:
        frame = frame.filter(pl.col("source") == source)
    if query:
        frame = frame.filter(pl.col("query").str.to_lowercase().str.contains(query.lower(), literal=True))
    if item:
        if item not in item_ids:
            raise DataError(f"--item {item!r} is no item_id of this shop.")
        frame = frame.filter((pl.col("item") == item_ids.index(item)) | (pl.col("parent") == item))
    return frame


def _print_samples(frame: pl.DataFrame, item_ids: list[str], item_texts: list[str], dropped: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    last = ("dropped by", "measure") if dropped else ("label by", "label score", "weight")
    table = Table("query or history", "item", "made by", "from", "score", *last)
    for row in frame.iter_rows(named=True):
        history = ", ".join(item_ids[place] for place in row["history"])
        item = f"{item_ids[row['item']]} {item_texts[row['item']]}" if row["item"] >= 0 else "(teacher's choice)"
        made = row["source"] if row["generator"] in ("", row["source"]) else f"{row['source']}: {row['generator']}"
        if dropped:
            end = [row["check"], "" if row["measure"] is None else f"{row['measure']:.2f}"]
        else:
            end = [row["label"], f"{row['label_score']:.2f}", f"{row['weight']:.2f}"]
        cells = [row["query"] or history, _short(item), made, row["parent"], f"{row['score']:.2f}", *end]
        table.add_row(*(Text(str(cell)) for cell in cells))
    console.print(table)


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def print_report(report: dict[str, Any]) -> None:
    """Prints what synthesis made and dropped."""
    from rich.table import Table

    made = Table("source", "samples", "dropped", "examples", "queries or shoppers", "mean weight", "samples/s")
    for name, row in report["sources"].items():
        lost = sum(check["by_source"].get(name, 0) for check in report["checks"])
        weight = "" if row["mean_weight"] is None else f"{row['mean_weight']:.2f}"
        counts = (row["samples"], lost, row["examples"], row["groups"])
        made.add_row(name, *(f"{count:,}" for count in counts), weight, f"{row['samples_per_second']:,.0f}")
    console.print(made)
    checks = Table("check", "seen", "dropped", "seconds", "for example")
    for check in report["checks"]:
        shown = ", ".join(example["query"] for example in check["examples"][:3])
        checks.add_row(
            check["name"], f"{check['seen']:,}", f"{check['dropped']:,}", f"{check['seconds']:.1f}", _short(shown)
        )
    console.print(checks)
    whole, seconds = report["whole"], report["seconds"]
    steps = ("sources", "query_vectors", "checks", "labels_and_shards")
    parts = ", ".join(f"{step.replace('_', ' ')} {seconds[step]:.0f} s" for step in steps)
    console.print(
        f"{whole['samples']:,} samples became {whole['examples']:,} examples in {whole['seconds']:.0f} s "
        f"({parts}): {whole['samples_per_second']:,.0f} samples/s",
        highlight=False,
    )


def print_marginals(found: dict[str, Any]) -> None:
    """Prints how far simulated purchases are from real ones (see tfrec.synth.behaviour.marginals)."""
    from rich.table import Table

    table = Table(title=f"Simulated purchases ({found['model']}) beside the real ones")
    for column in ("what", "real", "simulated", "distance"):
        table.add_column(column)
    sizes, popularity = found["basket_size"], found["popularity"]
    for name in ("baskets", "purchases"):
        table.add_row(name, f"{found[name]['real']:,}", f"{found[name]['simulated']:,}", "")
    table.add_row(
        "items per basket", f"{sizes['real_mean']:.1f}", f"{sizes['simulated_mean']:.1f}",
        f"KS {sizes['ks']:.3f}, Wasserstein {sizes['wasserstein']:.2f} items",
    )  # fmt: skip
    table.add_row("time", "", "", f"KS {found['time']['ks']:.3f}, {found['time']['wasserstein_days']:.1f} days")
    table.add_row("hour of the week", "", "", f"total variation {found['hour_of_week']['total_variation']:.3f}")
    table.add_row(
        "popularity (Gini)", f"{popularity['real_gini']:.3f}", f"{popularity['simulated_gini']:.3f}",
        f"total variation {popularity['total_variation']:.3f}, by chance {popularity['chance']:.3f}, "
        f"without correction {popularity['uncorrected']:.3f}",
    )  # fmt: skip
    console.print(table)
