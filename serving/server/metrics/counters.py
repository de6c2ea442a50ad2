"""What the server counts and times, under TF Serving's metric names where it has them.

Names and buckets of TF Serving: servables/tensorflow/util.cc, batching/batching_session.cc and TensorFlow's own loader;
they count in microseconds. What TF Serving does not tell begins with `tfrec_serving_` and counts in seconds. Only names
of served models become labels, so that requests for made-up names cannot grow the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tfrec.serving.server.metrics.drift_counters import DriftMetrics
from tfrec.serving.server.metrics.exposition import Histogram, Metric, exponential, page
from tfrec.serving.server.metrics.traffic_counters import TrafficMetrics

_MICROS = exponential(10, 1.8, 32)  # to about 20 minutes
_QUEUE_MICROS = exponential(100, 1.2, 51)  # to about one second
_SECONDS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_ROWS = exponential(1, 2, 11)
UNKNOWN_MODEL = "(unknown)"
_END = 50  # ModelVersionStatus.State


class Metrics:
    """All metrics of one server. Every method is cheap and safe to call from several threads.

    Attributes:
        traffic: of divided and mirrored requests.
        drift: of what is asked now beside what an export knows.
    """

    def __init__(self) -> None:
        prefix = ":tensorflow:serving:"
        self._requests = Metric(
            f"{prefix}request_count", "The total number of requests.", "counter", ("model_name", "status")
        )
        self._latency = Histogram(
            f"{prefix}request_latency", "Distribution of wall time (in microseconds) for Tensorflow Serving request.",
            _MICROS, ("model_name", "API", "entrypoint"),
        )  # fmt: skip
        self._runtime = Histogram(
            f"{prefix}runtime_latency", "Distribution of wall time (in microseconds) for Tensorflow runtime.",
            _MICROS, ("model_name", "API", "runtime"),
        )  # fmt: skip
        self._examples = Metric(
            f"{prefix}request_example_count_total", "The total number of tensorflow.Examples.", "counter", ("model",)
        )
        self._queue = Histogram(
            f"{prefix}batching_session:queuing_latency",
            "Distribution of wall time spent (in microseconds) in queuing", _QUEUE_MICROS, ("thread_pool_name",),
        )  # fmt: skip
        self._runs = Metric(f"{prefix}batching_session:wrapped_run_count", "Total count of batches run.", "counter")
        self._warmup = Histogram(
            f"{prefix}model_warmup_latency", "Distribution of wall time (in microseconds) for warming up the model.",
            _MICROS, ("model_path", "status"),
        )  # fmt: skip
        self._loads = Metric(
            ":tensorflow:cc:saved_model:load_attempt_count", "The number of times a SavedModel was requested to be "
            "loaded.", "counter", ("model_path", "status"),
        )  # fmt: skip
        own = "tfrec_serving_"
        self._queue_seconds = Histogram(
            f"{own}queue_seconds", "Time from a request's arrival in the queue to its batch.", _SECONDS, ("model",)
        )
        self._model_seconds = Histogram(
            f"{own}model_seconds", "Time of one batch in the model.", _SECONDS, ("model", "signature")
        )
        self._batch_rows = Histogram(
            f"{own}batch_rows", "Rows of a batch, padding left out.", _ROWS, ("model", "signature")
        )
        self._padding = Metric(
            f"{own}padding_rows_total", "Rows that only fill batches up.", "counter", ("model", "signature")
        )
        self._rows = Metric(f"{own}rows_total", "Rows answered.", "counter", ("model", "signature"))
        self._empty = Metric(
            f"{own}empty_results_total", "Rows answered without any item.", "counter", ("model", "signature")
        )
        self._ids = Metric(f"{own}item_ids_total", "Item ids in requests.", "counter", ("model",))
        self._unknown = Metric(
            f"{own}unknown_item_ids_total", "Item ids in requests that the catalogue lacks.", "counter", ("model",)
        )
        self._top = Histogram(
            f"{own}top_score", "Score of the first item of an answer.",
            tuple(round(-0.2 + 0.05 * step, 2) for step in range(25)), ("model", "signature"),
        )  # fmt: skip
        self._state = Metric(
            f"{own}version_state", "State of a version: 10 start, 20 loading, 30 available, 40 unloading, 50 end.",
            "gauge", ("model", "version"),
        )  # fmt: skip
        self._load_seconds = Metric(
            f"{own}load_seconds", "Time that the last load of a version took.", "gauge", ("model", "version")
        )
        self._refused = Metric(
            f"{own}refused_total", "Requests turned away before any model, by reason.", "counter", ("entrypoint", "why")
        )
        self._inflight = Metric(f"{own}requests_in_progress", "Requests being answered.", "gauge", ("entrypoint",))
        self.traffic, self.drift = TrafficMetrics(), DriftMetrics()
        self._known: Callable[[], Iterable[str]] = lambda: ()

    def know_models(self, names: Callable[[], Iterable[str]]) -> None:
        """Gives the function that lists the served models."""
        self._known = names

    def request(self, model: str, api: str, entrypoint: str, status: str, seconds: float) -> None:
        """One request was answered: API "Predict", ...; entrypoint "GRPC" or "REST"; status as a code's name."""
        name = model if model in self._known() else UNKNOWN_MODEL
        self._requests.add(name, status)
        if status == "OK":
            self._latency.observe(seconds * 1e6, name, api, entrypoint)

    def started(self, entrypoint: str) -> None:
        """A request begins."""
        self._inflight.add(entrypoint)

    def ended(self, entrypoint: str) -> None:
        """A request has ended, however it did."""
        self._inflight.add(entrypoint, by=-1)

    def refused(self, entrypoint: str, why: str) -> None:
        """A request was turned away: "token", "size", "path", ..."""
        self._refused.add(entrypoint, why)

    def queue_time(self, model: str, seconds: float) -> None:
        """A request left the queue."""
        self._queue.observe(seconds * 1e6, "model_server_batch_threads")
        self._queue_seconds.observe(seconds, model)

    def batch(self, model: str, signature: str, rows: int, padded_rows: int) -> None:
        """A batch ran: rows of requests, and rows with its padding."""
        self._runs.add()
        self._batch_rows.observe(rows, model, signature)
        self._padding.add(model, signature, by=max(padded_rows - rows, 0))

    def runtime(self, model: str, api: str, seconds: float, signature: str = "") -> None:
        """A call of the model took this long."""
        self._runtime.observe(seconds * 1e6, model, api, "TF2")
        self._model_seconds.observe(seconds, model, signature)

    def examples(self, model: str, count: int) -> None:
        """A Classify or Regress request held this many examples."""
        self._examples.add(model, by=count)

    def ids(self, model: str, total: int, unknown: int) -> None:
        """A request named items, some of which the catalogue lacks."""
        self._ids.add(model, by=total)
        self._unknown.add(model, by=unknown)

    def answered(self, model: str, version: int, signature: str, rows: int, empty: int, top: Sequence[float]) -> None:
        """Ranked rows were answered.

        Args:
            model: the model's name.
            version: its version.
            signature: what was called.
            rows: how many rows.
            empty: how many of them hold no item.
            top: the first scores of the others.
        """
        self._rows.add(model, signature, by=rows)
        self._empty.add(model, signature, by=empty)
        for score in top:
            self._top.observe(score, model, signature)
        self.drift.scores(model, version, signature, top)

    def warmup(self, path: str, seconds: float, ok: bool = True) -> None:
        """The warm-up records of a version folder were replayed."""
        self._warmup.observe(seconds * 1e6, path, "OK" if ok else "INTERNAL")

    def load(self, model: str, version: int, seconds: float, ok: bool, path: str = "") -> None:
        """A version was loaded, or could not be."""
        self._loads.add(path or f"{model}/{version}", "success" if ok else "fail")
        if ok:
            self._load_seconds.set(model, str(version), to=seconds)

    def version_state(self, model: str, version: int, state: int) -> None:
        """A version's state (ModelVersionStatus.State) changed."""
        self._state.set(model, str(version), to=state)
        if state == _END:
            self.drift.forget(model, version)

    def version_gone(self, model: str, version: int) -> None:
        """Nobody remembers the version any more: without this the page would grow with every version."""
        self.drift.version_gone(model, version)
        self.traffic.version_gone(model, version)
        for gauge in (self._state, self._load_seconds):
            gauge.remove(model, str(version))

    def page(self) -> str:
        """Everything as Prometheus reads it."""
        own = [metric for metric in vars(self).values() if isinstance(metric, Metric | Histogram)]
        return page([*own, *self.drift.metrics(), *self.traffic.metrics()])


NULL = Metrics()
"""Takes what nobody asks for: for cores that run without a server around them."""
