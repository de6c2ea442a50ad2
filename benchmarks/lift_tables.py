"""What the lift benchmarks tell of their cells: paired differences, tables, JSON and a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from lift import METRIC, Scores


def differences(cells: Sequence[Scores], base: Sequence[Scores], kind: str) -> Any:
    """Paired comparison of two variants, one cell per seed each, on one kind of query."""
    from tfrec.evaluation.significance import mean_over_seeds

    rows = [[a[kind][query] - b[kind][query] for query in b[kind]] for a, b in zip(cells, base, strict=True)]
    return mean_over_seeds(rows, 0, METRIC)


def mean(cells: Sequence[Scores], kind: str) -> float:
    """Mean over queries and seeds."""
    return float(np.mean([list(scores[kind].values()) for scores in cells]))


def print_lift(title: str, results: Mapping[str, Mapping[float, Sequence[Scores]]], base: str) -> dict[str, Any]:
    """Prints quality by variant and share of labels, each beside `base`; gives the same as JSON."""
    from rich.console import Console
    from rich.table import Table

    shares = list(results[base])
    table = Table(title=title)
    table.add_column("variant")
    for share in shares:
        table.add_column(f"{share:.0%} of the labels")
    output: dict[str, Any] = {}
    for variant, by_share in results.items():
        row = []
        for share in shares:
            value = mean(by_share[share], "clean")
            comparison = differences(by_share[share], results[base][share], "clean")
            output.setdefault(variant, {})[str(share)] = {"mean": value, **comparison.to_dict()}
            versus = (
                ""
                if variant == base
                else f"  {comparison.difference:+.3f} [{comparison.low:+.3f}, {comparison.high:+.3f}]"
            )
            row.append(f"{value:.3f}{versus}")
        table.add_row(variant, *row)
    Console(width=160).print(table)
    return output


def print_robustness(results: Mapping[str, Mapping[float, Sequence[Scores]]], share: float) -> dict[str, Any]:
    """Prints what noise in the queries costs each variant; gives the same as JSON."""
    from rich.console import Console
    from rich.table import Table

    kinds = list(next(iter(results.values()))[share][0])
    table = Table(
        title=f"{METRIC} of noisy queries, {share:.0%} of the labels (loss against the variant's clean queries)"
    )
    for column in ("variant", *kinds):
        table.add_column(column)
    output: dict[str, Any] = {}
    for variant, by_share in results.items():
        values = {kind: mean(by_share[share], kind) for kind in kinds}
        output[variant] = values
        losses = (
            f"{value:.3f} ({value - values['clean']:+.3f})" if kind != "clean" else f"{value:.3f}"
            for kind, value in values.items()
        )
        table.add_row(variant, *losses)
    Console(width=160).print(table)
    return output


def plot(results: Mapping[str, Any], path: Path, title: str) -> None:
    """Draws quality over the share of labels, a line per variant (needs matplotlib)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5))
    for variant, by_share in results.items():
        axes.plot(
            [100 * float(share) for share in by_share],
            [cell["mean"] for cell in by_share.values()],
            marker="o",
            label=variant,
        )
    axes.set(xlabel="training queries used, %", ylabel=METRIC, title=title)
    axes.legend()
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
