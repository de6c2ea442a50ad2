"""How examples of several kinds share the batches: the shop's own and made ones, by source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.config import Config
from tfrec.data.personalised.table import TASK as PERSONALISED
from tfrec.synth.examples import RECOMMENDATION, SEARCH, SyntheticExamples
from tfrec.tensorflow_setup import tf

RECOMMENDATION_TASKS = ("recommendation", RECOMMENDATION)
_MADE = {"search": SEARCH, "recommendation": RECOMMENDATION, PERSONALISED: ""}  # the shop's own task -> made for it
OWN_TASKS = tuple(_MADE)


@dataclass(frozen=True)
class MixedStream:
    """Examples of one kind, drawn again and again in a new order.

    Attributes:
        task: as the shards name it.
        shards: TFRecord files, which may hold other tasks too.
        size: number of examples.
        start: share of the examples drawn in the first batch.
        end: share in the last batch.
        histories: whether some examples hold one.
        counts: int64 [N], examples per item, of made examples; None of the shop's own.
    """

    task: str
    shards: list[Path]
    size: int
    start: float
    end: float
    histories: bool
    counts: np.ndarray | None = None

    @property
    def share(self) -> float:
        """Mean share over the run."""
        return 0.5 * (self.start + self.end)


@dataclass(frozen=True)
class Mixture:
    """The streams that batches are drawn from; at any moment their shares sum to one.

    Attributes:
        streams: those with a share.
    """

    streams: list[MixedStream]

    @property
    def histories(self) -> bool:
        """Whether some examples hold a history."""
        return any(stream.histories for stream in self.streams)

    def weights(self, draws: int) -> Any:
        """What tf.data's sample_from_datasets takes: the shares, or a dataset of them when they move.

        Args:
            draws: examples of the planned run; after them the shares stay as they are then.
        """
        starts, ends = ([getattr(stream, name) for stream in self.streams] for name in ("start", "end"))
        if starts == ends:
            return starts
        first, last = tf.constant(starts, tf.float32), tf.constant(ends, tf.float32)

        @tf.autograph.experimental.do_not_convert
        def at(draw: Any) -> Any:
            progress = tf.minimum(tf.cast(draw, tf.float32) / float(max(draws - 1, 1)), 1.0)
            return first + progress * (last - first)

        return tf.data.Dataset.range(1 << 40).map(at)


def mixture(
    config: Config, shards: Sequence[Path], counts: dict[str, int], synthetic: SyntheticExamples | None
) -> Mixture:
    """Shares out the batches: tasks by training.tasks; within a task made examples by synthesis.share or max_share.

    A shop without examples of its own for a task trains on the made ones alone. Sources share the made part by their
    numbers of examples times synthesis.weights.

    Args:
        config: sections training and synthesis are read.
        shards: of the prepared data.
        counts: examples in them per task.
        synthetic: made examples, or None.
    """
    streams: list[MixedStream] = []
    behind: list[MixedStream] = []  # made ones come after the shop's own, so that a draw's meaning stays the same
    for task, made_task in _MADE.items():
        real, weight = counts.get(task, 0), getattr(config.training.tasks, task)
        weighed = []
        for stream in synthetic.of(made_task) if made_task and synthetic is not None and weight > 0 else []:
            weighed.append((stream, stream.size * config.synthesis.weights.get(stream.source, 1.0)))
        made = sum(size for _, size in weighed)
        if weight == 0 or real + made == 0:
            continue
        start, end = made_shares(config, made, real)
        own = MixedStream(task, list(shards), real, (1 - start) * weight, (1 - end) * weight, task != "search")
        streams.append(own)
        for stream, size in weighed:
            part = weight * size / made if made else 0.0
            shares = (part * start, part * end)
            behind.append(
                MixedStream(stream.task, stream.shards, stream.size, *shares, stream.histories, stream.counts)
            )
    streams = [stream for stream in (*streams, *behind) if stream.share > 0]
    first, last = (sum(getattr(stream, name) for stream in streams) for name in ("start", "end"))
    return Mixture([replace(stream, start=stream.start / first, end=stream.end / last) for stream in streams])


def made_shares(config: Config, made: float, real: int) -> tuple[float, float]:
    """Share of made examples within a task, at the start and at the end of a run.

    Args:
        config: section synthesis is read.
        made: number of made ones, weighed.
        real: number of the shop's own.
    """
    if not made:
        return 0.0, 0.0
    if not real:
        return 1.0, 1.0
    ramp = config.synthesis.share
    if ramp is not None:
        return ramp.start, ramp.end
    part = min(config.synthesis.max_share, made / (made + real))
    return part, part
