"""A running server follows what is promoted and rolled back in its export folder, and proves it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tfrec.errors import ServingError
from tfrec.lifecycle.act_log import read_acts, standing
from tfrec.lifecycle.asking import Target
from tfrec.lifecycle.models_config import Servers
from tfrec.lifecycle.promotion import promote, roll_back
from tfrec.serving.client import Client, ClientError
from tfrec.serving.server.configuration.model_config import ModelConfig, VersionPolicy, read_model_config_file
from tfrec.serving.server.configuration.model_config_text import model_config_text
from tfrec.serving.server.configuration.promoted import follow_promotions, promoted_model

numbers = st.integers(0, 2**63 - 1)
policies = st.one_of(
    st.just(VersionPolicy("all")),
    st.integers(1, 9).map(lambda count: VersionPolicy(count=count)),
    st.lists(numbers, min_size=1, max_size=3).map(lambda some: VersionPolicy("specific", versions=tuple(some))),
)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/:"), min_size=1, max_size=8)
models = st.builds(
    ModelConfig, texts.filter(str.isprintable), texts, policies, st.dictionaries(texts, numbers, max_size=2)
)


@settings(max_examples=40, deadline=None)
@given(st.lists(models, min_size=1, max_size=3, unique_by=lambda model: model.name))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, some: list[ModelConfig]) -> None:
    file = tmp_path_factory.getbasetemp() / "written.config"
    file.write_text(model_config_text(some, ["a comment"]), "utf-8")
    assert list(read_model_config_file(file)) == some


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory, export_dir: Path) -> Path:
    base = tmp_path_factory.mktemp("promoted")
    for number in (1, 2, 3):
        shutil.copytree(export_dir / ("9" if number == 1 else "10"), base / str(number))
    return base


@pytest.fixture(scope="module")
def running(export: Path) -> Iterator[str]:
    """A server that was started before anything was promoted, as `tfrec serve` starts it."""
    from tfrec.serving.server.server import ModelServer

    configs, seen = promoted_model(export, "shop")
    assert configs == () and seen == ""
    with ModelServer(export, "shop", port=0) as server, follow_promotions(export, "shop", server.core.reload, seen):
        yield server.address


@pytest.mark.slow
def test_twenty_promotions_and_rollbacks_at_50_requests_a_second(export: Path, tmp_path: Path) -> None:
    """None fails, and each answer is of a version that was stable at some moment between its request and its answer."""
    from tfrec.serving.server.server import ModelServer

    base = tmp_path / "promoted"
    shutil.copytree(export, base, ignore=shutil.ignore_patterns("models.config", "*.jsonl", "*.json"))
    for number in (1, 2, 3):
        shutil.copytree(export / str(number), base / str(number), dirs_exist_ok=True)
    servers, acts, answers, failures = Servers(base, "shop"), [], [], []
    promote(servers, 1, force="first")
    configs, seen = promoted_model(base, "shop")
    ended = threading.Event()

    def ask(address: str, version: str | None) -> None:
        with Client(address, "shop", retries=0, version=version) as client:
            request = client.predict_request("search", {"query": ["red sofa"], "k": np.int32(1)})
            stub = client._caller._stubs[0]["Predict"]
            while not ended.wait(0.08):
                begun = time.monotonic()
                try:
                    answer = stub(request, timeout=5)
                except Exception as error:  # any failure counts
                    failures.append(error)
                else:
                    answers.append((begun, time.monotonic(), answer.model_spec.version.value))

    with ModelServer(configs=configs, port=0) as server, follow_promotions(base, "shop", server.core.reload, seen):
        target = Target(server.address, "shop", 30)
        callers = [threading.Thread(target=ask, args=(server.address, label)) for label in ("stable", None) * 2]
        acts.append((0.0, 0.0, standing(base).stable))
        for caller in callers:
            caller.start()
        for number in range(20):
            begun = time.monotonic()
            if number % 2:
                roll_back(servers, target=target)
            else:
                promote(servers, 2 + number % 4 // 2, target=target, force="the trial")
            acts.append((begun, time.monotonic(), standing(base).stable))
        ended.set()
        for caller in callers:
            caller.join()
    assert not failures, failures[:3]
    for begun, end, version in answers:
        allowed = {
            stable
            for (since, _, stable), after in zip(acts, [*acts[1:], (float("inf"),) * 3], strict=True)
            if since <= end and begun <= after[1]
        }
        assert version in allowed, (version, allowed)
    told = f"{len(acts) - 1} acts in {acts[-1][1] - acts[1][0]:.1f} s"
    print(f"{len(answers)} answers, 0 failed, {told}")
    assert len({version for _, _, version in answers}) == 3


def test_promotions_and_rollbacks_under_load_fail_no_request(export: Path, running: str) -> None:
    servers, target = Servers(export, "shop"), Target(running, "shop", 30)
    failures: list[Exception] = []
    answers: set[int] = set()
    ended = threading.Event()

    def ask() -> None:
        with Client(running, "shop", retries=0) as client:
            while not ended.is_set():
                try:
                    assert client.search("red sofa", 1)[0][0].item_id == "S-1"
                    answers.add(client.metadata().version)
                except Exception as error:  # any failure counts
                    failures.append(error)
                time.sleep(0.02)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        assert promote(servers, 1, force="x", target=target).answers == {"stable": 1, "": 1}
        assert promote(servers, 2, force="x", target=target).answers == {"stable": 2, "": 2}
        back = roll_back(servers, target=target)
        assert back.answers == {"stable": 1, "": 1} and back.seconds < 5
        assert promote(servers, 3, "canary", force="x", target=target).answers == {"stable": 1, "canary": 3, "": 3}
        assert roll_back(servers, canary=True, target=target).answers == {"stable": 1, "": 1}
    finally:
        ended.set()
        thread.join(10)
    assert not failures and answers <= {1, 2, 3} and {1, 2} <= answers
    configs, seen = promoted_model(export, "shop")
    assert configs[0].base_path == str(export) and configs[0].labels == {"stable": 1} and seen


def test_a_version_that_the_server_refuses_is_not_promoted(export: Path, running: str) -> None:
    from tfrec.export.manifest import write_manifest

    broken = shutil.copytree(export / "2", export / "4")
    (broken / "saved_model.pb").write_bytes((broken / "saved_model.pb").read_bytes()[:-40])
    write_manifest(broken, {})  # whole, as far as the manifest knows
    before = standing(export)
    with pytest.raises(ServingError, match="has not loaded version 4.*All was put back as it was"):
        promote(Servers(export, "shop"), 4, force="x", target=Target(running, "shop", 20))
    assert standing(export) == before and read_acts(export)[-1].act == "undo"
    with Client(running, "shop") as client:
        assert client.metadata(version="stable").version == before.stable
    shutil.rmtree(broken)


def test_a_server_that_does_not_follow_is_not_believed(export: Path, server: Any) -> None:
    """The session's server serves another folder: its version 10 answers, whatever is promoted here."""
    before = standing(export)
    with pytest.raises(ServingError, match="has not loaded version 2"):
        promote(Servers(export, "shop"), 2, force="x", target=Target(server.address, "shop", 0.3))
    assert standing(export) == before


def test_the_commands_say_what_they_did_and_what_they_did_not(export: Path, running: str) -> None:
    from tfrec.cli.main import app

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, [*words, "--export", str(export)])

    asked = ["--model-name", "shop", "--target", running]
    refused = run("promote", "2", *asked)
    assert refused.exit_code == 2 and "gate has not judged version 2" in refused.stderr
    done = run("promote", "2", "--force", "an emergency", *asked)
    assert done.exit_code == 0 and "Version 2 is stable (stable was version 1" in done.stdout
    assert "stable: version 2" in done.stdout
    back = run("rollback", *asked, "--reason", "prices were wrong")
    assert back.exit_code == 0 and "Version 1 is stable again" in back.stdout
    again = run("rollback", *asked)
    assert again.exit_code == 2 and "No version was stable before 1" in again.stderr
    shown = run("versions")
    assert shown.exit_code == 0 and "stable" in shown.stdout and "not judged" in shown.stdout
    assert '"labels": [\n      "stable"\n    ]' in run("versions", "--json").stdout
    with Client(running, "shop") as client, pytest.raises(ClientError):
        client.metadata(version=2)
