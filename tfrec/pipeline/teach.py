"""Who judges synthetic examples and hard negatives: tuned BM25F with the untrained encoder, or with a trained model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfrec.config import Config
from tfrec.config.retrieval import RetrievalConfig
from tfrec.data.shop import ShopData
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.pipeline.run_folder import RunFolder
from tfrec.pipeline.untrained import zero_shot
from tfrec.retrieval.lexical_tuning.stage import TunedLexical, known_judgments, tuned_lexical
from tfrec.synth.examples import SyntheticExamples
from tfrec.synth.source import CrossScorer, Teacher
from tfrec.synth.stage import synthesise

if TYPE_CHECKING:
    from tfrec.pipeline.trained import TrainedShop


def zero_shot_samples(
    config: Config,
    shop: ShopData,
    fingerprint: str,
    second_opinion: CrossScorer | None,
    untrained: TextEncoder | None = None,
) -> SyntheticExamples:
    """The run's synthetic examples, with tuned BM25F and the untrained encoder (see `zero_shot`) as teacher."""
    folder = RunFolder(config).synthetic
    return synthesise(
        config, shop, lambda: zero_shot_teacher(config, shop, untrained), fingerprint, folder, None, second_opinion
    )


def zero_shot_teacher(config: Config, shop: ShopData, untrained: TextEncoder | None = None) -> Teacher:
    """Tuned BM25F and the untrained encoder (see `zero_shot`)."""
    items, encode = zero_shot(config, shop, untrained)
    return Teacher(items, encode, taught_lexical(config, shop).scores)


def trained_teacher(trained: TrainedShop) -> Teacher:
    """Tuned BM25F and a trained model."""
    lexical = taught_lexical(trained.config, trained.shop)
    return Teacher(trained.catalogue, trained.model.query_vectors, lexical.scores)


def taught_lexical(config: Config, shop: ShopData) -> TunedLexical:
    """The index that teaches: of the training queries and the default settings, whatever retrieval.lexical says.

    So nothing of the section retrieval makes a trained model stale.
    """
    usual = config.model_copy(update={"retrieval": RetrievalConfig()})
    return tuned_lexical(usual, shop, known_judgments(shop, ("train",)), RunFolder(config).lexical / "teacher")
