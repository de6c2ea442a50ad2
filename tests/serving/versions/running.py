"""A running core, looked at from outside."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tfrec.serving.server.core import ServingCore
from tfrec.serving.server.versions.loader import LoadSettings

SEARCH = {"query": np.array([b"red lamp"], object), "k": np.asarray(np.int32(1))}
QUICK = LoadSettings(warm_up=False)
Opener = Callable[..., ServingCore]


def first(core: ServingCore, **choice: Any) -> tuple[int, str]:
    with core.registry.acquire("shop", **choice) as handle:
        found = handle.run("search", SEARCH, ["item_ids"], time.monotonic() + 20)
        return handle.version, found["item_ids"][0, 0].decode()


def states(core: ServingCore) -> dict[int, int]:
    return {number: state.state for number, state in core.registry.states("shop").items()}


def settled(core: ServingCore, expected: dict[int, int]) -> bool:
    until = time.monotonic() + 10
    while states(core) != expected and time.monotonic() < until:
        time.sleep(0.01)
    return states(core) == expected
