"""The client: one method per signature of tfrec's exports, and `predict` for any other."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from tfrec.serving.client.calls import Caller, Connection
from tfrec.serving.client.checks import seconds as checked_seconds
from tfrec.serving.client.connection import Tls
from tfrec.serving.client.errors import ClientError
from tfrec.serving.client.operations import Operations, Version
from tfrec.serving.client.results import Hit, ModelMetadata, Understood, VersionStatus

READY_POLL = 0.2  # seconds between two looks


class Client:
    """Asks a model server that speaks TF Serving's gRPC protocol. Safe to use from several threads.

    Keep one for the life of a process: connections are opened once and used for all calls. Where a web server forks its
    workers, make one in each worker: gRPC's threads do not survive a fork.

    Args:
        target: address of the server, "host:port", or of several servers of the same model, which then take turns; one
            that cannot be reached is left alone for a while. "dns:///name:8500" takes turns over all of a name.
        model: the served model's name.
        timeout: seconds for each call, retries included; each method takes its own `timeout` too.
        retries: further attempts when a server cannot be reached. All calls only read, so repeating one is safe; when
            many fail, a budget stops the repeating.
        max_message_bytes: largest request or answer.
        tls: encrypts the connection, and checks who the server is.
        token: bearer token that the server asks for.
        token_file: file that holds it; a changed file is read again.
        version: version (a number) or label (a text) that calls go to; None takes the newest.

    Raises:
        ClientError: from every method, with a `code` and one sentence.
    """

    def __init__(
        self,
        target: str | Sequence[str] = "127.0.0.1:8500",
        model: str = "tfrec",
        timeout: float = 5.0,
        retries: int = 2,
        max_message_bytes: int = 64 << 20,
        *,
        tls: Tls | None = None,
        token: str | None = None,
        token_file: str | Path | None = None,
        version: Version = None,
    ) -> None:
        connection = Connection(target, timeout, retries, max_message_bytes, tls, token, token_file)
        self._caller = Caller(connection)
        self._operations = Operations(model, version)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._caller.close()

    def search(
        self, queries: str | Sequence[str], k: int = 10, timeout: float | None = None, *, filters: Sequence[str] = (),
        diversity: float = 0.0, interpret: bool = False,
    ) -> list[list[Hit]]:  # fmt: skip
        """Finds items for typed words.

        Args:
            queries: one text or several.
            k: hits per query at most, at least 1.
            timeout: seconds for this call.
            filters: conditions that items must satisfy, such as ["category=shoes", "price<=50"], for all queries alike;
                the shop's configuration says which columns can be asked for.
            diversity: 0 (none) to 1: how much being like an item further up costs.
            interpret: take price wishes in the query ("under 50") as conditions, and put items that hold what it does
                not want ("without leather") last; see `understand`.

        Returns:
            hits of each query, best first.
        """
        return self._caller.run(self._operations.search(queries, k, filters, diversity, interpret), timeout)

    def recommend(
        self, histories: Sequence[Sequence[str]], k: int = 10, timeout: float | None = None, *,
        filters: Sequence[str] = (), diversity: float = 0.0, exclude_seen: bool = True,
    ) -> list[list[Hit]]:  # fmt: skip
        """Finds items for shoppers: each history lists item ids, oldest first, and may be empty.

        Items of the history stay out unless `exclude_seen` is false; the other arguments are those of `search`.
        """
        return self._caller.run(self._operations.recommend(histories, k, filters, diversity, exclude_seen), timeout)

    def personalised_search(
        self, queries: str | Sequence[str], histories: Sequence[Sequence[str]], k: int = 10,
        timeout: float | None = None, *, filters: Sequence[str] = (), diversity: float = 0.0,
        exclude_seen: bool = False, interpret: bool = False,
    ) -> list[list[Hit]]:  # fmt: skip
        """Finds items for typed words and the shopper's history together, one history per query."""
        operation = self._operations.personalised_search(
            queries, histories, k, filters, diversity, exclude_seen, interpret
        )
        return self._caller.run(operation, timeout)

    def similar_items(
        self, item_ids: str | Sequence[str], k: int = 10, timeout: float | None = None, *,
        filters: Sequence[str] = (), diversity: float = 0.0,
    ) -> list[list[Hit]]:  # fmt: skip
        """Finds the nearest other items of each item."""
        return self._caller.run(self._operations.similar_items(item_ids, k, filters, diversity), timeout)

    def understand(self, queries: str | Sequence[str], timeout: float | None = None) -> list[Understood]:
        """What queries mean: categories, attributes, price wishes, what is not wanted, language, spelling.

        Args:
            queries: one text or several.
            timeout: seconds for this call.
        """
        return self._caller.run(self._operations.understand(queries), timeout)

    def explain(
        self,
        queries: str | Sequence[str] | None,
        histories: Sequence[Sequence[str]] | None,
        item_ids: Sequence[Sequence[str]],
        timeout: float | None = None,
    ) -> list[list[dict[str, float]]]:
        """Takes scores apart: how much each scorer adds to an item's score.

        Args:
            queries: as in `personalised_search`; None for none.
            histories: one per query; None for none.
            item_ids: the items to explain, a list for each query.
            timeout: seconds for this call.

        Returns:
            for each item of each query, scorer -> its part; the parts sum up to the score of a hit.
        """
        return self._caller.run(self._operations.explain(queries, histories, item_ids), timeout)

    def embed_query(
        self,
        queries: str | Sequence[str] | None = None,
        histories: Sequence[Sequence[str]] | None = None,
        timeout: float | None = None,
    ) -> np.ndarray:
        """Vectors of queries, of histories, or of both together: unit vectors float32 [B, D]."""
        return self._caller.run(self._operations.embed_query(queries, histories), timeout)

    def embed_item(self, texts: str | Sequence[str], timeout: float | None = None) -> np.ndarray:
        """Vectors of item texts: unit vectors float32 [B, D]."""
        return self._caller.run(self._operations.embed_item(texts), timeout)

    def predict(
        self,
        signature: str,
        inputs: Mapping[str, Any],
        version: Version = None,
        output_filter: Sequence[str] = (),
        timeout: float | None = None,
    ) -> dict[str, np.ndarray]:
        """Calls any signature of the model.

        Args:
            signature: its name; "" means serving_default.
            inputs: an array (or what numpy makes one of) for every input of the signature. A Python number becomes an
                int64, so write `np.int32(10)` for k.
            version: a version's number or label; None takes the client's.
            output_filter: names of the outputs wanted; empty means all.
            timeout: seconds for this call.

        Returns:
            The outputs by name; strings as object arrays of bytes.
        """
        return self._caller.run(self._operations.predict(signature, inputs, version, output_filter), timeout)

    def predict_request(
        self, signature: str, inputs: Mapping[str, Any], version: Version = None, output_filter: Sequence[str] = ()
    ) -> Any:
        """The PredictRequest message that `predict` sends, for logging it or sending it by other means."""
        return self._operations.predict_request(signature, inputs, version, output_filter)

    def status(self, version: Version = None, timeout: float | None = None) -> list[VersionStatus]:
        """State of every version of the model that the server knows, newest first, or of one version."""
        return self._caller.run(self._operations.status(version), timeout)

    def metadata(self, version: Version = None, timeout: float | None = None) -> ModelMetadata:
        """The signatures of the model with the names, types and shapes of their inputs and outputs."""
        return self._caller.run(self._operations.metadata(version), timeout)

    def wait_until_ready(self, seconds: float = 60.0) -> VersionStatus:
        """Waits until the server has a version that answers.

        Returns:
            the newest such version.

        Raises:
            ClientError: there was none in time; the message says what the server told last.
        """
        deadline = time.monotonic() + checked_seconds(seconds, "The time to wait")
        while True:
            try:
                found = available(self.status(timeout=max(min(1.0, deadline - time.monotonic()), 0.05)))
                last = ClientError("UNAVAILABLE", "The server knows the model, but no version of it is available yet.")
                if found is not None:
                    return found
            except ClientError as error:
                if error.code not in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "NOT_FOUND"):
                    raise
                last = error
            if time.monotonic() + READY_POLL >= deadline:
                raise last
            time.sleep(READY_POLL)


def available(statuses: Sequence[VersionStatus]) -> VersionStatus | None:
    """The newest version that answers, or None."""
    return max((status for status in statuses if status.state == "AVAILABLE"), default=None)
