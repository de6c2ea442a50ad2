"""One HTTP request to an OpenAI-compatible endpoint, and what its failures mean."""

from __future__ import annotations

import http.client
import json
import os
import socket
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from tfrec.config.synth_llm import LlmConfig
from tfrec.errors import ConfigError

_LARGEST = 4 << 20  # bytes of an answer
_BLOCK = 1 << 16
_TOLD = 200  # characters of a server's message that are passed on
_FINAL = {400, 401, 403, 404, 405, 410, 413, 415, 422}  # asking again gives the same


class Refused(Exception):
    """The endpoint will not answer however often it is asked.

    Attributes:
        everything: whether it is so for every request (a wrong key), not for this one alone (a prompt too long).
    """

    def __init__(self, message: str, everything: bool) -> None:
        super().__init__(message)
        self.everything = everything


class Unavailable(Exception):
    """No answer this time.

    Attributes:
        wait: seconds that the server asks to wait; None if it does not say.
        reached: whether a server was there at all.
    """

    def __init__(self, message: str, wait: float | None = None, reached: bool = True) -> None:
        super().__init__(message)
        self.wait, self.reached = wait, reached


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(frozen=True)
class Endpoint:
    """Where and how to ask.

    Attributes:
        url: of chat/completions.
        timeout: seconds for a whole answer.
        key: secret, never shown; "" for none.
    """

    url: str
    timeout: float
    key: str

    def __repr__(self) -> str:
        return f"Endpoint({self.url})"

    @classmethod
    def of(cls, settings: LlmConfig) -> Endpoint:
        """The endpoint of a configuration; the key comes from the environment.

        Raises:
            ConfigError: base_url or model is missing, or the environment lacks the key.
        """
        if not settings.base_url or not settings.model:
            missing = "base_url" if not settings.base_url else "model"
            raise ConfigError(f"The source llm needs synthesis.llm.{missing}: give it or leave llm out of the sources.")
        key = ""
        if settings.key_variable:
            key = os.environ.get(settings.key_variable, "").strip()
            if not key:
                raise ConfigError(
                    f"The environment variable {settings.key_variable}, named by synthesis.llm.key_variable, is empty: "
                    "set it to the endpoint's key."
                )
            if not key.isascii() or not key.isprintable():
                raise ConfigError(f"The key in {settings.key_variable} holds characters that no HTTP header can carry.")
        return cls(f"{settings.base_url}/chat/completions", settings.timeout_seconds, key)

    def ask(self, payload: dict[str, Any]) -> bytes:
        """Sends a request.

        Args:
            payload: body of chat/completions.

        Returns:
            the body of the answer.

        Raises:
            Refused: it makes no sense to ask again.
            Unavailable: it may work later.
        """
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "tfrec"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        request = urllib.request.Request(self.url, json.dumps(payload).encode(), headers, method="POST")
        deadline = time.monotonic() + self.timeout
        try:
            with urllib.request.build_opener(_NoRedirects).open(request, timeout=self.timeout) as response:
                return _read(response, deadline)
        except urllib.error.HTTPError as error:
            raise self._failure(error) from None
        except TimeoutError:
            raise Unavailable(f"no answer within {self.timeout:g} s") from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise Unavailable(f"no answer within {self.timeout:g} s") from None
            reached = not isinstance(error.reason, (ConnectionRefusedError, socket.gaierror))
            raise Unavailable(self._told(str(error.reason)), reached=reached) from None
        except (http.client.HTTPException, OSError) as error:
            raise Unavailable(self._told(f"{type(error).__name__}: {error}")) from None

    def _failure(self, error: urllib.error.HTTPError) -> Refused | Unavailable:
        try:
            text = error.read(_BLOCK).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            text = ""
        message = self._told(f"HTTP {error.code}: {' '.join(text.split())}")
        if error.code in _FINAL or 300 <= error.code < 400:
            return Refused(message, everything=error.code not in (400, 413, 422))
        return Unavailable(message, _seconds(error.headers.get("Retry-After")))

    def _told(self, text: str) -> str:
        return (text.replace(self.key, "(key)") if self.key else text)[:_TOLD]


def _read(response: Any, deadline: float) -> bytes:
    """The whole body; the socket's own timeout alone would wait for ever on one that drips."""
    parts, size = [], 0
    while block := response.read1(_BLOCK):
        parts.append(block)
        size += len(block)
        if size > _LARGEST:
            raise Unavailable(f"an answer of more than {_LARGEST} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError
    expected = response.headers.get("Content-Length")
    if expected and expected.isdigit() and size < int(expected):
        raise Unavailable("the answer broke off")
    return b"".join(parts)


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; a date, which the header may hold too, is left to the own backoff."""
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None
