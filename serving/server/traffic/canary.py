"""Which version answers a shopper while a canary is tried: by a stable hash, so that nobody changes sides."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tfrec.serving.server.configuration.traffic_file import TrafficSettings

STABLE = "stable"
_LONGEST = 1024  # characters of an id that count


class Asker(NamedTuple):
    """Who asks.

    Attributes:
        shopper: the id in the header; "" where there is none.
        question: gives what stands for the shopper then: the bytes of the request's inputs.
    """

    shopper: str
    question: Callable[[], bytes]


class Route(NamedTuple):
    """Where a request goes.

    Attributes:
        version: that answers; None leaves the request's own choice.
        to: "canary", "stable" or "" (the request chose).
        by: "shopper" or "question", whichever was hashed; "" for neither.
    """

    version: int | None
    to: str = ""
    by: str = ""


def route(settings: TrafficSettings, labels: Mapping[str, int], spec: Any, asker: Asker | None) -> Route:
    """Where a request goes.

    Requests that name a version, or another label than stable, get what they name. Of the others a share of the
    shoppers gets the canary. The rest gets the stable version, also where the canary is the newest that is loaded.

    Args:
        settings: what traffic.yaml says.
        labels: version by label of the model.
        spec: the request's ModelSpec.
        asker: who asks; None for a request that nobody can be told of.
    """
    choice = spec.WhichOneof("version_choice")
    if not settings.active or choice == "version" or (choice == "version_label" and spec.version_label != STABLE):
        return Route(None)
    stable, canary = labels.get(STABLE), labels.get(settings.canary.label)
    if not settings.canary.share or canary is None or asker is None:
        return Route(stable, STABLE if stable is not None else "")
    by = "shopper" if asker.shopper else "question"
    key = asker.shopper[:_LONGEST].encode("utf-8", "replace") if asker.shopper else asker.question()
    if place(key, settings.canary.salt or str(canary)) < settings.canary.share:
        return Route(canary, "canary", by)
    return Route(stable, STABLE if stable is not None else "", by)


def place(key: bytes, salt: str) -> float:
    """A number from 0 to 1 that is always the same for a key and a salt, and evenly spread over keys.

    Who is below a share stays below a larger one: raising the share moves nobody back.

    Args:
        key: a shopper's id, or a question.
        salt: of the trial.
    """
    digest = hashlib.blake2b(key, digest_size=8, key=hashlib.blake2b(salt.encode(), digest_size=16).digest()).digest()
    return int.from_bytes(digest, "big") / 2.0**64
