"""Whether training, or more labels, are likely to help: from what two untrained scorers reach and miss."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tfrec.choosing.chance import beyond_chance
from tfrec.pipeline.advice.probe import adapted, teachers
from tfrec.pipeline.advice.view import View
from tfrec.progress import track

_SHARES = (0.25, 0.5, 1.0)
_TOLD_APART = 40  # labelled queries by which a choice can be told from luck
_NEARLY_ALL = 0.97  # nDCG@10 above which there is hardly anything left to gain


@dataclass(frozen=True)
class TrainingAdvice:
    """What is to be expected.

    Attributes:
        labelled: number of labelled queries.
        lexical, dense, both: nDCG@10 of the tuned lexical scorer, of the untrained encoder, of their z-scores' sum.
        found: share of the right items within the first hundred of the lexical scorer, of the encoder, of either.
        alike: mean cosine of two right items of a query, less that of any two items; None without such a pair.
        curve: labelled queries used -> nDCG@10 of the sum, with a map of the query vectors learned from them.
        trained: "likely", "unlikely" or "unknown": whether training the towers gains over the sum.
        more_labels: the same of more labels.
        reasons: a sentence for each of the two.
    """

    labelled: int
    lexical: float | None
    dense: float | None
    both: float | None
    found: tuple[float, float, float] | None
    alike: float | None
    curve: dict[int, float]
    trained: str
    more_labels: str
    reasons: tuple[str, str]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self) | {"curve": {str(count): value for count, value in self.curve.items()}}


def training_advice(view: View) -> TrainingAdvice:
    """Judges every labelled query by what the queries of the other folds choose and teach."""
    count = len(view.labelled)
    if not count:
        made = "there is no labelled query: what tfrec makes itself cannot say whether it helps"
        more = "the first labels measure what is there, weigh the fields and the scorers"
        return TrainingAdvice(0, None, None, None, None, None, {}, "unknown", "likely", (made, more))
    pools = view.pools
    lexical, dense, both = (
        np.array([pool.ndcg(scores(pool)) for pool in pools])
        for scores in (lambda p: p.lexical, lambda p: p.dense, lambda p: p.lexical + p.dense)
    )
    words, meaning, either = np.mean([pool.found for pool in pools], axis=0).tolist()
    learned = {share: adapted(view, share) for share in track(_SHARES, "Learning from parts of the labels")}
    curve = {0: float(both.mean())} | {
        len(teachers(view, 0, share)): float(values.mean()) for share, values in learned.items()
    }
    left = 1 - float(max(both.mean(), lexical.mean()))
    trained, why = _trained(view, learned[1.0] - both, left, either)
    more, why_more = _more(count, learned[1.0] - learned[0.5], left)
    return TrainingAdvice(
        count, float(lexical.mean()), float(dense.mean()), float(both.mean()), (words, meaning, either), _alike(view),
        curve, trained, more, (why, why_more),
    )  # fmt: skip


def _trained(view: View, gain: np.ndarray, left: float, found: float) -> tuple[str, str]:
    if left < 1 - _NEARLY_ALL:
        return "unlikely", f"untrained scorers reach {1 - left:.3f} nDCG@10: hardly anything is left to gain"
    count, few, section = len(view.labelled), view.config.data.split.few_queries, view.config.training.few_labels
    if count < few:
        beyond = f"{1 - found:.0%} of the right items are beyond the first hundred of both"
        if section.steps == 0 or count < section.least_queries:
            return "unlikely", (
                f"{count} labelled queries train nothing (training.few_labels), and queries made from the catalogue "
                f"repeat what the words say; {beyond}"
            )
        return "likely", (
            f"{section.steps} steps on {count} labelled queries (training.few_labels) bring little, but brought it on "
            f"other queries of all shops that they were measured on; {beyond}"
        )
    told = f"a linear map of the query vectors, learned from the other folds, changes nDCG@10 by {gain.mean():+.3f}"
    if beyond_chance(gain):
        return "likely", f"{told}, which is more than chance"
    return "unlikely", f"{told}, which is no more than chance"


def _more(count: int, gain: np.ndarray, left: float) -> tuple[str, str]:
    if left < 1 - _NEARLY_ALL:
        return "unlikely", f"untrained scorers reach {1 - left:.3f} nDCG@10 already"
    if count < _TOLD_APART:
        return "likely", f"with {count} labelled queries no choice can be told from luck; {_TOLD_APART} can weigh it"
    told = f"twice the labels changed nDCG@10 by {gain.mean():+.3f}"
    if beyond_chance(gain):
        return "likely", f"{told}, which is more than chance"
    return "unlikely", f"{told}, which is no more than chance"


def _alike(view: View) -> float | None:
    """How much more alike right items of a query are than any two items."""
    pairs = []
    for gains in view.judgments.values():
        vectors = view.items[[item for item, gain in gains.items() if gain > 0]]
        if len(vectors) > 1:
            total = vectors.sum(axis=0)
            pairs.append((float(total @ total) - len(vectors)) / (len(vectors) * (len(vectors) - 1)))
    centre = view.items.mean(axis=0)
    return float(np.mean(pairs) - centre @ centre) if pairs else None
