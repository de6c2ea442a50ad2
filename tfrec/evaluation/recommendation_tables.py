"""The report of recommendation: accuracy, what lies beyond it, and whom it serves well, as tables and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table
from rich.text import Text

from tfrec.evaluation import slices as parts
from tfrec.evaluation.parts_table import parts_table
from tfrec.evaluation.recommendation import RECALL
from tfrec.evaluation.table import Report


@dataclass(frozen=True, repr=False)
class RecommendationReport(Report):
    """A report with what only recommendation has.

    Attributes:
        beyond: system -> measure beyond accuracy -> value.
        settings: baseline -> what was chosen for it on dev.
    """

    beyond: dict[str, dict[str, float]] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)

    def tables(self) -> list[Table]:
        """Accuracy, beyond accuracy, and the slices."""
        return [self.to_table(), self._beyond_table(), self._slices_table()]

    def to_json(self) -> dict[str, Any]:
        """Everything for metrics.json: plain values only, no NaN."""
        beyond = {
            system: {name: None if math.isnan(value) else value for name, value in values.items()}
            for system, values in self.beyond.items()
        }
        gaps = {kind: parts.fairness_gaps(self.slices, kind) for kind in self._group_kinds()}
        return super().to_json() | {
            "beyond_accuracy": beyond,
            "fairness_gaps": gaps,
            "baseline_settings": self.settings,
        }

    def _beyond_table(self) -> Table:
        names = list(next(iter(self.beyond.values())))
        told = ", ".join(f"{name}: {_told(chosen)}" for name, chosen in self.settings.items())
        table = Table(
            title="Beyond accuracy, first 20 places", caption=f"baselines as tuned on dev: {told}" if told else None
        )
        table.add_column("system")
        for name in names:
            table.add_column(name, justify="right", no_wrap=True)
        for system, values in self.beyond.items():
            table.add_row(Text(system), *(f"{values[name]:.{1 if 'bits' in name else 3}f}" for name in names))
        return table

    def _slices_table(self) -> Table:
        pair = (next(iter(self.systems)), self.baselines[0]) if self.baselines else None
        caption = "history = distinct items bought before; sold = before the cut"
        table = parts_table(self.slices, list(self.systems), pair, f"{RECALL} of parts", caption)
        for kind in self._group_kinds():
            gaps = parts.fairness_gaps(self.slices, kind)
            if gaps:
                label = Text(f"gap between best and worst (n ≥ {parts.LEAST_SHOPPERS})")
                table.add_row(Text(kind), label, "", *(f"{gaps[system]:.3f}" for system in self.systems))
        return table

    def _group_kinds(self) -> list[str]:
        fixed = (parts.HISTORY, parts.ITEMS, parts.NEWCOMERS)
        return list(dict.fromkeys(part.kind for part in self.slices if part.kind not in fixed))


def _told(settings: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={'all' if value is None else f'{value:g}'}" for name, value in settings.items())
