"""What the client returns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Hit(NamedTuple):
    """One item of an answer, best first in its list.

    Attributes:
        item_id: the shop's own id of the item.
        score: similarity as the model gives it; larger is better.
    """

    item_id: str
    score: float


class Parts(dict[str, float]):
    """What each scorer adds to an item's score, by name.

    Attributes:
        sure: the probability that the item is right for the query, as the shop's judged queries have it; None where too
            few were judged, and for requests with a history.
    """

    sure: float | None = None


class LeftOut(NamedTuple):
    """What of a request an item's score stands on: by how much the score falls where a word or an item of the history
    is left out; below 0 it rises.

    Attributes:
        words: typed word in lower case -> fall of the score.
        history: item id -> fall of the score.
    """

    words: dict[str, float]
    history: dict[str, float]


class Understood(NamedTuple):
    """What a query means.

    Attributes:
        text: what is searched where the query is interpreted: without its price wish and what it does not want, mended.
        language: ISO 639-1 code.
        conditions: price wishes and attributes as `filters` take them: "price<=50", "color=red".
        denied: what is not wanted: "leather".
        measures: numbers with units: "50 cm".
        categories: category -> how likely it is, the likeliest first.
    """

    text: str
    language: str
    conditions: list[str]
    denied: list[str]
    measures: list[str]
    categories: dict[str, float]


class VersionStatus(NamedTuple):
    """State of one version of a model.

    Attributes:
        version: the integer version.
        state: "START", "LOADING", "AVAILABLE", "UNLOADING" or "END".
        error_code: "OK" or the name of the status code that ended the version.
        error_message: empty when the version is healthy.
    """

    version: int
    state: str
    error_code: str
    error_message: str


class TensorSpec(NamedTuple):
    """Type of one tensor of a signature.

    Attributes:
        dtype: TensorFlow's name of the type, for example "DT_STRING".
        shape: one number per axis, -1 where the size is free; None when the rank is free.
    """

    dtype: str
    shape: tuple[int, ...] | None


class Signature(NamedTuple):
    """Inputs and outputs of one way to call a model, by name."""

    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]
    method_name: str


class ModelMetadata(NamedTuple):
    """What a served model can do.

    Attributes:
        name: the model's name.
        version: the version that answered.
        signatures: the signatures by name.
    """

    name: str
    version: int
    signatures: dict[str, Signature]


class Answer(list[list[Hit]]):
    """The hits of each request, from several shards.

    Attributes:
        missing: numbers of the shards that did not answer: their items are in no list, and scores are those of a
            catalogue without them.
    """

    def __init__(self, hits: Iterable[list[Hit]] = (), missing: Iterable[int] = ()) -> None:
        super().__init__(hits)
        self.missing = tuple(sorted(missing))

    @property
    def partial(self) -> bool:
        """Whether a shard is missing."""
        return bool(self.missing)
