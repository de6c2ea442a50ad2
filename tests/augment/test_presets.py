"""The ready-made policies: every name is known, stronger means more, and no text is ever broken."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.running import examples
from tfrec.augment.field_operations import FIELD_OPERATIONS
from tfrec.augment.operation import Resources
from tfrec.augment.operations import OPERATIONS
from tfrec.augment.policy import Policy
from tfrec.augment.presets import PRESETS, preset, script_of
from tfrec.config import OperationConfig
from tfrec.tensorflow_setup import tf

QUERIES = [
    f"{a} {b} {c}" for a in ("red", "small", "waterproof", "not") for b in ("garden", "acme") for c in ("12in", "lamp")
]
RESOURCES = Resources(frozenset({"acme"}), synonyms={"lamp": ["light"]}, neighbours={"garden": ["yard"]})


def text_entries(name: str, script: str) -> list[OperationConfig]:
    return [entry for entry in preset(name, script) if entry.name not in FIELD_OPERATIONS]


@functools.lru_cache(maxsize=1)
def strong() -> Any:
    """The strong policy of queries, traced once for all tests."""
    policy = Policy(text_entries("strong", "spaced"), RESOURCES)
    signature = [tf.TensorSpec([None], tf.string), tf.TensorSpec([], tf.int64)]
    return tf.function(lambda t, s: policy(t, "query", 17, s, 0.5), input_signature=signature, autograph=False)


def variants(texts: list[str], step: int) -> list[str]:
    changed = strong()(tf.constant(texts, tf.string), tf.constant(step, tf.int64))
    return [text.decode("utf-8") for text in changed.numpy()]


@pytest.mark.parametrize("script", ["spaced", "unspaced"])
@pytest.mark.parametrize("name", PRESETS)
def test_every_operation_exists_and_can_work_on_its_field(name: str, script: str) -> None:
    entries = preset(name, script)
    for entry in entries:
        if entry.field == "item":
            assert entry.name in FIELD_OPERATIONS
        else:
            assert entry.field in OPERATIONS[entry.name].fields
    assert {entry.field for entry in entries} == {"query", "title", "item"}


def test_a_stronger_policy_has_all_of_a_weaker_one_and_more_of_it() -> None:
    for script in ("spaced", "unspaced"):
        light, standard, strong = (
            {(e.name, e.field): (e.probability, e.strength) for e in preset(name, script)} for name in PRESETS
        )
        for less, more in ((light, standard), (standard, strong)):
            assert set(less) < set(more)
            assert all(more[key][0] > p and more[key][1] >= s for key, (p, s) in less.items())


@pytest.mark.slow
def test_the_strong_policy_changes_some_queries_and_keeps_what_is_exact() -> None:
    changed = [variants(QUERIES, step) for step in range(40)]
    share = sum(a != b for found in changed for a, b in zip(found, QUERIES, strict=True)) / (40 * len(QUERIES))
    assert 0.5 < share < 0.95
    for found in changed:
        for original, variant in zip(QUERIES, found, strict=True):
            words = variant.casefold().split()
            if len(words) == 3 and "acme" in original:
                assert "acme" in words, f"{original} became {variant}"


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=8), st.integers(0, 1000))
def test_no_text_is_broken(texts: list[str], step: int) -> None:
    for original, variant in zip(texts, variants(texts, step), strict=True):
        assert len(variant) <= 4 * len(original) + 40
        assert (variant == "") == (original == "")
    assert variants(texts[::-1], step) == variants(texts, step)[::-1]


@pytest.mark.parametrize(
    ("texts", "script"),
    [
        (["red garden lamp", "Acme sofa 12in"], "spaced"),
        (["男士 短袖T恤 纯棉", "华为手机壳"], "unspaced"),
        (["เสื้อยืดผู้ชาย", "โคมไฟ LED"], "unspaced"),
        (["Тапочки домашние", "μικρό φως"], "spaced"),
        (["", ""], "spaced"),
        ([], "spaced"),
    ],
)
def test_the_script_is_seen_in_the_texts(texts: list[str], script: str) -> None:
    assert script_of(texts) == script
