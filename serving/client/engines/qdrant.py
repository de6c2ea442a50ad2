"""A catalogue in Qdrant; needs the package qdrant-client (`tfrec-shop[qdrant]`)."""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfrec.serving.client.engines.hybrid import Found
from tfrec.serving.client.errors import ClientError

_LOOK = 5.0  # seconds after which the alias is read again


class QdrantEngine:
    """What `tfrec push-index` wrote. Safe to use from several threads.

    Args:
        url: qdrant://HOST:6333, qdrants://HOST:6333 with TLS, or qdrant:///FOLDER, open in one process at a time.
        name: that the content was pushed by.
        search: candidates that the HNSW index keeps (hnsw_ef): more finds more and takes longer.
        exact: compare with all vectors instead, as a folder always does.
        api_key: of the server; the environment's QDRANT_API_KEY without.
        timeout: seconds to wait for an answer.
    """

    def __init__(
        self, url: str, name: str = "tfrec", *, search: int = 400, exact: bool = False, api_key: str | None = None,
        timeout: int = 10,
    ) -> None:  # fmt: skip
        from qdrant_client import QdrantClient, models

        self._name, self._lock = name, threading.Lock()
        self._params = models.SearchParams(hnsw_ef=search, exact=exact)
        self._collection, self._looked = "", -_LOOK
        self._facts: Mapping[str, Any] = {}
        kind, _, place = url.partition("://")
        if place.startswith("/"):
            try:
                self._client = QdrantClient(path=place)
            except RuntimeError:
                raise ClientError("UNAVAILABLE", f"{place} is open in another process: end it first.") from None
        else:
            key = api_key or os.environ.get("QDRANT_API_KEY")
            server = f"http{'s' * (kind == 'qdrants')}://{place}"
            self._client = QdrantClient(server, api_key=key, timeout=timeout, check_compatibility=False)

    def facts(self) -> Mapping[str, Any]:
        """See Engine; a new content is seen within five seconds."""
        with self._lock:
            if time.monotonic() - self._looked >= _LOOK:
                self._look()
            return self._facts

    def candidates(
        self, vector: np.ndarray, words: Mapping[int, float], depth: int, conditions: Sequence[tuple[str, str, Any]]
    ) -> Found:
        """See Engine."""
        from qdrant_client import models

        only, query = self._filter(conditions), np.asarray(vector, np.float32).tolist()
        typed = models.SparseVector(indices=list(words), values=list(words.values())) if words else None
        dots = self._best("dense", query, only, depth)
        sums = self._best("words", typed, only, depth) if typed else {}
        highest = self._best("words", typed, None, 1) if typed and conditions else sums
        # what is among the best by one alone gets its other score, too
        dots |= self._best("dense", query, _these(sums, dots), depth) if sums.keys() - dots.keys() else {}
        if typed and dots.keys() - sums.keys():
            sums |= self._best("words", typed, _these(dots, sums), depth)
        rows = sorted(dots)
        found = [dots[row] for row in rows]
        return Found(
            [str(point.payload["item_id"]) for point in found],
            np.array(rows, np.int64),
            np.array([point.score for point in found], np.float64),
            np.array([sums[row].score if row in sums else 0.0 for row in rows], np.float64),
            np.array([point.payload["prior"] for point in found], np.float64),
            max((point.score for point in highest.values()), default=0.0),
        )

    def close(self) -> None:
        """Closes the connection, or the folder."""
        self._client.close()

    def _best(self, using: str, query: Any, only: Any, depth: int) -> dict[int, Any]:
        """Row -> point with its score."""
        fields = ["item_id", "prior"]
        asked = {"using": using, "query_filter": only, "limit": depth, "with_payload": fields}
        points = self._run(
            lambda: self._client.query_points(self._collection, query, search_params=self._params, **asked).points
        )
        return {int(point.id): point for point in points}

    def _filter(self, conditions: Sequence[tuple[str, str, Any]]) -> Any:
        from qdrant_client import models

        places = {name: f"c{number}" for number, name in enumerate(self._facts["columns"])}
        must: list[Any] = []
        equal: dict[str, list[Any]] = {}
        for name, sign, value in conditions:
            if sign == "=":
                equal.setdefault(name, []).append(value)
            else:
                bound = models.Range(lte=value) if sign == "<=" else models.Range(gte=value)
                must.append(models.FieldCondition(key=places[name], range=bound))
        for name, any_of in equal.items():
            if self._facts["columns"][name] == "text":
                must.append(models.FieldCondition(key=places[name], match=models.MatchAny(any=any_of)))
            else:
                ranges = [models.Range(gte=value, lte=value) for value in any_of]
                must.append(
                    models.Filter(should=[models.FieldCondition(key=places[name], range=one) for one in ranges])
                )
        return models.Filter(must=must) if must else None

    def _look(self) -> None:
        aliases = self._run(lambda: self._client.get_aliases().aliases)
        collection = next((one.collection_name for one in aliases if one.alias_name == self._name), None)
        if collection is None:
            raise ClientError("NOT_FOUND", f"Qdrant holds no catalogue {self._name!r}: run `tfrec push-index`.")
        if collection != self._collection:
            key = str(uuid.uuid5(uuid.NAMESPACE_URL, "facts"))
            notes = self._run(lambda: self._client.retrieve(f"{collection}_notes", [key]))
            self._collection, self._facts = collection, json.loads(notes[0].payload["text"])
        self._looked = time.monotonic()

    def _run(self, do: Any) -> Any:
        from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

        try:
            return do()
        except ResponseHandlingException as error:
            told = " ".join(str(error).split())[:200]
            raise ClientError("UNAVAILABLE", f"Qdrant does not answer ({told}).") from None
        except UnexpectedResponse as error:
            self._looked = -_LOOK
            told = " ".join(str(error).split())[:200]
            raise ClientError("INTERNAL", f"Qdrant refused the search ({told}).") from None


def _these(some: Mapping[int, Any], without: Mapping[int, Any]) -> Any:
    from qdrant_client import models

    return models.Filter(must=[models.HasIdCondition(has_id=sorted(some.keys() - without.keys()))])
