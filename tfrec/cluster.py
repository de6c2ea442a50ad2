"""Which of several processes this one is, where they train one model together: TF_CONFIG says it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from tfrec.errors import ConfigError

VARIABLE = "TF_CONFIG"
_TRAINS = ("chief", "worker")  # in the order that TensorFlow numbers them


@dataclass(frozen=True)
class Cluster:
    """The workers of a training.

    Attributes:
        addresses: host:port of each, the chief's first.
        rank: which of them this process is.
    """

    addresses: tuple[str, ...]
    rank: int


_joined: Cluster | None = None


def cluster_of(environment: Mapping[str, str]) -> Cluster | None:
    """The cluster that TF_CONFIG describes, None where it names no second worker.

    Args:
        environment: variables by name.

    Raises:
        ConfigError: it cannot be read, or names what does not train here.
    """
    text = environment.get(VARIABLE, "")
    if not text.strip():
        return None
    try:
        told = json.loads(text)
        tasks = {str(kind): list(some) for kind, some in told.get("cluster", {}).items() if some}
        addresses = tuple(str(address) for kind in _TRAINS for address in tasks.get(kind, ()))
        if len(addresses) < 2 and not set(tasks) - set(_TRAINS):
            return None
        kind, index = str(told["task"]["type"]), int(told["task"]["index"])
        before = len(tasks.get("chief", ())) if kind == "worker" else 0
        own = tasks[kind][index] if index >= 0 else None
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        own = None
    if own is None:
        raise ConfigError(
            f'{VARIABLE} must be as in {{"cluster": {{"worker": ["host1:2222", "host2:2222"]}}, "task": {{"type": '
            f'"worker", "index": 0}}}}, not {text[:200]}: unset it to train in one process.'
        )
    if other := sorted(set(tasks) - set(_TRAINS)):
        raise ConfigError(
            f"{VARIABLE} names tasks of the kind {other[0]!r}, but training has chief and worker only: leave them out."
        )
    return Cluster(addresses, before + index)


def join() -> None:
    """Makes this process one of the workers that TF_CONFIG names; call it before TensorFlow's first import.

    Raises:
        ConfigError: see `cluster_of`.
    """
    global _joined
    _joined = cluster_of(os.environ)


def joined() -> Cluster | None:
    """The cluster that this process is one of, None where it trains alone."""
    return _joined


def follows() -> bool:
    """Whether another process is the chief, which alone prepares, writes and decides."""
    return _joined is not None and _joined.rank > 0
