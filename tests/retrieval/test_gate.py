"""The gate: it starts at the fixed weights, learns which request needs which scorer, and is the same in the graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.gate import Gate, train_gate
from tfrec.retrieval.pool import Pool
from tfrec.retrieval.quality import search_quality
from tfrec.retrieval.scorer import Request, Scorer
from tfrec.tensorflow_setup import tf

BASE = np.array([[1, 0], [0.5, 0.5], [0.5, 0.5], [0.7, 0.3]], np.float32)


def make_pool(count: int, seed: int) -> Pool:
    """The sign of a request's first number says which of two scorers knows the one right item of 20."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, 4)).astype(np.float32)
    parts = rng.normal(size=(count, 20, 2)).astype(np.float32)
    parts[np.arange(count), 0, (vectors[:, 0] > 0).astype(int)] = 3.0
    gains = np.zeros([count, 20], np.float32)
    gains[:, 0] = 1
    flags = np.tile(np.array([1, 0, 0], np.float32), (count, 1))
    items = np.tile(np.arange(20, dtype=np.int32), (count, 1))
    return Pool(items, parts, gains, [np.ones(1, np.float32)] * count, vectors, flags, [str(n) for n in range(count)])


def test_it_starts_at_the_fixed_weights() -> None:
    pool = make_pool(8, 1)
    for form, collaborative in (("weights", None), ("mix", 1)):
        gate = Gate(BASE, 4, form, collaborative, 8, 3)
        for situation in range(4):
            flags = np.tile(np.array([situation % 2, situation // 2, 0], np.float32), (8, 1))
            weights = gate.weigh(tf.constant(pool.vectors), tf.constant(flags))
            np.testing.assert_allclose(weights, np.tile(BASE[situation], (8, 1)), atol=1e-6)


@pytest.mark.parametrize(("form", "collaborative"), [("weights", None), ("mix", 1)])
def test_it_learns_whom_to_ask(form: str, collaborative: int | None) -> None:
    train, dev = make_pool(600, 1), make_pool(300, 2)
    gate = Gate(BASE, 4, form, collaborative, 16, 3)
    before = search_quality(dev, gate.weights_of(dev)).mean()
    train_gate(gate, [train], None, 0.01, 200, 0.02, 5)
    weights = gate.weights_of(dev)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
    assert search_quality(dev, weights).mean() > before + 0.05
    assert weights[dev.vectors[:, 0] > 0.5, 1].mean() > 0.75 and weights[dev.vectors[:, 0] < -0.5, 1].mean() < 0.25


@pytest.mark.parametrize(("form", "collaborative"), [("weights", None), ("mix", 1)])
def test_a_request_that_holds_nothing_keeps_its_weights(form: str, collaborative: int | None) -> None:
    gate = Gate(np.array([[0.2, 0.8], *BASE[1:]]), 4, form, collaborative, 16, 3)
    train_gate(gate, [make_pool(300, 1)], None, 0.0, 60, 0.05, 5)
    pool = make_pool(20, 2)
    assert np.abs(gate.weights_of(pool) - 0.5).max() > 0.1
    held = gate.weigh(tf.constant(pool.vectors), tf.zeros([20, 3]))
    np.testing.assert_allclose(held, np.tile([0.2, 0.8], (20, 1)), atol=1e-6)


def test_a_strong_teacher_holds_it_back() -> None:
    train = make_pool(300, 1)
    free, held = Gate(BASE, 4, seed=3), Gate(BASE, 4, seed=3)
    train_gate(free, [train], None, 0.0, 60, 0.02, 5)
    train_gate(held, [train], None, 20.0, 60, 0.02, 5)

    def change(gate: Gate) -> float:
        return float(np.abs(gate.weights_of(train) - 0.5).mean())

    assert change(held) < 0.3 * change(free)


def test_a_scorer_without_weight_keeps_none_and_training_is_repeatable() -> None:
    train = make_pool(100, 1)
    gates = [Gate(np.tile([1.0, 0.0], (4, 1)), 4, seed=3) for _ in range(2)]
    for gate in gates:
        train_gate(gate, [train], 0, 0.1, 20, 0.05, 5)
    np.testing.assert_array_equal(gates[0].weights_of(train)[:, 1], 0)
    assert gates[0].used([1]).tolist() == [True, False]
    for name, value in gates[0].state().items():
        np.testing.assert_array_equal(value, gates[1].state()[name])
    fresh = Gate(np.tile([1.0, 0.0], (4, 1)), 4, seed=9)
    fresh.restore(gates[0].state())
    assert fresh.described() == gates[0].described()


def test_mix_needs_a_collaborative_scorer() -> None:
    with pytest.raises(ValueError, match="mix with a collaborative scorer"):
        Gate(BASE, 4, "mix")


class Column(Scorer):
    def __init__(self, label: str, column: int) -> None:
        super().__init__()
        self.label, self.column = label, column

    def __call__(self, request: Request) -> Any:
        return request.vectors[:, self.column : self.column + 1] * tf.range(5.0)[tf.newaxis]


def test_fused_with_a_gate_it_is_the_weights_it_gives(tmp_path: Any) -> None:
    gate = Gate(BASE, 4, hidden=8, seed=3)
    gate.outer.assign(tf.random.stateless_normal(gate.outer.shape, [1, 2]))
    fusion = Fusion([Column("one", 0), Column("two", 1)], gate)
    query, history = tf.constant(["a", "", "b"]), tf.constant([[-1], [2], [3]])
    request = Request(query, tf.random.stateless_normal([3, 4], [3, 4]), history)
    flags = np.array([[1, 0, 0], [0, 1, np.log(2)], [1, 1, np.log(2)]], np.float32)
    weights = gate.weigh(request.vectors, tf.constant(flags)).numpy()
    np.testing.assert_allclose(gate(request), weights, atol=1e-6)
    parts = fusion.parts(request).numpy()
    np.testing.assert_allclose(fusion(request), np.einsum("bsn,bs->bn", parts, weights), atol=1e-5)

    spec = [tf.TensorSpec([None], tf.string), tf.TensorSpec([None, 4]), tf.TensorSpec([None, None], tf.int32)]
    module = tf.Module()
    module.fusion = fusion
    served = tf.function(lambda *parts: fusion(Request(*parts)), input_signature=spec, autograph=False)
    tf.saved_model.save(module, str(tmp_path), signatures=served.get_concrete_function())
    from tfrec.export.ops import check_ops

    check_ops(tmp_path)
    loaded = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    names = sorted(loaded.structured_input_signature[1])
    answer = loaded(**dict(zip(names, request, strict=True)))
    np.testing.assert_allclose(next(iter(answer.values())), fusion(request), atol=1e-6)
