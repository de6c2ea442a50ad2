"""One HTTP request to an OpenAI-compatible endpoint, and what its failures mean."""

from __future__ import annotations

import os
import ssl
import time
from typing import Any

import httpx

from tfrec.config.synth_llm import LlmConfig
from tfrec.errors import ConfigError

_LARGEST = 4 << 20  # bytes of an answer
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


class Endpoint:
    """Where and how to ask. Safe to use from several threads, which share its connections.

    Args:
        url: of chat/completions.
        timeout: seconds for a whole answer.
        key: secret, never shown; "" for none.
    """

    def __init__(self, url: str, timeout: float, key: str) -> None:
        self.url, self.timeout, self._key = url, timeout, key
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "tfrec"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        # httpx follows no redirect, which would carry the key to another host.
        self._client = httpx.Client(
            headers=headers, timeout=timeout, limits=httpx.Limits(), verify=ssl.create_default_context()
        )

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
            raise ConfigError(
                f"A language model needs synthesis.llm.{missing}: give it, or do without (synthesis.sources)."
            )
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
        deadline = time.monotonic() + self.timeout
        try:
            with self._client.stream("POST", self.url, json=payload) as response:
                body = _read(response, deadline)
                if response.is_success:
                    return body
        except httpx.TimeoutException:
            raise Unavailable(f"no answer within {self.timeout:g} s") from None
        except httpx.HTTPError as error:
            reached = not isinstance(error, httpx.ConnectError) or "SSL" in str(error)
            raise Unavailable(self._told(f"{type(error).__name__}: {error}"), reached=reached) from None
        except (httpx.InvalidURL, UnicodeError) as error:  # the latter of names that DNS cannot hold
            raise Refused(self._told(f"no address: {error}"), everything=True) from None
        code = response.status_code
        message = self._told(f"HTTP {code}: {' '.join(body.decode('utf-8', 'replace').split())}")
        if code in _FINAL or 300 <= code < 400:
            raise Refused(message, everything=code not in (400, 413, 422))
        raise Unavailable(message, _seconds(response.headers.get("Retry-After")))

    def _told(self, text: str) -> str:
        return (text.replace(self._key, "(key)") if self._key else text)[:_TOLD]


def _read(response: httpx.Response, deadline: float) -> bytes:
    """The whole body; httpx's own timeout, for each piece, would wait for ever on one that drips."""
    body = bytearray()
    for piece in response.iter_raw():
        body += piece
        if len(body) > _LARGEST:
            raise Unavailable(f"an answer of more than {_LARGEST} bytes")
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer drips")
    return bytes(body)


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; a date, which the header may hold too, is left to the own backoff."""
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None
