"""The client: one method per signature of tfrec's exports, and `predict` for any other."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

from tfrec.serving.client.calls import Caller, Connection
from tfrec.serving.client.checks import seconds as checked_seconds
from tfrec.serving.client.connection import Tls
from tfrec.serving.client.errors import ClientError
from tfrec.serving.client.operations import Operation, Operations, Version, described_by
from tfrec.serving.client.results import VersionStatus

T = TypeVar("T")
P = ParamSpec("P")
READY_POLL = 0.2  # seconds between two looks


class Opened:
    """What both clients are opened with; `Client` describes it."""

    _opened_by: Callable[[Connection], Any]

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
        self._caller = type(self)._opened_by(connection)
        self._operations = Operations(model, version)

    def predict_request(
        self, signature: str, inputs: Mapping[str, Any], version: Version = None, output_filter: Sequence[str] = ()
    ) -> Any:
        """The PredictRequest message that `predict` sends, for logging it or sending it by other means."""
        return self._operations.predict_request(signature, inputs, version, output_filter)


def _answered(make: Callable[Concatenate[Operations, P], Operation[T]]) -> Callable[Concatenate[Client, P], T]:
    """The method that sends what `make` makes and waits for its answer."""

    def method(self: Client, *arguments: P.args, **options: P.kwargs) -> T:
        answer: T = self._caller.run(make(self._operations, *arguments, **options))
        return answer

    return described_by(make, method)


class Client(Opened):
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

    _opened_by = Caller

    search = _answered(Operations.search)
    recommend = _answered(Operations.recommend)
    personalised_search = _answered(Operations.personalised_search)
    similar_items = _answered(Operations.similar_items)
    search_image = _answered(Operations.search_image)
    understand = _answered(Operations.understand)
    explain = _answered(Operations.explain)
    leave_one_out = _answered(Operations.leave_one_out)
    embed_query = _answered(Operations.embed_query)
    embed_item = _answered(Operations.embed_item)
    predict = _answered(Operations.predict)
    status = _answered(Operations.status)
    metadata = _answered(Operations.metadata)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._caller.close()

    def wait_until_ready(self, seconds: float = 60.0) -> VersionStatus:
        """Waits until the server has a version that answers.

        Returns:
            the newest such version.

        Raises:
            ClientError: there was none in time; the message says what the server told last.
        """
        waiting = Waiting(seconds)
        while True:
            with waiting:
                waiting.looked(self.status(timeout=waiting.timeout()))
            if waiting.found is not None:
                return waiting.found
            time.sleep(READY_POLL)


class Waiting:
    """The wait for a version that answers. As a context it takes the errors that only mean "not yet".

    Args:
        seconds: how long at most.

    Attributes:
        found: the version, once there is one.
    """

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + checked_seconds(seconds, "The time to wait")
        self.found: VersionStatus | None = None

    def timeout(self) -> float:
        """Seconds that one look may take."""
        return max(min(1.0, self._deadline - time.monotonic()), 0.05)

    def looked(self, statuses: Sequence[VersionStatus]) -> None:
        """Takes what the server tells."""
        self.found = available(statuses)
        if self.found is None:
            raise ClientError("UNAVAILABLE", "The server knows the model, but no version of it is available yet.")

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> bool:
        early = isinstance(error, ClientError) and error.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "NOT_FOUND")
        return early and time.monotonic() + READY_POLL < self._deadline


def available(statuses: Sequence[VersionStatus]) -> VersionStatus | None:
    """The newest version that answers, or None."""
    return max((status for status in statuses if status.state == "AVAILABLE"), default=None)
