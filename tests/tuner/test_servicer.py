"""Chief and workers over the real protocol, in one process: leases, restarts, requests that belong elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest

from tfrec.config import Config
from tfrec.errors import ConfigError, TrainingError
from tfrec.tuner import isolated, servicer
from tfrec.tuner.isolated import run_isolated
from tfrec.tuner.kerastuner import Trial, get_service_grpc, keras_tuner
from tfrec.tuner.oracles import make_oracle
from tfrec.tuner.search import search
from tfrec.tuner.servicer import Servicer
from tfrec.tuner.space import space_of
from tfrec.tuner.worker import PatientClient

VARY = {"training.learning_rate": {"low": 5e-6, "high": 2e-4, "log": True}}


@pytest.fixture()
def lead(
    analytic: Callable[..., Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., contextlib.AbstractContextManager[tuple[Servicer, Callable[[str], PatientClient]]]]:
    """lead() gives a chief's servicer that listens, and what makes a worker's client; again, the chief restarted."""
    monkeypatch.setattr(servicer, "_GRACE_SECONDS", 0.0)
    config = analytic(trials=3, oracle="random", vary=VARY)

    @contextlib.contextmanager
    def make() -> Iterator[tuple[Servicer, Callable[[str], PatientClient]]]:
        oracle: Any = make_oracle(config, space_of(config))
        oracle._set_project_dir(tmp_path, "oracle")
        if (tmp_path / "oracle" / "oracle.json").is_file():
            oracle.reload()
        oracle.save()
        chief, server = Servicer(oracle), grpc.server(futures.ThreadPoolExecutor(1))
        get_service_grpc().add_OracleServicer_to_server(chief, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()

        def client(name: str) -> PatientClient:
            monkeypatch.setenv("KERASTUNER_TUNER_ID", name)
            monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
            monkeypatch.setenv("KERASTUNER_ORACLE_PORT", str(port))
            return PatientClient(oracle)

        yield chief, client
        server.stop(None).wait()

    return make


def test_a_silent_workers_trial_is_taken_up(lead: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with lead() as (chief, client):
        one, other = client("one"), client("other")
        trial = one.create_trial("one")
        chief.release_silent()
        assert list(chief.oracle.ongoing_trials) == ["one"], "it has just been heard of"
        chief.heard["one"] -= servicer.LEASE_SECONDS + 1
        one.beat(trial.trial_id)
        chief.release_silent()
        assert list(chief.oracle.ongoing_trials) == ["one"]
        chief.heard["one"] -= servicer.LEASE_SECONDS + 1
        chief.release_silent()
        assert not chief.oracle.ongoing_trials
        assert other.create_trial("other").trial_id == trial.trial_id
        other.update_trial(trial.trial_id, {"score": 0.5})
        other.end_trial(Trial(keras_tuner.HyperParameters(), trial.trial_id, "COMPLETED"))
        one.end_trial(Trial(keras_tuner.HyperParameters(), trial.trial_id, "FAILED"))  # it was only slow
        assert chief.oracle.trials[trial.trial_id].status == "COMPLETED" and chief.oracle.end_order == [trial.trial_id]


def test_after_a_restart_the_one_who_is_at_a_trial_keeps_it(lead: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with lead() as (_, client):
        trial = client("one").create_trial("one")
    monkeypatch.setattr(servicer, "_GRACE_SECONDS", 60.0)
    with lead() as (chief, client):
        one, other = client("one"), client("other")
        assert other.create_trial("other").status == "IDLE", "the trial may have somebody"
        one.beat(trial.trial_id)
        assert other.create_trial("other").trial_id != trial.trial_id
        assert chief.oracle.ongoing_trials["one"].trial_id == trial.trial_id


def test_the_chief_of_another_search_is_not_troubled(lead: Any) -> None:
    with lead() as (chief, client):
        with pytest.raises(TrainingError, match="it knows no trial 9, so it leads another search"):
            client("one").update_trial("9", {"score": 0.5})
        assert chief.failure is None


def test_a_chief_that_cannot_write_counts_nothing_more(lead: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tfrec.tuner import durable

    def full(path: Any, value: Any) -> None:
        raise TrainingError("The disk is full.")

    with lead() as (chief, client):
        one = client("one")
        trial = one.create_trial("one")
        with monkeypatch.context() as patch:
            patch.setattr(durable, "write_json", full)
            with pytest.raises(TrainingError, match="refuses: The disk is full"):
                one.update_trial(trial.trial_id, {"score": 0.5})
        monkeypatch.setattr("tfrec.tuner.worker._PATIENCE", 0.0)
        with pytest.raises(TrainingError, match="has been away"):
            one.end_trial(Trial(keras_tuner.HyperParameters(), trial.trial_id, "FAILED"))
        assert str(chief.failure) == "The disk is full." and not chief.oracle.end_order


def test_a_worker_without_the_chiefs_folder_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(isolated, "_SECONDS_FOR_FILES", 0.0)
    with pytest.raises(TrainingError, match="the same runs_dir"):
        run_isolated(tmp_path / "trial_0")


def test_half_an_environment_is_told(analytic: Callable[..., Config], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    with pytest.raises(ConfigError, match="KERASTUNER_ORACLE_IP, but not KERASTUNER_TUNER_ID and KERASTUNER_ORACLE_P"):
        search(analytic(trials=2, vary=VARY))
