"""What is counted of requests by version, of a canary, and of a shadow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tfrec.serving.server.metrics.exposition import Histogram, Metric

_SECONDS = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_OVERLAP = tuple(round(0.1 * step, 1) for step in range(10))
_TAU = tuple(round(-0.8 + 0.2 * step, 1) for step in range(9))


class TrafficMetrics:
    """Metrics of divided and mirrored requests. Every method is cheap and safe to call from several threads."""

    def __init__(self) -> None:
        own = "tfrec_serving_"
        self._requests = Metric(
            f"{own}version_requests_total", "Predictions by the version that answered.", "counter",
            ("model", "version", "status"),
        )  # fmt: skip
        self._seconds = Histogram(
            f"{own}version_seconds", "Time of a prediction in the version that answered, queue included.", _SECONDS,
            ("model", "version"),
        )  # fmt: skip
        self._routed = Metric(
            f"{own}canary_requests_total", "Requests that traffic.yaml divided: to canary or stable, by the hash of "
            "the shopper's id or of the question.", "counter", ("model", "to", "by"),
        )  # fmt: skip
        self._shadow = Metric(
            f"{own}shadow_requests_total", "Requests for the shadow: compared, failed, dropped (queue full) or "
            "too_large.", "counter", ("model", "outcome"),
        )  # fmt: skip
        self._overlap = Histogram(
            f"{own}shadow_overlap_at_10", "Share of the first ten items that version and shadow have in common, by "
            "row.", _OVERLAP, ("model", "signature"),
        )  # fmt: skip
        self._correlation = Histogram(
            f"{own}shadow_rank_correlation", "Kendall's tau over the items that both have among their first ten.",
            _TAU, ("model", "signature"),
        )  # fmt: skip
        self._sides = Histogram(
            f"{own}shadow_seconds", "Time of mirrored requests: in the served version with its queue, in the shadow "
            "without a queue at the lowest priority.", _SECONDS, ("model", "signature", "side"),
        )  # fmt: skip

    def answered(self, model: str, version: int, status: str, seconds: float) -> None:
        """A version has answered a prediction, or failed at it; status as a code's name."""
        self._requests.add(model, str(version), status)
        if status == "OK":
            self._seconds.observe(seconds, model, str(version))

    def routed(self, model: str, to: str, by: str) -> None:
        """A request was sent to "canary" or "stable" by the hash of the "shopper" or the "question"."""
        self._routed.add(model, to, by)

    def shadow(self, model: str, outcome: str) -> None:
        """What became of a request that was to be mirrored."""
        self._shadow.add(model, outcome)

    def compared(self, model: str, signature: str, served: float, shadow: float, rows: Iterable[Any]) -> None:
        """A request was answered by both.

        Args:
            model: the model's name.
            signature: what was called.
            served, shadow: seconds of each.
            rows: tfrec.serving.server.traffic.comparing.Likeness of each row.
        """
        self._sides.observe(served, model, signature, "served")
        self._sides.observe(shadow, model, signature, "shadow")
        for row in rows:
            self._overlap.observe(row.overlap, model, signature)
            if row.correlation is not None:
                self._correlation.observe(row.correlation, model, signature)

    def version_gone(self, model: str, version: int) -> None:
        """Nobody remembers the version any more."""
        self._requests.remove(model, str(version))
        self._seconds.remove(model, str(version))

    def metrics(self) -> list[Metric | Histogram]:
        """All of them, for the page."""
        return [metric for metric in vars(self).values() if isinstance(metric, Metric | Histogram)]
