"""TF Serving's flags and side files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import pytest

from tfrec.errors import ServingError
from tfrec.serving.server.configuration.config_files import (
    METRICS_PATH,
    read_batching_parameters,
    read_monitoring_config,
    read_tls_config,
)
from tfrec.serving.server.configuration.config_watch import ConfigWatch, content_of
from tfrec.serving.server.flags import parse_flags, without_effect
from tfrec.serving.server.status import StatusError


def _file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "settings.txt"
    file.write_text(text)
    return file


def test_batching_parameters(tmp_path: Path) -> None:
    text = """max_batch_size { value: 64 } batch_timeout_micros { value: 0 } max_enqueued_batches { value: 100 }
    num_batch_threads { value: 2 } thread_pool_name { value: "x" } allowed_batch_sizes: 8 allowed_batch_sizes: 64
    pad_variable_length_inputs: true"""
    read = read_batching_parameters(_file(tmp_path, text))
    assert (read.max_batch_size, read.batch_timeout_micros, read.max_enqueued_batches) == (64, 0, 100)
    assert (read.num_batch_threads, read.allowed_batch_sizes) == (2, (8, 64))
    nothing = read_batching_parameters(_file(tmp_path, ""))
    assert nothing.max_batch_size is None and nothing.pad_variable_length_inputs
    assert not read_batching_parameters(_file(tmp_path, "pad_variable_length_inputs: false")).pad_variable_length_inputs


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("allowed_batch_sizes: [8, 4]", "must ascend"),
        ("max_batch_size { value: 32 } allowed_batch_sizes: [8, 16]", r"must be max_batch_size \(32\), not 16"),
        ("max_batch_size { value: 0 }", "from 1 to 65536, not 0"),
        ("num_batch_threads { value: -1 }", "from 1 to 1024, not -1"),
        ("max_batch: 3", 'no field named "max_batch"'),
    ],
)
def test_impossible_batching_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ServingError, match=problem):
        read_batching_parameters(_file(tmp_path, text))


def test_monitoring(tmp_path: Path) -> None:
    read = read_monitoring_config(_file(tmp_path, 'prometheus_config { enable: true path: "/metrics" }'))
    assert (read.enable, read.path) == (True, "/metrics")
    read = read_monitoring_config(_file(tmp_path, "prometheus_config: { enable: true }"))
    assert (read.enable, read.path) == (True, METRICS_PATH)
    assert not read_monitoring_config(_file(tmp_path, "")).enable


def test_tls_takes_pem_text_or_files_beside_it(tmp_path: Path) -> None:
    pem = "-----BEGIN X-----\\nabc\\n-----END X-----"
    (tmp_path / "cert.pem").write_text("-----BEGIN CERT-----")
    read = read_tls_config(_file(tmp_path, f'server_key: "{pem}" server_cert: "cert.pem" custom_ca: "{pem}"'))
    assert read.key.startswith(b"-----BEGIN X-----\nabc") and read.certificate == b"-----BEGIN CERT-----"
    assert read.client_authorities == b""  # client_verify is false
    for text, problem in (
        (f'server_key: "{pem}"', "needs both"),
        (f'server_key: "{pem}" server_cert: "{pem}" client_verify: true', "names no custom_ca"),
        ('server_key: "nowhere.pem"', "server_key cannot be read"),
        ('server_key: "settings.txt"', "holds no PEM"),
    ):
        with pytest.raises(ServingError, match=problem):
            read_tls_config(_file(tmp_path, text))


def test_flags_of_tf_serving_are_understood() -> None:
    flags = parse_flags(
        ["--port=1", "--rest_api_port=2", "--model_name=m", "--model_base_path=/m", "--enable_batching",
         "--tensorflow_session_parallelism=3", "--grpc_channel_arguments=grpc.max_concurrent_streams=9,a=b",
         "--file_system_poll_wait_seconds=5", "--enable_model_warmup=false", "--num_load_threads=4"]
    )  # fmt: skip
    assert (flags.port, flags.rest_api_port, flags.enable_batching, flags.enable_model_warmup) == (1, 2, True, False)
    assert (flags.tensorflow_intra_op_parallelism, flags.tensorflow_inter_op_parallelism) == (3, 3)
    assert flags.grpc_channel_arguments == (("grpc.max_concurrent_streams", 9), ("a", "b"))
    assert without_effect(flags) == ["num_load_threads"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "--model_base_path or --model_config_file"),
        (["--model_base_path=/m", "--prot=3"], "--prot=3"),
        (["--model_base_path=/m", "--port=x"], "--port"),
        (["--model_base_path=/m", "--enable_batching=maybe"], "true or false"),
        (["--model_base_path=/m", "--max_seconds=nan"], "seconds from 0.001 to 86400"),
        (["--model_base_path=/m", "--grace_seconds=-1"], "seconds from 0 to 86400"),
        (["--model_base_path=/m", "--load_niceness=20"], "invalid choice"),
        (["--model_base_path=/m", "--enable_batching=false", "--batching_parameters_file=b"], "drop one"),
        (["--model_base_path=/m", "--port=7", "--rest_api_port=7"], "cannot be same as --port"),
        (
            ["--model_base_path=/m", "--tensorflow_session_parallelism=1", "--tensorflow_intra_op_parallelism=1"],
            "but not all",
        ),
    ],
)
def test_wrong_flags_are_one_sentence(arguments: list[str], problem: str) -> None:
    with pytest.raises(ServingError, match=problem):
        parse_flags(arguments)


def test_all_flags_reach_the_options(tmp_path: Path) -> None:
    from tfrec.serving.server.main import frontend_options, server_options

    (tmp_path / "batching.txt").write_text("max_batch_size { value: 16 }")
    (tmp_path / "tokens").write_text("a-token-of-enough-letters\n")
    flags = parse_flags(
        ["--model_base_path=/m", f"--batching_parameters_file={tmp_path}/batching.txt", "--max_k=50",
         "--grace_seconds=3", f"--token_file={tmp_path}/tokens", "--rest_api_port=-1", "--rest_api_timeout_in_ms=500",
         "--request_log=hashed", "--max_concurrency=7"]
    )  # fmt: skip
    options, frontend = server_options(flags), frontend_options(flags)
    assert (options.batching.max_batch_size, options.limits.k, options.limits.concurrency) == (16, 50, 7)
    assert options.core_settings().batching.max_rows == 16 and options.grace_seconds == 3
    assert frontend.rest_port == 0 and frontend.rest_timeout_seconds == 0.5
    assert frontend.tokens is not None and frontend.tokens.allows("Bearer a-token-of-enough-letters")
    assert frontend_options(parse_flags(["--model_base_path=/m"])).rest_port is None


def test_a_changed_model_config_is_served_and_a_broken_one_is_not(tmp_path: Path) -> None:
    model = "model_config_list { config { name: '%s' base_path: '/m' model_platform: 'tensorflow' } }"
    file = _file(tmp_path, model % "one")
    seen: list[Any] = []
    watch = ConfigWatch(file, seen.append, 60)
    assert not watch.look()
    file.write_text(model % "two")
    assert watch.look() and [config.name for config in seen[-1]] == ["two"]
    file.write_text("model_config_list {")
    assert not watch.look() and not watch.look() and len(seen) == 1
    file.unlink()
    assert not watch.look()
    file.write_text(model % "three")
    assert watch.look() and len(seen) == 2


def test_a_config_that_changed_during_the_start_or_could_not_be_served_is_tried_again(tmp_path: Path) -> None:
    model = "model_config_list { config { name: '%s' base_path: '/m' model_platform: 'tensorflow' } }"
    file = _file(tmp_path, model % "one")
    before, tries = content_of(file), list[str]()

    def reload(configs: Any) -> None:
        tries.append(configs[0].name)
        if len(tries) < 3:
            raise StatusError(grpc.StatusCode.FAILED_PRECONDITION, "no version yet")

    file.write_text(model % "two")
    watch = ConfigWatch(file, reload, 60, before, again=0.0)
    assert not watch.look() and not watch.look() and watch.look() and not watch.look()
    assert tries == ["two"] * 3
    tries.clear()
    patient = ConfigWatch(file, reload, 60, before, again=60.0)
    assert not patient.look() and not patient.look() and tries == ["two"]
