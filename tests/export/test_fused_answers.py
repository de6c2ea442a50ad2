"""An export of several scorers with filters: every signature against NumPy, with the formula written out here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfrec.errors import ExportError
from tfrec.retrieval.lexical_tuning.stage import kept_lexical

WEIGHTS = {
    "search": {"dense": 0.5, "lexical": 0.4, "popularity": 0.1},
    "recommendation": {"dense": 0.8, "popularity": 0.2},
    "nothing": {"popularity": 1.0},
}
SHARE = 0.25
QUERIES = ["red sofa", "oak drawer", "黑色 沙发", "no such word zzz", ""]
HISTORIES = [["item-3", "item-77"], ["item-1"], ["nobody"], [], ["item-5", "item-6"]]


@pytest.fixture(scope="module")
def fused(trained: Any, make_config: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The exported fusion of dense, lexical and popularity, loaded."""
    from tfrec.config import Config
    from tfrec.export.exporter import export_model
    from tfrec.export.loaded import LoadedModel
    from tfrec.retrieval.building import build_scorers
    from tfrec.retrieval.fusion import Fusion
    from tfrec.retrieval.weights import SituationWeights, weights_table

    retrieval = {"scorers": ["dense", "lexical", "popularity"], "filters": ["material", "price"]}
    config = Config.model_validate(
        make_config(precision="f32", warmup_requests=21).model_dump() | {"retrieval": retrieval}
    )
    trained.shop.__dict__["popularity"] = np.arange(120) % 7
    scorers = build_scorers(config, trained.shop, trained.catalogue)
    del trained.shop.__dict__["popularity"]
    table = weights_table([scorer.label for scorer in scorers], WEIGHTS, SHARE)
    base = tmp_path_factory.mktemp("fused")
    fusion = Fusion(scorers, SituationWeights(table))
    folder = export_model(config, *trained[1:], base=base, metrics={}, signature="f", fusion=fusion)
    return LoadedModel.open(folder)


def standard(scores: np.ndarray) -> np.ndarray:
    return (scores - scores.mean(-1, keepdims=True)) / (scores.std(-1, keepdims=True) + 1e-6)


def expected(trained: Any, vectors: np.ndarray, queries: list[str], weights: list[float]) -> np.ndarray:
    """weights[0] * z(dense) + weights[1] * 8 * lexical / its best + weights[2] * z(popularity), float64 [Q, 120]."""
    words = kept_lexical(trained[0], trained.shop, ("train",), None)
    lexical = np.stack([words.scores(query) for query in queries])
    best = 8 * lexical / (lexical.max(-1, keepdims=True) + 1e-9)
    sold = standard(np.log1p(np.arange(120) % 7.0))
    return weights[0] * standard(vectors @ trained.catalogue.T) + weights[1] * best + weights[2] * sold


def rows_of(trained: Any, item_ids: Any) -> list[int]:
    return [trained.shop.item_ids.index(item_id) for item_id in item_ids]


@pytest.fixture(scope="module")
def situations(trained: Any) -> dict[str, np.ndarray]:
    """Expected scores of search, recommend and personalised search."""
    model = trained.model
    histories = [[trained.shop.item_ids.index(i) for i in past if i != "nobody"] for past in HISTORIES]
    nothing = [""] * len(QUERIES)
    search, past = [0.5, 0.4, 0.1], [0.8, 0.0, 0.2]
    best_sellers = expected(trained, model.query_vectors([""]), [""], [0.001 / 1.001, 0.0, 1 / 1.001])[0]
    both = [(1 - SHARE) * s + SHARE * p for s, p in zip(search, past, strict=True)]
    words = expected(trained, model.query_vectors(QUERIES), QUERIES, search)
    words[4] = best_sellers
    bought = expected(trained, model.query_vectors(nothing, histories), nothing, past)
    bought[[2, 3]] = best_sellers
    mixed = expected(trained, model.query_vectors(QUERIES, histories), QUERIES, both)
    mixed[[2, 3]] = words[[2, 3]]  # no known history
    mixed[4] = bought[4]
    return {"search": words, "recommend": bought, "personalised_search": mixed}


def test_every_signature_is_the_formula(
    trained: Any, fused: Any, situations: dict[str, np.ndarray], assert_same_ranking: Any
) -> None:
    ids = trained.shop.item_ids
    found = {
        "search": fused.search(QUERIES, 10),
        "recommend": fused.recommend(HISTORIES, 10),
        "personalised_search": fused.personalised_search(QUERIES, HISTORIES, 10),
    }
    for name, ranking in found.items():
        scores = situations[name].copy()
        if name == "recommend":
            for row, past in enumerate(HISTORIES):
                scores[row, rows_of(trained, [i for i in past if i != "nobody"])] = -np.inf
        for row in range(len(QUERIES)):
            assert_same_ranking(ranking.item_ids[row], ranking.scores[row], scores[row], ids, 2e-4)
    like = expected(trained, trained.catalogue[[3]], [""], [0.8, 0.0, 0.2])[0]
    like[3] = -np.inf
    similar = fused.similar_items(["item-3", "nobody"], 10)
    assert_same_ranking(similar.item_ids[0], similar.scores[0], like, ids, 2e-4)
    assert similar.hits(1) == []


def test_the_parts_of_a_score_are_told(trained: Any, fused: Any, situations: dict[str, np.ndarray]) -> None:
    import tensorflow as tf

    explain = fused._loaded.signatures["explain"]
    past = [row + [""] * (2 - len(row)) for row in HISTORIES]
    asked = ["item-3", "nobody", "item-8", "item-115"]
    told = explain(query=tf.constant(QUERIES), history=tf.constant(past), item_ids=tf.constant([asked] * len(QUERIES)))
    parts = told["parts"].numpy()
    assert told["scorers"].numpy().tolist() == [[b"dense", b"lexical", b"popularity"]] * len(QUERIES)
    wanted = situations["personalised_search"][:, rows_of(trained, ["item-3", "item-8", "item-115"])]
    np.testing.assert_allclose(parts[:, [0, 2, 3]].sum(axis=2), wanted, atol=2e-4)
    assert not parts[:, 1].any() and not parts[4, :, 1].any()  # an unknown item; no words
    assert np.abs(parts[0, :, 1]).max() > 0.1
    with pytest.raises(tf.errors.InvalidArgumentError, match="item_ids must have as many rows"):
        explain(query=tf.constant(QUERIES), history=tf.constant(past), item_ids=tf.constant([asked]))


def test_wishes_without_content_change_nothing(fused: Any) -> None:
    for plain, wished in (
        (fused.search(QUERIES, 7), fused.search(QUERIES, 7, filters=["", " "])),
        (fused.recommend(HISTORIES, 7), fused.recommend(HISTORIES, 7, filters=["price>=0"])),
        (fused.similar_items(["item-3", "x"], 7), fused.similar_items(["item-3", "x"], 7, filters=["price<=1e9"])),
        (
            fused.personalised_search(QUERIES, HISTORIES, 7),
            fused.personalised_search(QUERIES, HISTORIES, 7, filters=["price<=1e9"]),
        ),
    ):
        assert plain.item_ids.tolist() == wished.item_ids.tolist()
        np.testing.assert_allclose(plain.scores, wished.scores, atol=1e-5)


def test_filters_rank_what_satisfies_them(
    trained: Any, fused: Any, situations: dict[str, np.ndarray], assert_same_ranking: Any
) -> None:
    numbers = np.arange(120)
    inside = (numbers % 5 == 1) & (numbers / 2 >= 10) & (numbers / 2 <= 40)  # oak
    found = fused.search(QUERIES, 120, filters=["material=Oak", "price>=10", "price<=40"])
    for row in range(len(QUERIES)):
        hits = found.hits(row)
        assert len(hits) == inside.sum()
        scores = np.where(inside, situations["search"][row], -np.inf)
        assert_same_ranking([i for i, _ in hits], found.scores[row, : len(hits)], scores, trained.shop.item_ids, 2e-4)
    assert all(fused.recommend(HISTORIES, 3, filters=["material=gold"]).hits(row) == [] for row in range(5))


def test_what_was_seen_stays_out_only_where_wanted(fused: Any) -> None:
    seen = fused.recommend([["item-3"]], 120, exclude_seen=False)
    assert "item-3" in seen.item_ids[0] and "item-3" not in fused.recommend([["item-3"]], 120).item_ids[0]
    usual = fused.personalised_search(["red"], [["item-3"]], 120)
    without = fused.personalised_search(["red"], [["item-3"]], 120, exclude_seen=True)
    assert [i for i in usual.item_ids[0] if i != "item-3"] == [i for i in without.item_ids[0] if i]


def test_a_shopper_of_whom_nothing_is_known_gets_what_sells(trained: Any, fused: Any) -> None:
    best = {item for item, sold in zip(trained.shop.item_ids, np.arange(120) % 7, strict=True) if sold == 6}
    nobody = [[], ["nobody"], ["", " "]]
    for found in (
        fused.recommend(nobody, 17),
        fused.recommend(nobody, 17, filters=["price>=0"]),
        fused.search(["", "  ", "\u3000"], 17),
        fused.personalised_search(["", "\t", ""], nobody, 17),
    ):
        assert [set(row) for row in found.item_ids] == [best] * 3
    left = fused.recommend(nobody, 17, filters=["material=oak"], exclude_seen=True)
    oaks = [item for item in trained.shop.item_ids if trained.shop.item_ids.index(item) % 5 == 1]
    sold = [trained.shop.item_ids.index(item) % 7 for item in left.item_ids[0]]
    assert set(left.item_ids[0]) <= set(oaks) and sold == sorted(sold, reverse=True) and sold[0] == 6


def test_diversity_spreads_the_list(trained: Any, fused: Any) -> None:
    def likeness(ranking: Any) -> float:
        vectors = trained.catalogue[rows_of(trained, ranking.item_ids[0])]
        return float((vectors @ vectors.T)[np.triu_indices(10, 1)].mean())

    plain, spread = fused.search(["red sofa"], 10), fused.search(["red sofa"], 10, diversity=0.7)
    assert plain.item_ids[0, 0] == spread.item_ids[0, 0]
    assert likeness(spread) < likeness(plain) - 0.05


def test_wrong_wishes_are_told_in_one_line(fused: Any, loaded: Any) -> None:
    unknown = "The filter 'colour=red' asks for an unknown column; columns that can be filtered: material, price."
    for filters, sentence in (
        (["colour=red"], unknown),
        (["price<=9", "price<="], "The filter 'price<=' must have a number after <=, such as 1234.50."),
        (["price<=1,5"], "The filter 'price<=1,5' must have a number after <=, such as 1234.50."),
        (["price<=nan"], "The filter 'price<=nan' must have a number after <=, such as 1234.50."),
        (["price="], "The filter 'price=' must have a number after =, such as 1234.50."),
        (["material>=oak"], "The filter 'material>=oak' does not fit: the column material holds text and can only be "
                            "asked for with =."),
        (["price<5"], "The filter 'price<5' cannot be read: it must read column=value, column<=number or "
                      "column>=number."),
        ("price<=5", 'filters must be a list of conditions, such as ["price<=50"].'),
    ):  # fmt: skip
        for ask in (fused.search, fused.recommend, fused.similar_items):
            with pytest.raises(ExportError) as wrong:
                ask([["item-3"]] if ask == fused.recommend else ["item-3"], 1, filters=filters)
            assert str(wrong.value) == sentence
    for diversity in (2.0, -0.1, float("nan"), float("inf")):
        with pytest.raises(ExportError, match=f"^Diversity must lie between 0 and 1, but is {diversity:g}.$"):
            fused.search(["a"], 1, diversity=diversity)
    with pytest.raises(ExportError, match="configure retrieval.filters"):
        loaded.search(["a"], 1, filters=["price<=3"])


def test_the_manifest_says_what_ranks_and_the_graph_leaves_the_rest_out(fused: Any) -> None:
    manifest = json.loads((Path(fused.folder) / "tfrec_manifest.json").read_text())
    assert manifest["retrieval"]["scorers"] == ["dense", "lexical", "popularity"]
    assert manifest["retrieval"]["filters"] == ["material", "price"]
    assert manifest["retrieval"]["filter_kinds"] == {"material": "text", "price": "number"}
    np.testing.assert_allclose(manifest["retrieval"]["weights"]["query"], [0.5, 0.4, 0.1], atol=1e-6)
    assert {"search_filtered", "recommend_filtered", "similar_items_filtered"} <= set(manifest["signatures"])

    def ops(name: str) -> list[str]:
        return [node.type for node in fused._loaded.signatures[name].graph.get_operations()]

    assert len(ops("recommend")) < len(ops("search"))


def test_warm_up_reaches_every_signature_that_ranks(fused: Any) -> None:
    from tensorflow_serving.apis import prediction_log_pb2

    from tfrec.tensorflow_setup import tf

    seen = []
    for record in tf.data.TFRecordDataset(str(Path(fused.folder) / "assets.extra" / "tf_serving_warmup_requests")):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()}
        assert fused._loaded.signatures[request.model_spec.signature_name](**inputs)["item_ids"].shape[1] == 10
        seen.append(request.model_spec.signature_name)
    plain = ["search", "recommend", "personalised_search", "similar_items"]
    assert seen == plain * 4 + [f"{name}_filtered" for name in plain] + ["search"]
