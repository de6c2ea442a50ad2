"""What the labelled requests of a task say of every scorer, also of one whose settings they choose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tfrec.choosing.crossing import out_of_folds
from tfrec.choosing.folds import deal
from tfrec.retrieval.pool import Pool


class Variants(Protocol):
    """A scorer with settings that labelled requests choose (the lexical one)."""

    def choose(self, rows: NDArray[np.int64]) -> Any:
        """The settings by these requests alone, int64 [R], as plain JSON values; of none the default."""

    def parts(self, settings: Any, rows: NDArray[np.int64], items: NDArray[np.int32]) -> NDArray[np.float32]:
        """Normalised scores float32 [R, P] of items int32 [R, P] (-1 in unused places) for these requests."""


@dataclass(frozen=True)
class Evidence:
    """Requests of a task with every scorer's opinion of their candidates.

    Attributes:
        pool: Q requests; scores of a scorer with variants are those of its default.
        number: of the scorer with variants, -1 for none.
        variants: its settings, or None.
        seed: deals requests into folds.
    """

    pool: Pool
    seed: int
    number: int = -1
    variants: Variants | None = None
    _chosen: dict[bytes, Any] = field(default_factory=dict, repr=False)

    @property
    def every(self) -> NDArray[np.int64]:
        """The numbers of all requests."""
        return np.arange(len(self.pool.items))

    def folds(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The fold of each of some requests, int64 [R]."""
        return deal([self.pool.keys[row] for row in rows], self.seed)

    def settings(self, rows: NDArray[np.int64]) -> Any:
        """What these requests choose for the scorer with variants; None without one."""
        if self.variants is None:
            return None
        key = np.sort(rows).tobytes()
        if key not in self._chosen:
            self._chosen[key] = self.variants.choose(np.sort(rows))
        return self._chosen[key]

    def told(self, rows: NDArray[np.int64], by: NDArray[np.int64]) -> Pool:
        """The pool of some requests, with settings that others chose.

        Args:
            rows: numbers of the requests, int64 [R].
            by: numbers of those that choose.
        """
        pool = self.pool.some(rows)
        if self.variants is None:
            return pool
        parts = pool.parts.copy()
        parts[:, :, self.number] = self.variants.parts(self.settings(by), rows, pool.items)
        return replace(pool, parts=parts)

    def told_by_others(self, rows: NDArray[np.int64]) -> Pool:
        """The pool of some requests, each with settings that the other folds among them chose, and nobody else."""
        if self.variants is None:
            return self.pool.some(rows)
        folds, parts = self.folds(rows), self.pool.parts[rows].copy()
        for fold in np.unique(folds):
            inside = folds == fold
            parts[inside] = self.told(rows[inside], rows[~inside]).parts
        return replace(self.pool.some(rows), parts=parts)

    def honest(
        self, choose: Callable[[NDArray[np.int64]], NDArray[np.float64]],
        quality: Callable[[Pool, NDArray[np.float64]], NDArray[np.float64]],
    ) -> NDArray[np.float64]:  # fmt: skip
        """What a whole procedure reaches for requests that had no part in it, float64 [Q].

        Args:
            choose: (numbers of the requests that choose) -> weights float64 [S].
            quality: (pool, weights) -> float64 [R].
        """

        def chosen(rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
            return rows, choose(rows)

        def judged(
            choice: tuple[NDArray[np.int64], NDArray[np.float64]], rows: NDArray[np.int64]
        ) -> NDArray[np.float64]:
            return quality(self.told(rows, choice[0]), choice[1])

        return out_of_folds(self.folds(self.every), chosen, judged)
