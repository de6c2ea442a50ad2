"""What was measured of a task, as a part of a page: the table, intervals, what lies beyond accuracy, slices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from tfrec.reporting.charts import intervals
from tfrec.reporting.page import render


def task_html(task: Mapping[str, Any], unit: str = "queries") -> Markup:
    """The part of a page that tells of one task.

    Args:
        task: as metrics.json holds it (`Report.to_json` of tfrec.evaluation.table).
        unit: what is paired, "queries" or "shoppers".
    """
    main = task["main_metric"]
    # What is compared first, then by what was measured: JSON keeps no order.
    systems = dict(sorted(task["systems"].items(), key=lambda s: (s[0] not in task["comparisons"], -_mean(s[1], main))))
    metrics = sorted(next(iter(systems.values()))["means"], key=lambda name: name != main)
    best = {
        name: max((round(v, 3) for s in systems.values() if (v := s["means"][name]) is not None), default=None)
        for name in metrics
    }
    compared = []
    for system, by_baseline in task["comparisons"].items():
        found = {name: values[main] for name, values in by_baseline.items() if main in values}
        if not found:
            continue
        found = {name: found[name] for name in systems if name in found}
        rows = [(name, c["difference"], *_interval(c)) for name, c in found.items()]
        chart = intervals(f"{system} against the others", rows, f"difference in {main}")
        compared.append((system, chart, [f"vs {name}: {c['sentence']}" for name, c in found.items()]))
    beyond = list(next(iter(task.get("beyond_accuracy", {}).values()), {}))
    task = {
        "title": "",
        "expected": None,
        "student": "",
        "skipped": 0,
        "beyond_accuracy": {},
        "slices": [],
        **task,
        "systems": systems,
    }
    return render(
        "task.html", task=task, metrics=metrics, best=best, compared=compared, beyond=beyond, unit=unit,
        slice_chart=_slices(task),
    )  # fmt: skip


def _slices(task: Mapping[str, Any]) -> Markup:
    parts = [part for part in task.get("slices", []) if part["comparison"]]
    if not parts:
        return Markup("")
    contender, baseline = next(iter(task["systems"])), (task.get("baselines") or ["the baseline"])[0]
    rows = [
        (f"{part['label']} ({part['kind']})", part["comparison"]["difference"], *_interval(part["comparison"]))
        for part in parts
    ]
    return intervals("Slices", rows, f"{contender} - {baseline}, {parts[0]['comparison']['metric']}")


def _mean(system: Mapping[str, Any], metric: str) -> float:
    return system["means"][metric] or 0.0


def _interval(comparison: Mapping[str, Any]) -> tuple[float | None, float | None]:
    return (comparison["low"], comparison["high"]) if comparison["enough"] else (None, None)
