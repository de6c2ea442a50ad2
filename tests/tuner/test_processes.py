"""Real processes: trials that go wrong, kills of chief and workers at random moments, a cluster."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tfrec.config import Config, plain_yaml
from tfrec.errors import ConfigError, EncoderError, TrainingError
from tfrec.files import read_json
from tuner.folder import read_outcome, trial_numbers
from tuner.search import search

OBJECTIVE = "analytic_objective"
RATE = {"training.learning_rate": {"low": 5e-6, "high": 2e-4, "log": True}}
QUICK: dict[str, Any] = {"oracle": "random", "vary": RATE, "finals": {"seeds": 0}, "stop_hopeless": False}


@pytest.fixture(scope="module")
def starter() -> Any:
    """Starts processes from one that has imported KerasTuner already; they are as real as others, but there at once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tuner.worker"])
    return context


def test_trials_that_go_wrong_are_recorded_with_their_reason(
    analytic: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = analytic(trials=6, **QUICK)
    monkeypatch.setenv("ANALYTIC_FAILS", "1:training,2:bug,3:memory,4:killed")
    result = search(config, OBJECTIVE)
    assert result is not None
    reasons = {trial.number: trial.reason for trial in result.trials}
    assert reasons[1] == "it diverged: lower the rate" and reasons[2] == "ValueError: a bug: of ours"
    assert "out of memory" in reasons[3]
    assert "killed 2 times" in reasons[4] and "out of memory" in reasons[4]
    assert not reasons[0] and not reasons[5] and len(reasons) == 6
    folder = result.best_config.parent
    assert "Traceback" in (folder / "trial_2" / "log.txt").read_text()
    assert len((folder / "trial_4" / "runs.txt").read_text().split()) == 2, "it was tried once more"

    more = search(config.model_copy(update={"tune": config.tune.model_copy(update={"trials": 7})}), OBJECTIVE)
    assert more is not None and more.trials[:6] == result.trials and len(more.trials) == 7, "continued, not repeated"
    assert len((folder / "trial_0" / "runs.txt").read_text().split()) == 1
    for other, message in (({"oracle": "bayesian"}, "oracle"), ({"vary": {"training.temperature": [0.02]}}, "space")):
        with pytest.raises(ConfigError, match=f"another {message}"):
            search(analytic(**{**QUICK, **other}), OBJECTIVE)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_would_fail_every_trial_ends_the_search_until_it_is_mended(
    analytic: Callable[..., Config], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, workers: int
) -> None:
    config = analytic(trials=3, workers=workers, **QUICK)
    monkeypatch.setenv("ANALYTIC_FAILS", "1:fatal")
    monkeypatch.setenv("ANALYTIC_MENDED", str(tmp_path / "mended"))
    with pytest.raises(EncoderError, match="The encoder is gone"):
        search(config, OBJECTIVE)
    (tmp_path / "mended").touch()
    result = search(config, OBJECTIVE)
    assert result is not None and [trial.score is not None for trial in result.trials] == [True] * 3


def test_when_every_trial_fails_the_first_reason_is_told(
    analytic: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANALYTIC_FAILS", "0:training,1:bug")
    with pytest.raises(TrainingError, match="No trial of 2 .*it diverged"):
        search(analytic(trials=2, **QUICK), OBJECTIVE)


def test_kills_of_chief_and_workers_lose_and_repeat_no_trial(
    analytic: Callable[..., Config], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, starter: Any
) -> None:
    trials, kills, seed = 18, 12, 5
    config = analytic(evaluations=2, trials=trials, workers=2, **QUICK)
    monkeypatch.setenv("ANALYTIC_SECONDS", "0.15")
    file, errors = tmp_path / "kills.yaml", tmp_path / "errors.txt"
    file.write_text(plain_yaml(config))
    chief = _started(starter, file, errors)
    folder, rng, done = tmp_path / "search" / "tune", random.Random(seed), {"chief": 0, "worker": 0}
    _wait(lambda: bool(list(folder.glob("workers/*.pid"))), errors)
    while sum(done.values()) < kills:
        time.sleep(rng.uniform(0.05, 0.4))
        assert chief.exitcode is None, f"the search ended before it was killed often enough: {errors.read_text()}"
        if sum(done.values()) % 3 == 0:
            chief.kill()
            chief.join()
            done["chief"] += 1
            chief = _started(starter, file, errors)
        else:
            worker = rng.choice(sorted(folder.glob("workers/*.pid")))
            with contextlib.suppress(ProcessLookupError):  # a new one has not said its number yet
                os.kill(int(worker.read_text()), signal.SIGKILL)
                done["worker"] += 1
    chief.join(120)
    assert chief.exitcode == 0, errors.read_text()
    assert done["chief"] >= 3 and done["worker"] >= 7
    state = read_json(folder / "oracle" / "oracle.json")
    assert sorted(map(int, state["end_order"])) == list(range(trials)) == trial_numbers(folder)
    assert not state["ongoing_trials"] and not state["retry_queue"]
    for name in state["end_order"]:
        trial = read_json(folder / "oracle" / f"trial_{name}" / "trial.json")
        outcome = read_outcome(folder / f"trial_{int(name)}")
        assert trial["status"] == "COMPLETED" and outcome is not None and trial["score"] == outcome.score
        observed = trial["metrics"]["metrics"]["score"]["observations"]
        assert observed == [{"value": [outcome.score], "step": 0}], "counted once"
    assert (folder / "best.yaml").is_file()
    _wait(lambda: not _trial_processes(folder), errors)


def test_chief_and_worker_of_a_cluster_meet_by_the_environment(
    analytic: Callable[..., Config], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, starter: Any
) -> None:
    import socket

    from tuner import worker

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    file, errors = tmp_path / "cluster.yaml", tmp_path / "errors.txt"
    file.write_text(plain_yaml(analytic(trials=3, **QUICK)))
    processes = []
    for name in ("chief", "machine-1"):
        process = starter.Process(target=_in_cluster, args=(name, port, str(file), str(errors)))
        process.start()
        processes.append(process)
    for process in processes:
        process.join(60)
        assert process.exitcode == 0, errors.read_text()
    assert (tmp_path / "search" / "tune" / "best.yaml").is_file()
    assert trial_numbers(tmp_path / "search" / "tune") == [0, 1, 2] and worker.TUNER_ID not in os.environ


def _in_cluster(name: str, port: int, file: str, errors: str) -> None:
    os.environ |= {
        "KERASTUNER_TUNER_ID": name,
        "KERASTUNER_ORACLE_IP": "127.0.0.1",
        "KERASTUNER_ORACLE_PORT": str(port),
    }
    _searching(file, errors)


def _searching(file: str, errors: str) -> None:
    from analytic_objective import run_search

    run_search(file, errors)


def _started(starter: Any, file: Path, errors: Path) -> Any:
    process = starter.Process(target=_searching, args=(str(file), str(errors)))
    process.start()
    return process


def _wait(ready: Callable[[], bool], errors: Path) -> None:
    deadline = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < deadline, errors.read_text() if errors.exists() else "nothing was told"
        time.sleep(0.02)


def _trial_processes(folder: Path) -> list[str]:
    """Command lines of processes that are still at a trial of the search."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            if "tuner.trial" in command and str(folder) in command:
                found.append(command)
    return found
