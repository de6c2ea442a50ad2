"""A shop with its trained model, and what ranks its catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.data.split import EVERY_SPLIT
from tfrec.evaluation.significance import compare
from tfrec.export.loaded import LoadedModel, Ranking
from tfrec.export.vectors import exported_vectors
from tfrec.models.two_tower import TwoTower
from tfrec.pipeline.run_folder import RunFolder
from tfrec.pipeline.unseen import UnseenTowers
from tfrec.pipeline.untrained import zero_shot
from tfrec.ranking.by_queries import Teachers
from tfrec.ranking.stage import ranked, ranked_folds, sure
from tfrec.ranking.stage import told as ranker_told
from tfrec.retrieval.building import build_scorers, known_splits
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.lexical_tuning.stage import TunedLexical, kept_lexical
from tfrec.retrieval.scorer import Scorer
from tfrec.retrieval.stage import fold_fusions, fuse, kept_fusion, told


@dataclass(repr=False)
class TrainedShop:
    """A shop with its trained model.

    Attributes:
        config: what it was made from.
        shop: the prepared data.
        model: the two towers with their best weights.
        signature: sha256 (hex) of everything that the weights depend on.
        summary: what training did (steps, seconds, evaluations on dev).
    """

    config: Config
    shop: ShopData
    model: TwoTower
    signature: str
    summary: dict[str, Any]
    _catalogue: Any = field(default=None, repr=False)
    _fusion: Any = field(default=None, repr=False)
    _answering: Any = field(default=None, repr=False)
    _zero_shot: Any = field(default=None, repr=False)

    def __repr__(self) -> str:
        steps = f", {self.summary['steps']:,} steps" if "steps" in self.summary else ""
        return f"TrainedShop({self.config.name!r}: {self.shop.size:,} items{steps})"

    @property
    def answering(self) -> LoadedModel:
        """The model as its export would answer, in this process and without one; traced at the first use."""
        if self._answering is None:
            from tfrec.export.in_process import answering

            knowing = self.fusion_knowing(EVERY_SPLIT)
            folder = RunFolder(self.config).path
            self._answering = answering(self.config, self.model, self.shop, self.catalogue, knowing, folder)
        return self._answering

    def search(
        self, queries: str | Sequence[str], k: int = 10, *, filters: Sequence[str] | None = None,
        diversity: float = 0.0, interpret: bool = False,
    ) -> Ranking:  # fmt: skip
        """Items for typed queries; see `LoadedModel.search`. All else that an export answers is in `answering`."""
        return self.answering.search(queries, k, filters=filters, diversity=diversity, interpret=interpret)

    @property
    def catalogue(self) -> np.ndarray:
        """Unit vectors of all items, float32 [N, D]; at the first use read from the newest export, or encoded."""
        if self._catalogue is None:
            exported = RunFolder(self.config).export
            if (known := exported_vectors(exported, self.signature, self.shop.fingerprint)) is not None:
                self.model.use_catalogue(known, self.shop.popularity)
            else:
                known = self._encoded()
            self._catalogue = known
        return self._catalogue

    def _encoded(self) -> np.ndarray:
        """The catalogue by the towers; what training left unchanged comes from vectors that others need, too."""
        model, shop, config = self.model, self.shop, self.config
        if self._untrained:
            return model.refresh_catalogue(shop.item_texts, shop.popularity, self.zero_shot()[0])
        needed = self.summary.get("few_labels") or "zero_shot" in config.evaluation.baselines
        encoder = model.encoder.teacher
        if needed and encoder.partly_unchanged:
            encoder.keep_unchanged(shop.item_texts, config.encoder.item_tokens, "item", self.zero_shot()[0])
        return model.refresh_catalogue(shop.item_texts, shop.popularity)

    @property
    def _untrained(self) -> bool:
        return bool(self.summary.get("stopped") == "untrained")

    def zero_shot(self) -> tuple[np.ndarray, Any]:
        """The untrained encoder's vectors of the catalogue, and its query function: see `tfrec.pipeline.untrained`."""
        if self._zero_shot is None:
            self._zero_shot = zero_shot(self.config, self.shop, self.model.encoder.teacher if self._untrained else None)
        return self._zero_shot

    @property
    def judges(self) -> TwoTower | UnseenTowers:
        """The towers by which labelled queries choose and tell what to expect: where they trained, as before."""
        if not self.summary.get("few_labels"):
            return self.model
        return UnseenTowers(*self.zero_shot(), self.model.speller)

    @property
    def fusion(self) -> Fusion | None:
        """The scorers of the configuration and what each counts; None where the towers rank alone."""
        if self._fusion is None and self.config.retrieval.scorers != ["dense"]:
            self._fusion = _fuse(self)
        return self._fusion

    @property
    def fold_fusions(self) -> list[tuple[list[str], Fusion]]:
        """For every fold of the queries that choose: the queries, and the scorers as the other folds chose them."""
        if self.fusion is None:
            return []
        run = RunFolder(self.config)
        scorers = _as_seen_by(self.judges, self.fusion.scorers)
        folds = fold_fusions(self.config, self.shop, scorers, run.retrieval(self.signature))
        return ranked_folds(self.config, self.shop, folds, self.signature, run.ranking(self.signature))

    def told(self) -> list[str]:
        """What was chosen by how many queries: one sentence per choice."""
        training = [str(self.summary["told"])] if "told" in self.summary else []
        if count := self.summary.get("few_labels"):
            training.append(
                f"training: {count} labelled queries trained the towers for {self.summary['steps']} steps; they choose "
                "and tell what to expect by the encoder as it was before (training.few_labels)"
            )
        if self.fusion is None:
            return training
        folder = RunFolder(self.config)
        words = [self.lexical_knowing(("train",)).record["told"]] if "lexical" in self.fusion.labels else []
        return [
            *training, *words, *told(folder.retrieval(self.signature)), *ranker_told(folder.ranking(self.signature))
        ]  # fmt: skip

    def fusion_knowing(self, splits: Sequence[str]) -> Fusion | None:
        """The fusion with scorers, and a ranker where it gains, that may know more than train: its weights are chosen,
        so dev may be learned from, too.

        Args:
            splits: splits whose interactions the scorers may know.
        """
        splits = known_splits(self.shop, splits)
        if self.fusion is None:
            return None
        run, fusion = RunFolder(self.config), self.fusion
        if splits != known_splits(self.shop, ("train",)):
            scorers = build_scorers(self.config, self.shop, self.catalogue, splits, run.lexical)
            fusion = kept_fusion(self.config, scorers, run.retrieval(self.signature))
        folder = run.ranking(self.signature)
        teachers = Teachers(self.judges, self.zero_shot)  # evaluation needs it, too
        found = ranked(self.config, self.shop, fusion, splits, self.signature, folder, compare, teachers)
        return sure(self.config, self.shop, found, self.signature, folder, lambda: self.fold_fusions, self.judges)

    def lexical_knowing(self, splits: Sequence[str]) -> TunedLexical:
        """The index that the lexical scorer of `fusion_knowing` has."""
        splits = known_splits(self.shop, splits)
        return kept_lexical(self.config, self.shop, splits, RunFolder(self.config).lexical)


def _fuse(trained: TrainedShop) -> Fusion | None:
    config, shop = trained.config, trained.shop
    scorers = build_scorers(config, shop, trained.catalogue, known_splits(shop, ("train",)), RunFolder(config).lexical)
    if [scorer.label for scorer in scorers] == ["dense"]:
        return None
    folder, judges = RunFolder(config).retrieval(trained.signature), trained.judges
    chosen = fuse(config, shop, judges, _as_seen_by(judges, scorers), trained.signature, folder, compare)
    return chosen if judges is trained.model else kept_fusion(config, scorers, folder)


def _as_seen_by(judges: TwoTower | UnseenTowers, scorers: list[Scorer]) -> list[Scorer]:
    return judges.behind(scorers) if isinstance(judges, UnseenTowers) else scorers
