"""What is told of drift between a version's export and what is asked of it now."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tfrec.drift.profile_file import read_profile
from tfrec.errors import ExportError
from tfrec.retrieval.tokens import Tokenizer
from tfrec.serving.server.metrics.drift import RecentDrift
from tfrec.serving.server.metrics.exposition import Histogram, Metric

_OWN = "tfrec_serving_"
_EVERY_SECONDS = 0.02  # between two requests whose words are looked at: these cost some 50 microseconds a query
_MOST_QUERIES = 32  # of one request


class KnownQueries:
    """The queries and words that a version's export knows, as its profile has them.

    Args:
        folder: of the version; see tfrec.drift.profile_file.

    Raises:
        ExportError: the profile cannot be read.
        LookupError: there is none, or it says nothing of queries.
    """

    def __init__(self, folder: Path) -> None:
        profile = read_profile(folder)
        if profile is None or not profile.facts["queries"]["length"]["count"]:
            raise LookupError(folder)
        facts = profile.facts["queries"]
        self._tokens, self._words = Tokenizer(profile.facts["language"]), profile.words
        self.lengths = RecentDrift(facts["length"]["edges"], facts["length"]["shares"])
        self.usual: float | None = facts["unknown"] if facts["words"] else None  # share; known where some were held out
        self._next = 0.0

    def look(self, queries: Sequence[bytes], now: float) -> tuple[int, int]:
        """Words of some queries, and how many of these are unknown; (0, 0) where it is too early for another look."""
        if now < self._next:
            return 0, 0
        self._next = now + _EVERY_SECONDS
        words: list[str] = []
        for query in queries[:_MOST_QUERIES]:
            if (text := query.decode("utf-8", "replace")).strip():
                found = list(self._tokens(text))
                self.lengths.add(len(found))
                words += found
        return len(words), sum(word not in self._words for word in words)


class DriftMetrics:
    """Metrics of drift. Every method is cheap and safe to call from several threads."""

    def __init__(self) -> None:
        by = ("model", "version")
        self._scores = Metric(
            f"{_OWN}score_drift", "Population stability index of recent top scores against the export's.",
            "gauge", (*by, "signature"),
        )  # fmt: skip
        self._lengths = Metric(
            f"{_OWN}query_length_drift", "Population stability index of words per query against the export's data.",
            "gauge", by,
        )  # fmt: skip
        self._words = Metric(f"{_OWN}query_words_total", "Words of a sample of the queries.", "counter", by)
        self._unknown = Metric(
            f"{_OWN}unknown_query_words_total", "Of these, words that neither catalogue nor training queries have.",
            "counter", by,
        )  # fmt: skip
        self._usual = Metric(
            f"{_OWN}unknown_query_words_usual", "Share of such words among queries that were held out at the export.",
            "gauge", by,
        )  # fmt: skip
        self._lock = threading.Lock()
        self._of_scores: dict[tuple[str, int, str], RecentDrift] = {}
        self._of_queries: dict[tuple[str, int], KnownQueries] = {}

    def reference(self, model: str, version: int, manifest: Any, folder: Path) -> None:
        """Takes what a new version knows: the scores of its manifest, and the profile in its folder."""
        found = RecentDrift.from_manifest(manifest)
        try:
            queries = {(model, version): KnownQueries(folder)}
        except (LookupError, ExportError, TypeError):  # one without a profile, or from another format of it
            queries = {}
        self.forget(model, version)
        with self._lock:
            self._of_scores |= {(model, version, name): drift for name, drift in found.items()}
            self._of_queries |= queries
        for known in queries.values():
            if known.usual is not None:
                self._usual.set(model, str(version), to=known.usual)

    def scores(self, model: str, version: int, signature: str, top: Iterable[float]) -> None:
        """The first scores of answered rows."""
        if (drift := self._of_scores.get((model, version, signature))) is not None:
            for score in top:
                drift.add(score)

    def queries(self, model: str, version: int, queries: Sequence[bytes]) -> None:
        """The typed words of a request."""
        known = self._of_queries.get((model, version))
        words, unknown = (0, 0) if known is None else known.look(queries, time.monotonic())
        if words:
            self._words.add(model, str(version), by=words)
            self._unknown.add(model, str(version), by=unknown)

    def forget(self, model: str, version: int) -> None:
        """A version is not served any more: what is asked of it says nothing from now on."""
        with self._lock:
            gone = [key for key in self._of_scores if key[:2] == (model, version)]
            for key in gone:
                del self._of_scores[key]
                self._scores.remove(model, str(version), key[2])
            self._of_queries.pop((model, version), None)
            for gauge in (self._lengths, self._usual):
                gauge.remove(model, str(version))

    def version_gone(self, model: str, version: int) -> None:
        """Nobody remembers the version any more."""
        self.forget(model, version)
        for counter in (self._words, self._unknown):
            counter.remove(model, str(version))

    def metrics(self) -> list[Metric | Histogram]:
        """All of them, for the page."""
        with self._lock:  # or a version that goes in this moment would stay on the page
            for (model, version, signature), drift in self._of_scores.items():
                if (index := drift.index()) is not None:
                    self._scores.set(model, str(version), signature, to=index)
            for (model, version), known in self._of_queries.items():
                if (index := known.lengths.index()) is not None:
                    self._lengths.set(model, str(version), to=index)
        return [metric for metric in vars(self).values() if isinstance(metric, Metric)]
