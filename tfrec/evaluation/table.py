"""The result as a table for the terminal and as a structure for metrics.json."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rich.table import Table
from rich.text import Text

from tfrec.errors import EvaluationError
from tfrec.evaluation.expected import Expected
from tfrec.evaluation.significance import RESAMPLES, Comparison, compare
from tfrec.evaluation.slices import Slice
from tfrec.reporting.notebook import as_pandas, notebook
from tfrec.reporting.tasks import task_html


class Metrics(Protocol):
    """What search metrics and recommendation metrics have in common."""

    @property
    def samples(self) -> dict[str, NDArray[np.float64]]: ...
    @property
    def means(self) -> dict[str, float]: ...
    @property
    def count(self) -> int: ...
    @property
    def skipped(self) -> int: ...
    @property
    def unit(self) -> str: ...
    @property
    def protocol(self) -> str: ...
    def to_dict(self) -> dict[str, object]: ...


@dataclass(frozen=True, repr=False)
class Report:
    """Several systems measured on the same queries, and how each compares with the baselines.

    Attributes:
        systems: name -> metrics, in the order of the rows.
        baselines: names of the systems the others are compared with; the table shows the first.
        comparisons: system -> baseline -> metric -> comparison (system - baseline).
        title: heading of the table.
        slices: parts of the queries or shoppers, and how each system serves them.
        rankings: what was found for each query, a row for each system (see tfrec.evaluation.per_query); None where that
            was not kept.
        expected: what the first system can be expected to reach on other queries, where all choices are out of the
            way of the queries measured; None otherwise.
        student: what a query student keeps of the large encoder's quality, in a sentence; "" without one.
    """

    systems: dict[str, Metrics]
    baselines: list[str]
    comparisons: dict[str, dict[str, dict[str, Comparison]]]
    title: str = ""
    expected: Expected | None = field(default=None, kw_only=True)
    student: str = field(default="", kw_only=True)
    slices: list[Slice] = field(default_factory=list, kw_only=True)
    rankings: pl.DataFrame | None = field(default=None, kw_only=True)

    def __repr__(self) -> str:
        metric, first = self.main_metric, next(iter(self.systems.values()))
        means = ", ".join(f"{name} {metrics.means[metric]:.3f}" for name, metrics in list(self.systems.items())[:4])
        more = ", …" if len(self.systems) > 4 else ""
        return f"{type(self).__name__}({self.title!r}, n = {first.count}, {metric}: {means}{more})"

    @property
    def main_metric(self) -> str:
        """The first metric of the systems: the one that the table compares."""
        return next(iter(next(iter(self.systems.values())).samples))

    def to_table(self) -> Table:
        """A rich table: one row per system, one column per metric, the best of a column in bold."""
        first = next(iter(self.systems.values()))
        names = list(first.means)
        skipped = f", {first.skipped} skipped" if first.skipped else ""
        table = Table(title=self.title or None, caption=f"n = {first.count}{skipped}; {first.protocol}")
        table.add_column("system")
        for name in names:
            table.add_column(name, justify="right", no_wrap=True)
        if self.baselines:
            table.add_column(f"{self.main_metric} vs {self.baselines[0]}, 95 % CI")
        best = {name: _best(metrics.means[name] for metrics in self.systems.values()) for name in names}
        for system, metrics in self.systems.items():
            cells = [_cell(metrics.means[name], best[name]) for name in names]
            if self.baselines:
                cells.append(Text(self._short(system)))
            table.add_row(Text(system), *cells)
        return table

    def to_polars(self) -> pl.DataFrame:
        """A row per system: its name, the mean of every metric, and `vs <baseline>`, `low`, `high`, `shown` of the main
        metric against the first baseline (null for what was not compared)."""
        first = self.baselines[0] if self.baselines else ""
        rows = []
        for system, metrics in self.systems.items():
            found = self.comparisons.get(system, {}).get(first, {}).get(self.main_metric)
            compared = (found.difference, found.low, found.high, found.shown) if found else (None,) * 4
            rows.append((system, *metrics.means.values(), *(compared if first else ())))
        columns: dict[str, Any] = {"system": pl.String} | dict.fromkeys(
            next(iter(self.systems.values())).means, pl.Float64
        )
        if first:
            columns |= {f"vs {first}": pl.Float64, "low": pl.Float64, "high": pl.Float64, "shown": pl.Boolean}
        return pl.DataFrame(rows, columns, orient="row")

    def to_pandas(self) -> Any:
        """`to_polars` as a pandas frame; pandas must be installed."""
        return as_pandas(self.to_polars())

    def _repr_html_(self) -> str:
        return notebook(task_html(self.to_json(), next(iter(self.systems.values())).unit))

    def tables(self) -> list[Table]:
        """All tables of the report."""
        return [self.to_table()]

    def sentences(self) -> list[str]:
        """What to expect on other queries and what a query student keeps; then one sentence for every system and
        baseline, on the main metric."""
        first = [self.expected.sentence()] if self.expected else []
        return (
            first
            + [self.student] * bool(self.student)
            + [
                f"{system} vs {baseline}: {by_metric[self.main_metric].sentence()}"
                for system, by_baseline in self.comparisons.items()
                for baseline, by_metric in by_baseline.items()
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """Everything for metrics.json: plain values only, no NaN."""
        first = next(iter(self.systems.values()))
        return {
            "title": self.title,
            "protocol": first.protocol,
            "queries": first.count,
            "skipped": first.skipped,
            "main_metric": self.main_metric,
            "baselines": self.baselines,
            "expected": self.expected.to_dict() if self.expected else None,
            **({"student": self.student} if self.student else {}),
            "slices": [part.to_dict() for part in self.slices],
            "systems": {system: metrics.to_dict() for system, metrics in self.systems.items()},
            "comparisons": {
                system: {
                    baseline: {metric: comparison.to_dict() for metric, comparison in by_metric.items()}
                    for baseline, by_metric in by_baseline.items()
                }
                for system, by_baseline in self.comparisons.items()
            },
        }

    def _short(self, system: str) -> str:
        by_baseline = self.comparisons.get(system, {})
        if self.baselines[0] not in by_baseline:
            return ""
        outcome = by_baseline[self.baselines[0]][self.main_metric]
        interval = f" [{outcome.low:+.3f}, {outcome.high:+.3f}]" if outcome.enough else ""
        return f"{outcome.difference:+.3f}{interval}" + (f"\n{outcome.caveat}" if outcome.caveat else "")


def build_report(
    systems: Mapping[str, Metrics],
    baselines: Sequence[str] = (),
    seed: int = 0,
    title: str = "",
    resamples: int = RESAMPLES,
    contenders: Sequence[str] | None = None,
) -> Report:
    """Compares every system with every baseline on every metric.

    Args:
        systems: name -> metrics on the same queries (or shoppers), at least one.
        baselines: names among the systems, the most important first.
        seed: seed of the resampling.
        title: heading of the table.
        resamples: random draws of each interval and test.
        contenders: the systems that are compared with the baselines; None compares every system.

    Returns:
        the report.

    Raises:
        EvaluationError: there is no system, a baseline is unknown, or the systems saw different queries.
    """
    if not systems:
        raise EvaluationError("There is no system to report.")
    for baseline in baselines:
        if baseline not in systems:
            raise EvaluationError(f"Baseline {baseline!r} was not evaluated: choose among {', '.join(systems)}.")
    if len({(metrics.count, metrics.skipped, metrics.protocol) for metrics in systems.values()}) > 1:
        raise EvaluationError("The systems were measured on different queries: evaluate all of them on one split.")
    comparisons: dict[str, dict[str, dict[str, Comparison]]] = {}
    for system, metrics in systems.items():
        if contenders is not None and system not in contenders:
            continue
        for baseline in baselines:
            if system == baseline:
                continue
            other = systems[baseline].samples
            comparisons.setdefault(system, {})[baseline] = {
                name: compare(values, other[name], seed, name, resamples)
                for name, values in metrics.samples.items()
                if np.isfinite(values - other[name]).any()
            }
    return Report(dict(systems), list(baselines), comparisons, title)


def _best(values: Any) -> float:
    return max((round(value, 3) for value in values if not math.isnan(value)), default=math.nan)


def _cell(value: float, best: float) -> Text:
    if math.isnan(value):
        return Text("-")
    return Text(f"{value:.3f}", style="bold" if round(value, 3) == best else "")
