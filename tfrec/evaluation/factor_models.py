"""Matrix factorisation baselines: implicit ALS and BPR, computed by the package `implicit`."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tfrec.errors import EvaluationError
from tfrec.evaluation.purchases import Purchases, history_matrix
from tfrec.evaluation.recommendation import CUT
from tfrec.evaluation.retrieval import top_k

if TYPE_CHECKING:
    from tfrec.data.shoppers import Shopper


@dataclass(frozen=True)
class Als:
    """Weighted matrix factorisation; the shopper's factors are solved anew from the history, so anyone can be served.

    Attributes:
        model: a fitted implicit AlternatingLeastSquares.
    """

    model: Any

    @classmethod
    def fit(
        cls, purchases: Purchases, seed: int, factors: int = 64, regularisation: float = 1.0, alpha: float = 10.0,
        iterations: int = 15,
    ) -> Als:  # fmt: skip
        """Fits the factors.

        Args:
            purchases: what was taken before the cut.
            seed: of the start values.
            factors: size of the vectors.
            regularisation: of their squared lengths.
            alpha: weight of a purchase; what was not bought weighs 1.
            iterations: rounds over shoppers and items.

        Source: Hu, Koren & Volinsky 2008, Collaborative Filtering for Implicit Feedback Datasets.
        """
        with _one_blas_thread():
            model = _implicit("als").AlternatingLeastSquares(
                factors=factors, regularization=regularisation, alpha=alpha, iterations=iterations, random_state=seed,
                num_threads=1,
            )  # fmt: skip
            model.fit(purchases.matrix, show_progress=False)
        return cls(model)

    def recommend(self, shoppers: Sequence[Shopper]) -> NDArray[np.int32]:
        """int32 [U, 20], see `Recommend`."""
        histories = [shopper.history for shopper in shoppers]
        past = history_matrix(histories, len(self.model.item_factors))
        factors = self.model.recalculate_user(np.arange(len(histories)), past)
        return top_k(
            np.atleast_2d(factors), self.model.item_factors, CUT, exclude=[shopper.excluded for shopper in shoppers]
        )[0]


@dataclass(frozen=True)
class Bpr:
    """Factors learned from pairs (bought, not bought); a shopper unknown at fitting gets the items' biases alone.

    Attributes:
        model: a fitted implicit BayesianPersonalizedRanking.
        rows: user_id -> row of its user factors.
    """

    model: Any
    rows: dict[str, int]

    @classmethod
    def fit(
        cls, purchases: Purchases, seed: int, factors: int = 64, regularisation: float = 0.01,
        learning_rate: float = 0.05, iterations: int = 100,
    ) -> Bpr:  # fmt: skip
        """Fits the factors; one thread, so that a seed gives one result.

        Args:
            purchases: what was taken before the cut.
            seed: of start values and sampling.
            factors: size of the vectors.
            regularisation: of the vectors.
            learning_rate: of the stochastic gradient steps.
            iterations: passes over the purchases.

        Source: Rendle et al. 2009, BPR: Bayesian Personalized Ranking from Implicit Feedback.
        """
        model = _implicit("bpr").BayesianPersonalizedRanking(
            factors=factors, regularization=regularisation, learning_rate=learning_rate, iterations=iterations,
            random_state=seed, num_threads=1,
        )  # fmt: skip
        model.fit(purchases.matrix, show_progress=False)
        return cls(model, purchases.rows)

    def recommend(self, shoppers: Sequence[Shopper]) -> NDArray[np.int32]:
        """int32 [U, 20], see `Recommend`."""
        known = np.array([self.rows.get(shopper.user_id, -1) for shopper in shoppers], np.int64)
        factors = np.zeros((len(shoppers), self.model.user_factors.shape[1]), np.float32)
        factors[:, -1] = 1.0  # implicit keeps the items' biases in the last column
        factors[known >= 0] = self.model.user_factors[known[known >= 0]]
        return top_k(factors, self.model.item_factors, CUT, exclude=[shopper.excluded for shopper in shoppers])[0]


def _implicit(module: str) -> Any:
    try:
        return importlib.import_module(f"implicit.cpu.{module}")
    except ImportError:
        raise EvaluationError(
            "The ALS and BPR baselines need the package implicit: pip install 'implicit>=0.7.2', or take als and bpr "
            "out of evaluation.recommendation_baselines."
        ) from None


def _one_blas_thread() -> AbstractContextManager[Any]:
    """OpenBLAS's threads and those of implicit fight each other, and implicit warns of it."""
    try:
        from threadpoolctl import threadpool_limits  # comes with implicit
    except ImportError:
        return nullcontext()
    return threadpool_limits(1, user_api="blas")
