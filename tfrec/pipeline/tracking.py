"""Runs noted in MLflow: settings, learning curves, what was measured, the report. A training is one run there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tfrec.config import Config
from tfrec.errors import TfrecError
from tfrec.files import read_json, write_json
from tfrec.missing_packages import packages_for
from tfrec.pipeline.run_folder import RunFolder

_LONGEST = 500  # characters of a setting that every store of MLflow takes


def track(config: Config) -> str:
    """Notes what is in the run folder, and gives the id of the run in MLflow; the same training again is the same run.

    Args:
        config: names the run. MLflow's own variables say where it goes (MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_NAME).

    Raises:
        TfrecError: MLflow is not installed, or its store refuses.
    """
    with packages_for("tracking: mlflow", TfrecError, "'tfrec-shop[mlflow]'"):
        import mlflow
    run, noted = RunFolder(config), RunFolder(config).path / "mlflow.json"
    metrics = run.metrics()
    try:
        uri = mlflow.get_tracking_uri()
        before = read_json(noted) if noted.is_file() else {}
        same = before.get("signature") == metrics["signature"] and before.get("uri") == uri
        kept = before["run_id"] if same and _there(mlflow, before["run_id"]) else None
        with mlflow.start_run(run_id=kept, run_name=None if kept else config.name) as active:
            if kept is None:
                mlflow.log_params({k: str(v)[:_LONGEST] for k, v in _flat(config.model_dump(mode="json"))})
            mlflow.set_tags({"tfrec.run": config.name, "tfrec.training": metrics["signature"]})
            for step, values in _curve(metrics.get("training", {})):
                mlflow.log_metrics(values, step=step)
            mlflow.log_metrics(dict(_measured(metrics.get("evaluation", {}))))
            for file in (run.report, run.path / "config.yaml", run.metrics_file):
                if file.is_file():
                    mlflow.log_artifact(str(file))
            found = str(active.info.run_id)
    except (mlflow.exceptions.MlflowException, OSError) as error:
        reason = " ".join(str(error).split())[:300].rstrip(".")
        raise TfrecError(f"MLflow does not take the run ({reason}): check MLFLOW_TRACKING_URI.") from error
    write_json(noted, {"signature": metrics["signature"], "uri": uri, "run_id": found})
    return found


def _there(mlflow: Any, run_id: str) -> bool:
    try:
        return mlflow.get_run(run_id).info.lifecycle_stage == "active"
    except mlflow.exceptions.MlflowException:
        return False


def _flat(tree: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _curve(training: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, float]]]:
    for evaluation in training.get("evaluations", []):
        if "step" in evaluation and "share" not in evaluation:
            values = {f"dev/{_name(k)}": v for k, v in evaluation.items() if k not in ("step", "seconds")}
            yield int(evaluation["step"]), values


def _measured(evaluation: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for task in ("search", "recommendation", "personalised"):
        for system, found in evaluation.get(task, {}).get("systems", {}).items():
            for metric, value in found["means"].items():
                if value is not None:
                    yield _name(f"{task}/{system}/{metric}"), value


def _name(name: str) -> str:
    """As MLflow allows names: letters, digits, underscore, dash, dot, blank, slash."""
    return name.replace("@", " at ")
