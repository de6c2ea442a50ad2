"""The query student of trained towers: taught once, beside their checkpoints, and read back from there."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import polars as pl

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.encoder.query_student import QueryStudent
from tfrec.errors import TrainingError
from tfrec.files import speaking_os_errors
from tfrec.models.spelling.speller import mend
from tfrec.models.two_tower import TwoTower
from tfrec.pipeline.run_folder import RunFolder
from tfrec.pipeline.stages import stage
from tfrec.pipeline.teach import zero_shot_teacher
from tfrec.synth.catalogue_queries import catalogue_queries, normalise
from tfrec.synth.filters.check import FilterContext
from tfrec.synth.filters.guard import EvaluatedQueries
from tfrec.training import checkpoints, training_state
from tfrec.training.distilling import distil

_FORMAT = 1


def teach_query_student(config: Config, shop: ShopData, model: TwoTower, signature: str) -> None:
    """Has a small encoder read the model's queries, as the configuration wants it; taught first where it is not yet.

    Args:
        config: section encoder is read.
        shop: the prepared data.
        model: the trained towers; its encoder becomes the two behind one face.
        signature: of their training.

    Raises:
        EncoderError: no student can be cut from the encoder.
        TrainingError: there is no text to learn from.
    """
    if not config.encoder.query_student.active:
        return
    run, key = RunFolder(config), _key(config, signature)
    with run.alone, stage(run.path, "student", key):
        folder, student = _folder(run, signature, key), _untaught(config, model)
        if not training_state.exists(training_state.best_folder(folder, 0)):
            texts = mend(model.speller, _texts(config, shop, run)).text
            epochs = config.encoder.query_student.epochs
            with speaking_os_errors(folder):
                told = distil(student, texts, config.encoder.query_tokens, epochs, config.seed, folder, key)
            print(
                f"The query student has learned from {told['texts']:,} texts in {told['seconds'] / 60:.1f} min: cosine "
                f"{told['cosine']:.3f} to the large encoder.", file=sys.stderr, flush=True,
            )  # fmt: skip
        read_query_student(config, model, signature)


def read_query_student(config: Config, model: TwoTower, signature: str) -> None:
    """As `teach_query_student`, but never teaches.

    Raises:
        TrainingError: it has not been taught.
    """
    if not config.encoder.query_student.active:
        return
    run, key = RunFolder(config), _key(config, signature)
    best = training_state.best_folder(_folder(run, signature, key), 0)
    if not training_state.exists(best):
        raise TrainingError(
            f"{run.path} holds no query student of its towers as encoder.query_student wants it: `tfrec train` with "
            "this configuration teaches it, or set encoder.query_student.kind=none."
        )
    student = _untaught(config, model)
    checkpoints.restore(best, student.own_variables)
    model.encoder = student


def _untaught(config: Config, model: TwoTower) -> QueryStudent:
    return QueryStudent(model.encoder.teacher, config.encoder.query_student, config.seed)


def _key(config: Config, signature: str) -> str:
    """sha256 (hex) of what a student depends on; the signature stands for the data and the towers."""
    parts = [_FORMAT, signature, config.encoder.query_student.model_dump(mode="json"), config.seed]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _folder(run: RunFolder, signature: str, key: str) -> Path:
    """Within the training's own folder, so that it goes when that goes."""
    return training_state.training_folder(run.checkpoints, signature) / "query_student" / key[:16]


def _texts(config: Config, shop: ShopData, run: RunFolder) -> list[str]:
    """Queries to learn from: the shop's own to train on, then made ones, then cuts of the catalogue; none twice, and
    none that is evaluated, or nearly one."""
    most = config.encoder.query_student.texts
    samples = run.synthetic / "examples" / "samples.parquet"
    made = pl.read_parquet(samples, columns=["query"])["query"].to_list() if samples.is_file() else []
    found: dict[str, str] = {}
    for query in (*shop.judgments("train"), *made):
        found.setdefault(normalise(query), query)
    found.pop("", None)
    texts = list(found.values())[:most]
    texts += [query for query, _ in catalogue_queries(shop.item_texts, most - len(texts), found, config.seed)]
    context = FilterContext.of(config.synthesis.filters, config.seed, shop, lambda: zero_shot_teacher(config, shop))
    kept = EvaluatedQueries()(pl.DataFrame({"query": texts}, schema={"query": pl.String}), context).keep
    texts = [text for text, keep in zip(texts, kept, strict=True) if keep]
    if not texts:
        raise TrainingError("encoder.query_student has nothing to learn from: no query to train on, and no item text.")
    return texts
