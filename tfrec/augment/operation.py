"""What every text operation is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class Resources:
    """What operations may look up; everything is plain data, so that a policy can be rebuilt anywhere.

    Attributes:
        protected: case-folded words that no operation may change (brands).
        protect_numbers: whether words with a digit, sizes and units are left alone.
        protect_negations: whether negations (not, without, 无, 不 ...) are left alone.
        synonyms: case-folded phrase -> its synonyms, best first.
        neighbours: case-folded word -> words near it in the encoder's word embeddings, best first.
    """

    protected: frozenset[str] = frozenset()
    protect_numbers: bool = True
    protect_negations: bool = True
    synonyms: Mapping[str, list[str]] = field(default_factory=dict)
    neighbours: Mapping[str, list[str]] = field(default_factory=dict)


class Operation:
    """One way to change texts, as graph code: no py_function, no loop over rows.

    A subclass names itself and implements __call__. It must give valid UTF-8 for valid UTF-8, leave an empty text
    empty, never make one empty, and leave protected words alone unless it says otherwise (`keeps_protected`).

    Args:
        strength: in [0, 1]; what it means (share of words, size of a crop) is the subclass's to say. 0 changes nothing.
        resources: what it may look up.
    """

    name: ClassVar[str]
    fields: ClassVar[tuple[str, ...]] = ("query", "title")
    keeps_protected: ClassVar[bool] = True

    def __init__(self, strength: float, resources: Resources) -> None:
        self.strength, self.resources = strength, resources

    def __call__(self, texts: Any, keys: Any, magnitude: Any = 1.0) -> Any:
        """Changes every text it can.

        Args:
            texts: string [B].
            keys: uint64 [B], from randomness.row_keys; every random choice of a row comes from its key alone.
            magnitude: float32 scalar, factor on the strength (a schedule's, or 1).

        Returns:
            string [B].
        """
        raise NotImplementedError
