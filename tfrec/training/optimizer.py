"""AdamW with decoupled decay, a rate per group of variables, and one fused pass over each variable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfrec.tensorflow_setup import tf

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8


class AdamW(tf.Module):
    """AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101) over groups of variables.

    Keras' optimisers compose the update of a dozen element-wise ops; TensorFlow's fused kernel reads and writes each
    array once, which on a CPU is most of what an update costs. Of a gathered table only the touched rows are updated.

    Args:
        groups: (variables, peak learning rate) each.
        weight_decay: decoupled decay of matrices; biases, LayerNorm and scalars (rank below 2) have none.
        clip_norm: global norm that all gradients together are clipped to.
        accumulate_steps: gradients added before an update.
        anchor: decay of all variables towards their present values, in the place of weight_decay: L2-SP (Li et al.
            2018, arXiv 1802.01483), decoupled in the same way. 0 has none.
    """

    def __init__(
        self,
        groups: Sequence[tuple[Sequence[Any], float]],
        weight_decay: float,
        clip_norm: float,
        accumulate_steps: int = 1,
        anchor: float = 0.0,
    ) -> None:
        super().__init__(name="adamw")
        self.variables_in_order = [v for variables, _ in groups for v in variables]
        self._peaks = [peak for variables, peak in groups for _ in variables]
        self._decay, self._clip, self._accumulate = weight_decay, clip_norm, accumulate_steps
        self._anchor = anchor
        held = self.variables_in_order if anchor else []
        self._anchors = [tf.Variable(v, trainable=False, name="anchor") for v in held]
        self.first = [tf.Variable(tf.zeros_like(v), trainable=False, name="m") for v in self.variables_in_order]
        self.second = [tf.Variable(tf.zeros_like(v), trainable=False, name="v") for v in self.variables_in_order]
        self.updates = tf.Variable(0, dtype=tf.int64, trainable=False, name="updates")
        sums = self.variables_in_order if accumulate_steps > 1 else []
        self.sums = [tf.Variable(tf.zeros_like(v), trainable=False, name="gradient_sum") for v in sums]

    def apply(self, gradients: Sequence[Any], factor: Any, step: Any) -> Any:
        """Adds the gradients and, every `accumulate_steps` steps, updates the variables.

        Args:
            gradients: one per variable in order; None counts as zero.
            factor: float32 scalar, the schedule's share of the peak rates.
            step: int64 scalar, the step's number from 0.

        Returns:
            float32 scalar, the global norm before clipping.
        """
        if self._accumulate == 1:
            return self._update(list(gradients), factor)
        for total, gradient in zip(self.sums, gradients, strict=True):
            if gradient is not None:
                total.assign_add(tf.convert_to_tensor(gradient) / float(self._accumulate))

        def update() -> Any:
            norm = self._update([total.read_value() for total in self.sums], factor)
            for total in self.sums:
                total.assign(tf.zeros_like(total))
            return norm

        return tf.cond(tf.equal(step % self._accumulate, self._accumulate - 1), update, lambda: tf.constant(0.0))

    def _update(self, gradients: list[Any], factor: Any) -> Any:
        norm = tf.linalg.global_norm([g for g in gradients if g is not None])
        # A step whose gradient is not finite is left out rather than poisoning every weight.
        sound = tf.math.is_finite(norm)
        scale = tf.where(sound, tf.minimum(1.0, self._clip / tf.maximum(norm, 1e-12)), 0.0)

        def step() -> Any:
            self.updates.assign_add(1)
            power = tf.cast(self.updates, tf.float32)
            power_1, power_2 = tf.pow(_BETA_1, power), tf.pow(_BETA_2, power)
            anchors = self._anchors or [None] * len(self.variables_in_order)
            for variable, first, second, peak, gradient, anchor in zip(
                self.variables_in_order, self.first, self.second, self._peaks, gradients, anchors, strict=True
            ):
                if gradient is None:
                    continue
                rate = peak * factor
                if isinstance(gradient, tf.IndexedSlices):
                    self._update_rows(variable, first, second, rate, gradient, scale, power_1, power_2, anchor)
                    continue
                if anchor is not None:
                    variable.assign_sub(tf.minimum(rate * self._anchor, 1.0) * (variable - anchor))
                elif self._decay and variable.shape.rank >= 2:
                    variable.assign_sub(rate * self._decay * variable)
                tf.raw_ops.ResourceApplyAdam(
                    var=variable.handle, m=first.handle, v=second.handle, beta1_power=power_1, beta2_power=power_2,
                    lr=rate, beta1=_BETA_1, beta2=_BETA_2, epsilon=_EPSILON, grad=gradient * scale,
                )  # fmt: skip
            return norm

        return tf.cond(sound, step, lambda: norm)

    def _update_rows(
        self, variable: Any, first: Any, second: Any, rate: Any, gradient: Any, scale: Any, power_1: Any, power_2: Any,
        anchor: Any,
    ) -> None:  # fmt: skip
        rows, position = tf.unique(gradient.indices)
        values = tf.math.unsorted_segment_sum(gradient.values, position, tf.size(rows)) * scale
        m = _BETA_1 * tf.gather(first, rows) + (1.0 - _BETA_1) * values
        v = _BETA_2 * tf.gather(second, rows) + (1.0 - _BETA_2) * tf.square(values)
        change = (m / (1.0 - power_1)) / (tf.sqrt(v / (1.0 - power_2)) + _EPSILON)
        if anchor is None:
            change += self._decay * tf.gather(variable, rows)
        else:
            change += self._anchor * (tf.gather(variable, rows) - tf.gather(anchor, rows))
        first.scatter_update(tf.IndexedSlices(m, rows))
        second.scatter_update(tf.IndexedSlices(v, rows))
        variable.scatter_sub(tf.IndexedSlices(rate * change, rows))
