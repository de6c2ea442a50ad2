"""The section augment: lists of operations, what is said when one is wrong, and what the hash makes of it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tfrec.config import Config, documented_yaml, parse_config
from tfrec.errors import ConfigError

SHOP = {"name": "shop", "data": {"items": "items.csv", "searches": "searches.csv"}}
SECTIONS = ("data", "augment", "training")


def with_augment(**augment: Any) -> Config:
    return parse_config(SHOP | {"augment": augment})


def test_nothing_is_augmented_unless_asked_for() -> None:
    assert not parse_config(SHOP).augment.active
    assert with_augment(policy="light").augment.active
    assert with_augment(adversarial={"kind": "fgm"}).augment.active


def test_a_list_of_operations_is_a_custom_policy() -> None:
    augment = with_augment(operations=["word_swap", {"name": "typo_insert", "probability": 0.1}]).augment
    assert augment.policy == "custom"
    assert [(entry.name, entry.field, entry.probability) for entry in augment.operations] == [
        ("word_swap", "query", 0.3),
        ("typo_insert", "query", 0.1),
    ]
    assert with_augment(policy="none", operations=["word_swap"]).augment.policy == "none"


def test_a_list_survives_being_documented() -> None:
    config = with_augment(operations=["word_swap", {"name": "word_dropout", "until": 0.5}])
    assert yaml.safe_load(documented_yaml(config)) == config.model_dump(mode="json")


@pytest.mark.parametrize(
    ("augment", "said"),
    [
        ({"policy": "mild"}, "light"),
        ({"policy": "custom"}, "needs a list"),
        ({"operations": [{"name": "x", "probability": 2}]}, r"augment\.operations\.0\.probability"),
        ({"operations": [{"name": "x", "probabilty": 0.2}]}, r"probability"),
        ({"operations": [{"name": "x", "start": 0.5, "until": 0.5}]}, "not after its start"),
        ({"operations": [{"name": "x", "start": 2}]}, "unit: epochs"),
        ({"adversarial": {"kind": "fgsm"}}, "fgm"),
        ({"guard": 1.5}, r"augment\.guard"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_place(augment: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        with_augment(**augment)
    assert "\n" not in str(caught.value)


def test_the_hash_counts_the_section_only_when_it_acts() -> None:
    plain, light = parse_config(SHOP), with_augment(policy="light")
    assert plain.hash_of(*SECTIONS) == plain.hash_of("data", "training")
    assert with_augment(policy="none", magnitude=2.0).hash_of(*SECTIONS) == plain.hash_of(*SECTIONS)
    hashes = {plain.hash_of(*SECTIONS), light.hash_of(*SECTIONS)}
    hashes.add(with_augment(policy="light", magnitude=2.0).hash_of(*SECTIONS))
    hashes.add(with_augment(policy="none", adversarial={"kind": "vat"}).hash_of(*SECTIONS))
    assert len(hashes) == 4
