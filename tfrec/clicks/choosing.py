"""Which click model: the one under which clicks are likeliest that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfrec.clicks.cascade import Cascade
from tfrec.clicks.dynamic import DynamicBayesianNetwork
from tfrec.clicks.lists import Lists
from tfrec.clicks.model import ClickModel, Fitted
from tfrec.clicks.position import PositionBased
from tfrec.clicks.rates import ClicksOverExpected, ClickThroughRate

MODELS: dict[str, ClickModel] = {
    model.name: model
    for model in (ClickThroughRate(), ClicksOverExpected(), PositionBased(), Cascade(), DynamicBayesianNetwork())
}  # fmt: skip
_HELD_OUT = 0.2
_CHOOSES = 400_000  # lists that the choice is made on; more only take longer


@dataclass(frozen=True)
class Choice:
    """The model that was taken, and what the others reached.

    Attributes:
        fitted: it, fitted on all lists.
        naive: the click-through rate, fitted on all lists.
        likelihood: model -> mean log-likelihood of a row of the lists held out; empty where the model was given.
        held_out: how many lists that is from.
    """

    fitted: Fitted
    naive: Fitted
    likelihood: dict[str, float]
    held_out: int


def choose_model(lists: Lists, model: str = "auto", seed: int = 0) -> Choice:
    """Fits the click model that predicts held-out clicks best.

    A fifth of the lists is held out; the models are fitted on the others, and the chosen one then on all. Of models
    that predict equally well the simpler one, by the order of MODELS, is taken.

    Args:
        lists: what was shown and clicked.
        model: auto, or the name of one of MODELS.
        seed: draws what is held out.

    Returns:
        the choice.
    """
    likelihood: dict[str, float] = {}
    held_out = 0
    if model == "auto":
        draw = np.random.default_rng(seed).random(lists.size)
        share = min(1.0, _CHOOSES / max(lists.size, 1))
        other = lists.of(draw < _HELD_OUT * share)
        own = lists.of((draw >= _HELD_OUT * share) & (draw < share))
        held_out = other.size
        if not other.row_weight.any() or not own.size:  # none, or all so old that they count nothing
            model = "ctr"
        else:
            weight = other.row_weight
            for name, candidate in MODELS.items():
                rows = candidate.log_likelihood(candidate.fit(own), other)
                likelihood[name] = float(np.average(rows, weights=weight))
            model = max(likelihood, key=lambda name: likelihood[name])
    naive = MODELS["ctr"].fit(lists)
    return Choice(naive if model == "ctr" else MODELS[model].fit(lists), naive, likelihood, held_out)
