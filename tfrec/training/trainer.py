"""The training loop: steps, evaluations on dev, early stopping, the best weights kept, resumption after a kill."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tfrec.cluster import follows
from tfrec.config import Config
from tfrec.errors import TrainingError
from tfrec.models.two_tower import TwoTower
from tfrec.progress import Progress
from tfrec.tensorflow_setup import tf
from tfrec.training import checkpoints, training_state
from tfrec.training.ending import Ending, Evaluate
from tfrec.training.gradient_cache import CachedGradients
from tfrec.training.interpolation import Interpolation
from tfrec.training.optimizer import AdamW
from tfrec.training.pipeline import Batches
from tfrec.training.schedule import Schedule
from tfrec.training.workers import Workers

# Told after each evaluation how far the run is (0..1) and what has been measured; a reason ends the run there.
Halt = Callable[[float, list[dict[str, float]]], "str | None"]
ENDS = ("finished", "patience", "untrained")  # how a training ends by itself; others were halted and may go on
_SECONDS_BETWEEN_CHECKPOINTS = 60.0
_SAVING_SHARE = 0.03  # of the time goes into checkpoints at most, however large they are


class Trainer:
    """Fine-tunes a TwoTower.

    Args:
        config: section training is read.
        model: the model, changed in place.
        batches: the input pipeline.
        evaluate: gives dev metrics of the model as it stands (see Ending).
        folder: of the checkpoints of all trainings of a run; this one's `last/`, best weights and TensorBoard's events
            go into a folder of its signature.
        signature: hash of everything the run depends on.
        about: goes into the state, for those who look for a finished training.
        anchor: see AdamW; the model then holds the weights to hold on to.
        workers: that train together, each with a trainer of its own; None for this process alone.
        noted: goes into what `run` gives, too.
    """

    def __init__(
        self,
        config: Config,
        model: TwoTower,
        batches: Batches,
        evaluate: Evaluate,
        folder: Path,
        signature: str,
        about: dict[str, Any] | None = None,
        anchor: float = 0.0,
        workers: Workers | None = None,
        noted: Mapping[str, Any] | None = None,
    ) -> None:
        self._noted = dict(noted or {})
        self._training, self._model, self._batches = config.training, model, batches
        self._signature, self._about, self._workers = signature, about, workers
        self._folder = training_state.training_folder(folder, signature)
        self._ending = Ending(config.training, evaluate, model, self._folder, signature)
        if batches.examples < self._training.batch_size:
            raise TrainingError(
                f"There are {batches.examples} training examples, fewer than training.batch_size = "
                f"{self._training.batch_size}: label more, or set a smaller batch size."
            )
        encoder = list(model.encoder.trainable_variables)
        lora = config.encoder.lora
        rate = lora.learning_rate if lora.active else self._training.learning_rate
        groups = [(encoder, rate), (model.head_variables, self._training.head_learning_rate)]
        self._optimizer = AdamW(
            groups, self._training.weight_decay, self._training.clip_norm, self._training.accumulate_steps, anchor
        )
        self._factor = tf.Variable(0.0, trainable=False)
        self._cached: CachedGradients | None = None
        if workers is not None or self._training.gradient_cache:
            self._cached = CachedGradients(
                model, encoder, model.head_variables, self._training.gradient_cache, workers
            )  # fmt: skip

    def run(self, halt: Halt | None = None) -> dict[str, Any]:
        """Trains to the end and leaves the weights that it ends with in the model.

        Args:
            halt: may end the run at an evaluation before the last; a later call goes on from there, on the same
                schedule and with the same batches as if it had never been halted.

        Returns:
            what happened: steps, seconds, pairs_per_second, stopped ("finished" | "patience" | the reason of halt),
            evaluations, and told: which weights are kept, and chosen by how many requests.
        """
        if self._workers is None:
            return self._run(halt)
        self._model.encode_items = self._workers.sharing(self._model.encoder.encode)
        try:
            return self._run(halt)
        finally:
            self._model.encode_items = self._model.encoder.encode

    def _run(self, halt: Halt | None) -> dict[str, Any]:
        ending = self._ending
        ending.watched = halt is not None
        unmixed = {id(variable) for variable in self._model.encoder.unmixed_variables}
        mixed = [variable for variable in self._optimizer.variables_in_order if id(variable) not in unmixed]
        line = Interpolation(mixed if ending.mixes else [])
        state = self._resume()
        if state.get("finished"):
            checkpoints.restore_best(self._folder, state, self._model.saved_variables)
            return state["summary"]
        schedule = Schedule(
            self._batches.total_steps,
            self._training.budget_minutes,
            self._training.warmup_share,
            state.get("seconds", 0.0),
        )
        step, stopped = int(state.get("step", 0)), "finished"
        evaluations = max(1, self._training.evaluations)
        if not ending.history:
            self._judge(step, schedule)
        done_evaluations = len(ending.history) - 1
        writer = tf.summary.create_noop_writer()
        if not follows():
            writer = tf.summary.create_file_writer(str(self._folder / "tensorboard"))
        batches = self._batches.from_step(step)
        iterator, train = iter(batches), self._traced_step(batches.element_spec)
        pause = _SECONDS_BETWEEN_CHECKPOINTS
        last_save, started, first_step, paused = time.monotonic(), time.monotonic(), step, 0.0
        with Progress("Training", 100) as bar, writer.as_default():
            progress = self._progress(schedule, step)
            bar.advance(100 * progress)
            reason = halt(progress, ending.history) if halt and done_evaluations and progress < 1.0 else None
            while reason is None and progress < 1.0:
                self._factor.assign(schedule.factor(progress))
                loss, norm = train(next(iterator), tf.constant(step, tf.int64))
                value = float(loss)
                if not math.isfinite(value):
                    raise TrainingError(
                        f"The loss is not finite at step {step}: lower training.learning_rate or "
                        "training.head_learning_rate."
                    )
                step += 1
                rate = (step - first_step) * self._training.batch_size / max(time.monotonic() - started - paused, 1e-9)
                before_step, progress = progress, self._progress(schedule, step)
                bar.advance(100 * (progress - before_step), f"loss {value:.3f}  {rate:.0f} pairs/s")
                if step % 20 == 0:
                    for name, value in (("loss", loss), ("gradient_norm", norm), ("rate_factor", self._factor)):
                        tf.summary.scalar(f"train/{name}", value, step=step)
                due = progress >= (done_evaluations + 1) / evaluations
                if due:
                    before = time.monotonic()
                    self._judge(step, schedule)
                    paused += time.monotonic() - before
                    progress = self._progress(schedule, step)
                    done_evaluations = max(done_evaluations + 1, int(progress * evaluations + 1e-9))
                    if self._decided(ending.impatient):
                        stopped = "patience"
                        break
                if due or time.monotonic() - last_save > pause:
                    before = time.monotonic()
                    self._save(step, schedule)
                    last_save = time.monotonic()
                    pause = max(_SECONDS_BETWEEN_CHECKPOINTS, (last_save - before) / _SAVING_SHARE)
                if due and halt and progress < 1.0:
                    reason = halt(progress, ending.history)
        seconds = max(time.monotonic() - started - paused, 1e-9)
        line.mark_end()
        told = ending.settle(line, step, schedule.elapsed, stopped) if reason is None else "training: halted"
        summary = {
            "steps": step, "seconds": schedule.elapsed, "stopped": reason or stopped, "evaluations": ending.history,
            "pairs_per_second": (step - first_step) * self._training.batch_size / seconds, "told": told,
            **self._noted,
        }  # fmt: skip
        if reason is None:
            line.go_to(1.0)
            self._save(step, schedule, summary)
        if follows():
            return summary
        if reason is None or ending.decided:
            checkpoints.restore(training_state.best_folder(self._folder, ending.number), self._model.saved_variables)
        else:
            line.go_to(ending.mixture)
        return summary

    def _traced_step(self, batch: Any) -> Callable[..., Any]:
        """The step for batches of a specification: traced once, whatever shapes come, without converting Python."""
        return tf.function(self._train_step, input_signature=[batch, tf.TensorSpec([], tf.int64)], autograph=False)

    def _train_step(self, batch: dict[str, Any], step: Any) -> tuple[Any, Any]:
        def whole() -> tuple[Any, Any]:
            if self._cached is not None:
                loss, gradients = self._cached(batch)
            else:
                with tf.GradientTape() as tape:
                    loss = self._model.compute_loss(batch, training=True)
                gradients = tape.gradient(loss, self._optimizer.variables_in_order)
            return loss, self._optimizer.apply(gradients, self._factor, step)

        return whole() if self._workers is None else self._workers.run(whole)

    def _progress(self, schedule: Schedule, step: int) -> float:
        """How far the run is; of several workers the chief's clock counts."""
        progress = schedule.progress(step)
        return progress if self._workers is None else self._workers.decided(progress)

    def _decided(self, found: bool) -> bool:
        return found if self._workers is None else bool(self._workers.decided(float(found)))

    def _judge(self, step: int, schedule: Schedule) -> None:
        for name, value in self._ending.judge(step, schedule.elapsed).items():
            tf.summary.scalar(f"dev/{name}", value, step=step)

    def _save(self, step: int, schedule: Schedule, summary: dict[str, Any] | None = None) -> None:
        if follows():
            return
        state = {
            "signature": self._signature, "step": step, "seconds": schedule.elapsed, **self._ending.state(),
            "about": self._about, "finished": summary is not None, "summary": summary,
        }  # fmt: skip
        checkpoints.save(self._folder / "last", self._variables, state)
        training_state.forget_other_bests(self._folder, self._ending.number)

    def _resume(self) -> dict[str, Any]:
        found = training_state.last_state(self._folder)
        if self._workers is not None:
            self._workers.agree(int(self._signature[:12], 16), "configuration and data")
            self._workers.agree(int(found.get("step", -1)), "checkpoint")
        if found.get("signature") != self._signature:
            return {}
        state = checkpoints.restore(self._folder / "last", self._variables)
        self._ending.restore(state)
        return state

    @property
    def _variables(self) -> list[Any]:
        optimizer = self._optimizer
        state = [*optimizer.first, *optimizer.second, *optimizer.sums, optimizer.updates]
        # Histories read the vectors of the latest evaluation, which the present weights cannot give back.
        catalogue = [self._model.catalogue] if self._batches.mixture.histories else []
        return [*self._model.saved_variables, *state, *catalogue]
