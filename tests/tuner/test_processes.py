"""Real processes: trials that go wrong, kills of chief and workers at random moments, a cluster."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tfrec.config import Config, plain_yaml
from tfrec.errors import ConfigError, EncoderError, TrainingError
from tfrec.files import read_json
from tfrec.tuner.folder import read_outcome, trial_numbers
from tfrec.tuner.search import search

OBJECTIVE = "analytic_objective"
RATE = {"training.learning_rate": {"low": 5e-6, "high": 2e-4, "log": True}}
QUICK: dict[str, Any] = {"oracle": "random", "vary": RATE, "finals": {"seeds": 0}, "stop_hopeless": False}


@pytest.fixture(scope="module")
def starter() -> Any:
    """Starts processes from one that has imported KerasTuner already; they are as real as others, but there at once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tfrec.tuner.worker"])
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
@pytest.mark.slow
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


@pytest.mark.slow
def test_kills_on_one_machine_lose_and_repeat_no_trial(
    analytic: Callable[..., Config], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, starter: Any
) -> None:
    trials, rng = 9, random.Random(5)
    config = analytic(evaluations=2, trials=trials, workers=2, **QUICK)
    monkeypatch.setenv("ANALYTIC_SECONDS", "0.6")
    file, errors = tmp_path / "kills.yaml", tmp_path / "errors.txt"
    file.write_text(plain_yaml(config))
    folder = tmp_path / "search" / "tune"
    chief = _started(starter, _searching, file, errors)
    for victim in ("worker", "worker", "worker", "chief"):
        _wait(lambda: bool(_workers(folder)), errors)
        time.sleep(rng.uniform(0.05, 0.4))
        assert chief.exitcode is None, f"the search ended before it was killed often enough: {errors.read_text()}"
        if victim == "worker":
            os.kill(rng.choice(_workers(folder)), signal.SIGKILL)
    chief.kill()
    chief.join()
    _wait(lambda: not _workers(folder), errors)  # they go with it
    assert len(trial_numbers(folder)) < trials, "there is something left to do"
    monkeypatch.setenv("ANALYTIC_SECONDS", "0")
    search(config.model_copy(update={"tune": config.tune.model_copy(update={"workers": 1})}), OBJECTIVE)
    _check_whole(folder, trials, errors)


@pytest.mark.slow
def test_kills_in_a_cluster_lose_and_repeat_no_trial(
    analytic: Callable[..., Config], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, starter: Any
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    trials, kills, rng = 12, 10, random.Random(7)
    monkeypatch.setenv("ANALYTIC_SECONDS", "0.5")
    file, errors = tmp_path / "cluster.yaml", tmp_path / "errors.txt"
    file.write_text(plain_yaml(analytic(evaluations=2, trials=trials, **QUICK)))
    folder = tmp_path / "search" / "tune"

    def start(name: str) -> Any:
        return _started(starter, _in_cluster, file, errors, name, port)

    names = ["chief", "machine-1", "machine-2"]
    running = {name: start(name) for name in names}
    for number in range(kills):
        time.sleep(rng.uniform(0.05, 0.5))
        victim = "chief" if number % 3 == 0 else rng.choice(names[1:])
        assert running["chief"].exitcode is None, f"the search ended before {kills} kills: {errors.read_text()}"
        running[victim].kill()
        running[victim].join()
        if number % 4 == 1:  # a machine that is gone: its trial is taken up when the lease has run out
            names[names.index(victim)] = victim = f"machine-{10 + number}" if victim != "chief" else "chief"
        running[victim] = start(victim)
    running["chief"].join(180)
    assert running["chief"].exitcode == 0, errors.read_text()
    _check_whole(folder, trials, errors)
    for name in names[1:]:
        running[name].join(60)
        assert running[name].exitcode == 0, errors.read_text()
    again = start("chief")  # one that is started once more finds nothing to do, and waits for nobody
    again.join(60)
    assert again.exitcode == 0, errors.read_text()


def _check_whole(folder: Path, trials: int, errors: Path) -> None:
    """No trial of a search that has ended was lost, and none counted twice."""
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
    _wait(lambda: not _processes("tfrec.tuner.trial", str(folder)), errors)


def _in_cluster(file: str, errors: str, name: str, port: int) -> None:
    from tfrec.tuner import servicer

    servicer.LEASE_SECONDS = 2.0
    os.environ |= {
        "KERASTUNER_TUNER_ID": name,
        "KERASTUNER_ORACLE_IP": "127.0.0.1",
        "KERASTUNER_ORACLE_PORT": str(port),
    }
    _searching(file, errors)


def _searching(file: str, errors: str) -> None:
    from analytic_objective import run_search

    run_search(file, errors)


def _started(starter: Any, main: Callable[..., None], file: Path, errors: Path, *more: Any) -> Any:
    process = starter.Process(target=main, args=(str(file), str(errors), *more))
    process.start()
    return process


def _wait(ready: Callable[[], bool], errors: Path) -> None:
    deadline = time.monotonic() + 120
    while not ready():
        assert time.monotonic() < deadline, errors.read_text() if errors.exists() else "nothing was told"
        time.sleep(0.05)


def _workers(folder: Path) -> list[int]:
    """Workers of a search on this machine that live; a number from a file may be somebody else's by now."""
    alive = _processes("multiprocessing.forkserver")
    return [number for file in folder.glob("workers/*.pid") if (number := int(file.read_text())) in alive]


def _processes(*words: str) -> list[int]:
    """Numbers of the processes whose command holds all words."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            if all(word in command for word in words):
                found.append(int(file.parent.name))
    return found
