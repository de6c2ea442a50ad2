"""Answers of a really running server: known truth, and the same for the official stubs and the light client."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from tfrec.serving.client import Client, ClientError
from tfrec.serving.server.protocol.stubs import get_model_metadata_pb2, get_model_status_pb2, predict_pb2
from tfrec.tensorflow_setup import tf


def _request(inputs: dict[str, Any], signature: str = "", version: int | None = None) -> Any:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "shop"
    request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def test_search_finds_the_known_items_with_the_known_scores(client: Client) -> None:
    [hits] = client.search("leather sofa", k=3)
    assert [hit.item_id for hit in hits] == ["S-1", "S-2", "S-3"]
    assert [hit.score for hit in hits] == pytest.approx([2 / math.sqrt(6), 2 / math.sqrt(6), 0.5])


def test_one_text_and_a_list_of_one_are_the_same(client: Client) -> None:
    assert client.search("red lamp", 2) == client.search(["red lamp"], 2)


def test_unicode_goes_in_and_comes_out(client: Client) -> None:
    [hits] = client.search("台灯", k=1)
    assert hits[0].item_id == "灯-é"
    assert hits[0].score == pytest.approx(1)
    assert client.recommend([["灯-é"]], k=1)[0][0].item_id == "灯-é"


def test_histories_of_different_length_in_one_batch(client: Client) -> None:
    rows = client.recommend([["L-1"], ["S-3", "S-2", "unknown"], []], k=2)
    assert rows[0][0].item_id == "L-1"
    assert {hit.item_id for hit in rows[1]} == {"S-2", "S-3"}
    assert [hit.score for hit in rows[2]] == [0, 0]
    assert rows[0] == client.recommend([["L-1"]], k=2)[0]


def test_history_changes_a_search(client: Client) -> None:
    plain, personal = client.personalised_search(["sofa", "sofa"], [[], ["S-1"]], k=3)
    assert plain[0].item_id == "S-3" and personal[0].item_id == "S-1"


def test_similar_items(client: Client) -> None:
    assert [row[0].item_id for row in client.similar_items(["S-2", "灯-é"], k=1)] == ["S-2", "灯-é"]


def test_embeddings_are_float32_unit_vectors(client: Client) -> None:
    items = client.embed_item(["red lamp", "blue"])
    assert items.dtype == np.float32 and items.shape == (2, 6)
    np.testing.assert_allclose(np.linalg.norm(items, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(client.embed_query("red lamp"), items[:1], rtol=1e-6)
    np.testing.assert_allclose(client.embed_query(histories=[["L-1"], []])[0], items[0], rtol=1e-6)
    assert client.embed_query(["red", "blue"], [["L-1"], ["S-1"]]).shape == (2, 6)


@pytest.mark.parametrize(("k", "given"), [(1, 1), (5, 5), (1000, 5)])
def test_k_is_a_scalar_of_the_request(client: Client, k: int, given: int) -> None:
    assert [len(row) for row in client.search(["sofa", "lamp"], k)] == [given, given]


def test_an_empty_batch_gives_an_empty_answer(client: Client) -> None:
    assert client.search([], k=3) == []
    assert client.recommend([], k=3) == []
    assert client.embed_item([]).shape == (0, 6)


def test_a_large_batch_keeps_its_order(client: Client) -> None:
    rows = client.search(["red lamp", "台灯", "blue sofa", ""] * 2500, k=1)
    assert len(rows) == 10_000
    assert [row[0].item_id for row in rows[:3]] == ["L-1", "灯-é", "S-3"]
    assert rows == rows[:4] * 2500


def test_concurrent_calls_over_one_client(client: Client) -> None:
    queries = ["red lamp", "台灯", "blue sofa"] * 20
    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(lambda query: client.search(query, 1)[0][0].item_id, queries))
    assert rows == ["L-1", "灯-é", "S-3"] * 20


INPUTS: dict[str, dict[str, Any]] = {
    "search": {"query": ["red sofa", "", "台灯"], "k": np.int32(4)},
    "": {"query": ["lamp"], "k": np.int32(2)},
    "recommend": {"history": [["S-1", ""], ["L-1", "S-2"]], "k": np.int32(2)},
    "personalised_search": {"query": ["sofa"], "history": [["S-1"]], "k": np.int32(9)},
    "similar_items": {"item_id": ["S-1", "nothing"], "k": np.int32(1)},
    "embed_query": {"query": ["red"], "history": [[""]]},
    "embed_item": {"text": ["red", "lamp"]},
}


@pytest.mark.parametrize("signature", INPUTS, ids=lambda name: name or "default")
def test_official_stubs_and_light_client_get_the_same(official: Any, client: Client, signature: str) -> None:
    answer = official.prediction.Predict(_request(INPUTS[signature], signature), timeout=20)
    light = client.predict(signature, INPUTS[signature])
    assert sorted(answer.outputs) == sorted(light)
    for name, proto in answer.outputs.items():
        array = tf.make_ndarray(proto)
        assert array.dtype == light[name].dtype and array.shape == light[name].shape
        np.testing.assert_array_equal(array, light[name])
    assert answer.model_spec.name == "shop" and answer.model_spec.version.value == 10
    assert answer.model_spec.signature_name == (signature or "serving_default")


def test_scores_stand_in_float_val_and_ids_in_string_val_as_tf_serving_writes_them(official: Any) -> None:
    answer = official.prediction.Predict(_request(INPUTS["search"], "search"), timeout=20)
    assert len(answer.outputs["scores"].float_val) == 12 and not answer.outputs["scores"].tensor_content
    assert answer.outputs["item_ids"].string_val[0] == b"S-1"


def test_output_filter(official: Any, client: Client) -> None:
    request = _request(INPUTS["search"], "search")
    request.output_filter.append("scores")
    assert list(official.prediction.Predict(request, timeout=20).outputs) == ["scores"]
    assert list(client.predict("search", INPUTS["search"], output_filter=["item_ids"])) == ["item_ids"]


def test_a_version_is_chosen_by_number_and_the_newest_is_served(official: Any, client: Client) -> None:
    newest = client.predict("search", INPUTS["search"], version=10)
    np.testing.assert_array_equal(newest["item_ids"], client.predict("search", INPUTS["search"])["item_ids"])
    with pytest.raises(ClientError) as refused:
        client.predict("search", INPUTS["search"], version=9)
    assert refused.value.code == "NOT_FOUND" and "Specific(shop, 9)" in refused.value.message


def test_status(official: Any, client: Client) -> None:
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "shop"
    [entry] = official.model.GetModelStatus(request, timeout=20).model_version_status
    assert (entry.version, entry.state) == (10, get_model_status_pb2.ModelVersionStatus.AVAILABLE)
    assert client.status() == client.status(version=10) == [(10, "AVAILABLE", "OK", "")]


def test_metadata(official: Any, client: Client) -> None:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "shop"
    answer = official.prediction.GetModelMetadata(request, timeout=20)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    light = client.metadata()
    assert (light.name, light.version) == ("shop", 10)
    assert sorted(light.signatures) == sorted(signatures.signature_def)
    assert light.signatures["recommend"].inputs == {"history": ("DT_STRING", (-1, -1)), "k": ("DT_INT32", ())}
    assert light.signatures["serving_default"].outputs["scores"].dtype == "DT_FLOAT"
    assert light.signatures["search"].method_name == "tensorflow/serving/predict"
