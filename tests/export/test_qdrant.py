"""A catalogue in Qdrant's local mode, and in a server of its protocol: what NumPy finds, switched at once, resumed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.export.qdrant_server import QdrantServer
from tests.export.test_engines import Exact
from tfrec.errors import ExportError
from tfrec.export.engines import qdrant, retrying
from tfrec.export.engines.content import EngineContent
from tfrec.serving.client import ClientError
from tfrec.serving.client.engines.qdrant import QdrantEngine

pytest.importorskip("qdrant_client")
ITEMS, WORDS, DIMENSION = 90, 30, 6
TYPED = {3: 1.0, 4: 0.5, 29: 2.0}
CONDITIONS: list[list[tuple[str, str, Any]]] = [
    [],
    [("material", "=", "oak"), ("material", "=", "steel"), ("price", "<=", 40.0)],
    [("price", ">=", 30.0), ("price", "=", 31.0), ("price", "=", 33.0)],
]


def content_of(seed: int = 1) -> EngineContent:
    draw = np.random.default_rng(seed)
    vectors = draw.normal(size=(ITEMS, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    lists = [np.sort(draw.choice(ITEMS, draw.integers(0, 25), replace=False)) for _ in range(WORDS)]
    items = np.concatenate(lists).astype(np.int32)
    columns: dict[str, list[Any]] = {
        "material": [["oak", "steel", ""][row % 3] for row in range(ITEMS)],
        "price": [None if row % 7 == 0 else float(row) for row in range(ITEMS)],
    }
    facts = {"items": ITEMS, "dimension": DIMENSION, "columns": {"material": "text", "price": "number"}, "seed": seed}
    starts = np.cumsum([0, *map(len, lists)])
    weights = draw.uniform(0.1, 3, len(items)).astype(np.float32)
    prior = draw.normal(size=ITEMS).astype(np.float32)
    return EngineContent([f"i{row}" for row in range(ITEMS)], vectors, prior, starts, items, weights, columns, facts)


def expected(content: EngineContent, vector: np.ndarray, words: dict[int, float], depth: int, conditions: Any) -> Any:
    """row -> (id, dot, sum of words, prior) of the best by vector and the best by words; the highest sum of all."""
    found = Exact(content).candidates(vector, words, depth, conditions)
    fits = np.ones(ITEMS, bool)
    for name in {name for name, _, _ in conditions}:
        signs = [(sign, value) for other, sign, value in conditions if other == name]
        for row, cell in enumerate(content.columns[name]):
            equal = [cell == value for sign, value in signs if sign == "="]
            bounds = [cell is not None and (cell <= v if s == "<=" else cell >= v) for s, v in signs if s != "="]
            fits[row] &= all(bounds) and (any(equal) or not equal)
    by_vector = [row for row in np.argsort(-found.dots, kind="stable") if fits[row]][:depth]
    by_words = [row for row in np.argsort(-found.words, kind="stable") if fits[row] and found.words[row] > 0][:depth]
    rows = sorted({*by_vector, *by_words})
    return {
        row: (content.item_ids[row], found.dots[row], found.words[row], found.prior[row]) for row in rows
    }, found.highest


def same(engine: QdrantEngine, content: EngineContent) -> None:
    assert engine.facts() == content.facts
    vector = np.random.default_rng(5).normal(size=DIMENSION).astype(np.float32)
    for conditions in CONDITIONS:
        for depth in (8, ITEMS):
            for words in (TYPED, {}):
                found = engine.candidates(vector, words, depth, conditions)
                rows, highest = expected(content, vector, words, depth, conditions)
                assert found.rows.tolist() == list(rows) and found.highest == pytest.approx(highest, abs=1e-5)
                assert found.item_ids == [row[0] for row in rows.values()]
                for place, values in enumerate((found.dots, found.words, found.prior), 1):
                    np.testing.assert_allclose(values, [row[place] for row in rows.values()], atol=1e-5)


@pytest.mark.parametrize("kind", ["folder", "server"])
def test_candidates_are_those_of_all_vectors_and_all_words(kind: str, tmp_path: Path) -> None:
    content = content_of()
    with QdrantServer(tmp_path / "server") as server:
        url = server.url if kind == "server" else f"qdrant://{tmp_path / 'folder'}"
        place = qdrant.push(url, "shop", content)
        assert qdrant.push(url, "shop", content) == place == f"tfrec_{content.key[:16]}"
        engine = QdrantEngine(url, "shop")
        same(engine, content)
        engine.close()
        nobody = QdrantEngine(url, "nobody")
        with pytest.raises(ClientError, match="tfrec push-index"):
            nobody.facts()
        nobody.close()
        indexed = {call for call in server.calls if call.endswith("/index")}
        assert len(indexed) == (kind == "server"), "a server indexes the columns that searches filter by"


def test_a_push_goes_on_where_it_ended_and_switches_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qdrant, "_ITEMS_PER_PART", 20)
    url, contents = f"qdrant://{tmp_path}", [content_of(seed) for seed in range(4)]
    qdrant.push(url, "shop", contents[0])
    write, written = qdrant._write, []

    def ending(*given: Any) -> None:
        written.append(given[-1])
        if len(written) == 3:
            raise KeyboardInterrupt
        write(*given)

    monkeypatch.setattr(qdrant, "_write", ending)
    with pytest.raises(KeyboardInterrupt):
        qdrant.push(url, "shop", contents[1])
    engine = QdrantEngine(url, "shop")
    same(engine, contents[0])
    with pytest.raises(ExportError, match="open in another process"):
        qdrant.push(url, "shop", contents[1])
    engine.close()
    qdrant.push(url, "shop", contents[1])
    assert written == ["0:20", "20:40", "40:60", "40:60", "60:80", "80:90"], "what is noted is not written again"
    for content in contents[2:]:
        qdrant.push(url, "shop", content)
    engine = QdrantEngine(url, "shop")
    same(engine, contents[3])
    left = {one.name for one in engine._client.get_collections().collections}
    engine.close()
    kept = [f"tfrec_{content.key[:16]}" for content in contents[2:]]
    assert left == {*kept, *(f"{name}_notes" for name in kept)}, "the one before stays, older ones go"


def test_what_does_not_hold_what_was_written_is_not_shown(tmp_path: Path) -> None:
    url, content = f"qdrant://{tmp_path}", content_of()
    qdrant.push(url, "shop", content)
    other = dataclasses.replace(content_of(2))
    client = qdrant._connected(url)
    qdrant._create(client, f"tfrec_{other.key[:16]}", other)
    qdrant._note(client, f"tfrec_{other.key[:16]}", f"0:{ITEMS}")  # as if it had been written
    client.close()
    with pytest.raises(ExportError, match="does not hold what was written: delete"):
        qdrant.push(url, "shop", other)
    engine = QdrantEngine(url, "shop")
    same(engine, content)
    engine.close()


def test_a_server_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 0.001)
    with pytest.raises(ExportError, match=r"Qdrant did not take the catalogue .* the same command goes on"):
        qdrant.push("qdrant://127.0.0.1:9", "shop", content_of())
    with pytest.raises(ClientError, match="Qdrant does not answer"):
        QdrantEngine("qdrant://127.0.0.1:9", "shop").facts()
