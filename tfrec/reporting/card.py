"""The model card of an export: README.md in the form that Hugging Face's hub reads (Mitchell et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from tfrec.reporting.page import number, render

CARD = "README.md"
_HUB_LICENCES = {"apache-2.0", "mit", "bsd-3-clause", "cc-by-4.0", "cc-by-sa-4.0"}
_TASKS = {"search": "text-retrieval", "recommendation": "recommendation", "personalised": "text-retrieval"}


def model_card(name: str, facts: Mapping[str, Any], encoders: Sequence[Mapping[str, str]], versions: Any) -> str:
    """The card of an export.

    Args:
        name: of the run.
        facts: what the manifest says of the export: items, dimension, precision, metrics, retrieval, signatures,
            fingerprints.
        encoders: name, source and licence of each pretrained encoder in it.
        versions: of the packages, by name.

    Returns:
        Markdown with a YAML head.
    """
    tasks = {task: facts["metrics"][task] for task in _TASKS if "systems" in facts["metrics"].get(task, {})}
    head: dict[str, Any] = {
        "library_name": "tensorflow",
        "tags": ["tfrec", "search", "recommendation", "e-commerce", "two-tower", "tensorflow-serving"],
    }
    licences = {encoder["licence"].lower() for encoder in encoders}
    if len(licences) == 1 and licences <= _HUB_LICENCES:
        head["license"] = licences.pop()
    results = [_result(name, task, found) for task, found in tasks.items()]
    if results:
        head["model-index"] = [{"name": name, "results": results}]
    tables = {task: _table(found) for task, found in tasks.items()}
    compared = {
        task: [
            f"{system} vs {baseline}: {by_metric[found['main_metric']]['sentence']}"
            for system, by_baseline in found.get("comparisons", {}).items()
            for baseline, by_metric in by_baseline.items()
            if found["main_metric"] in by_metric
        ]
        for task, found in tasks.items()
    }
    body = render(
        "card.md", name=name, facts=facts, tasks=tasks, tables=tables, compared=compared, encoders=encoders,
        versions=versions, scorers=facts["retrieval"].get("scorers", ["dense"]),
    )  # fmt: skip
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---\n\n{body}"


def _result(name: str, task: str, found: Mapping[str, Any]) -> dict[str, Any]:
    means = next(iter(_ordered(found).values()))["means"]
    measured = [{"type": m, "name": m, "value": round(v, 4)} for m, v in means.items() if v is not None]
    dataset = {"type": "private", "name": name, "split": found.get("split", "")}
    return {"task": {"type": _TASKS[task], "name": task}, "dataset": dataset, "metrics": measured}


def _table(found: Mapping[str, Any]) -> str:
    systems = _ordered(found)
    names = sorted(next(iter(systems.values()))["means"], key=lambda metric: metric != found["main_metric"])
    rows = [["system", *names], ["---"] * (len(names) + 1)]
    rows += [[system, *(number(values["means"][metric]) for metric in names)] for system, values in systems.items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _ordered(found: Mapping[str, Any]) -> dict[str, Any]:
    """The systems, what is compared with the others first."""
    return dict(sorted(found["systems"].items(), key=lambda system: system[0] not in found.get("comparisons", {})))
