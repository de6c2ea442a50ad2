"""Counters, gauges and histograms in Prometheus' text format 0.0.4.

Own code instead of prometheus_client: that one ends the names of all counters in `_total`, which TF Serving does not,
and it takes 2.8 µs for a value of a histogram and 1.9 µs for a count where this takes 0.8 and 0.5 (a prediction notes
about fourteen of them). Format: prometheus.io/docs/instrumenting/exposition_formats.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exponential(first: float, factor: float, count: int) -> tuple[float, ...]:
    """Bounds first, first·factor, first·factor², ... for a histogram."""
    return tuple(first * factor**power for power in range(count))


class _Family:
    """What is kept for each combination of labels. Safe to use from several threads."""

    def __init__(self, name: str, about: str, labels: Sequence[str]) -> None:
        self.name, self.about, self.labels = name, about, tuple(labels)
        self._values: dict[tuple[str, ...], Any] = {}
        self._lock = threading.Lock()

    def remove(self, *first: str) -> None:
        """Forgets all combinations that begin with these labels."""
        with self._lock:
            for labels in [labels for labels in self._values if labels[: len(first)] == first]:
                del self._values[labels]


class Metric(_Family):
    """A named family of values, one for each combination of labels. Safe to use from several threads.

    Args:
        name: as it is shown.
        about: one line of explanation.
        kind: "counter" or "gauge".
        labels: names of the labels; every call gives their values in this order.
    """

    def __init__(self, name: str, about: str, kind: str, labels: Sequence[str] = ()) -> None:
        super().__init__(name, about, labels)
        self.kind = kind

    def add(self, *labels: str, by: float = 1) -> None:
        """Counts."""
        with self._lock:
            self._values[labels] = self._values.get(labels, 0) + by

    def set(self, *labels: str, to: float) -> None:
        """Sets a gauge."""
        with self._lock:
            self._values[labels] = to

    def value(self, *labels: str) -> float:
        """The present value, 0 when nothing was recorded."""
        return float(self._values.get(labels, 0))

    def lines(self) -> Iterable[str]:
        """The metric as text, without line ends; nothing when there is no value."""
        with self._lock:
            values = sorted(self._values.items())
        if values:
            yield from _head(self.name, self.about, self.kind)
        for labels, value in values:
            yield f"{self.name}{_labels(self.labels, labels)} {_number(value)}"


class Histogram(_Family):
    """Distributions, one for each combination of labels. Safe to use from several threads.

    Args:
        name: as it is shown.
        about: one line of explanation.
        bounds: upper bounds of the buckets, ascending; one without bound is added.
        labels: names of the labels.
    """

    def __init__(self, name: str, about: str, bounds: Sequence[float], labels: Sequence[str] = ()) -> None:
        super().__init__(name, about, labels)  # counts by bucket, then the sum of all values
        self.bounds = tuple(bounds)

    def observe(self, value: float, *labels: str) -> None:
        """Records one value; what is not a number is left out."""
        if math.isnan(value):
            return
        with self._lock:
            cell = self._values.get(labels)
            if cell is None:
                cell = self._values[labels] = [0.0] * (len(self.bounds) + 2)
            cell[bisect_left(self.bounds, value)] += 1
            cell[-1] += value

    def count(self, *labels: str) -> int:
        """How many values were recorded."""
        return int(sum(self._values.get(labels, [0.0])[:-1]))

    def lines(self) -> Iterable[str]:
        """The metric as text, without line ends; nothing when there is no value."""
        with self._lock:
            cells = sorted((labels, list(cell)) for labels, cell in self._values.items())
        if cells:
            yield from _head(self.name, self.about, "histogram")
        names = (*self.labels, "le")
        for labels, cell in cells:
            total = 0.0
            for bound, count in zip((*self.bounds, math.inf), cell, strict=False):
                total += count
                yield f"{self.name}_bucket{_labels(names, (*labels, _number(bound)))} {_number(total)}"
            yield f"{self.name}_sum{_labels(self.labels, labels)} {_number(cell[-1])}"
            yield f"{self.name}_count{_labels(self.labels, labels)} {_number(total)}"


def page(metrics: Iterable[Metric | Histogram]) -> str:
    """The page that Prometheus reads."""
    return "".join(f"{line}\n" for metric in metrics for line in metric.lines())


def _head(name: str, about: str, kind: str) -> Iterable[str]:
    escaped = about.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name} {escaped}", f"# TYPE {name} {kind}"


def _labels(names: Sequence[str], values: Sequence[str]) -> str:
    if not names:
        return ""
    escaped = (value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for value in values)
    return "{" + ",".join(f'{name}="{value}"' for name, value in zip(names, escaped, strict=True)) + "}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(float(f"{value:.9g}"))
