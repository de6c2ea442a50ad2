"""Numbers that are none, not finite or out of bounds, names and versions that cannot be: one sentence each."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tfrec.errors import ExportError, ServingError
from tfrec.export.version_names import newest_version
from tfrec.serving.client import AsyncClient, Client, ClientError
from tfrec.serving.server.configuration.config_files import read_batching_parameters
from tfrec.serving.server.configuration.model_config import read_model_config_file
from tfrec.serving.server.flags import parse_flags
from tfrec.serving.server.security.limits import Limits
from tfrec.serving.server.server import ModelServer, ServerOptions
from tfrec.serving.server.versions.folders import find_versions

HUGE = 10**30


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 0, -1, 1e300, "5", True, HUGE])
def test_a_time_that_cannot_be_waited_is_refused(value: Any) -> None:
    sentence = f"The timeout must be a number of seconds above 0 and at most 86400, not {value!r}."
    for kind in (Client, AsyncClient):
        with pytest.raises(ClientError) as wrong:
            kind("127.0.0.1:1", timeout=value)
        assert (wrong.value.code, wrong.value.message) == ("INVALID_ARGUMENT", sentence)
    with Client("127.0.0.1:1") as client:
        with pytest.raises(ClientError) as wrong:
            client.search("sofa", timeout=value)
        assert wrong.value.message == sentence
        with pytest.raises(ClientError, match="The time to wait must be a number of seconds above 0"):
            client.wait_until_ready(value)

    async def later() -> None:
        async with AsyncClient("127.0.0.1:1") as client:
            with pytest.raises(ClientError, match="The timeout must be a number"):
                await client.search("sofa", timeout=value)
            with pytest.raises(ClientError, match="The time to wait must be a number"):
                await client.wait_until_ready(value)

    asyncio.run(later())


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("http://shop:8500", "The target must look like host:port, not 'http://shop:8500': gRPC's port has no http://"),
        ("https://shop", "The target must look like host:port, not 'https://shop': gRPC's port has no https://"),
        ("grpc://shop:8500", "The target must look like host:port, not 'grpc://shop:8500'"),
        ("shop:8500/x", "The target must look like host:port"),
        ("shop:0", "The target must look like host:port"),
        ("shop:65536", "The target must look like host:port"),
        ("shop:٣", "The target must look like host:port"),
        ("::1:8500", "The target must look like host:port, not '::1:8500': the address of IPv6 stands in brackets"),
        (None, "The target must look like host:port, not None."),
        (8500, "The target must look like host:port, not 8500."),
        ([None], "The target must look like host:port, not None."),
    ],
)
def test_targets_that_are_no_host_and_port(target: Any, sentence: str) -> None:
    with pytest.raises(ClientError) as wrong:
        Client(target)
    assert wrong.value.code == "INVALID_ARGUMENT" and wrong.value.message.startswith(sentence)


@pytest.mark.parametrize(
    "target", ["a:1", "[::1]:65535", "dns:///shop:8500", "dns:shop", "unix:/tmp/x", "dns:8500", "ipv4:10.0.0.1:8500"]
)
def test_targets_that_are_right(target: str) -> None:
    Client(target).close()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda c: c.search(None), "A text or a list of texts is expected, not None."),
        (lambda c: c.search(b"sofa"), "A text or a list of texts is expected, not b'sofa'."),
        (lambda c: c.search(5), "A text or a list of texts is expected, not 5."),
        (lambda c: c.search([None]), "The input 'query' cannot be sent: a text is expected, not a NoneType."),
        (lambda c: c.similar_items(None), "A text or a list of texts is expected, not None."),
        (lambda c: c.embed_item(None), "A text or a list of texts is expected, not None."),
        (lambda c: c.recommend(None), "Histories are a list of lists of item ids, one list for each row, not None."),
        (lambda c: c.recommend([None]), "Histories are a list of lists of item ids, one list for each row, not None."),
        (lambda c: c.explain("a", None, None), "Histories are a list of lists of item ids"),
        (lambda c: c.explain("a", None, "b"), "Histories are a list of lists of item ids"),
        (lambda c: c.search("a", k=None), "k must be a whole number, not None."),
        (lambda c: c.search("a", k=math.nan), "k must be a whole number, not nan."),
        (lambda c: c.search("a", diversity=math.nan), "The diversity must lie between 0 and 1, not nan."),
        (lambda c: c.search("a", diversity=None), "The diversity must lie between 0 and 1, not None."),
        (lambda c: c.search("a", filters=5), 'Filters are a list of conditions, such as ["price<=50"], not 5.'),
        (lambda c: c.status(-1), "The version must be at least 0"),
        (lambda c: c.status(2**63), "The version must be at least 0 and at most 9223372036854775807"),
    ],
)
def test_arguments_that_cannot_be_sent(call: Callable[[Client], Any], sentence: str) -> None:
    with Client("127.0.0.1:1") as client, pytest.raises(ClientError) as wrong:
        call(client)
    assert wrong.value.code == "INVALID_ARGUMENT" and wrong.value.message.startswith(sentence)


@pytest.mark.parametrize("options", [{"retries": math.nan}, {"retries": -1}, {"max_message_bytes": 0}, {"model": ""}])
def test_a_client_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as wrong:
        Client("127.0.0.1:1", **options)
    assert wrong.value.code == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    "flag",
    [
        "--port=-1", "--port=65536", "--port=x", "--rest_api_port=-2", "--rest_api_port=99999", "--grace_seconds=nan",
        "--grace_seconds=-1", "--grace_seconds=inf", "--max_seconds=nan", "--max_seconds=0", "--max_rows=0",
        f"--max_rows={HUGE}", "--max_k=²", "--max_text_bytes=1e3", "--max_concurrency=-5",
        f"--max_message_bytes={HUGE}", f"--rest_max_body_bytes={HUGE}", "--tensorflow_intra_op_parallelism=-1",
        "--tensorflow_inter_op_parallelism=1000000", "--tensorflow_session_parallelism=nan", "--grpc_max_threads=-1",
        "--file_system_poll_wait_seconds=nan", "--file_system_poll_wait_seconds=inf",
        "--model_config_file_poll_wait_seconds=nan", "--max_num_load_retries=-1", "--load_niceness=20",
        f"--load_retry_interval_micros={HUGE}", "--rest_api_timeout_in_ms=0", f"--rest_api_timeout_in_ms={HUGE}",
        f"--grpc_channel_arguments=grpc.max_connection_age_ms={HUGE}",
    ],
)  # fmt: skip
def test_flags_out_of_bounds_are_one_sentence(flag: str) -> None:
    with pytest.raises(ServingError) as wrong:
        parse_flags(["--model_base_path=x", flag])
    assert flag.partition("=")[0] in str(wrong.value) and "\n" not in str(wrong.value)


@pytest.mark.parametrize(
    "options",
    [
        {"intra_op": -1}, {"intra_op": HUGE}, {"workers": math.nan}, {"grace_seconds": math.nan},
        {"grace_seconds": math.inf}, {"poll_seconds": math.nan}, {"poll_seconds": math.inf}, {"retry_seconds": -1},
        {"max_message_bytes": HUGE}, {"load_niceness": 20}, {"retries": -1},
    ],
)  # fmt: skip
def test_options_out_of_bounds_are_one_sentence(options: dict[str, Any]) -> None:
    with pytest.raises(ServingError, match=f"^{next(iter(options))} must be"):
        ServerOptions(**options)
    with pytest.raises(ServingError, match="^limits.rows must be a whole number from 1"):
        Limits(rows=0)


@pytest.mark.parametrize("name", ["a/b", "a:b", "", "a\nb", "/"])
def test_model_names_that_no_request_can_give(export_dir: Path, name: str) -> None:
    with pytest.raises(ServingError, match="odel"):
        ModelServer(export_dir, name, port=0)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["serve", "--threads", "0"], "error: --threads must be a whole number from 1 to 1024, not 0."),
        (["serve", "--threads", "-3"], "error: --threads must be a whole number from 1 to 1024, not -3."),
        (["serve", "--threads", "99999999"], "error: --threads must be a whole number from 1 to 1024"),
        (["serve", "--grace", "nan"], "error: --grace must be a number of seconds from 0 to 86400, not nan."),
        (["serve", "--grace", "inf"], "error: --grace must be a number of seconds from 0 to 86400, not inf."),
        (["serve", "--grace", "-1"], "error: --grace must be a number of seconds from 0 to 86400, not -1.0."),
        (["query", "a", "--timeout", "nan"], "error: The timeout must be a number of seconds above 0"),
        (["query", "a", "--timeout", "inf"], "error: The timeout must be a number of seconds above 0"),
        (["query", "a", "--target", "http://x:1"], "error: The target must look like host:port, not 'http://x:1'"),
        (["query", "--history", '"a'], "error: --history '\"a' cannot be read: an id with a comma stands in"),
    ],
)
def test_commands_tell_it_in_one_line(arguments: list[str], sentence: str) -> None:
    from tfrec.cli.main import app

    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2 and result.stderr.startswith(sentence) and result.stderr.count("\n") == 1


def test_a_served_name_with_a_slash_is_told_in_one_line(export_dir: Path) -> None:
    from tfrec.cli.main import app

    result = CliRunner().invoke(app, ["serve", "--export", str(export_dir), "--model-name", "a/b", "--port", "0"])
    assert result.exit_code == 2 and "error: The model name a/b must hold neither / nor :" in result.stderr


def test_ids_with_commas_in_a_history() -> None:
    from tfrec.cli.query import history_ids

    assert history_ids(["L-1, ,S-2,"]) == ["L-1", "S-2"]
    assert history_ids(['"Sofa, red",S-1', 'S"2', ' "a ""b"", c" ']) == ["Sofa, red", "S-1", 'S"2', 'a "b", c']


def _versions(base: Path, *names: str) -> Path:
    for name in names:
        (base / name).mkdir(parents=True)
    return base


def test_versions_end_at_63_bits(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    largest = str(2**63 - 1)
    base = _versions(tmp_path / "some", "7", largest, str(2**63), "1" * 30, "20261129010203")
    assert [str(version.number) for version in find_versions(base)] == [largest, "20261129010203", "7"]
    assert newest_version(base) == base / largest
    assert f"{base / str(2**63)} is no version, for versions end at {largest}: it is left out" in caplog.text
    told = len(caplog.records)
    find_versions(base)
    assert len(caplog.records) == told  # said once, and not at every look
    none = _versions(tmp_path / "none", str(2**63))
    with pytest.raises(ServingError, match=f"{2**63} is no version, for versions end at {largest}: rename it."):
        find_versions(none)
    assert newest_version(none) is None
    (none / str(2**63) / "saved_model.pb").touch()
    with pytest.raises(ServingError, match="is no version"):
        find_versions(none / str(2**63))


def test_nothing_is_exported_beyond_the_largest_version(tmp_path: Path) -> None:
    from tfrec.export.exporter import next_version

    assert next_version(tmp_path / "7") == 8 and next_version(None) == 1
    with pytest.raises(ExportError, match="is the largest version there can be"):
        next_version(tmp_path / str(2**63 - 1))


@pytest.mark.parametrize(
    "policy",
    [
        "model_version_policy {specific {versions: 9223372036854775808}}",
        "version_labels {key: 'a' value: 99999999999999999999}",
    ],
)
def test_a_config_file_with_versions_that_cannot_be(tmp_path: Path, policy: str) -> None:
    file = tmp_path / "models.config"
    model = "name: 'a' base_path: '/x' model_platform: 'tensorflow'"
    file.write_text(f"model_config_list {{ config {{ {model} {policy} }} }}")
    with pytest.raises(ServingError, match=r"models.config is .*, line 1: the number is too large.* \(\d{19,20}\)"):
        read_model_config_file(file)
    file.write_text(f"model_config_list {{ config {{ {model} version_labels {{key: 'a' value: {'9' * 5000}}} }} }}")
    with pytest.raises(ServingError, match="the number is too large"):
        read_model_config_file(file)


@pytest.mark.parametrize(
    "text",
    [
        f"max_batch_size {{ value: {HUGE} }}", f"batch_timeout_micros {{ value: {HUGE} }}",
        f"max_enqueued_batches {{ value: {HUGE} }}", "num_batch_threads { value: 1000000 }",
        "allowed_batch_sizes: [1, 100000000]",
    ],
)  # fmt: skip
def test_a_batching_file_out_of_bounds(tmp_path: Path, text: str) -> None:
    (tmp_path / "batching").write_text(text)
    with pytest.raises(ServingError, match=r"must (be|end at)|line 1: the number is too large.* \(10+\)"):
        read_batching_parameters(tmp_path / "batching")
