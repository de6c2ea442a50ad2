"""Writing versions: numbers, skipping, precision, warm-up, and what refuses to be exported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfrec.errors import ExportError
from tfrec.export.exporter import export_key, export_model, sample_queries
from tfrec.export.loaded import LoadedModel
from tfrec.export.manifest import verify_manifest
from tfrec.export.serving_module import ServingModule
from tfrec.export.vectors import catalogue_vectors

SIGNATURE = "a" * 64  # of the fixture `exported`


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "export"


def test_the_same_model_is_not_written_twice(trained: Any, make_config: Any, exported: Path, base: Path) -> None:
    newest = Path(shutil.copytree(exported, base / "10"))
    (base / "9").mkdir()  # 10 is the newest as a number, not as text
    assert export_model(*trained, base=base, metrics={}, signature=SIGNATURE) == newest
    assert sorted(folder.name for folder in base.iterdir()) == ["10", "9"]
    # Other export settings make another version of the same model, and so do other weights.
    configs = (trained.config, make_config(precision="f32", warmup_requests=0))
    assert len({export_key(config, signature, None) for config in configs for signature in (SIGNATURE, "b")}) == 4


def test_a_damaged_version_is_not_taken_for_the_same(exported: Path, tmp_path: Path) -> None:
    from tfrec.export.exporter import _is_same

    key = verify_manifest(exported)["export_key"]
    assert _is_same(exported, key) and not _is_same(exported, "other")
    copy = tmp_path / "1"
    shutil.copytree(exported, copy)
    assert _is_same(copy, key)
    (copy / "fingerprint.pb").write_bytes(b"damaged")
    assert not _is_same(copy, key)


def test_the_manifest_says_what_the_export_was_made_from(trained: Any, exported: Path) -> None:
    manifest = verify_manifest(exported)
    assert manifest["signature"] == SIGNATURE and len(manifest["config_sha256"]) == 64
    assert manifest["data_fingerprint"] == trained.shop.fingerprint
    assert manifest["encoder_fingerprint"] == trained.model.encoder.fingerprint
    assert manifest["metrics"] == {"search": {"ndcg@10": 0.5}}
    assert (manifest["items"], manifest["dimension"]) == (120, 24)
    assert manifest["same_signatures"] == {"serving_default": "search"}
    precision = manifest["precision"]
    assert (precision["precision"], precision["wanted"], precision["queries"]) == ("f32", "f32", 180)
    assert 0.5 < precision["agreement"] <= 1


def test_the_manifest_holds_the_scores_that_typed_queries_get(trained: Any, exported: Path, loaded: Any) -> None:
    from tfrec.serving.server.metrics.drift import RecentDrift

    references = verify_manifest(exported)["score_reference"]
    assert sorted(references) == ["search", "serving_default"] and references["search"]["requests"] == 60
    queries = list(trained.shop.judgments("dev"))
    usual, odd = (RecentDrift.from_manifest({"score_reference": references})["search"] for _ in range(2))
    for score in loaded.search(queries, 1).scores[:, 0].tolist() * 5:
        usual.add(score)
        odd.add(score - 0.5)
    assert usual.index() == pytest.approx(0, abs=1e-3) and (odd.index() or 0) > 0.25


def test_no_path_of_this_machine_is_in_the_manifest(exported: Path) -> None:
    text = (exported / "tfrec_manifest.json").read_text()
    assert str(exported.parent) not in text and str(Path.home()) not in text


def test_the_encoder_is_stored_once(exported: Path, trained: Any) -> None:
    """All signatures share one copy of its constants; word embeddings and the catalogue lie beside the graph."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    from tfrec.tensorflow_setup import tf

    graph = SavedModel.FromString((exported / "saved_model.pb").read_bytes()).meta_graphs[0].graph_def
    constants = [
        [d.size for d in node.attr["value"].tensor.tensor_shape.dim]
        for function in graph.library.function
        for node in function.node_def
        if node.op == "Const"
    ]
    weights = {v.name.partition(":")[0]: v.shape.as_list() for v in trained.model.encoder.variables}
    inner = weights["layer_0/ffn/inner/kernel"]
    assert constants.count(inner) == sum(shape == inner for shape in weights.values()) == 2
    words = weights["embeddings/word"]
    assert words not in constants
    stored = [shape for _, shape in tf.train.list_variables(str(exported / "variables" / "variables"))]
    assert stored.count(words) == 1
    np.testing.assert_array_equal(catalogue_vectors(exported), trained.catalogue)


def test_vectors_that_the_scorer_holds_are_not_stored_again(trained: Any) -> None:
    from tfrec.retrieval.dense import DenseScorer
    from tfrec.tensorflow_setup import tf

    def held(scorer: Any) -> list[int]:
        module = ServingModule(trained.model, tf.Module(), trained.shop.item_ids, trained.catalogue, scorer)
        np.testing.assert_array_equal(module.catalogue, trained.catalogue)
        size = trained.catalogue.size
        return sorted(v.dtype.size for v in module.variables if v.shape.num_elements() == size)

    assert held(DenseScorer(trained.catalogue, "bf16")) == [2, 4]
    assert held(DenseScorer(trained.catalogue, "int8")) == [1, 4]
    assert held(DenseScorer(trained.catalogue)) == [4, 4]  # by rows, and by columns for products
    assert held(DenseScorer(trained.catalogue[::-1], "bf16")) == [2, 4, 4]  # another catalogue's


def test_what_is_no_export_has_no_vectors(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="holds no vectors of a catalogue"):
        catalogue_vectors(tmp_path)


def test_a_bf16_export_answers_as_a_bf16_training_process(make_config: Any, trained: Any, base: Path) -> None:
    from tfrec.encoder.loading import load_encoder
    from tfrec.models.two_tower import TwoTower

    config = make_config("bf16", precision="bf16")
    model = TwoTower(config, load_encoder(config.encoder, 1), 120, np.zeros(120))
    catalogue = model.refresh_catalogue(trained.shop.item_texts, np.ones(120))
    folder = export_model(config, model, trained.shop, catalogue, base, {}, "c")
    manifest = json.loads((folder / "tfrec_manifest.json").read_text())
    assert manifest["precision"]["precision"] == "bf16"
    queries = ["red sofa", "oak shelf with drawer", ""]
    found = LoadedModel.open(folder).search(queries, 120)
    expected = model.query_vectors(queries) @ catalogue.T
    for row in range(3):
        items = [trained.shop.item_ids.index(item_id) for item_id in found.item_ids[row]]
        np.testing.assert_allclose(found.scores[row], expected[row, items], atol=1e-2)


@pytest.mark.parametrize(
    ("fast", "agreement", "expected"), [(True, 0.98, "bf16"), (True, 0.97, "f32"), (False, 1.0, "f32")]
)
def test_auto_takes_bf16_only_where_it_is_fast_and_agrees(
    trained: Any, monkeypatch: pytest.MonkeyPatch, fast: bool, agreement: float, expected: str
) -> None:
    """With the measured tops given: 100 places, of which 100 * agreement are the same."""
    from tfrec.export import precision

    f32 = np.arange(100).reshape(10, 10)
    bf16 = np.where(np.arange(100) < 100 * agreement, np.arange(100), 999).reshape(10, 10)
    tops = iter([bf16, f32])
    monkeypatch.setattr(precision, "cpu_multiplies_bf16", lambda: fast)
    monkeypatch.setattr(precision, "_top", lambda *_: next(tops))
    chosen = precision.choose_precision(trained.model, trained.catalogue, ["q"] * 10, "auto")
    assert (chosen.precision, chosen.agreement, chosen.cpu_has_bf16) == (expected, agreement, fast)


def test_warm_up_records_replay_and_hold_no_shopper_query(exported: Path, trained: Any, loaded: Any) -> None:
    from tensorflow_serving.apis import prediction_log_pb2

    from tfrec.tensorflow_setup import tf

    dev_queries = set(trained.shop.judgments("dev"))
    seen: list[tuple[str, int]] = []
    for record in tf.data.TFRecordDataset(str(exported / "assets.extra" / "tf_serving_warmup_requests")):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()}
        found = loaded._loaded.signatures[request.model_spec.signature_name](**inputs)
        batch = next(value for name, value in inputs.items() if name != "k").shape[0]
        assert found["item_ids"].shape == (batch, 10) and request.model_spec.name == "tfrec"
        assert not dev_queries & {query.decode() for query in inputs.get("query", tf.constant([b""])).numpy()}
        seen.append((request.model_spec.signature_name, batch))
    ranked = ("search", "recommend", "personalised_search", "similar_items")
    assert seen == [(name, batch) for batch in (1, 2) for name in ranked]


def test_queries_to_compare_on_are_the_dev_queries_first(trained: Any) -> None:
    queries = sample_queries(trained.shop, 17)
    dev = list(trained.shop.judgments("dev"))
    assert queries[: len(dev)] == dev and len(queries) == len(dev) + trained.shop.size


def test_a_broken_catalogue_is_not_exported(trained: Any) -> None:
    ids, catalogue = trained.shop.item_ids, trained.catalogue.copy()
    encode = trained.model.encoder.inference_function("f32")
    with pytest.raises(ExportError, match="119 items"):
        ServingModule(trained.model, encode, ids[1:], catalogue)
    with pytest.raises(ExportError, match="unique"):
        ServingModule(trained.model, encode, [*ids[1:], ids[-1]], catalogue)
    with pytest.raises(ExportError, match="not empty"):
        ServingModule(trained.model, encode, [*ids[1:], ""], catalogue)
    catalogue[7, 3] = np.nan
    with pytest.raises(ExportError, match="'item-7' is not finite"):
        ServingModule(trained.model, encode, ids, catalogue)


def test_an_export_of_another_model_is_noticed_before_it_gets_its_name(
    trained: Any, make_config: Any, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = type(trained.model).query_vectors
    monkeypatch.setattr(type(trained.model), "query_vectors", lambda *a: np.roll(real(*a), 1, axis=0))
    with pytest.raises(ExportError, match="differently from the trained model"):
        export_model(make_config(), *trained[1:], base=base, metrics={}, signature="a")
    assert list(base.iterdir()) == []


@pytest.mark.parametrize("name", ["", "latest"])
def test_a_folder_without_versions_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ExportError, match="holds no export"):
        LoadedModel.open(tmp_path / name)


def test_an_export_carries_what_is_shown_of_its_items(trained: Any, exported: Path) -> None:
    import polars as pl

    from tfrec.export.shown_items import SHOWN_ITEMS_FILE, shown_items_file, titles_in

    shown = pl.read_parquet(exported / SHOWN_ITEMS_FILE)
    assert shown.equals(trained.shop.items.drop("text")) and SHOWN_ITEMS_FILE in verify_manifest(exported)["files"]
    assert shown_items_file(exported, 1) == shown_items_file(exported.parent, 1) == exported / SHOWN_ITEMS_FILE
    assert shown_items_file(exported, 2) is shown_items_file(exported.parent, 2) is None
    assert titles_in(exported / SHOWN_ITEMS_FILE, ["item-3", "nobody"]) == {"item-3": shown["title"][3]}
