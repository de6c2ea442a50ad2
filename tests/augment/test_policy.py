"""Policies: who is changed, when, by what, and that nothing but a row's own text decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from tfrec.augment.guard import MeaningGuard
from tfrec.augment.operation import Operation, Resources
from tfrec.augment.policy import Policy
from tfrec.config import OperationConfig
from tfrec.errors import ConfigError
from tfrec.tensorflow_setup import tf

TEXTS = [f"text {number}" for number in range(4000)]


class _Marking(Operation):
    """Adds a letter and the strength that arrives, so that a variant tells what was done to it."""

    letter: ClassVar[str]

    def __call__(self, texts: Any, keys: Any, magnitude: Any = 1.0) -> Any:
        strength = tf.strings.as_string(self.strength * magnitude, precision=2)
        return texts + f" {self.letter}" + strength


class A(_Marking):
    name, letter = "a", "a"


class B(_Marking):
    name, letter = "b", "b"


class C(_Marking):
    name, letter, fields = "c", "c", ("query",)


OPERATIONS: dict[str, type[Operation]] = {kind.name: kind for kind in (A, B, C)}


def policy_of(*entries: dict[str, Any], **how: Any) -> Policy:
    made = [OperationConfig.model_validate(entry) for entry in entries]
    return Policy(made, Resources(), operations=OPERATIONS, **how)


def variants(policy: Policy, texts: Sequence[str], step: int = 0, progress: float = 0.0, field: str = "query") -> list:
    changed = policy(tf.constant(list(texts), tf.string), field, 17, tf.constant(step, tf.int64), tf.constant(progress))
    return [text.decode() for text in changed.numpy()]


def share_changed(policy: Policy, step: int = 0, progress: float = 0.0) -> float:
    return float(np.mean([a != b for a, b in zip(variants(policy, TEXTS, step, progress), TEXTS, strict=True)]))


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.6, 1.0])
def test_as_many_texts_are_changed_as_the_probability_says(probability: float) -> None:
    share = share_changed(policy_of({"name": "a", "probability": probability}))
    assert share == pytest.approx(probability, abs=0.0 if probability in (0.0, 1.0) else 0.03)


def test_entries_are_drawn_independently_and_applied_in_order() -> None:
    changed = variants(policy_of({"name": "b", "probability": 0.5}, {"name": "a", "probability": 0.5}), TEXTS)
    kinds = Counter(
        "".join(c for c in text.removeprefix(original) if c in "ab")
        for text, original in zip(changed, TEXTS, strict=True)
    )
    assert set(kinds) == {"", "a", "b", "ba"}
    assert all(count == pytest.approx(1000, abs=120) for count in kinds.values())


def test_the_same_operation_twice_is_drawn_twice() -> None:
    changed = variants(policy_of({"name": "a", "probability": 0.5}, {"name": "a", "probability": 0.5}), TEXTS)
    counts = Counter(text.count(" a") for text in changed)
    assert counts[1] == pytest.approx(2000, abs=160)


def test_a_row_does_not_depend_on_its_batch() -> None:
    policy = policy_of({"name": "a", "probability": 0.5}, {"name": "b", "probability": 0.3})
    whole = variants(policy, TEXTS, step=3)
    order = np.random.default_rng(0).permutation(len(TEXTS))
    assert variants(policy, [TEXTS[i] for i in order], step=3) == [whole[i] for i in order]
    assert [variants(policy, [text], step=3)[0] for text in TEXTS[:20]] == whole[:20]
    assert variants(policy, TEXTS, step=4) != whole
    assert variants(policy, [], step=3) == []


def test_it_runs_inside_tf_data_and_gives_what_it_gives_outside() -> None:
    policy = policy_of({"name": "a", "probability": 0.5}, {"name": "b", "start": 0.5, "probability": 1.0})
    data = tf.data.Dataset.from_tensor_slices(TEXTS[:64]).batch(16).enumerate()
    data = data.map(lambda step, texts: policy(texts, "query", 17, step, tf.cast(step, tf.float32) / 4.0))
    inside = [[text.decode() for text in batch.numpy()] for batch in data]
    assert inside == [variants(policy, TEXTS[16 * n : 16 * n + 16], n, n / 4) for n in range(4)]


def test_fields_have_operations_of_their_own() -> None:
    policy = policy_of({"name": "a", "probability": 1.0}, {"name": "b", "field": "title", "probability": 1.0})
    assert variants(policy, ["x"]) == ["x a0.30"]
    assert variants(policy, ["x"], field="title") == ["x b0.30"]
    assert variants(policy, ["x"], field="brand") == ["x"]
    assert set(policy.fields) == {"query", "title"}


def test_the_schedule_switches_on_off_and_ramps() -> None:
    policy = policy_of({"name": "a", "probability": 1.0, "start": 0.25, "until": 0.75})
    assert [share_changed(policy, progress=p) for p in (0.0, 0.24, 0.25, 0.74, 0.75, 1.0)] == [0, 0, 1, 1, 0, 0]
    rising = policy_of({"name": "a", "probability": 0.8, "start": 0.2, "ramp": 0.4})
    shares = [share_changed(rising, progress=p) for p in (0.2, 0.4, 0.6, 1.0)]
    assert shares == pytest.approx([0.0, 0.4, 0.8, 0.8], abs=0.03)


def test_choose_gives_every_text_so_many_operations() -> None:
    entries = [{"name": name, "probability": p} for name, p in (("a", 0.6), ("b", 0.3), ("c", 0.1))]
    for count in (1, 2, 3):
        changed = variants(policy_of(*entries, choose=count), TEXTS)
        assert {len(text.split()) - 2 for text in changed} == {count}
    drawn = Counter(text[-5] for text in variants(policy_of(*entries, choose=1), TEXTS))
    assert [drawn[letter] / len(TEXTS) for letter in "abc"] == pytest.approx([0.6, 0.3, 0.1], abs=0.03)


def test_choose_leaves_out_what_has_no_chance_now() -> None:
    late = {"name": "b", "probability": 0.5, "start": 0.5}
    policy = policy_of({"name": "a", "probability": 0.5}, late, {"name": "c", "probability": 0.0}, choose=2)
    assert variants(policy, ["x"], progress=0.0) == ["x a0.30"]
    assert variants(policy, ["x"], progress=0.6) == ["x a0.30 b0.30"]
    everything = policy_of({"name": "a", "probability": 0.5}, late, choose=2)
    assert variants(everything, ["x"], progress=0.0) == ["x a0.30"]


def test_magnitude_scales_strengths_up_to_one() -> None:
    entries = [{"name": "a", "probability": 1.0, "strength": 0.2}, {"name": "b", "probability": 1.0, "strength": 0.7}]
    assert variants(policy_of(*entries, magnitude=2.0), ["x"]) == ["x a0.40 b1.00"]


def test_the_guard_puts_back_what_has_moved_too_far() -> None:
    def similarity(originals: Any, changed: Any) -> Any:
        return tf.where(tf.strings.regex_full_match(originals, ".*[02468]"), 0.2, 0.9)

    plain = variants(policy_of({"name": "a", "probability": 0.5}), TEXTS)
    guarded = variants(policy_of({"name": "a", "probability": 0.5}, guard=MeaningGuard(similarity, 0.5)), TEXTS)
    for original, variant, kept in zip(TEXTS, plain, guarded, strict=True):
        assert kept == (original if original[-1] in "02468" else variant)


def test_what_is_wrong_is_said_in_a_sentence() -> None:
    with pytest.raises(ConfigError, match="no operation 'word_swop'; the nearest name is word_swap"):
        Policy([OperationConfig(name="word_swop")], Resources())
    with pytest.raises(ConfigError, match="c does not work on the field title, only on query"):
        policy_of({"name": "c", "field": "title"})
