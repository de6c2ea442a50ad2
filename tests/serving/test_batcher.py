"""The batcher, over functions whose answers are known: who meets whom in a batch, and what happens when it is full."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
import pytest

from tfrec.serving.server.metrics.counters import Metrics
from tfrec.serving.server.sessions.batch_plan import BatchPlan, bucket_sizes
from tfrec.serving.server.sessions.batcher import Batcher, BatchSettings, Call
from tfrec.serving.server.status import StatusError, invalid_argument
from tfrec.tensorflow_setup import tf  # noqa: F401  (before the protobuf classes of TensorFlow)

STRING, FLOAT, INT = 7, 1, 3


def signature(inputs: dict[str, tuple[int, list[int] | None]], outputs: dict[str, list[int] | None]) -> Any:
    from tensorflow.core.protobuf import meta_graph_pb2

    made = meta_graph_pb2.SignatureDef()
    for table, entries in ((made.inputs, inputs), (made.outputs, {n: (FLOAT, s) for n, s in outputs.items()})):
        for name, (dtype, sizes) in entries.items():
            table[name].dtype = dtype
            table[name].tensor_shape.unknown_rank = sizes is None
            for size in sizes or ():
                table[name].tensor_shape.dim.add(size=size)
    return made


LENGTHS = signature({"text": (STRING, [-1]), "k": (INT, [])}, {"length": [-1]})


class Counter:
    """Counts bytes; remembers every batch; waits while held; refuses the text "bad" as a graph would."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.entered = threading.Semaphore(0)
        self.held = threading.Event()
        self.held.set()

    def __call__(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        texts = inputs["text"].tolist()
        self.batches.append(texts)
        self.entered.release()
        assert self.held.wait(10)
        if b"bad" in texts:
            raise invalid_argument("bad is not wanted")
        return {"length": np.array([len(text) for text in texts], np.float32) * inputs["k"]}


def texts(*values: str, k: int = 1) -> dict[str, np.ndarray]:
    array = np.empty(len(values), object)
    array[:] = [value.encode() for value in values]
    return {"text": array, "k": np.asarray(np.int32(k))}


class Bench:
    """A batcher over one counter, and a way to ask it from many threads."""

    def __init__(self, **settings: Any) -> None:
        self.count = Counter()
        self.metrics = Metrics()
        self.batcher = Batcher(BatchSettings(**settings), self.metrics)
        self.call = Call("shop", "lengths", BatchPlan(LENGTHS), self.count)
        self._pool = ThreadPoolExecutor(64)

    def ask(self, *values: str, k: int = 1, seconds: float | None = None) -> list[float]:
        inputs = texts(*values, k=k)
        deadline = None if seconds is None else time.monotonic() + seconds
        return self.batcher.run(self.call, inputs, self.call.plan.rows(inputs), deadline)["length"].tolist()

    def later(self, *values: str, **wishes: Any) -> Any:
        before = self.call.queued_rows
        future = self._pool.submit(self.ask, *values, **wishes)
        wait(lambda: self.call.queued_rows > before or future.done())
        return future

    def hold(self) -> Any:
        """Occupies a worker until `count.held` is set."""
        self.count.held.clear()
        future = self._pool.submit(self.ask, "first")
        assert self.count.entered.acquire(timeout=10)
        return future


def wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.001)


def test_a_lone_request_runs_at_once_in_its_own_thread() -> None:
    bench, seen = Bench(), []
    bench.call.run = lambda inputs: seen.append(threading.get_ident()) or bench.count(inputs)  # type: ignore[func-returns-value,assignment]
    assert bench.ask("a", "bcd") == [1, 3]
    assert seen == [threading.get_ident()]


def test_what_is_queued_runs_together_and_everybody_gets_their_own() -> None:
    bench = Bench(max_rows=8)
    first = bench.hold()
    others = [bench.later("x" * length, "y" * (length + 1)) for length in (2, 4, 6)]
    bench.count.held.set()
    assert first.result() == [5]
    assert [future.result() for future in others] == [[2, 3], [4, 5], [6, 7]]
    assert [len(batch) for batch in bench.count.batches] == [1, 8]
    assert bench.count.batches[1][6:] == [b"xx"] * 2  # filled up to a power of two with the shortest text
    assert bench.call.queued_rows == 0


def test_a_batch_is_never_larger_than_allowed() -> None:
    bench = Bench(max_rows=4)
    bench.hold()
    futures = [bench.later("a", "bb", "ccc"), bench.later("a", "bb"), bench.later("a", "bb")]
    bench.count.held.set()
    assert [future.result() for future in futures] == [[1, 2, 3], [1, 2], [1, 2]]
    assert [len(batch) for batch in bench.count.batches[1:]] == [4, 4]


def test_only_requests_with_equal_scalars_share_a_batch() -> None:
    bench = Bench()
    bench.hold()
    futures = [bench.later("aa", k=k) for k in (1, 2, 1, 2)]
    bench.count.held.set()
    assert [future.result() for future in futures] == [[2], [4], [2], [4]]
    assert [len(batch) for batch in bench.count.batches] == [1, 2, 2]


def test_only_who_is_to_blame_hears_of_a_failure() -> None:
    bench = Bench()
    bench.hold()
    futures = [bench.later(text) for text in ("a", "bb", "bad", "dddd", "eeeee")]
    bench.count.held.set()
    with pytest.raises(StatusError, match="not wanted"):
        futures.pop(2).result()
    assert [future.result() for future in futures] == [[1], [2], [4], [5]]


def test_any_failure_reaches_all_who_wait() -> None:
    bench = Bench()
    bench.hold()
    futures = [bench.later("a"), bench.later("b")]
    bench.call.run = lambda inputs: {}["nothing"]
    bench.count.held.set()
    for future in futures:
        with pytest.raises(KeyError):
            future.result(timeout=10)
    bench.call.run = bench.count
    assert bench.ask("still here") == [10]


def test_a_full_queue_is_told_at_once() -> None:
    bench = Bench(max_queued_rows=3)
    bench.hold()
    waiting = bench.later("a", "b")
    started = time.monotonic()
    with pytest.raises(StatusError, match="2 rows of lengths wait") as refused:
        bench.ask("c", "d")
    assert refused.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED and time.monotonic() - started < 1
    bench.count.held.set()
    assert waiting.result() == [1, 1]


def test_a_deadline_ends_the_wait_and_takes_the_request_out() -> None:
    bench = Bench()
    bench.hold()
    with pytest.raises(StatusError) as late:
        bench.ask("never", seconds=0.05)
    assert late.value.code is grpc.StatusCode.DEADLINE_EXCEEDED and bench.call.queued_rows == 0
    with pytest.raises(StatusError):
        bench.ask("past", seconds=-1)
    bench.count.held.set()
    assert bench.ask("next") == [4]
    assert [b"never"] not in bench.count.batches and [b"past"] not in bench.count.batches


def test_as_many_batches_run_at_once_as_there_are_workers() -> None:
    bench = Bench(workers=3)
    bench.count.held.clear()
    futures = [bench._pool.submit(bench.ask, "a", k=number) for number in range(5)]
    for _ in range(3):
        assert bench.count.entered.acquire(timeout=10)
    assert not bench.count.entered.acquire(timeout=0.05)
    bench.count.held.set()
    assert [future.result() for future in futures] == [[0], [1], [2], [3], [4]]
    assert bench.batcher._free == 3 and not bench.batcher._queues


def test_the_queue_that_has_waited_longest_is_next() -> None:
    bench = Bench()
    bench.hold()
    futures = [bench.later("a", k=k) for k in (3, 1, 2, 3)]
    order: list[int] = []
    count = bench.count
    bench.call.run = lambda inputs: order.append(int(inputs["k"])) or count(inputs)  # type: ignore[func-returns-value,assignment]
    count.held.set()
    assert [future.result() for future in futures] == [[3], [1], [2], [3]]
    assert order == [3, 1, 2]


@pytest.mark.parametrize("workers", [1, 3])
def test_a_batch_may_be_told_to_wait_for_more(workers: int) -> None:
    bench = Bench(max_rows=2, wait_seconds=5.0, workers=workers)
    futures = [bench._pool.submit(bench.ask, text) for text in ("a", "bb")]
    started = time.monotonic()
    assert [future.result(timeout=10) for future in futures] == [[1], [2]]
    assert time.monotonic() - started < 4 and len(bench.count.batches) == 1
    assert bench.batcher._free == workers and not bench.batcher._gathering


def test_who_does_not_fit_into_a_batch_that_waits_goes_on_at_once() -> None:
    bench = Bench(max_rows=3, wait_seconds=1.0, workers=2)
    first = bench._pool.submit(bench.ask, "a")
    wait(lambda: bool(bench.batcher._gathering))
    second, third = bench.later("bb"), bench.later("ccc", "dddd", "eeeee")  # 1 + 1 + 3 rows
    assert [future.result(timeout=10) for future in (first, second, third)] == [[1], [2], [3, 4, 5]]
    assert [len(batch) for batch in bench.count.batches] in ([2, 3], [3, 2])
    assert bench.batcher._free == 2 and not bench.batcher._queues


def test_without_sharing_everybody_runs_alone_yet_in_one_batch() -> None:
    bench = Bench(share=False, max_rows=8)
    bench.hold()
    futures = [bench.later("a", "bb"), bench.later("ccc")]
    bench.count.held.set()
    assert [future.result() for future in futures] == [[1, 2], [3]]
    assert [len(batch) for batch in bench.count.batches] == [1, 2, 1]


def test_a_model_that_does_not_keep_rows_apart_is_found_out() -> None:
    bench = Bench()
    bench.call.run = lambda inputs: {"length": np.array([len(inputs["text"])], np.float32)}
    assert bench.ask("a", "b", "c") == [3] and not bench.call.plan.possible
    inputs = texts("a", "b")
    assert bench.call.plan.rows(inputs) is None and bench.ask("a", "b") == [2]


def test_many_threads_get_what_they_asked_for() -> None:
    bench = Bench(workers=2, max_rows=8)

    def ask(number: int) -> bool:
        wanted = [(number * 7 + row) % 23 for row in range(number % 5 + 1)]
        return bench.ask(*["x" * length for length in wanted], k=number % 3) == [one * (number % 3) for one in wanted]

    with ThreadPoolExecutor(32) as pool:
        assert all(pool.map(ask, range(600)))
    assert bench.batcher._free == 2 and bench.call.queued_rows == 0
    assert "tfrec_serving_batch_rows" in bench.metrics.page()


def test_plans() -> None:
    history = signature({"history": (STRING, [-1, -1]), "k": (INT, [])}, {"ids": [-1, -1]})
    plan = BatchPlan(history)
    one, two = (np.full(shape, b"x", object) for shape in ((1, 2), (2, 3)))
    k = np.asarray(np.int32(1))
    merged = plan.merged([{"history": one, "k": k}, {"history": two, "k": k}], 4)
    assert merged["history"].tolist() == [[b"x", b"x", b""], *[[b"x"] * 3] * 2, [b"x", b"x", b""]]
    assert plan.key({"history": one, "k": k}) == plan.key({"history": two, "k": k})
    narrow = BatchPlan(history, widen=False)
    assert narrow.key({"history": one, "k": k}) != narrow.key({"history": two, "k": k})
    assert not BatchPlan(signature({"x": (FLOAT, [-1])}, {"mean": []})).possible
    assert not BatchPlan(signature({"x": (FLOAT, [-1])}, {"y": None})).possible
    assert not BatchPlan(signature({"k": (INT, [])}, {"y": [-1]})).possible
    both = BatchPlan(signature({"a": (FLOAT, [-1]), "b": (FLOAT, [-1, 2])}, {"y": [-1]}))
    assert both.rows({"a": np.zeros(3), "b": np.zeros((3, 2))}) == 3
    assert both.rows({"a": np.zeros(3), "b": np.zeros((2, 2))}) is None
    assert both.rows({"a": np.zeros(0), "b": np.zeros((0, 2))}) is None


def test_sizes() -> None:
    assert [bucket_sizes(most) for most in (1, 2, 3, 8, 33)] == [
        (1,), (1, 2), (1, 2, 3), (1, 2, 4, 8), (1, 2, 4, 8, 16, 32, 33)
    ]  # fmt: skip
