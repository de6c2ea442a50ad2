"""Several processes that train one model: they end as one would, and stop together when one is gone."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfrec.cluster import cluster_of
from tfrec.config import load_config
from tfrec.errors import ConfigError
from tfrec.files import read_json

SETTINGS = ["encoder.freeze=embeddings", "training.epochs=6", "training.evaluations=6", "synthesis.enabled=false"]


def _told(cluster: dict[str, list[str]], kind: str, index: int) -> dict[str, str]:
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})}


def test_tf_config_says_which_worker_a_process_is() -> None:
    assert cluster_of({}) is None
    assert cluster_of(_told({"worker": ["a:1"]}, "worker", 0)) is None, "alone"
    two = cluster_of(_told({"worker": ["a:1", "b:1"]}, "worker", 1))
    assert two is not None and (two.addresses, two.rank) == (("a:1", "b:1"), 1)
    led = cluster_of(_told({"worker": ["b:1", "c:1"], "chief": ["a:1"]}, "worker", 1))
    assert led is not None and (led.addresses, led.rank) == (("a:1", "b:1", "c:1"), 2)
    for wrong in (
        {"TF_CONFIG": "{"},
        {"TF_CONFIG": "[]"},
        {"TF_CONFIG": json.dumps({"cluster": {"worker": ["a:1", "b:1"]}})},
        _told({"worker": ["a:1", "b:1"]}, "worker", 2),
        _told({"worker": ["a:1", "b:1"]}, "worker", -1),
        _told({"worker": ["a:1", "b:1"], "ps": ["c:1"]}, "worker", 0),
    ):
        with pytest.raises(ConfigError, match="TF_CONFIG"):
            cluster_of(wrong)


def _train(path: Path, name: str, *more: str, workers: int = 1) -> subprocess.Popen[str]:
    words = [f"--set={setting}" for setting in (f"name={name}", *SETTINGS, *more)]
    return subprocess.Popen(
        [sys.executable, "-m", "tfrec", "train", "--only", "--config", str(path), *words, f"--workers={workers}"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def _weights(run: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    from tfrec.tensorflow_setup import tf

    (folder,) = run.glob("checkpoints/*/last")
    reader = tf.train.load_checkpoint(str(folder / "weights"))
    names = [name for name in reader.get_variable_to_shape_map() if name.startswith("variables")]
    return read_json(folder / "state.json"), {name: reader.get_tensor(name) for name in names}


def _workers(name: str) -> list[int]:
    """Processes of a run that were started as workers, the chief first."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"--set\0name={name}\0" in (folder / "cmdline").read_text("utf-8", "replace"):
                environment = (folder / "environ").read_text("utf-8", "replace").split("\0")
                told = next((one[10:] for one in environment if one.startswith("TF_CONFIG=")), None)
                found += [(json.loads(told)["task"]["index"], int(folder.name))] if told else []
    return [number for _, number in sorted(found)]


@pytest.mark.slow
def test_two_workers_train_as_one_does_and_go_on_after_a_kill(shop_home: Path) -> None:
    runs = shop_home.parent / "runs"
    for name, count in (("one_worker", 1), ("two_workers", 2)):
        process = _train(shop_home, name, workers=count)
        output, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
        assert output.startswith("Trained "), "the chief tells, and nobody else"
        assert output.count("Trained") == 1
    (whole, expected), (state, found) = _weights(runs / "one_worker"), _weights(runs / "two_workers")
    assert state["finished"] and [p["step"] for p in state["history"]] == [p["step"] for p in whole["history"]]
    for one, other in zip(state["history"], whole["history"], strict=True):
        assert one["score"] == pytest.approx(other["score"], abs=1e-6)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=3e-4, err_msg=name)

    for victim in (1, 0):
        process = _train(shop_home, "lost", workers=2)
        _kill_after_a_checkpoint(process, runs / "lost", victim)
        killed = time.monotonic()
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 2 and time.monotonic() - killed < 60
        assert f"Worker {victim} of 2 (counted from 0) was ended by SIGKILL; all have stopped" in errors, errors
        assert "Traceback" not in errors and not _workers("lost")
    process = _train(shop_home, "lost", workers=2)
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    resumed, found = _weights(runs / "lost")
    assert [p["step"] for p in resumed["history"]] == [p["step"] for p in whole["history"]]
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=3e-4, err_msg=name)


@pytest.mark.slow
def test_a_silent_worker_stops_all(shop_home: Path) -> None:
    process = _train(shop_home, "silent", workers=2)
    _kill_after_a_checkpoint(process, shop_home.parent / "runs" / "silent", 1, signal.SIGSTOP)
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 2 and "Worker 1 of 2 (counted from 0) does not answer" in errors, errors
    assert "Traceback" not in errors and not _workers("silent")


def _kill_after_a_checkpoint(
    process: subprocess.Popen[str], run: Path, victim: int, by: signal.Signals = signal.SIGKILL
) -> None:
    def step() -> int:
        states = [read_json(file) for file in run.glob("checkpoints/*/last/state.json")]
        return max((state["step"] for state in states if not state["finished"]), default=0)

    before, deadline = step(), time.monotonic() + 400
    while step() <= before:
        assert process.poll() is None and time.monotonic() < deadline, "it ended before it could be killed"
        time.sleep(0.02)
    os.kill(_workers(run.name)[victim], by)


def test_workers_of_a_cluster_are_not_started_again(shop_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tfrec.cli.local_workers import run_local_workers
    from tfrec.errors import TrainingError

    assert load_config(shop_home).name == "known"
    monkeypatch.setenv("TF_CONFIG", "{}")
    with pytest.raises(TrainingError, match="leave --workers out"):
        run_local_workers(2, ["train"])
