"""One of the two servers: asked by gRPC and, where it has a port for that, by REST."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tfrec.serving.client import Client, ClientError, Tls


class Refusal(NamedTuple):
    """An answer that is an error: gRPC's code by name, and the sentence."""

    code: str
    message: str


class RestAnswer(NamedTuple):
    """What REST gave: the HTTP status and the JSON value (None if it was none)."""

    status: int
    content: Any


class Side:
    """A server.

    Args:
        address: "host:port", or "host:port,http://host:port" with REST.
        model: the served model's name.
        ca: PEM file of the authority of both ports; None speaks plain text.
        token_file: file with the bearer token.
        timeout: seconds for each request.
    """

    def __init__(
        self, address: str, model: str, ca: Path | None = None, token_file: Path | None = None, timeout: float = 60.0
    ) -> None:
        self.address, _, self.rest_url = address.partition(",")
        self.model, self._timeout = model, timeout
        self._ca, self._token_file = ca, token_file
        self.client = self.other(model)

    def other(self, model: str, **more: Any) -> Client:
        """A further client of the same server."""
        tls = None if self._ca is None else Tls(self._ca)
        return Client(self.address, model, self._timeout, tls=tls, token_file=self._token_file, **more)

    def ask(self, question: Callable[[Side], Any]) -> Any:
        """The answer, or the Refusal."""
        try:
            return question(self)
        except ClientError as error:
            return Refusal(error.code, error.message)

    def rest(self, method: str, path: str, body: bytes | None = None) -> RestAnswer:
        """One REST request.

        Raises:
            ClientError: nothing answers there.
        """
        where = urlsplit(self.rest_url)
        host, port = where.hostname or "", where.port
        try:
            if where.scheme == "https":
                context = ssl.create_default_context(cafile=None if self._ca is None else str(self._ca))
                connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                    host, port, timeout=self._timeout, context=context
                )
            else:
                connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
            headers = {"Content-Type": "application/json"}
            if self._token_file is not None:
                headers["Authorization"] = f"Bearer {self._token_file.read_text('utf-8').strip()}"
            try:
                connection.request(method, path, body, headers)
                response = connection.getresponse()
                text = response.read()
            finally:
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            message = f"No REST answer from {self.rest_url} ({type(error).__name__}): is the port right?"
            raise ClientError("UNAVAILABLE", message) from None
        try:
            return RestAnswer(response.status, json.loads(text))
        except ValueError:
            return RestAnswer(response.status, None)

    def close(self) -> None:
        """Closes the connection."""
        self.client.close()
