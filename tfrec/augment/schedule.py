"""When an entry of a policy acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tfrec.config.augment import OperationConfig
from tfrec.tensorflow_setup import tf


@dataclass(frozen=True)
class Schedule:
    """When an entry of a policy acts, in the policy's unit of time: shares of the run, or epochs.

    Attributes:
        start: where it begins.
        until: where it has ended, or None.
        ramp: how long it takes to reach its full probability.
    """

    start: float = 0.0
    until: float | None = None
    ramp: float = 0.0

    @classmethod
    def of(cls, entry: OperationConfig) -> Schedule:
        """The schedule of a configured entry."""
        return cls(entry.start, entry.until, entry.ramp)

    def chance(self, probability: float, progress: Any) -> Any:
        """The probability at a moment.

        Args:
            probability: the full one.
            progress: float32 scalar, the time since the run began.

        Returns:
            float32 scalar.
        """
        chance = tf.constant(probability, tf.float32)
        if self.ramp > 0:
            chance *= tf.clip_by_value((progress - self.start) / self.ramp, 0.0, 1.0)
        if self.start > 0:
            chance = tf.where(progress < self.start, 0.0, chance)
        if self.until is not None:
            chance = tf.where(progress >= self.until, 0.0, chance)
        return chance
