"""From a shop's files to a served model: prepare, train, evaluate, export. The command line only calls this."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.config import Config
from tfrec.data.prepare import prepare
from tfrec.data.shop import ShopData
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.errors import TrainingError
from tfrec.evaluation.baselines import Bm25
from tfrec.evaluation.dev import DevEvaluation
from tfrec.evaluation.protocol import choose_splits, evaluate_recommendation, evaluate_search
from tfrec.evaluation.purchases import BEFORE
from tfrec.evaluation.significance import compare
from tfrec.evaluation.table import Report
from tfrec.evaluation.tokens import Tokenizer
from tfrec.files import atomic_directory
from tfrec.models.features import dense_features
from tfrec.models.spelling import Speller
from tfrec.models.two_tower import TwoTower
from tfrec.retrieval.building import build_scorers
from tfrec.retrieval.fusion import Fusion
from tfrec.retrieval.stage import fuse, kept_fusion
from tfrec.run import RunFolder
from tfrec.synth.examples import SyntheticExamples
from tfrec.synth.hard_negatives import mined_negatives
from tfrec.synth.source import CrossScorer, Teacher
from tfrec.synth.stage import reason, synthesise, wanted
from tfrec.synth.vectors import encode_in_parts
from tfrec.tensorflow_setup import keras
from tfrec.training import checkpoints
from tfrec.training.pipeline import Batches
from tfrec.training.trainer import Halt, Trainer

_TRAINED_SECTIONS = ("data", "synthesis", "augment", "encoder", "model", "training")


@dataclass
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

    @property
    def catalogue(self) -> np.ndarray:
        """Unit vectors of all items, float32 [N, D]; encoded at the first use."""
        if self._catalogue is None:
            self._catalogue = self.model.refresh_catalogue(self.shop.item_texts, self.shop.popularity)
        return self._catalogue

    @property
    def fusion(self) -> Fusion | None:
        """The scorers of the configuration and what each counts; None where the towers rank alone."""
        if self._fusion is None and self.config.retrieval.scorers != ["dense"]:
            self._fusion = _fuse(self)
        return self._fusion

    def fusion_knowing(self, splits: Sequence[str]) -> Fusion | None:
        """The fusion with scorers that know more than train: its weights are chosen, so dev may be learned from, too.

        Args:
            splits: splits whose interactions the scorers may know.
        """
        if self.fusion is None or not self.shop.has_interactions or tuple(splits) == ("train",):
            return self.fusion
        scorers = build_scorers(self.config, self.shop, self.catalogue, Tokenizer, splits)
        return kept_fusion(self.config, scorers, RunFolder(self.config).retrieval)


def _fuse(trained: TrainedShop) -> Fusion | None:
    config, shop = trained.config, trained.shop
    scorers = build_scorers(config, shop, trained.catalogue, Tokenizer)
    if [scorer.label for scorer in scorers] == ["dense"]:
        return None
    return fuse(config, shop, trained.model, scorers, trained.signature, RunFolder(config).retrieval, compare)


def train(
    config: Config,
    source: Config | None = None,
    halt: Halt | None = None,
    second_opinion: CrossScorer | None = None,
) -> TrainedShop:
    """Prepares the data if needed, fine-tunes the towers, and leaves checkpoints and metrics in the run folder.

    A run that was killed goes on where it was; a finished one with the same configuration and data is read back.

    Args:
        config: the whole configuration.
        source: the configuration whose run folder holds the prepared data, the synthetic examples and the zero-shot
            vectors, when several runs share them; it must agree with config in data, training.min_gain
            and in all of synthesis that decides which examples are made. With another seed than the source's, only
            the chance in training differs. None takes the run's own.
        halt: may end the training at one of its evaluations, to be gone on with later; not with synthesis.rounds.
        second_opinion: judges made searches, where synthesis.filters.second_opinion is enabled; None: the teacher does.
            Another one needs another run name.
    """
    if config.synthesis.rounds > 1:
        from tfrec.rounds import train_in_rounds

        return train_in_rounds(config, source, second_opinion)
    return train_once(config, source, halt=halt, second_opinion=second_opinion)


@dataclass(frozen=True)
class Round:
    """A training whose samples are labelled and checked by a model that was trained before it.

    Attributes:
        folder: where its checkpoints and its examples go.
        teacher: the model before; None: the untrained encoder, as in a run without rounds.
    """

    folder: Path
    teacher: TrainedShop | None


def train_once(
    config: Config,
    source: Config | None = None,
    round_: Round | None = None,
    halt: Halt | None = None,
    second_opinion: CrossScorer | None = None,
) -> TrainedShop:
    """One training, as `train` describes it.

    Args:
        config: the whole configuration.
        source: see `train`.
        round_: where this is one of several; None is the run itself.
        halt: see `train`.
        second_opinion: see `train`.
    """
    source = source or config
    shop, model, signature = _assemble(config, source)
    run = RunFolder(config)
    run.write_config()
    teacher = round_.teacher if round_ is not None else None
    if teacher is not None:
        signature = hashlib.sha256(f"{signature}{teacher.signature}".encode()).hexdigest()
    synthetic = None
    if wanted(config, shop):
        print(reason(config, shop), file=sys.stderr, flush=True)
        if teacher is None or round_ is None:
            synthetic = _samples(source, shop, model.encoder.fingerprint, second_opinion)
        else:
            synthetic = synthesise(
                source, shop, lambda: _trained_teacher(teacher), teacher.signature, round_.folder / "synthetic",
                RunFolder(source).synthetic, second_opinion,
            )  # fmt: skip
    augmentation = None
    if config.augment.policy != "none":
        from tfrec.training.augmentation import shop_augmentation

        augmentation = shop_augmentation(config, shop, model.encoder)
    mined = mined_negatives(
        config, shop, lambda: _teacher(source, shop) if teacher is None else _trained_teacher(teacher),
        model.encoder.fingerprint if teacher is None else teacher.signature,
        (run.path if round_ is None else round_.folder) / "mined_negatives", synthetic,
    )  # fmt: skip
    batches = Batches(config, shop, model.encoder.tokenize, synthetic, model.images, augmentation, mined)
    if not batches.tasks:
        raise TrainingError(
            "There is no training example: the training split has no positive pair of a task with weight."
        )
    dev = DevEvaluation(config, shop, model)
    checkpoints_folder = run.checkpoints if round_ is None else round_.folder / "checkpoints"
    summary = Trainer(config, model, batches, dev, checkpoints_folder, signature).run(halt)
    if round_ is None:
        record(config, shop, model, summary, signature)
    return TrainedShop(config, shop, model, signature, summary)


def record(config: Config, shop: ShopData, model: TwoTower, summary: dict[str, Any], signature: str) -> None:
    """Adds a finished training to the run's metrics.json."""
    RunFolder(config).add_metrics(
        training=summary, signature=signature, data=shop.fingerprint, encoder=model.encoder.fingerprint
    )


def make_samples(config: Config, second_opinion: CrossScorer | None = None) -> tuple[ShopData, SyntheticExamples]:
    """Makes the synthetic examples of a shop, whether or not training would want them; or finds them made.

    Args:
        config: the whole configuration.
        second_opinion: see `train`, which must be given the same.
    """
    shop, fingerprint = prepare(config), TextEncoder.load(config.encoder, config.seed).fingerprint
    shop = _filled(config, shop, fingerprint)
    return shop, _samples(config, shop, fingerprint, second_opinion)


def load(config: Config, source: Config | None = None) -> TrainedShop:
    """Reads a finished run back.

    Args:
        config: what it was trained with.
        source: see `train`.

    Raises:
        TrainingError: the run has not been trained to its end with this configuration and data.
    """
    shop, model, signature = _assemble(config, source)
    run = RunFolder(config)
    last = run.checkpoints / "last"
    state = checkpoints.read_state(last) if checkpoints.exists(last) else {}
    if not state.get("finished") or state.get("signature") != signature:
        raise TrainingError(
            f"{run.path} holds no finished training for this configuration and data: run `tfrec train` with it first."
        )
    checkpoints.restore(run.checkpoints / "best", model.saved_variables)
    return TrainedShop(config, shop, model, signature, state["summary"])


def evaluate(trained: TrainedShop, split: str | None = None) -> dict[str, Report]:
    """Measures the model beside its baselines on the whole catalogue and writes metrics.json.

    Args:
        trained: from `train` or `load`.
        split: "dev" or "test"; None takes test where there is one, else dev.

    Returns:
        a report per task ("search", "recommendation") that the shop has data for.
    """
    config, shop, model = trained.config, trained.shop, trained.model
    splits = choose_splits(shop, split)
    reports: dict[str, Report] = {}
    if "search" in splits:
        reports["search"] = evaluate_search(
            config,
            shop,
            model,
            trained.catalogue,
            lambda: _zero_shot(config, shop),
            splits["search"],
            trained.fusion_knowing(BEFORE[splits["search"]]),
        )
    if "recommendation" in splits:
        where = splits["recommendation"]
        reports["recommendation"] = evaluate_recommendation(
            config, shop, model, trained.catalogue, where, trained.fusion_knowing(BEFORE[where])
        )
    results = {task: {"split": splits[task], **report.to_json()} for task, report in reports.items()}
    RunFolder(config).add_metrics(evaluation={"signature": trained.signature, **results})
    return reports


def export(trained: TrainedShop) -> Path:
    """Writes the next version of the SavedModel into the run's export folder and gives its path."""
    from tfrec.export.exporter import export_model

    run = RunFolder(trained.config)
    metrics = run.metrics().get("evaluation", {})
    return export_model(
        trained.config, trained.model, trained.shop, trained.catalogue, run.export, metrics, trained.signature,
        trained.fusion_knowing(("train", "dev", "test")),
    )  # fmt: skip


def _assemble(config: Config, source: Config | None = None) -> tuple[ShopData, TwoTower, str]:
    keras.utils.set_random_seed(config.seed)
    shop = prepare(source or config)
    encoder = TextEncoder.load(config.encoder, config.seed)
    shop = _filled(source or config, shop, encoder.fingerprint)
    features = dense_features(shop, config.model.dense_features)
    images = _images(config, shop)
    model = TwoTower(config, encoder, shop.size, _interactions(shop), features, images, _speller(config, shop, encoder))
    return shop, model, signature_of(config, shop, encoder.fingerprint)


def _filled(config: Config, shop: ShopData, encoder_fingerprint: str) -> ShopData:
    """The shop with guessed attributes (synthesis.attributes), or as it is."""
    if not config.synthesis.attributes.enabled:
        return shop
    from tfrec.synth.attributes.filling import fill_attributes

    folder = RunFolder(config).path / "attributes"
    return fill_attributes(config, shop, lambda: _zero_shot(config, shop)[0], encoder_fingerprint, folder)


def signature_of(config: Config, shop: ShopData, encoder_fingerprint: str) -> str:
    """sha256 (hex) of everything that a run's weights depend on."""
    parts = [config.hash_of(*_TRAINED_SECTIONS), shop.fingerprint, encoder_fingerprint]
    if config.model.images.enabled and config.model.images.encoder is not None:
        from tfrec.encoder.hub_loading import handle_fingerprint

        parts.append(handle_fingerprint(config.model.images.encoder))
    if config.augment.policy != "none":
        from tfrec.training.augmentation import synonyms_fingerprint

        parts.append(synonyms_fingerprint(config, shop))
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _speller(config: Config, shop: ShopData, encoder: TextEncoder) -> Speller | None:
    if not config.model.spelling:
        return None
    return Speller.of(shop.item_texts, shop.judgments("train"), encoder.tokenize)


def _images(config: Config, shop: ShopData) -> Any:
    """The items' pictures, or None for a model without."""
    if not config.model.images.enabled:
        return None
    from tfrec.augment.images import ItemImages

    return ItemImages.of(shop, config.model.images)


def _interactions(shop: ShopData) -> np.ndarray:
    """Training interactions per item, int64 [N]."""
    if not shop.has_interactions:
        return np.zeros(shop.size, np.int64)
    rows = shop.interactions
    return np.bincount(rows["item"].to_numpy()[(rows["split"] == "train").to_numpy()], minlength=shop.size)


def _zero_shot(config: Config, shop: ShopData) -> tuple[np.ndarray, Any]:
    """The untrained encoder's item vectors, kept in the run folder, and its query function."""
    encoder = TextEncoder.load(config.encoder, config.seed)
    # Of the texts alone: the same vectors serve whatever labels and splits go with them.
    key = hashlib.sha256(
        "\0".join([encoder.fingerprint, config.encoder.model_dump_json(), *shop.item_texts]).encode()
    ).hexdigest()
    folder = RunFolder(config).zero_shot
    if (folder / "key").is_file() and (folder / "key").read_text() == key:
        items = np.load(folder / "items.npy", allow_pickle=False)
    else:
        parts = RunFolder(config).path / "zero_shot_parts"
        items = encode_in_parts(
            shop.item_texts, lambda texts: _unit(encoder.encode(texts, config.encoder.item_tokens)), key, parts,
            "Encoding the catalogue (zero-shot)",
        )  # fmt: skip
        with atomic_directory(folder) as aside:
            np.save(aside / "items.npy", items)
            (aside / "key").write_text(key)
        shutil.rmtree(parts)
    return items, lambda queries: _unit(encoder.encode(queries, config.encoder.query_tokens, ""))


def _samples(config: Config, shop: ShopData, fingerprint: str, second_opinion: CrossScorer | None) -> SyntheticExamples:
    """The run's synthetic examples, with BM25 and the untrained encoder as teacher."""
    folder = RunFolder(config).synthetic
    return synthesise(config, shop, lambda: _teacher(config, shop), fingerprint, folder, None, second_opinion)


def _teacher(config: Config, shop: ShopData) -> Teacher:
    items, encode = _zero_shot(config, shop)
    return Teacher(items, encode, Bm25.fit(shop.item_texts).scores)


def _trained_teacher(trained: TrainedShop) -> Teacher:
    return Teacher(trained.catalogue, trained.model.query_vectors, Bm25.fit(trained.shop.item_texts).scores)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
