"""Training of a ranker: softmax over the candidates, starting at the fused order."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfrec.config.ranking import RankingConfig
from tfrec.progress import Progress
from tfrec.ranking.examples import Examples
from tfrec.ranking.models import new_model
from tfrec.ranking.ranker import Learned, standardised
from tfrec.tensorflow_setup import keras, tf

Tensor = Any
BATCH = 64
_SCALE = 1.5  # what a standard deviation of the fused score counts at the start, in the softmax's units
_NOWHERE = -1e9


def train_ranker(section: RankingConfig, examples: Examples, seed: int, description: str = "") -> Learned:
    """Fits the models of a ranker.

    The loss is the cross-entropy between what a shopper took and the softmax of `scale * fused deviation + correction`
    over the candidates; a shopper counts by the square root of the right candidates, and those without any not at all.
    Corrections are 0 at the start, and pulled towards it by the square of the parameters.

    Args:
        section: what is trained, and how.
        examples: at least one request with a right candidate.
        seed: of start values and batches.
        description: shown with the progress.
    """
    chosen = examples.right.any(axis=1)
    filled, right = examples.filled[chosen], examples.right[chosen]
    inside = examples.features[examples.filled]
    mean, spread = inside.mean(axis=0), inside.std(axis=0) + 1e-6
    features, start = standardised(examples.features[chosen], mean, spread).numpy(), examples.start[chosen]
    scales, weights = [], []
    with Progress(description, section.seeds * section.epochs) as progress:
        for number in range(section.seeds):
            keras.utils.set_random_seed(seed + number)
            model, scale = new_model(section.model, len(examples.names), section.pull), tf.Variable(_SCALE)
            batch = min(BATCH, len(right))
            steps = len(right) // batch
            rate = keras.optimizers.schedules.PolynomialDecay(section.learning_rate, section.epochs * steps, 0.0)
            step = _step(model, scale, keras.optimizers.legacy.Adam(rate))
            rng = np.random.default_rng(seed + number)
            for _ in range(section.epochs):
                order = rng.permutation(len(right))[: steps * batch].reshape(steps, batch)
                for rows in order:
                    step(*(tf.constant(values[rows]) for values in (features, start, filled, right)))
                progress.advance(1)
            scales.append(max(float(scale.numpy()), 1e-3))
            weights.append(model.get_weights())
    return Learned(section.model, examples.names, mean, spread, np.array(scales, np.float32), weights)


def corrected(learned: Learned, examples: Examples) -> np.ndarray:
    """Scores of all candidates as a ranker orders them, float32 [Q, K]."""
    total = np.zeros(examples.start.shape, np.float32)
    for weights in learned.weights:
        model = new_model(learned.kind, len(learned.names), 0.0)
        model.set_weights(weights)
        for first in range(0, len(total), BATCH):
            some = slice(first, first + BATCH)
            total[some] += model(standardised(examples.features[some], learned.mean, learned.spread)).numpy()
    return examples.start * learned.scales.mean() + total / len(learned.weights)


def _step(model: Any, scale: Any, optimizer: Any) -> Any:
    variables = [*model.trainable_variables, scale]

    @tf.function(autograph=False)
    def step(features: Tensor, start: Tensor, filled: Tensor, right: Tensor) -> None:
        with tf.GradientTape() as tape:
            scores = tf.where(filled, scale * start + model(features, training=True), _NOWHERE)
            share = right / tf.sqrt(tf.reduce_sum(right, axis=1, keepdims=True))
            loss = -tf.reduce_mean(tf.reduce_sum(share * tf.nn.log_softmax(scores, axis=1), axis=1))
            loss += tf.add_n(model.losses)
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    return step
