"""A user's own parts: the examples of the documentation hold the contracts, by name, and the contracts can fail."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tfrec.augment.operation import Operation
from tfrec.augment.policy import known
from tfrec.config.loading import parse_config
from tfrec.errors import ConfigError
from tfrec.retrieval.building import build_scorers
from tfrec.synth.sources import entry_of
from tfrec.tensorflow_setup import tf
from tfrec.testing import SHOP, OperationContract, ScorerContract, SourceContract

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "parts.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
PARTS: dict[str, Any] = {}
for _block in BLOCKS:
    if "tfrec.testing" not in _block:
        exec(compile(_block, "parts.md", "exec"), PARTS)


class TestMargin(ScorerContract):
    @pytest.fixture(scope="class")
    def scorer(self) -> Any:
        return PARTS["Margin"](SHOP.vectors[:, 0])


class TestExclaim(OperationContract):
    @pytest.fixture(scope="class")
    def operation(self) -> type[Operation]:
        return PARTS["Exclaim"]


class TestTitles(SourceContract):
    @pytest.fixture(scope="class")
    def source(self) -> Any:
        return PARTS["Titles"]()


@pytest.fixture()
def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the package of the page were installed."""
    brought = {"tfrec.scorers": {"margin"}, "tfrec.operations": {"Exclaim"}, "tfrec.sources": {"Titles"}}

    def points(group: str) -> list[EntryPoint]:
        return [EntryPoint(name.lower(), f"own_parts:{name}", group) for name in brought.get(group, ())]

    monkeypatch.setitem(__import__("sys").modules, "own_parts", SimpleNamespace(**PARTS))
    monkeypatch.setattr("tfrec.plugins.entry_points", points)


def test_parts_of_another_package_are_found_by_name(packages: None) -> None:
    import polars as pl

    assert known("exclaim", {}) is PARTS["Exclaim"]
    assert entry_of("titles").make is PARTS["Titles"] and not entry_of("titles").labels_itself
    tree = {"data": {"items": "i.csv"}, "retrieval": {"scorers": ["margin"]}}
    config = parse_config(tree)
    shop: Any = SimpleNamespace(items=pl.DataFrame({"margin": [0.5, 0.25]}))
    (scorer,) = build_scorers(config, shop, None)
    assert scorer.label == "margin"
    np.testing.assert_array_equal(scorer(SHOP.requests).numpy()[0], [0.5, 0.25])
    with pytest.raises(ConfigError, match=r"there is no scorer 'margn': use .*margin"):
        parse_config({**tree, "retrieval": {"scorers": ["margn"]}})


def test_a_part_that_cannot_be_loaded_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("exclaim", "no_such_module:Exclaim", "tfrec.operations")
    monkeypatch.setattr("tfrec.plugins.entry_points", lambda group: [point])
    with pytest.raises(ConfigError, match="'exclaim' of the package no_such_module:Exclaim cannot be loaded"):
        known("exclaim", {})


def test_the_contracts_find_faults() -> None:
    class Greedy(PARTS["Margin"]):  # type: ignore[misc]  # its scores depend on the batch
        def __call__(self, request: Any) -> Any:
            return super().__call__(request) * tf.cast(tf.shape(request.query)[0], tf.float32)

    contract, greedy = ScorerContract(), Greedy(SHOP.vectors[:, 0])
    scores = greedy(SHOP.requests).numpy()
    with pytest.raises(AssertionError):
        contract.test_requests_do_not_touch_each_other(greedy, scores)

    class Eraser(Operation):
        """Empties texts, whatever the strength."""

        name = "eraser"

        def __call__(self, texts: Any, keys: Any, magnitude: Any = 1.0) -> Any:
            return tf.zeros_like(texts)

    with pytest.raises(AssertionError):
        OperationContract().test_strength_zero_is_the_identity(Eraser)
