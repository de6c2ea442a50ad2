"""Asking a running server which versions answer: an act is done when the server has followed it."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from tfrec.errors import ServingError
from tfrec.lifecycle.act_log import Standing
from tfrec.serving.client import Client, ClientError, Tls

_BETWEEN = 0.1  # seconds between two questions
_PER_QUESTION = 2.0


@dataclass(frozen=True)
class Target:
    """A running server.

    Attributes:
        address: host:port of its gRPC.
        name: of the model.
        seconds: how long it may take to follow.
        ca: authority of its certificate (PEM); encrypts.
        token_file: with the bearer token.
    """

    address: str
    name: str = "tfrec"
    seconds: float = 60.0
    ca: Path | None = None
    token_file: Path | None = None


class Asked:
    """A connection to the server that is to follow an act.

    Args:
        target: the server.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._until = time.monotonic() + target.seconds
        tls = Tls(target.ca) if target.ca is not None else None
        try:
            self._client = Client(
                target.address, target.name, _PER_QUESTION, retries=0, tls=tls, token_file=target.token_file
            )
        except ClientError as error:
            raise ServingError(error.message) from None

    def close(self) -> None:
        """Ends the connection."""
        self._client.close()

    def is_loaded(self, version: int) -> bool:
        """Whether the server has a version ready.

        Raises:
            ServingError: it cannot be reached.
        """
        try:
            return any(one.version == version and one.state == "AVAILABLE" for one in self._client.status())
        except ClientError as error:
            raise ServingError(f"{self._target.address} does not answer: {error.message}") from None

    def wait_loaded(self, version: int) -> None:
        """Waits until the server has loaded a version.

        Raises:
            ServingError: it refused it, or did not load it in time.
        """
        told = ""
        while time.monotonic() < self._until:
            with contextlib.suppress(ClientError):
                for one in self._client.status():
                    if one.version == version and one.state == "AVAILABLE":
                        return
                    if one.version == version and one.state == "END" and one.error_message:
                        told = f": {one.error_message}"
                if told:
                    break
            time.sleep(_BETWEEN)
        raise ServingError(
            f"{self._target.address} has not loaded version {version}{told or f' within {self._target.seconds:g} s'}: "
            "does it follow models.config (`tfrec serve`, or --model_config_file_poll_wait_seconds)?"
        )

    def wait_answers(self, stands: Standing) -> dict[str, int]:
        """Waits until requests are answered by the versions that they should be.

        Args:
            stands: what the labels should mean; who names no version should get the highest that is labelled, for
                what is kept ready besides is below it.

        Returns:
            "stable", "canary" and "" (no version named) -> the version that answered.

        Raises:
            ServingError: another one answers, or none, when the time is up.
        """
        wanted = {**stands.labels, "": max(stands.labels.values())} if stands.labels else {}
        found: dict[str, int | str] = {}
        while True:
            found = {label: self._answering(label) for label in wanted}
            if found == wanted:
                return wanted
            if time.monotonic() >= self._until:
                break
            time.sleep(_BETWEEN)
        wrong = next(label for label in wanted if found[label] != wanted[label])
        who = f"the label {wrong}" if wrong else "no version named"
        raise ServingError(
            f"{self._target.address} has not followed within {self._target.seconds:g} s: with {who} it answers "
            f"{_said(found[wrong])} where version {wanted[wrong]} should. Does it follow models.config (`tfrec "
            "serve`, or --model_config_file_poll_wait_seconds)?"
        )

    def _answering(self, label: str) -> int | str:
        """The version that answers for a label ("" for none), or what was said instead."""
        try:
            return self._client.metadata(version=label or None).version
        except ClientError as error:
            return error.message


def asked(target: Target | None) -> contextlib.AbstractContextManager[Asked | None]:
    """A connection for the time of an act; None without a server."""
    return contextlib.nullcontext() if target is None else contextlib.closing(Asked(target))


def _said(found: int | str) -> str:
    return f"by version {found}" if isinstance(found, int) else f'"{found}"'
