"""LoadedModel as people call it in Python: checked as the client checks, with titles and explanations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfrec.errors import ExportError


def test_one_text_is_one_query_and_one_id_one_item(loaded: Any) -> None:
    one, listed = loaded.search("red sofa", 5), loaded.search(["red sofa"], 5)
    assert one.item_ids.shape == (1, 5) and one.item_ids.tolist() == listed.item_ids.tolist()
    assert loaded.similar_items("item-3", 4).item_ids.tolist() == loaded.similar_items(["item-3"], 4).item_ids.tolist()
    assert loaded.embed_query("red sofa").shape == (1, 24) and loaded.embed_item("red sofa").shape == (1, 24)
    assert loaded.personalised_search("red sofa", [["item-3"]], 3).item_ids.shape == (1, 3)
    assert loaded.search(np.array(["red sofa", "lamp"]), np.int64(2)).item_ids.shape == (2, 2)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda m: m.recommend(["P1", "P2"]), r"for one request write \[\['P1', \.\.\.\]\]"),
        (lambda m: m.recommend("P1"), "histories must be a list of lists of item ids"),
        (lambda m: m.recommend([["P1"], "P2"]), "one list for each request"),
        (lambda m: m.recommend([["P1"], None]), r"number 1 is None \(NoneType\)"),
        (lambda m: m.recommend([[1, 2]]), r"histories\[0\] must be texts, but number 0 is 1 \(int\)"),
        (lambda m: m.recommend(None), "not None"),
        (lambda m: m.recommend({"a": ["P1"]}), "list of lists"),
        (lambda m: m.search(None), "queries must be a text or a list of texts, not None"),
        (lambda m: m.search(b"red"), r"not b'red' \(bytes\)"),
        (lambda m: m.search(["a", 5]), r"number 1 is 5 \(int\)"),
        (lambda m: m.search(["a", ["b"]]), r"number 1 is \['b'\] \(list\)"),
        (lambda m: m.search({"q": "a"}), "a list of texts"),
        (lambda m: m.search("a", k="5"), r"k must be a whole number, not '5' \(str\)"),
        (lambda m: m.search("a", k=2.5), "k must be a whole number"),
        (lambda m: m.search("a", k=True), "k must be a whole number"),
        (lambda m: m.search("a", k=0), "k must be at least 1, not 0"),
        (lambda m: m.search("a", filters="price<=5"), "filters must be a list of conditions"),
        (lambda m: m.search("a", filters=[5]), r"filters must be texts, but number 0 is 5 \(int\)"),
        (lambda m: m.search("a", diversity="much"), "diversity must be a number from 0 to 1"),
        (lambda m: m.similar_items([["item-3"]]), "item_ids must be texts"),
        (lambda m: m.personalised_search(["a", "b"], [["item-3"]]), "2 queries need as many histories, not 1"),
        (lambda m: m.personalised_search("a", ["item-3"]), "one list for each request"),
        (lambda m: m.embed_query(None), "Give queries, histories or both"),
        (lambda m: m.embed_item(None), "texts must be a text or a list of texts"),
        (lambda m: m.explain(), "Give queries, histories or both"),
        (lambda m: m.explain("a", item_ids=["item-3"]), "one list for each request"),
        (lambda m: m.explain("a", item_ids=[["item-3"], []]), "1 requests need as many lists of items, not 2"),
        (lambda m: m.titles(5), "item_ids must be a text or a list"),
    ],
)
def test_what_is_no_such_argument_is_one_sentence(loaded: Any, call: Any, said: str) -> None:
    with pytest.raises(ExportError, match=said) as caught:
        call(loaded)
    assert "\n" not in str(caught.value)


def test_no_request_has_no_answer(loaded: Any) -> None:
    for ranking in (
        loaded.search([], 3), loaded.recommend([], 3), loaded.personalised_search([], [], 3),
        loaded.similar_items([], 3), loaded.search([], 3, filters=[""], diversity=0.5),
    ):  # fmt: skip
        assert ranking.item_ids.shape[0] == 0 and ranking.scores.shape[0] == 0
    assert loaded.embed_query([]).shape == (0, 24) and loaded.embed_item([]).shape == (0, 24)
    assert loaded.explain([]) == [] and loaded.titles([]) == {}


def test_blanks_around_ids_are_no_part_of_them(loaded: Any) -> None:
    plain, blank = [["item-3", "ärtikel 10"]], [[" item-3\t", "  ärtikel 10 "]]
    assert loaded.recommend(blank, 9).item_ids.tolist() == loaded.recommend(plain, 9).item_ids.tolist()
    assert loaded.similar_items(" item-3", 9).item_ids.tolist() == loaded.similar_items("item-3", 9).item_ids.tolist()


def test_titles_are_those_of_the_export(loaded: Any, trained: Any) -> None:
    titles = dict(zip(trained.shop.item_ids, trained.shop.items["title"], strict=True))
    ids = [item_id for item_id, _ in loaded.search("red sofa", 5).hits(0)]
    assert loaded.titles(ids) == {item_id: titles[item_id] for item_id in ids}
    assert loaded.titles(["nobody", "item-1"]) == {"item-1": titles["item-1"]}


def test_similar_items_by_relation_are_those_of_the_table_in_their_usual_order(trained: Any, loaded: Any) -> None:
    ids = trained.shop.item_ids
    like = [item_id for item_id, _ in loaded.similar_items("item-3", len(ids)).hits(0)]
    series = loaded.similar_items(["item-3", "nobody"], 50, relation=" Series ")
    members = {ids[row] for row in range(3, len(ids), 40)} - {"item-3"}
    assert [item_id for item_id, _ in series.hits(0)] == [item_id for item_id in like if item_id in members]
    assert members and series.hits(1) == []
    assert [item_id for item_id, _ in loaded.similar_items("item-3", 5, relation="goes with").hits(0)] == ["ärtikel 10"]
    diverse = loaded.similar_items("item-3", 50, relation="series", diversity=0.6).hits(0)
    assert {item_id for item_id, _ in diverse} == members
    with pytest.raises(ExportError, match="no relation 'twin': the export knows goes with, series"):
        loaded.similar_items("item-3", relation="twin")


def test_an_explanation_has_the_ranking_its_parts_and_the_words(loaded: Any) -> None:
    hits = loaded.search(["red sofas xyz", "lamp"], 4)
    found = loaded.explain(["red sofas xyz", "lamp"], k=4)
    for row in range(2):
        assert [one.item_id for one in found[row]] == [item_id for item_id, _ in hits.hits(row)]
        assert [one.score for one in found[row]] == pytest.approx([score for _, score in hits.hits(row)], abs=1e-4)
    for one in found[0]:
        assert sum(one.parts.values()) == pytest.approx(one.score, abs=1e-5) and set(one.parts) == {"dense"}
        title = one.title.split()
        assert one.words == [word for word in ("red", "sofas") if word.removesuffix("s") in title]
    given = loaded.explain(["red sofa", "lamp"], [["item-3"], []], [["item-5", "nobody", "item-1"], ["item-2"]])
    assert [[one.item_id for one in row] for row in given] == [["item-5", "nobody", "item-1"], ["item-2"]]
    assert given[0][1].score == 0 and given[0][1].title == "" and given[0][1].words == []
    assert [one.item_id for one in loaded.explain(histories=[["item-3"]], k=2)[0]] == (
        loaded.recommend([["item-3"]], 2).item_ids[0].tolist()
    )


def test_a_trained_shop_answers_as_its_export(trained: Any, loaded: Any, tmp_path: Any) -> None:
    from tfrec.pipeline.trained import TrainedShop

    config = trained.config.model_copy(deep=True)
    config.retrieval.scorers, config.runs_dir = ["dense"], str(tmp_path)
    shop = TrainedShop(config, trained.shop, trained.model, "s" * 64, {"steps": 7}, _catalogue=trained.catalogue)
    mine, exported = shop.search(["red sofa", "lamp"], 6), loaded.search(["red sofa", "lamp"], 6)
    np.testing.assert_allclose(mine.scores, exported.scores, atol=1e-4)
    assert mine.item_ids.tolist() == exported.item_ids.tolist()
    assert shop.search("red sofa", 2).item_ids.shape == (1, 2)
    first = shop.answering.explain("red sofa", k=1)[0][0]
    assert first.title and first.words
    for shown in (shop, loaded, trained.shop, config):
        assert len(repr(shown)) < 200 and "\n" not in repr(shown), repr(shown)
    assert repr(shop) == "TrainedShop('shop': 120 items, 7 steps)"
    assert "120 items, ranked by dense" in repr(loaded)
