"""A gate: a small network that weighs the scorers for each request, by its vector and by what it holds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from tfrec.retrieval.pool import Pool
from tfrec.retrieval.scorer import Request
from tfrec.retrieval.weights import presence, situation_lists
from tfrec.tensorflow_setup import keras, tf

Tensor = Any
FORMS = ("weights", "mix")
FLAGS = 3  # has a query, has a history, logarithm of the history's length
_BATCH = 64
_SHARPNESS = 2.0  # start of the temperature's inverse; normalised scores differ by a few units


class Gate(tf.Module):  # type: ignore[misc]
    """Weights for each request, starting at fixed ones.

    "weights": `base * exp(network)`, scaled to sum 1: any scorer with a base weight in the situation can rise or fall.
    "mix": R = g * collaborative + (1 - g) * content, where content is the other scorers in the base's proportions and
    g = sigmoid(logit(base's share of collaborative) + network). A scorer without a base weight keeps none.
    A request that holds nothing keeps the fixed weights.

    Args:
        base: float32 [4, S], the fixed weights of each situation (see SITUATIONS).
        dimension: D of the requests' vectors.
        form: "weights" or "mix".
        collaborative: number of the collaborative scorer; needed by "mix".
        hidden: size of the hidden layer.
        seed: seed of the start values.

    Raises:
        ValueError: the form is unknown, or "mix" has no collaborative scorer.
    """

    def __init__(
        self, base: Any, dimension: int, form: str = "weights", collaborative: int | None = None, hidden: int = 32,
        seed: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(name="gate")
        if form not in FORMS or (form == "mix" and collaborative is None):
            raise ValueError(f"the gate's form must be weights, or mix with a collaborative scorer, not {form!r}")
        base = np.asarray(base, np.float32)
        self.base = base / np.maximum(base.sum(axis=1, keepdims=True), 1e-9)
        self._form, self._collaborative = form, collaborative
        outputs = 1 if form == "mix" else base.shape[1]
        start = keras.initializers.GlorotUniform(seed=seed)([dimension + FLAGS, hidden])
        self.inner = tf.Variable(start, name="gate_inner")
        self.inner_bias = tf.Variable(tf.zeros([hidden]), name="gate_inner_bias")
        self.outer = tf.Variable(tf.zeros([hidden, outputs]), name="gate_outer")
        self.outer_bias = tf.Variable(tf.zeros([outputs]), name="gate_outer_bias")

    @property
    def parameters(self) -> list[Any]:
        """The trained variables, in a fixed order."""
        return [self.inner, self.inner_bias, self.outer, self.outer_bias]

    def __call__(self, request: Request) -> Tensor:
        """Weights float32 [B, S]; rows sum to 1."""
        has = presence(request)
        length = tf.math.log1p(tf.reduce_sum(tf.cast(request.history >= 0, tf.float32), axis=1))
        flags = tf.stack([tf.cast(has.query, tf.float32), tf.cast(has.history, tf.float32), length], axis=1)
        return self.weigh(request.vectors, flags)

    def weigh(self, vectors: Tensor, flags: Tensor) -> Tensor:
        """Weights float32 [B, S] from vectors float32 [B, D] and flags float32 [B, 3]."""
        situation = tf.cast(flags[:, 0] + 2 * flags[:, 1], tf.int32)
        base = tf.gather(tf.constant(self.base), situation)
        hidden = tf.nn.gelu(tf.matmul(tf.concat([vectors, flags], axis=1), self.inner) + self.inner_bias)
        change = tf.clip_by_value(tf.matmul(hidden, self.outer) + self.outer_bias, -6.0, 6.0)
        change *= tf.cast(situation > 0, tf.float32)[:, tf.newaxis]  # a request that holds nothing says nothing
        if self._form == "weights":
            weights = base * tf.exp(change)
            return weights / tf.maximum(tf.reduce_sum(weights, axis=1, keepdims=True), 1e-9)
        assert self._collaborative is not None
        mine = tf.one_hot(self._collaborative, self.base.shape[1])[tf.newaxis]
        share = tf.reduce_sum(base * mine, axis=1, keepdims=True)
        inside = (share > 0.0) & (share < 1.0)
        odds = tf.math.log(tf.clip_by_value(share, 1e-6, 1 - 1e-6) / (1 - tf.clip_by_value(share, 1e-6, 1 - 1e-6)))
        gate = tf.where(inside, tf.sigmoid(odds + change), share)
        content = base * (1.0 - mine) / tf.maximum(1.0 - share, 1e-9)
        return gate * mine + (1.0 - gate) * content

    def used(self, situations: Sequence[int]) -> np.ndarray:
        """bool [S]: scorers with a base weight in any of these situations."""
        return (self.base[list(situations)] != 0).any(axis=0)

    def weights_of(self, pool: Pool) -> np.ndarray:
        """Weights of a pool's requests, float32 [Q, S]."""
        return self.weigh(tf.constant(pool.vectors), tf.constant(pool.flags)).numpy()

    def described(self) -> dict[str, Any]:
        """The fixed weights that it starts from, its form, and a checksum of what it learned."""
        learned = hashlib.sha256(b"".join(value.tobytes() for value in self.state().values())).hexdigest()
        return {"weights": situation_lists(self.base), "gate": self._form, "gate_sha256": learned}

    def state(self) -> dict[str, np.ndarray]:
        """The variables' values by name, for np.savez."""
        return {variable.name.partition(":")[0]: variable.numpy() for variable in self.parameters}

    def restore(self, state: Any) -> None:
        """Takes the values that `state` gave."""
        for variable in self.parameters:
            variable.assign(state[variable.name.partition(":")[0]])


def train_gate(
    gate: Gate, pools: Sequence[Pool], teacher: int | None, teacher_weight: float, steps: int, rate: float, seed: int
) -> float:
    """Fits a gate to rank the right items of training requests first.

    The loss is the cross-entropy between the gains and the softmax of the fused scores over a request's candidates,
    plus teacher_weight * KL(teacher || gate), which keeps a gate that has seen few requests near what is known to work.

    Args:
        gate: changed in place.
        pools: one for each task, with right items among the candidates; tasks count alike.
        teacher: number of the scorer to imitate; None imitates the base weights.
        teacher_weight: at least 0.
        steps: steps of 64 requests.
        rate: Adam's learning rate.
        seed: draws the batches.

    Returns:
        the mean loss of the last tenth of the steps.
    """
    rng = np.random.default_rng(seed)
    sharpness = tf.Variable(float(np.log(_SHARPNESS)))
    optimizer = keras.optimizers.legacy.Adam(rate, clipnorm=1.0)
    variables = [*gate.parameters, sharpness]
    count = gate.base.shape[1]
    base = tf.constant(gate.base)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, count]), tf.TensorSpec([None, None]), tf.TensorSpec([None, None], tf.bool),
            tf.TensorSpec([None, None]), tf.TensorSpec([None, FLAGS]),
        ],
        autograph=False,
    )  # fmt: skip
    def step(parts: Tensor, gains: Tensor, real: Tensor, vectors: Tensor, flags: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            scale = tf.exp(sharpness)

            def log_softmax(weights: Tensor) -> Tensor:
                fused = tf.einsum("qps,qs->qp", parts, weights) * scale
                return tf.nn.log_softmax(tf.where(real, fused, -1e9), axis=1)

            answer = log_softmax(gate.weigh(vectors, flags))
            target = gains / tf.maximum(tf.reduce_sum(gains, axis=1, keepdims=True), 1e-9)
            loss = -tf.reduce_mean(tf.reduce_sum(target * answer, axis=1))
            if teacher_weight:
                if teacher is None:
                    likes = tf.gather(base, tf.cast(flags[:, 0] + 2 * flags[:, 1], tf.int32))
                else:
                    likes = tf.one_hot(tf.fill([tf.shape(flags)[0]], teacher), count)
                told = tf.stop_gradient(log_softmax(likes))
                loss += teacher_weight * tf.reduce_mean(tf.reduce_sum(tf.exp(told) * (told - answer), axis=1))
        gradients = tape.gradient(loss, variables)
        pairs = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
        optimizer.apply_gradients(pairs)
        return loss

    losses = []
    for number in range(steps):
        pool = pools[number % len(pools)]
        rows = rng.choice(len(pool.items), min(_BATCH, len(pool.items)), replace=False)
        real = pool.items[rows] >= 0
        values = pool.parts[rows], pool.gains[rows], real, pool.vectors[rows], pool.flags[rows]
        losses.append(float(step(*map(tf.constant, values))))
    return float(np.mean(losses[-max(1, steps // 10) :]))
