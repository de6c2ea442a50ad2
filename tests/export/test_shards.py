"""Parts of one catalogue on two servers: merged, they answer as the export of the whole does."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.export.test_fused_answers import HISTORIES, QUERIES, SHARE, WEIGHTS
from tfrec.errors import ConfigError
from tfrec.serving.client import AsyncShardedClient, ClientError, ShardedClient

COUNT = 2
pytestmark = pytest.mark.slow  # the scores are in tests/retrieval/test_shard.py; exports and servers take a minute


def bought_together(size: int) -> Any:
    """Item-item weights of a made shop, both signs."""
    from tfrec.retrieval.item_weights import ItemWeights

    generator = np.random.default_rng(3)
    items = np.concatenate([np.sort(generator.choice(size, 9, False)) for _ in range(size)]).astype(np.int32)
    return ItemWeights(size, np.arange(0, 9 * size + 1, 9), items, generator.normal(size=9 * size).astype(np.float32))


def fitted(trained: Any, make_config: Any) -> tuple[Any, Any]:
    """A configuration, and a fusion of all kinds of scorers for the shop of 120 items."""
    from tfrec.config import Config
    from tfrec.retrieval.building import build_scorers
    from tfrec.retrieval.collaborative import CollaborativeScorer
    from tfrec.retrieval.fusion import Fusion
    from tfrec.retrieval.weights import SituationWeights, weights_table

    retrieval = {"scorers": ["dense", "lexical", "popularity"], "filters": ["material", "price"]}
    made = make_config(precision="f32", warmup_requests=2).model_dump()
    config = Config.model_validate(made | {"retrieval": retrieval})
    trained.shop.__dict__["popularity"] = np.arange(120) % 7
    scorers = [
        *build_scorers(config, trained.shop, trained.catalogue),
        CollaborativeScorer(bought_together(120), half_life=2.0),
    ]
    del trained.shop.__dict__["popularity"]
    tasks = {**WEIGHTS, "recommendation": {"dense": 0.4, "collaborative": 0.5, "popularity": 0.1}}
    return config, Fusion(scorers, SituationWeights(weights_table([scorer.label for scorer in scorers], tasks, SHARE)))


@pytest.fixture(scope="module")
def sharded(trained: Any, make_config: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(the whole as its export would answer, its configuration, its fusion, the folders of COUNT shards)."""
    from tfrec.export.in_process import answering
    from tfrec.export.shards import export_shards

    config, fusion = fitted(trained, make_config)
    base = tmp_path_factory.mktemp("sharded")
    arguments = (config, *trained[1:], base / "parts", "f", fusion, COUNT)
    folders = export_shards(*arguments)
    assert export_shards(*arguments) == folders  # not written twice
    return answering(config, *trained[1:], fusion, base), config, fusion, folders


@pytest.fixture(scope="module")
def servers(sharded: Any) -> Iterator[list[Any]]:
    from tfrec.serving.server.server import ModelServer

    with contextlib.ExitStack() as running:
        yield [running.enter_context(ModelServer(folder.parent, "tfrec", port=0)) for folder in sharded[3]]


@pytest.fixture(scope="module")
def client(servers: list[Any]) -> Iterator[ShardedClient]:
    with ShardedClient([server.address for server in servers], timeout=20.0) as made:
        yield made


def assert_alike(answer: Any, expected: Any) -> None:
    """The same items with the same scores; only items whose scores differ by rounding may change places."""
    for row, hits in enumerate(answer):
        wanted = expected.hits(row)
        scores = dict(wanted)
        np.testing.assert_allclose([hit.score for hit in hits], [score for _, score in wanted], atol=2e-5)
        for hit, (item_id, score) in zip(hits, wanted, strict=True):
            assert hit.item_id == item_id or abs(scores.get(hit.item_id, score) - score) < 2e-5


def test_shards_answer_as_the_whole(sharded: Any, client: ShardedClient) -> None:
    whole = sharded[0]
    answer = client.search(QUERIES, 10)
    assert not answer.partial and answer.missing == ()
    assert_alike(answer, whole.search(QUERIES, 10))
    assert_alike(client.recommend(HISTORIES, 10), whole.recommend(HISTORIES, 10))
    assert_alike(client.recommend(HISTORIES, 7, exclude_seen=False), whole.recommend(HISTORIES, 7, exclude_seen=False))
    assert_alike(
        client.personalised_search(QUERIES, HISTORIES, 200), whole.personalised_search(QUERIES, HISTORIES, 200)
    )
    items = ["item-3", "ärtikel 90", "nobody", ""]
    assert_alike(client.similar_items(items, 10), whole.similar_items(items, 10))
    conditions = ["material=oak", "price<=40"]
    assert_alike(client.search(QUERIES, 10, filters=conditions), whole.search(QUERIES, 10, filters=conditions))
    np.testing.assert_allclose(client.embed_query(QUERIES, HISTORIES), whole.embed_query(QUERIES, HISTORIES), atol=1e-6)


def test_diverse_lists_are_those_of_the_whole(sharded: Any, client: ShardedClient) -> None:
    whole = sharded[0]
    for diversity, k in ((0.3, 10), (0.9, 7), (1.0, 200)):
        wish = {"k": k, "diversity": diversity}
        found = client.search(QUERIES, **wish)
        assert_alike(found, whole.search(QUERIES, **wish))
        assert found != client.search(QUERIES, k)
        few = {**wish, "filters": ["material=oak", "price<=40"]}
        assert_alike(client.search(QUERIES, **few), whole.search(QUERIES, **few))
        assert_alike(client.recommend(HISTORIES, **wish), whole.recommend(HISTORIES, **wish))
        both = QUERIES, HISTORIES
        assert_alike(client.personalised_search(*both, **wish), whole.personalised_search(*both, **wish))
    items = ["item-3", "ärtikel 90", "nobody", ""]
    assert_alike(client.similar_items(items, 10, diversity=0.5), whole.similar_items(items, 10, diversity=0.5))
    with pytest.raises(ClientError, match="diversity"):
        client.search("oak", diversity=1.5)


def test_scores_are_taken_apart_as_by_the_whole(sharded: Any, client: ShardedClient) -> None:
    whole, items = sharded[0], [["item-3", "item-117", "nobody"], ["ärtikel 90"]]
    found = client.explain(QUERIES[:2], HISTORIES[:2], items)
    expected = whole.explain(QUERIES[:2], HISTORIES[:2], items)
    assert [len(row) for row in found] == [3, 1] and not any(found[0][2].values())
    for mine, theirs in zip(sum(found, []), sum(expected, []), strict=True):
        assert mine.keys() == theirs.parts.keys()
        np.testing.assert_allclose(list(mine.values()), [theirs.parts[name] for name in mine], atol=2e-5)
    with pytest.raises(ClientError, match="as many lists of items"):
        client.explain("oak", None, items)


def test_both_clients_agree(servers: list[Any], client: ShardedClient) -> None:
    async def ask() -> Any:
        async with AsyncShardedClient([[server.address] for server in servers], timeout=20.0) as other:
            return await other.search(QUERIES, 10)

    assert asyncio.run(ask()) == client.search(QUERIES, 10)


def test_a_wrong_condition_is_told_in_one_sentence(client: ShardedClient) -> None:
    with pytest.raises(ClientError, match="colour") as told:
        client.search("oak", filters=["colour=red"])
    assert told.value.code == "INVALID_ARGUMENT"


def test_shards_in_another_order_are_refused(servers: list[Any]) -> None:
    with ShardedClient([server.address for server in servers[::-1]], timeout=20.0) as wrong:
        with pytest.raises(ClientError, match="in their order"):
            wrong.search("oak")


def test_a_lost_shard_is_marked_and_comes_back(sharded: Any, servers: list[Any]) -> None:
    from tfrec.serving.server.server import ModelServer

    whole, _, _, folders = sharded
    extra = ModelServer(folders[1].parent, "tfrec", port=0)
    extra.start()
    addresses = [servers[0].address, extra.address]
    with ShardedClient(addresses, timeout=20.0) as shop:
        assert_alike(shop.search(QUERIES, 10), whole.search(QUERIES, 10))
        extra.stop()
        answer = shop.search(QUERIES, 10)
        assert answer.missing == (1,) and answer.partial
        held = {f"item-{row}" for row in range(60, 120)} | {f"ärtikel {row}" for row in range(60, 120, 10)}
        assert all(hits and held.isdisjoint(hit.item_id for hit in hits) for hits in answer)
        with ModelServer(folders[1].parent, "tfrec", port=int(extra.address.rpartition(":")[2])):
            for _ in range(100):
                answer = shop.search(QUERIES, 10)
                if not answer.partial:
                    break
                time.sleep(0.1)
            assert_alike(answer, whole.search(QUERIES, 10))
    with ShardedClient([extra.address], timeout=20.0) as alone, pytest.raises(ClientError, match="No shard answers"):
        alone.search("oak")


def test_what_no_shard_can_know_is_refused(trained: Any, sharded: Any, tmp_path: Path) -> None:
    from tfrec.export.shards import export_shards
    from tfrec.retrieval.fusion import Fusion

    _, config, fusion, _ = sharded
    ranks = Fusion(fusion.scorers, fusion.weights, "rank")
    with pytest.raises(ConfigError, match="retrieval.fusion.normalisation=auto"):
        export_shards(config, *trained[1:], tmp_path, "f", ranks, 2)
    with pytest.raises(ConfigError, match="--shards must be 1 to 120"):
        export_shards(config, *trained[1:], tmp_path, "f", fusion, 121)
    assert not list(tmp_path.rglob("saved_model.pb"))
