"""The conformance check: it passes on equal servers, and finds what differs on unequal ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfrec.serving.client import Hit
from tfrec.serving.deploy.conformance.__main__ import compare, main
from tfrec.serving.deploy.conformance.compare import rankings, values
from tfrec.serving.deploy.conformance.export_side import REFUSED
from tfrec.serving.deploy.conformance.side import Refusal, RestAnswer


@pytest.fixture(scope="module")
def addresses(export_dir: Path) -> Iterator[dict[str, str]]:
    """Two servers of version 10 and one of version 9, each "host:port,http://host:port"."""
    from contextlib import ExitStack

    from tfrec.serving.server.frontends import FrontendOptions
    from tfrec.serving.server.server import ModelServer

    with ExitStack() as stack:
        found = {}
        for name, folder in (("new", "10"), ("new again", "10"), ("old", "9")):
            running = ModelServer(export_dir / folder, "shop", port=0, frontend=FrontendOptions(rest_port=0))
            stack.enter_context(running)
            found[name] = f"{running.address},http://127.0.0.1:{running.rest_port}"
        yield found


def _main(reference: str, candidate: str, *more: str) -> int:
    return main(["--reference", reference, "--candidate", candidate, "--model", "shop", *more])


def test_equal_servers_pass(addresses: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "outcome.json"
    code = _main(addresses["new"], addresses["new again"], "--tolerance", "0.00001", "--json", str(file))
    printed = capsys.readouterr().out
    assert code == 0, printed
    outcomes = json.loads(file.read_text())
    assert len(outcomes) > 60 and "(gRPC and REST)" in printed
    given = {outcome["name"]: outcome["answer"] for outcome in outcomes}
    assert given["search, k=10"] == "answer" and given["REST search by columns"] == "200"
    assert given["k below 0"] == given["missing input"] == given["query a matrix"] == "INVALID_ARGUMENT"
    assert given["unknown model"] == given["unknown version"] == "NOT_FOUND"
    assert given["REST broken JSON"] == "400" and given["REST unknown model"] == "404"
    for name in ("recommend", "similar_items", "embed_query", "embed_item", "explain", "diversity", "metadata"):
        assert given[name] == "answer"
    for name in ("REST text in base64", "REST vectors by rows", "REST vectors by bare rows", "REST metadata"):
        assert given[name] == "200"


def test_a_server_answers_as_the_export_that_tensorflow_loads(
    addresses: dict[str, str], export_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "outcome.json"
    code = _main(str(export_dir), addresses["new"], "--json", str(file))
    printed = capsys.readouterr().out
    assert code == 0, printed
    given = {outcome["name"]: outcome["answer"] for outcome in json.loads(file.read_text())}
    assert len(given) > 50 and "status" not in given and "REST unknown path" not in given
    for name in ("search, k=10", "explain", "what was seen", "no rows", "one output only", "embed_query"):
        assert given[name] == "answer"
    for name in ("REST search by columns", "REST vectors by rows", "REST vectors by bare rows", "REST text in base64"):
        assert given[name] == "200"
    for name in ("k below 0", "k a vector", "query a number", "unknown filter", "REST k by rows", "REST broken JSON"):
        assert given[name] == "refused"
    assert _main(str(export_dir / "9"), addresses["new"]) == 1
    assert "DIFFERS  search, k=10: row" in capsys.readouterr().out


def test_a_folder_without_an_export_and_a_file_without_queries(
    addresses: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _main("no-such-folder", addresses["new"]) == 2
    assert "There is no folder no-such-folder" in capsys.readouterr().err
    assert _main(str(tmp_path), addresses["new"]) == 2
    assert "holds no export" in capsys.readouterr().err
    (tmp_path / "queries.txt").write_text("")
    assert _main(addresses["new"], addresses["new"], "--queries", str(tmp_path / "queries.txt")) == 2
    assert "queries.txt holds no query: write one on each line." in capsys.readouterr().err
    (tmp_path / "queries.txt").write_text("sofa\n")
    assert _main(addresses["new"], addresses["new again"], "--queries", str(tmp_path / "queries.txt")) == 0


def test_another_model_is_found_out(addresses: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    grpc_alone = addresses["old"].partition(",")[0]
    assert _main(addresses["new"], grpc_alone) == 1
    printed = capsys.readouterr().out
    assert "DIFFERS  search, k=10: row" in printed and "DIFFERS  status" in printed
    assert "same     missing input: INVALID_ARGUMENT" in printed and "(gRPC alone)" in printed


def test_a_server_that_is_not_there(addresses: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert _main(addresses["new"], "127.0.0.1:1", "--wait", "0.1") == 2
    assert re.match(r"error: .*127\.0\.0\.1:1\b", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("ids", "scores", "other_ids", "other_scores", "told"),
    [
        ("abc", [3, 2, 1], "abc", [3, 2, 1], ""),
        ("abc", [3, 2, 1], "abc", [3, 2.0005, 1], ""),
        ("abc", [3, 2, 1], "abc", [3, 2.1, 1], "score 2.1 at place 2, not 2"),
        ("abc", [3, 2, 2], "acb", [3, 2, 2], ""),  # equal ones may change places
        ("abc", [3, 2, 1], "bac", [3, 2, 1], "item 'a' at another place than rounding explains"),
        ("abc", [3, 2, 1], "abd", [3, 2, 1], ""),  # the last one may tie with what did not come in
        ("abc", [3, 2, 1], "xbc", [3, 2, 1], "item 'a' at another place than rounding explains"),
        ("ab", [3, 2], "abc", [3, 2, 1], "2 items with 2 scores, not 3 with 3"),
        ("ab", [3, float("nan")], "ab", [3, float("nan")], "score nan at place 2, not nan"),
        ("", [], "", [], ""),
    ],
)
def test_rankings(ids: str, scores: list[float], other_ids: str, other_scores: list[float], told: str) -> None:
    assert rankings(list(ids), scores, list(other_ids), other_scores, 1e-3) == told


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ({"a": [1.0, 2]}, {"a": [1.0001, 2]}, ""),
        ({"a": [1.0, 2]}, {"a": [1.0, 3]}, "a [1]: 3, not 2"),
        ({"a": 1}, {"b": 1}, "answer: has ['b'], not ['a']"),
        ([1], [1, 2], "answer: 2 values, not 1"),
        (True, 1, "answer: 1, not True"),
        (1.0, True, "answer: True, not 1.0"),
        ("a", None, "answer: None, not 'a'"),
        (np.zeros([2, 3], np.float32), np.zeros([2, 3], np.float64), "answer: float64[2, 3], not float32[2, 3]"),
        (np.zeros([2]), np.full([2], 1e-6), ""),
        ({"item_ids": [["a"], ["b"]], "scores": [[1.0], [2.0]]}, {"item_ids": [["a"], ["c"]], "scores": [[1.0], [2.5]]},
         "row 1: score 2.5 at place 1, not 2"),
        ({"item_ids": [["a"]], "scores": [[1.0]]}, {"item_ids": [], "scores": []}, "answer: 0 rows, not 1"),
    ],
)  # fmt: skip
def test_values(one: Any, other: Any, told: str) -> None:
    assert values(one, other, 1e-3) == told


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (Refusal("NOT_FOUND", "a"), Refusal("NOT_FOUND", "b"), ""),
        (Refusal("NOT_FOUND", "a"), Refusal("INTERNAL", "a"), "INTERNAL, not NOT_FOUND"),
        (Refusal("NOT_FOUND", "a"), {}, "an answer, not NOT_FOUND"),
        (RestAnswer(400, {"error": "a"}), RestAnswer(400, {"error": "b"}), ""),
        (RestAnswer(400, {"error": "a"}), RestAnswer(400, None), "only one of them says why in JSON"),
        (RestAnswer(200, {}), RestAnswer(404, {}), "HTTP 404, not 200"),
        (RestAnswer(200, {"outputs": [1.0]}), RestAnswer(200, {"outputs": [2.0]}), "outputs [0]: 2.0, not 1.0"),
        (Refusal(REFUSED, "a"), Refusal("INTERNAL", "b"), ""),
        (Refusal(REFUSED, "a"), RestAnswer(400, {"error": "b"}), ""),
        (Refusal(REFUSED, "a"), RestAnswer(200, {}), "an answer, where the export refuses"),
        (Refusal(REFUSED, "a"), {}, "an answer, where the export refuses"),
        ([Hit("a", 1.0)], [Hit("a", 1.0)], ""),
        ([Hit("a", 1.0)], [Hit("b", 1.0)], "[0]item_id : 'b', not 'a'"),
    ],
)
def test_answers_and_refusals(one: Any, other: Any, told: str) -> None:
    assert compare(one, other, 1e-3)[0] == told
