"""The REST API on a real model: the same answers as gRPC, and TF Serving's words for what is wrong."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tfrec.serving.client import Client

Ask = Callable[..., tuple[int, Any]]
SHOP = "/v1/models/shop"


def _search(query: Any = ("red lamp",), k: Any = 3, **more: Any) -> dict[str, Any]:
    return {"signature_name": "search", "inputs": {"query": list(query), "k": k}, **more}


def test_rest_and_grpc_give_the_same(full_server: Any, rest: Ask) -> None:
    with Client(full_server.address, "shop", timeout=20) as client:
        queries = ["red lamp", "台灯", "", "blue sofa"]
        status, answer = rest(f"{SHOP}:predict", _search(queries))
        outputs = client.predict("search", {"query": np.array(queries, object), "k": np.int32(3)})
        assert status == 200
        assert answer["outputs"]["item_ids"] == [[i.decode() for i in row] for row in outputs["item_ids"].tolist()]
        np.testing.assert_array_equal(np.float32(answer["outputs"]["scores"]), outputs["scores"])
        vectors = client.embed_item(["red lamp", "blue"])
        for instances in (["red lamp", "blue"], [{"text": "red lamp"}, {"text": {"b64": "Ymx1ZQ=="}}]):
            _, answer = rest(f"{SHOP}:predict", {"signature_name": "embed_item", "instances": instances})
            np.testing.assert_array_equal(np.float32(answer["predictions"]), vectors)
        _, answer = rest(f"{SHOP}:predict", {"signature_name": "embed_item", "inputs": ["red lamp", "blue"]})
        np.testing.assert_array_equal(np.float32(answer["outputs"]), vectors)


def test_versions_and_labels_choose_the_model(rest: Ask) -> None:
    def first(place: str) -> str:
        status, answer = rest(f"/v1/models/shop{place}:predict", _search(k=1))
        assert status == 200, answer
        return str(answer["outputs"]["item_ids"][0][0])

    assert first("") == first("/versions/10") == first("/labels/canary") == first("/labels/%63anary") == "L-1"
    assert first("/versions/9") == first("/labels/stable") == "S-1"
    assert rest("/V1/MODELS/shop/VERSIONS/9:PREDICT", _search(k=1))[0] == 200


def test_status_and_metadata(rest: Ask) -> None:
    ok = {"error_code": "OK", "error_message": ""}
    both = [{"version": "10", "state": "AVAILABLE", "status": ok}, {"version": "9", "state": "AVAILABLE", "status": ok}]
    assert rest(SHOP) == (200, {"model_version_status": both})
    assert rest(f"{SHOP}/versions/9") == (200, {"model_version_status": both[1:]})
    assert rest(f"{SHOP}/labels/stable") == (200, {"model_version_status": both[1:]})
    status, answer = rest(f"{SHOP}/versions/10/metadata")
    assert status == 200 and answer["model_spec"] == {"name": "shop", "signature_name": "", "version": "10"}
    inputs = answer["metadata"]["signature_def"]["signature_def"]["search"]["inputs"]
    assert inputs["query"]["dtype"] == "DT_STRING" and inputs["query"]["tensor_shape"]["dim"][0]["size"] == "-1"


ERRORS: dict[str, tuple[str, Any, int, str]] = {
    "unknown model": ("/v1/models/other:predict", _search(), 404, "Servable not found for request: Latest(other)"),
    "unknown version": (f"{SHOP}/versions/8:predict", _search(), 404, "Specific(shop, 8)"),
    "huge version": (f"{SHOP}/versions/{'9' * 30}:predict", _search(), 400, "Failed to convert version: 999"),
    "unknown label": (f"{SHOP}/labels/x:predict", _search(), 400, "Unrecognized servable version label: x"),
    "unknown status": ("/v1/models/other", None, 404, "Could not find any versions of model other"),
    "unknown version's status": (f"{SHOP}/versions/8", None, 404, "Could not find version 8 of model shop"),
    "no model": ("/v1/models", None, 400, "Missing model name in request."),
    "other verb": (f"{SHOP}:generate", _search(), 400, "Malformed request: POST /v1/models/shop:generate"),
    "get a prediction": (f"{SHOP}:predict", None, 400, "Malformed request: GET /v1/models/shop:predict"),
    "other path": ("/v2/models/shop", None, 404, "Not Found"),
    "broken name": ("/v1/models/%ff:predict", _search(), 400, "Failed to decode model name"),
    "no body": (f"{SHOP}:predict", b"", 400, "JSON Parse error: The document is empty"),
    "no JSON": (f"{SHOP}:predict", b"{'inputs': 3}", 400, "JSON Parse error: "),
    "no UTF-8": (f"{SHOP}:predict", b'{"\xff": 3}', 400, "Invalid encoding in string. at offset: 2"),
    "no object": (f"{SHOP}:predict", [1], 400, "Is not object"),
    "deep": (f"{SHOP}:predict", b'{"inputs": ' + b"[" * 100_000, 400, "nested too deeply"),
    "deep list": (f"{SHOP}:predict", b'{"inputs": {"k": 1, "query": ' + b"[" * 50 + b"]" * 50 + b"}}", 400, "level"),
    "huge number": (f"{SHOP}:predict", b'{"inputs": {"k": ' + b"9" * 10_000 + b"}}", 400, "Number too big"),
    "no inputs": (f"{SHOP}:predict", {}, 400, "Missing 'inputs' or 'instances' key"),
    "both forms": (f"{SHOP}:predict", {"inputs": [], "instances": []}, 400, "only one of 'inputs' or 'instances'"),
    "no row": (f"{SHOP}:predict", {"instances": []}, 400, "No values in 'instances' array"),
    "no list of rows": (f"{SHOP}:predict", {"instances": 3}, 400, "Excepting 'instances' to be an list/array"),
    "plain rows": (f"{SHOP}:predict", {"instances": ["a"]}, 400, "instances is a plain list, but expecting list of"),
    "plain columns": (f"{SHOP}:predict", {"inputs": ["a"]}, 400, "inputs is a plain value/list, but expecting an"),
    "missing input": (f"{SHOP}:predict", {"inputs": {"query": ["a"]}}, 400, "Missing named input: k in 'inputs'"),
    "missing in a row": (f"{SHOP}:predict", {"instances": [{"query": "a"}]}, 400, "keys must be equal to: k,query"),
    "unknown in a row": (f"{SHOP}:predict", {"instances": [{"q": "a"}]}, 400, "does not have named input: q"),
    "rows of two kinds": (
        f"{SHOP}:predict", {"signature_name": "embed_item", "instances": ["a", {"text": "b"}]}, 400,
        "Expecting value/list but got object at item 1 of input list",
    ),
    "ragged rows": (
        f"{SHOP}:predict", {"signature_name": "embed_item", "instances": [["a"], ["a", "b"]]}, 400,
        "Failed to process element: 1 of 'instances' list. Error: Expecting tensor size: 1 but got: 2",
    ),
    "rank by rows": (f"{SHOP}:predict", {"instances": [{"query": "a", "k": 3}]}, 400, "input k must have rank 0"),
    "wrong type": (f"{SHOP}:predict", _search(k="3"), 400, "is not of expected type: int32"),
    "unknown signature": (f"{SHOP}:predict", _search(signature_name="x"), 400, '"x" not found in signature def'),
    "signature a number": (f"{SHOP}:predict", _search(signature_name=3), 400, "key must be a string value"),
    "graph refuses": (f"{SHOP}:predict", _search(k=-1), 400, "k must be at least 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_errors(rest: Ask, case: str) -> None:
    path, body, status, message = ERRORS[case]
    answer = rest(path, body)
    assert answer[0] == status and message in answer[1]["error"], answer


def test_outputs_without_a_common_row_cannot_go_back_by_row() -> None:
    from tfrec.serving.server.rest.outputs_json import write_outputs
    from tfrec.serving.server.status import StatusError
    from tfrec.tensorflow_setup import tf

    outputs = {"a": tf.make_tensor_proto([1, 2]), "b": tf.make_tensor_proto([1])}
    with pytest.raises(StatusError, match="inconsistent batch size: 1 expecting: 2"):
        write_outputs(outputs, by_row=True)
    with pytest.raises(StatusError, match="no shape information"):
        write_outputs({"a": tf.make_tensor_proto(1)}, by_row=True)
    assert write_outputs(outputs, by_row=False) == '{"outputs": {"a": [1,2],"b": [1]}}\n'


def test_metrics_count_what_happened(full_server: Any, rest: Ask) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    def read() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        url = f"http://127.0.0.1:{full_server.rest_port}/monitoring/prometheus/metrics"
        with urllib.request.urlopen(url) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            page = answer.read().decode()
        families = text_string_to_metric_families(page)
        return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}

    def grown(name: str, **labels: str) -> float:
        key = (name, tuple(sorted(labels.items())))
        return after.get(key, 0) - before.get(key, 0)

    rest(f"{SHOP}:predict", _search())
    before = read()
    rest(f"{SHOP}:predict", _search(["red", "lamp"]))
    rest(f"{SHOP}:predict", {"signature_name": "similar_items", "inputs": {"item_id": ["L-1", "nothing"], "k": 2}})
    rest("/v1/models/made-up-name:predict", _search())
    with Client(full_server.address, "shop", timeout=20) as client:
        client.search("lamp")
    after = read()
    count = ":tensorflow:serving:request_count_total"  # the parser adds the ending that TF Serving leaves out
    assert grown(count, model_name="shop", status="OK") == 3
    assert grown(count, model_name="(unknown)", status="NOT_FOUND") == 1
    assert not any("made-up-name" in str(key) for key in after)
    latency = ":tensorflow:serving:request_latency_count"
    assert grown(latency, model_name="shop", API="Predict", entrypoint="REST") == 2
    assert grown(latency, model_name="shop", API="Predict", entrypoint="GRPC") == 1
    assert grown("tfrec_serving_rows_total", model="shop", signature="search") == 3
    assert grown("tfrec_serving_top_score_count", model="shop", signature="search") == 3
    assert grown("tfrec_serving_batch_rows_count", model="shop", signature="search") >= 1
    assert after[("tfrec_serving_version_state", (("model", "shop"), ("version", "9")))] == 30
