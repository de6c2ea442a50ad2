"""The sample of item ids: known truth, and never more often than agreed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tfrec.serving.server.metrics.counters import Metrics
from tfrec.serving.server.protocol.unknown_ids import UnknownIds


class Shop:
    """A registry of one model that knows two items, and answers as an export does."""

    name, version, signature_defs = "shop", 1, {"similar_items": None}

    def __init__(self) -> None:
        self.asked: list[list[bytes]] = []

    @contextmanager
    def acquire(self, name: str, version: int) -> Iterator[Any]:
        assert (name, version) == ("shop", 1)
        yield self

    def run(self, signature: str, inputs: Any, outputs: Any, deadline: float) -> dict[str, np.ndarray]:
        ids = inputs["item_id"].tolist()
        self.asked.append(ids)
        return {"item_ids": np.array([[b"A" if item == b"B" else b"B" if item == b"A" else b""] for item in ids])}


def _wait(shop: Shop, samples: int) -> None:
    end = time.monotonic() + 5
    while len(shop.asked) < samples and time.monotonic() < end:
        time.sleep(0.005)
    time.sleep(0.02)


def test_unknown_ids_are_counted_and_padding_is_not() -> None:
    shop, metrics = Shop(), Metrics()
    sampler = UnknownIds(shop, metrics, every=0)
    sampler.offer(shop, [b"A", b"", b"gone", b"B", b""])
    _wait(shop, 1)
    assert 'tfrec_serving_item_ids_total{model="shop"} 3' in metrics.page()
    assert 'tfrec_serving_unknown_item_ids_total{model="shop"} 1' in metrics.page()
    sampler.offer(shop, [b"", b""])
    sampler.offer(shop, [b"x"] * 100)
    _wait(shop, 2)
    assert [len(ids) for ids in shop.asked] == [3, 32]


def test_many_requests_cost_no_more_than_few() -> None:
    shop = Shop()
    sampler = UnknownIds(shop, Metrics(), every=60)
    for _ in range(1000):
        sampler.offer(shop, [b"A"])
    _wait(shop, 1)
    assert len(shop.asked) == 1


def test_a_model_without_the_signature_or_with_a_fault_is_left_alone() -> None:
    shop, metrics = Shop(), Metrics()
    shop.run = None  # type: ignore[assignment,method-assign]
    sampler = UnknownIds(shop, metrics, every=0)
    sampler.offer(shop, [b"A"])
    shop.signature_defs = {}
    sampler.offer(shop, [b"A"])
    time.sleep(0.05)
    assert "item_ids_total" not in metrics.page()
