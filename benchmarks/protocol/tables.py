"""What the measurements say: a table per shop and number of labels, all shops together, JSON, a plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from protocol.pooling import Difference, differences, mean_of, over_shops, pooled
from protocol.results import METRICS, Result
from protocol.systems import BASE, SUM, TUNED_SUM
from protocol.trainings import LEFT

AGAINST = (BASE, SUM, TUNED_SUM, LEFT)
EVERY_SHOP = "all shops"


class Findings:
    """Finished measurements by shop, number of labels and system, each beside its baselines on the same draws.

    Args:
        results: of any cells and systems.
    """

    def __init__(self, results: Sequence[Result]) -> None:
        self._found: dict[tuple[str, str, str], dict[int, Result]] = {}
        for result in results:
            self._found.setdefault((result.shop, result.labels, result.system), {})[result.draw] = result
        self.shops = list(dict.fromkeys(result.shop for result in results))
        self.systems = list(dict.fromkeys(result.system for result in results))

    def labels(self, shop: str) -> list[str]:
        """Numbers of labels that the shop was measured with, in their order."""
        return list(dict.fromkeys(labels for place, labels, _ in self._found if shop in (place, EVERY_SHOP)))

    def draws(self, shop: str, labels: str, system: str) -> dict[int, Result]:
        """Draw -> measurement; empty for a cell that was not run."""
        return self._found.get((shop, labels, system), {})

    def difference(self, shop: str, labels: str, system: str, base: str) -> Difference | None:
        """What a system has over another in nDCG@10 on the draws that both were measured on; None without one."""
        shops = self.shops if shop == EVERY_SHOP else [shop]
        found = [self._differences(one, labels, system, base) for one in shops]
        if not all(found):
            return None
        return over_shops(found) if shop == EVERY_SHOP else pooled(found[0])

    def _differences(self, shop: str, labels: str, system: str, base: str) -> list[dict[str, float]]:
        ones, others = self.draws(shop, labels, system), self.draws(shop, labels, base)
        both = [draw for draw in ones if draw in others]
        values = [[side[draw].values[METRICS[0]] for draw in both] for side in (ones, others)]
        return differences(*values)


def print_tables(findings: Findings, budget: str) -> dict[str, Any]:
    """Prints a table per shop and number of labels, then one over all shops; gives the same as JSON."""
    from rich.console import Console
    from rich.table import Table

    output: dict[str, Any] = {}
    console = Console(width=190)
    for shop in [*findings.shops, *([EVERY_SHOP] if len(findings.shops) > 1 else [])]:
        table = Table(title=f"{shop}; {budget}")
        for column in ("labels", "system", *(["draws", "queries", *METRICS] if shop != EVERY_SHOP else [])):
            table.add_column(column)
        for base in AGAINST:
            table.add_column(f"nDCG@10 over {base}")
        table.add_column("worst draw over BM25")
        for labels in findings.labels(shop):
            for system in findings.systems:
                row = _row(findings, shop, labels, system)
                if row is None:
                    continue
                output.setdefault(shop, {}).setdefault(labels, {})[system] = row
                table.add_row(labels, system, *_cells(row, shop, system))
            table.add_section()
        console.print(table)
    return output


def _row(findings: Findings, shop: str, labels: str, system: str) -> dict[str, Any] | None:
    against = {base: findings.difference(shop, labels, system, base) for base in AGAINST}
    draws = findings.draws(shop, labels, system)
    if not draws and against[BASE] is None:
        return None
    means = {metric: mean_of([result.values[metric] for result in draws.values()]) for metric in METRICS}
    queries = {query for result in draws.values() for query in result.values[METRICS[0]]}
    return {
        "draws": sorted(draws),
        "queries": len(queries),
        "means": means,
        "against": {base: None if found is None else found.to_json() for base, found in against.items()},
    }


def _cells(row: dict[str, Any], shop: str, system: str) -> list[str]:
    against = {base: None if values is None else Difference(**values) for base, values in row["against"].items()}
    own = [] if shop == EVERY_SHOP else [str(len(row["draws"])), str(row["queries"])]
    own += [] if shop == EVERY_SHOP else [f"{row['means'][metric]:.3f}" for metric in METRICS]
    told = ["" if found is None or base == system else str(found) for base, found in against.items()]
    first = against[BASE]
    return [*own, *told, "" if first is None or system == BASE else f"{first.worst:+.3f}"]


def cells_run(findings: Findings) -> list[str]:
    """Which cells were run: one sentence for each system."""
    told = []
    for system in findings.systems:
        places = []
        for shop in findings.shops:
            counts = [(labels, len(findings.draws(shop, labels, system))) for labels in findings.labels(shop)]
            run = ", ".join(f"{labels} ({count})" for labels, count in counts if count)
            places.append(f"{shop} {run or 'not run'}")
        told.append(f"{system}: {'; '.join(places)}")
    return told


def estimates(findings: Findings, system: str) -> list[str]:
    """How often what a system told to expect on other queries held for those that were tested: a line for each shop
    and number of labels, and one for all of them."""
    lines, every = [], []
    for shop in findings.shops:
        for labels in findings.labels(shop):
            results = findings.draws(shop, labels, system).values()
            told = [(result.mean, result.notes.get("expected") or {}) for result in results]
            held = [one["low"] <= mean <= one["high"] for mean, one in told if one.get("low") is not None]
            if held:
                lines.append(f"{shop}, {labels}: {sum(held)} of {len(held)}")
                every += held
    total = f"What {system} told to expect of {METRICS[0]} on other queries held in {sum(every)} of {len(every)} cells."
    return [*lines, total]


def gains(findings: Findings, system: str, base: str) -> list[str]:
    """In how many cells a system is above another, and by how much in each; nothing where no cell has both."""
    found = []
    for shop in findings.shops:
        for labels in findings.labels(shop):
            ones, others = findings.draws(shop, labels, system), findings.draws(shop, labels, base)
            found += [ones[draw].mean - others[draw].mean for draw in ones if draw in others]
    if not found:
        return []
    each = ", ".join(f"{value:+.3f}" for value in sorted(found, reverse=True))
    return [f"{system} is above {base!r} in {sum(value > 0 for value in found)} of {len(found)} cells: {each}."]


def markdown(findings: Findings, base: str = BASE) -> str:
    """Rows of shop and labels, with the number of draws; columns of systems: nDCG@10 of the base, what others add."""
    lines = ["| shop, labels (draws) | " + " | ".join(findings.systems) + " |"]
    lines.append("| --- |" + " --- |" * len(findings.systems))
    for shop in findings.shops:
        for labels in findings.labels(shop):
            cells = []
            most = max((len(findings.draws(shop, labels, system)) for system in findings.systems), default=0)
            for system in findings.systems:
                draws = findings.draws(shop, labels, system)
                found = findings.difference(shop, labels, system, base) if draws else None
                mean = mean_of([result.values[METRICS[0]] for result in draws.values()])
                cells.append("" if not draws else f"{mean:.3f}" if system == base or found is None else str(found))
            lines.append(f"| {shop}, {labels} ({most}) | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(findings: Findings, path: Path) -> None:
    """Draws what each system has over BM25 by the number of labels, a panel per shop (needs matplotlib)."""
    try:
        import matplotlib
    except ImportError:
        print("No plot: matplotlib comes with the [bench] extra.")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(findings.shops), figsize=(5 * len(findings.shops), 4.5), squeeze=False)
    for shop, axes in zip(findings.shops, panels[0], strict=True):
        for system in findings.systems:
            points = [(labels, findings.difference(shop, labels, system, BASE)) for labels in findings.labels(shop)]
            known = [(labels, found) for labels, found in points if found is not None]
            if system == BASE or not known:
                continue
            means = [found.mean for _, found in known]
            spread = [[f.mean - f.low for _, f in known], [f.high - f.mean for _, f in known]]
            axes.errorbar([labels for labels, _ in known], means, spread, marker="o", capsize=2, label=system)
        axes.axhline(0, color="grey", linewidth=0.8)
        axes.set(title=shop, xlabel="labelled queries", ylabel=f"{METRICS[0]} over BM25")
    panels[0][0].legend(fontsize="small")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
