"""The contract of a scorer: a batch of requests to a score for every item, in stock TensorFlow ops."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple

from tfrec.errors import ConfigError
from tfrec.retrieval.normalising import Whole
from tfrec.tensorflow_setup import tf


class Request(NamedTuple):
    """A batch of requests as scorers see it.

    Attributes:
        query: what was typed, string [B]; "" for nothing. Words that may be misspelt stand in it as weighted
            alternatives (tfrec.models.spelling.alternatives).
        vectors: the query tower's unit vectors, float32 [B, D].
        history: rows of the catalogue, int32 [B, H], oldest first, -1 where there is none.
    """

    query: Any
    vectors: Any
    history: Any


class Scorer(tf.Module):  # type: ignore[misc]
    """One opinion on how well every item answers a request.

    A row that a scorer has nothing to say about (no words for a lexical one, no history for a collaborative one) gets 0
    for all items. Scores are finite. Everything the scorer needs is a tf.Variable or a constant of its own, so that a
    SavedModel carries it.

    Attributes:
        label: how tables and configuration name it.
        constant: whether it scores the items alike for every request, so that one row says everything.
        sparse: whether most items get exactly 0 for a request, and no item less.
        joins: whether it counts beside others only where dev surely gains by it.
    """

    label: str
    constant = False
    sparse = False
    joins = False

    @abstractmethod
    def __call__(self, request: Request) -> Any:
        """Scores float32 [B, N]."""

    def whole(self, request: Request) -> Whole | None:
        """Mean and deviation of the scores over the catalogue, float32 [B, 1] each, where they do not follow from the
        scores because these are rough for most items; None where they do."""
        return None

    def part(self, first: int, end: int) -> Scorer:
        """The scorer of some of the items, first <= row < end: it gives them the scores that this one gives.

        Requests' histories stay rows of the whole catalogue.

        Raises:
            ConfigError: this scorer cannot be parted.
        """
        raise ConfigError(
            f"The scorer {self.label!r} cannot be split over shards: take it out of retrieval.scorers, or export the "
            "catalogue whole."
        )
