"""A run noted in MLflow, and the doctor."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import pytest
from typer.testing import CliRunner

from tfrec.cli.main import app
from tfrec.config.loading import parse_config
from tfrec.errors import TfrecError
from tfrec.pipeline.run_folder import RunFolder
from tfrec.pipeline.tracking import track

EVALUATIONS = [{"step": 0, "score": 0.1, "seconds": 0.0}, {"step": 8, "score": 0.4, "seconds": 1.0, "share": 0.5}]
SYSTEMS = {"tfrec": {"means": {"nDCG@10": 0.5, "MAP": None}}}


def test_a_training_is_one_run_of_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "store").as_uri())
    try:
        config = parse_config({"name": "run", "runs_dir": str(tmp_path), "data": {"items": "i.csv"}})
        folder = RunFolder(config)
        folder.add_metrics("a" * 64, training={"evaluations": EVALUATIONS}, evaluation={"search": {"systems": SYSTEMS}})
        first = track(config)
        assert track(config) == first
        found = mlflow.get_run(first)
        assert found.data.metrics == {"dev/score": 0.1, "search/tfrec/nDCG at 10": 0.5}
        assert found.data.params["training.batch_size"] == str(config.training.batch_size)
        assert found.data.tags["tfrec.training"] == "a" * 64 and found.info.status == "FINISHED"
        folder.add_metrics("b" * 64, training={"evaluations": []})
        assert track(config) != first
        mlflow.set_tracking_uri("http://127.0.0.1:9")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        with pytest.raises(TfrecError, match="check MLFLOW_TRACKING_URI"):
            track(config)
    finally:
        mlflow.set_tracking_uri(None)


def test_the_doctor_tells_what_is_there_and_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop" / "export" / "2").mkdir(parents=True)
    (tmp_path / "shop" / "config.yaml").write_text("name: shop\n")
    monkeypatch.setattr("tfrec.pipeline.doctor.find_spec", lambda name: None if name == "s3fs" else object())
    told = CliRunner().invoke(app, ["doctor", "--runs", str(tmp_path)])
    assert told.exit_code == 0, told.output
    assert "run       shop: not trained, exports 2" in told.output and "tensorflow 2." in told.output
    assert (
        "s3fs is missing, only needed for tfrec push and pull with s3:// (pip install 'tfrec-shop[s3]')" in told.output
    )
    assert "gcsfs" not in told.output
    found = json.loads(CliRunner().invoke(app, ["doctor", "--runs", "nowhere", "--json"]).output)
    assert found["runs"] == [] and found["machine"]["disk_free"] > 0 and found["versions"]["numpy"]
