"""What a ranker learned, kept beside what it was learned from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfrec.data.shop import ShopData
from tfrec.files import atomic_directory, read_json, write_json
from tfrec.ranking.ranker import Learned

OUTCOME = "choice/ranking.json"  # in a ranker's folder


class Origin(NamedTuple):
    """What an outcome depends on.

    Attributes:
        about: everything but the shop's files.
        data: fingerprint of these.
        fresh: whether an outcome from other files is none.
    """

    about: str
    data: str
    fresh: bool

    def key(self) -> dict[str, str]:
        """What is kept beside the outcome."""
        return {"about": hashlib.sha256(self.about.encode()).hexdigest(), "data": self.data}


def origin_of(shop: ShopData, about: str, kept: bool) -> Origin:
    """See Origin.

    Args:
        shop: the prepared data.
        about: everything else.
        kept: take what was learned, though the shop's files have changed since.
    """
    return Origin(about, shop.fingerprint, not kept)


def kept_facts(file: Path, origin: Origin) -> dict[str, Any] | None:
    """A JSON file of this origin, or None."""
    found = read_json(file) if file.is_file() else {}
    key = origin.key()
    same = found.get("about") == key["about"] and (not origin.fresh or found.get("data") == key["data"])
    return found if same else None


def outcome(folder: Path, origin: Origin, decide: Callable[[], dict[str, Any]] | None) -> dict[str, Any] | None:
    """Whether a ranker is used and how that was found, as plain JSON values: read back, or decided now and kept.

    Args:
        folder: of the ranker.
        origin: of the outcome.
        decide: decides, and keeps what was learned; None where nothing may be learned now.
    """
    facts = kept_facts(folder / OUTCOME, origin)
    if facts is None and decide is not None:
        facts = {**decide(), **origin.key()}
        with atomic_directory(folder / Path(OUTCOME).parent) as aside:
            write_json(aside / Path(OUTCOME).name, facts)
    return facts


def keep_learned(folder: Path, learned: Learned, origin: Origin) -> None:
    """Writes what was learned into a folder of its own."""
    named = {f"{m}.{n}": value for m, model in enumerate(learned.weights) for n, value in enumerate(model)}
    with atomic_directory(folder) as aside:
        np.savez(aside / "learned.npz", mean=learned.mean, spread=learned.spread, scales=learned.scales, **named)  # type: ignore[arg-type]
        write_json(aside / "about.json", {**origin.key(), "kind": learned.kind, "names": learned.names})


def kept_learned(folder: Path, origin: Origin) -> Learned | None:
    """What was learned of this origin, or None."""
    facts = kept_facts(folder / "about.json", origin)
    if facts is None:
        return None
    with np.load(folder / "learned.npz", allow_pickle=False) as file:
        scales = file["scales"]
        weights = [[] for _ in scales]  # type: list[list[np.ndarray]]
        for model, values in enumerate(weights):
            while f"{model}.{len(values)}" in file:
                values.append(file[f"{model}.{len(values)}"])
        return Learned(facts["kind"], facts["names"], file["mean"], file["spread"], scales, weights)
