"""Training of the decoder: made pairs first, then the shop's own, with a checkpoint from which it goes on exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.config.synth_generator import GeneratorConfig
from tfrec.progress import Progress
from tfrec.synth.generator import checkpoint
from tfrec.synth.generator.decoder import QueryDecoder
from tfrec.synth.generator.memory import Memory
from tfrec.synth.generator.pieces import OTHER
from tfrec.tensorflow_setup import keras, tf

Tensor = Any
_RISE = 0.05  # share of the run in which the rate rises
_MOST_HELD_OUT = 512


@dataclass(frozen=True)
class Examples:
    """Pairs as the decoder takes them.

    Attributes:
        queries: int32 [P, T + 1], start mark, pieces, end mark, OTHER.
        texts: int64 [P], the rows of the memory.
        shares: float64 [P], how often each is drawn; sums to 1.
    """

    queries: np.ndarray
    texts: np.ndarray
    shares: np.ndarray

    def __len__(self) -> int:
        return len(self.queries)


class Training:
    """A training run.

    Args:
        decoder: is trained in place.
        memory: of all examples' texts.
        made: examples of the warm-up, perhaps none.
        real: the shop's own.
        held: those that the best weights are chosen on, perhaps none.
        config: of the generator.
        seed: of draws and dropout.
        folder: of the checkpoint.
        key: sha256 hex of all that the result depends on.
    """

    def __init__(
        self,
        decoder: QueryDecoder,
        memory: Memory,
        made: Examples,
        real: Examples,
        held: Examples,
        config: GeneratorConfig,
        seed: int,
        folder: Path,
        key: str,
    ) -> None:
        self._decoder, self._memory, self._config, self._seed = decoder, memory, config, seed
        self._made, self._real, self._held = made, real, held
        self._warm_up = config.warm_up_steps if len(made) else 0
        self._total = self._warm_up + config.steps
        self._folder, self._key = folder, key
        self._optimizer = keras.optimizers.AdamW(
            learning_rate=0.0, weight_decay=config.weight_decay, global_clipnorm=1.0, jit_compile=False
        )
        self._optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "places"])
        self._optimizer.build(decoder.trainable_variables)
        ints = tf.TensorSpec([None, None], tf.int32)
        given = [ints, tf.TensorSpec([None, None, None], tf.float32), ints]
        self._step = tf.function(self._stepped, input_signature=[*given, tf.TensorSpec([2], tf.int32)], autograph=False)
        self._measure = tf.function(self._measured, input_signature=given, autograph=False)

    def run(self) -> dict[str, Any]:
        """Trains to the end, or reads the finished state back; the decoder then has its best weights.

        Returns:
            {"steps", "stopped_at", "best_step", "best_loss" (nats per piece on held-out queries, or None), "losses"}.
        """
        state: dict[str, Any] = {"key": self._key, "step": 0, "finished": False, "best_step": None, "best_loss": None}
        state |= {"gainless": 0, "losses": [], "held_out": []}
        best: list[np.ndarray] | None = None
        if (found := checkpoint.read(self._folder, self._key)) is not None:
            groups, state = found
            _assign(self._variables, groups["last"])
            best = groups.get("best")
        losses: list[float] = []
        with Progress("Training the query generator", self._total) as progress:
            progress.advance(state["step"])
            while not state["finished"]:
                step = state["step"]
                losses.append(self._train(step))
                state["step"] = step + 1
                progress.advance(1, f"loss {losses[-1]:.2f}")
                real_steps = state["step"] - self._warm_up
                over = state["step"] == self._total
                if not over and real_steps % self._config.evaluate_every:
                    continue
                state["losses"].append([state["step"], float(np.mean(losses))])
                losses = []
                if len(self._held) and real_steps >= 0:
                    best = self._evaluated(state, best)
                state["finished"] = over or state["gainless"] >= self._config.patience
                groups = {"last": _values(self._variables), "best": best or []}
                checkpoint.save(self._folder, groups, state)
        if best is not None:
            _assign(self._decoder.trainable_variables, best)
        facts = {name: state[name] for name in ("best_step", "best_loss", "losses", "held_out")}
        return {"steps": self._total, "stopped_at": state["step"], **facts}

    @property
    def _variables(self) -> list[Any]:
        return [*self._decoder.trainable_variables, *self._optimizer.variables]

    def _train(self, step: int) -> float:
        examples = self._made if step < self._warm_up else self._real
        # what is drawn depends on the step alone, so a resumed run needs no state of a data pipeline
        draw = np.random.default_rng([self._seed, 2, step])
        rows = draw.choice(len(examples), size=self._config.batch_size, p=examples.shares)
        self._optimizer.learning_rate.assign(self._config.learning_rate * self._factor(step))
        return float(self._step(*self._batch(examples, rows), np.array([self._seed, 1000 * step], np.int32)))

    def _factor(self, step: int) -> float:
        rise = max(1.0, _RISE * self._total)
        if step < rise:
            return (step + 1) / rise
        return 0.05 + 0.95 * 0.5 * (1.0 + math.cos(math.pi * (step - rise) / max(1.0, self._total - rise)))

    def _batch(self, examples: Examples, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        queries = examples.queries[rows]
        longest = int((queries != OTHER).sum(axis=1).max())
        return queries[:, :longest], *self._memory.batch(examples.texts[rows])

    def _stepped(self, queries: Tensor, memory: Tensor, pieces: Tensor, seed: Tensor) -> Tensor:
        variables = self._decoder.trainable_variables
        with tf.GradientTape() as tape:
            total, count = self._likelihood(queries, memory, pieces, seed)
            loss = -total / tf.maximum(count, 1.0)
        self._optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    def _measured(self, queries: Tensor, memory: Tensor, pieces: Tensor) -> tuple[Tensor, Tensor]:
        return self._likelihood(queries, memory, pieces, None)

    def _likelihood(
        self, queries: Tensor, memory: Tensor, pieces: Tensor, seed: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Sum of the log probabilities of the pieces that can be reached, and their number."""
        previous, targets = queries[:, :-1], queries[:, 1:]
        choice = self._decoder(previous, memory, pieces, seed)
        likelihood, possible = self._decoder.log_likelihood(choice, targets, pieces)
        counted = tf.cast(possible & (targets != OTHER), tf.float32)
        return tf.reduce_sum(likelihood * counted), tf.reduce_sum(counted)

    def _evaluated(self, state: dict[str, Any], best: list[np.ndarray] | None) -> list[np.ndarray] | None:
        size = min(len(self._held), _MOST_HELD_OUT)
        total = count = 0.0
        for first in range(0, size, self._config.batch_size):
            rows = np.arange(first, min(size, first + self._config.batch_size))
            found = self._measure(*self._batch(self._held, rows))
            total, count = total + float(found[0]), count + float(found[1])
        loss = -total / max(count, 1.0)
        state["held_out"].append([state["step"], loss])
        if state["best_loss"] is not None and loss >= state["best_loss"]:
            state["gainless"] += 1
            return best
        state.update(best_loss=loss, best_step=state["step"], gainless=0)
        return _values(self._decoder.trainable_variables)


def _values(variables: list[Any]) -> list[np.ndarray]:
    return [variable.numpy() for variable in variables]


def _assign(variables: list[Any], values: list[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
