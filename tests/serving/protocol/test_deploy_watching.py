"""Alert rules and dashboard ask for metrics that the server really shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from tfrec.serving.server.metrics.counters import Metrics
from tfrec.serving.server.metrics.exposition import Histogram, Metric

DEPLOY = Path(__file__).resolve().parents[3] / "serving" / "deploy"
_NAME = re.compile(r"(?:tfrec_serving_|:tensorflow:)[A-Za-z0-9_:]+")


def _known() -> dict[str, set[str]]:
    """The labels of every line of the metrics page by its name."""
    known: dict[str, set[str]] = {}
    metrics = Metrics()
    for metric in [*vars(metrics).values(), *metrics.traffic.metrics(), *metrics.drift.metrics()]:
        if isinstance(metric, Metric):
            known[metric.name] = set(metric.labels)
        elif isinstance(metric, Histogram):
            known[f"{metric.name}_bucket"] = {*metric.labels, "le"}
            known[f"{metric.name}_sum"] = known[f"{metric.name}_count"] = set(metric.labels)
    return known


def _check(expression: str) -> None:
    known = _known()
    names = _NAME.findall(expression)
    assert names or expression.startswith("up{"), expression
    assert expression.count("(") == expression.count(")") and expression.count("{") == expression.count("}")
    labels: set[str] = set()
    for name in names:
        assert name in known, name
        labels |= known[name]
    for group in re.findall(r"by \(([^)]*)\)", expression):
        assert set(group.replace(" ", "").split(",")) <= labels, (expression, group)
    for name in re.findall(r"[{,](\w+)=?!?=?~?\"", expression):
        assert name in labels | {"job"}, (expression, name)


def test_the_side_files_for_tensorflow_serving_are_read_here_too() -> None:
    from tfrec.serving.server.configuration.config_files import read_batching_parameters, read_monitoring_config
    from tfrec.serving.server.configuration.model_config import read_model_config_file

    assert read_model_config_file(DEPLOY / "models.config")
    assert read_batching_parameters(DEPLOY / "batching.config").max_batch_size
    assert read_monitoring_config(DEPLOY / "monitoring.config").enable


def test_alerts() -> None:
    rules = [
        rule for group in yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"] for rule in group["rules"]
    ]
    assert len(rules) >= 8 and len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        _check(rule["expr"])
        assert rule["labels"]["severity"] in ("page", "ticket") and {"summary", "action"} <= set(rule["annotations"])


def test_dashboard() -> None:
    dashboard = json.loads((DEPLOY / "grafana_dashboard.json").read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) >= 10
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)
    for panel in panels:
        for target in panel["targets"]:
            _check(target["expr"])
