"""What the workers of a training tell each other: sums of gradients, encoded texts, and what the chief decides."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tfrec.cluster import joined
from tfrec.errors import TrainingError, WorkerLostError
from tfrec.tensorflow_setup import STRATEGY, tf

_ROWS = 16384  # of encoded texts that are exchanged at a time
Encode = Callable[..., np.ndarray]


class Workers:
    """The replicas of one strategy, seen by one of them.

    Every worker holds all weights and reads the same batches; it encodes its share of a batch's texts, and all add up
    their gradients. Variables are plain ones: equal starts and equal sums keep them equal, and a checkpoint is that of
    one process, so that a run may go on with another number of workers.

    Args:
        strategy: a `tf.distribute` strategy with one replica in this process, or several (logical devices, in tests).
        rank: this process' number; the chief's is 0.
        count: how many there are.
    """

    def __init__(self, strategy: Any, rank: int, count: int) -> None:
        self._strategy, self.rank, self.count = strategy, rank, count
        self._sum = tf.function(lambda *values: self.run(lambda: self.sum(values)), reduce_retracing=True)

    def run(self, step: Callable[[], Any]) -> Any:
        """Runs a step in every replica, inside a graph; `sum` and `number` may be used in it."""
        return self._strategy.run(step)

    @property
    def number(self) -> Any:
        """Of the replica whose step is run, int32 scalar."""
        return tf.distribute.get_replica_context().replica_id_in_sync_group

    def sum(self, values: Sequence[Any]) -> list[Any]:
        """Each of the tensors summed over all replicas, inside a step."""
        values = [tf.identity(value) for value in values]  # what comes from outside the step has no device yet
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, list(values))

    def decided(self, value: float) -> float:
        """The chief's value, whatever this worker's is."""
        return float(self._sum(tf.constant(value if self.rank == 0 else 0.0, tf.float64))[0])

    def wait_for_all(self) -> None:
        """Ends when all workers have come here."""
        self.decided(0.0)

    def agree(self, value: int, what: str) -> None:
        """Makes sure that all workers hold the same.

        Args:
            value: an integer below 2**53 that is the same everywhere.
            what: it stands for, said in the error.

        Raises:
            TrainingError: it is not the same.
        """
        own = np.zeros(self.count)
        own[self.rank] = value
        told = self._sum(tf.constant(own))[0].numpy().astype(np.int64).tolist()
        if len(set(told)) > 1:
            raise TrainingError(
                f"The workers do not see the same {what} ({', '.join(map(str, told))}): give all of them the same "
                "configuration, and one runs_dir on a disk that they share."
            )

    def sharing(self, encode: Encode) -> Encode:
        """A function like TextEncoder.encode that encodes this worker's share and takes the rest from the others; all
        workers must call it with the same texts."""

        def encoded(texts: Sequence[str], max_tokens: int, description: str = "", role: Any = "") -> np.ndarray:
            own = encode(texts[self.rank :: self.count], max_tokens, description, role)
            found = np.empty([len(texts), own.shape[1]], np.float32)
            for first in range(0, -(-len(texts) // self.count), _ROWS):
                rows = slice(first * self.count, min((first + _ROWS) * self.count, len(texts)))
                block = np.zeros_like(found[rows])
                block[self.rank :: self.count] = own[first : first + _ROWS]
                found[rows] = self._sum(tf.constant(block))[0].numpy()
            return found

        return encoded


def workers_of_this_process() -> Workers | None:
    """The workers that this process has joined (`tfrec.cluster.join`), None where it trains alone."""
    cluster = joined()
    return None if cluster is None else Workers(STRATEGY, cluster.rank, len(cluster.addresses))


@contextlib.contextmanager
def telling_lost_workers() -> Iterator[None]:
    """Says in one sentence that a worker is gone, which TensorFlow tells as an error of some collective operation.

    Raises:
        WorkerLostError: another worker has ended, or has not been heard of for some ten seconds.
    """
    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.InternalError, tf.errors.CancelledError,
            tf.errors.DeadlineExceededError) as error:  # fmt: skip
        if joined() is None:
            raise
        first = next((line for line in str(error).splitlines() if "aborted" in line or "task" in line), "")
        raise WorkerLostError(
            "Another worker of this training is gone" + (f" ({first[:160]})" if first else "") + ": start all of them "
            "again with the same command, they go on from the last checkpoint."
        ) from error
