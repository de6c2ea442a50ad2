"""From a trained model to a version folder that stock TensorFlow Serving loads."""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfrec.config import Config
from tfrec.drift.profile import profile_of
from tfrec.drift.profile_file import ARRAYS, PROFILE, write_profile
from tfrec.encoder.store import at, find
from tfrec.errors import ExportError
from tfrec.export.building import retrieval_of, serving_module
from tfrec.export.loaded import LoadedModel
from tfrec.export.manifest import extend_manifest, verify_manifest, versions, write_manifest
from tfrec.export.ops import check_ops
from tfrec.export.picture_check import check_pictures, some_pictures
from tfrec.export.precision import TOP, choose_precision
from tfrec.export.score_reference import score_references
from tfrec.export.shown_items import write_shown_items
from tfrec.export.signatures import same_signatures, serving_signatures
from tfrec.export.version_names import LARGEST_VERSION, newest_version
from tfrec.export.warmup import write_warmup
from tfrec.files import atomic_directory, atomic_write
from tfrec.models.spelling.speller import mend
from tfrec.models.two_tower import TwoTower
from tfrec.reporting.card import CARD, model_card
from tfrec.retrieval.answers import answered
from tfrec.retrieval.fusion import Fusion
from tfrec.rules.applied import Rules
from tfrec.rules.reading import rules_digest
from tfrec.tensorflow_setup import tf

if TYPE_CHECKING:
    from tfrec.data.shop import ShopData

_QUERIES = 300
_CHECKED_QUERIES = 32
# How far a score of the export may be from the training process's. In bf16 constants allow other fusions than variables
# do, and each fusion rounds elsewhere; 0.013 was seen.
_TOLERANCE_F32, _TOLERANCE_BF16 = 1e-3, 3e-2
_MADE = "4"  # counts up when the same model is exported in another way
_ANSWERING = ("export", "ranking", "retrieval", "understanding")
_SECTIONS = ("data", "augment", "encoder", "model", "training", "export")


def export_model(
    config: Config,
    model: TwoTower,
    shop: ShopData,
    catalogue: np.ndarray,
    base: Path,
    metrics: dict[str, Any],
    signature: str,
    fusion: Fusion | None = None,
    trained_from: str | None = None,
) -> Path:
    """Writes the next version of a model, or gives the newest one if it is of the same model already.

    Everything is written aside, its ops are checked, it is loaded back and compared with the training process, and only
    then renamed: no server ever sees half an export.

    Args:
        config: sections encoder, export and serving are read; the hash of all is recorded.
        model: the trained towers.
        shop: the prepared data.
        catalogue: unit vectors of all items, float32 [N, D].
        base: folder of all versions.
        metrics: what evaluation measured, for the manifest.
        signature: sha256 (hex) of everything the weights depend on.
        fusion: several scorers that rank together; None ranks by the towers alone.
        trained_from: signature of the training that this model went on from, by another one or with another
            catalogue; None for what was trained from the pretrained weights.

    Returns:
        The version folder base/<integer>.

    Raises:
        ExportError: the model cannot be exported, or the export does not answer as the training process does.
    """
    base = Path(base)
    key = export_key(config, signature, fusion)
    newest = newest_version(base)
    if newest is not None and _is_same(newest, key):
        return newest
    version = next_version(newest)
    queries = sample_queries(shop, config.seed)
    precision = choose_precision(model, catalogue, queries, config.export.precision)
    encode = model.encoder.inference_function(precision.precision)
    module, retrieval = serving_module(config, model, shop, catalogue, encode, fusion, newest)
    signatures = serving_signatures(module, model, encode)
    same = same_signatures(signatures)
    target = base / str(version)
    with atomic_directory(target) as aside:
        tf.saved_model.save(module, str(aside), signatures=signatures)
        ops = check_ops(aside)
        pictures = [] if module.pictures is None else some_pictures(shop.images)
        write_warmup(
            aside, shop.item_ids, shop.item_texts, config.export.warmup_requests, config.seed,
            config.serving.model_name, pictures,
        )  # fmt: skip
        write_shown_items(aside, shop.items)
        if module.pictures is not None:
            from tfrec.export.picture_vectors import picture_digests, write_picture_digests

            write_picture_digests(aside, picture_digests(module.pictures.encoder, shop.images))
        facts = {
            **made_of(config, model, shop, signature, key),
            "trained_from": trained_from,
            "items": len(shop.item_ids),
            "precision": precision.as_dict(),
            "metrics": metrics,
            "retrieval": retrieval,
            "ops": sorted(ops),
            "signatures": described(signatures),
            "same_signatures": same,
        }
        atomic_write(aside / CARD, model_card(config.name, facts, _encoders(config.encoder.name), versions()))
        write_manifest(aside, facts)
        rules, by_picture = module.rules, module.pictures
        del module, signatures, encode
        gc.collect()  # their graphs are cyclic garbage, and the export is about to be loaded beside them
        exact = precision.precision == model.encoder.precision == "f32"
        tolerance = _TOLERANCE_F32 if exact else _TOLERANCE_BF16
        loaded = LoadedModel.open(aside, verify=False)
        _check_answers(loaded, model, catalogue, shop.item_ids, queries[:_CHECKED_QUERIES], tolerance, fusion, rules)
        if by_picture is not None:
            check_pictures(loaded, by_picture, shop.item_ids, pictures, rules)
        references = score_references(loaded, shop, config.seed)
        references |= {name: references[other] for name, other in same.items() if other in references}
        write_profile(aside, profile_of(config, shop, loaded.embed_query, loaded.embed_item))
        extend_manifest(aside, {"score_reference": references}, [PROFILE, ARRAYS])
        del loaded
    return target


def made_of(config: Config, model: TwoTower, shop: ShopData, signature: str, key: str) -> dict[str, Any]:
    """What an export was made from, for the manifest."""
    return {
        "signature": signature,
        "export_key": key,
        "config_sha256": config.hash_of(*_SECTIONS),
        "settings_sha256": settings_digest(config),
        "data_fingerprint": shop.fingerprint,
        "prepared": shop.hash,
        "encoder_fingerprint": model.encoder.fingerprint,
        "dimension": model.dimension,
        "images": _images_of(model),
        **({"query_student": config.encoder.query_student.kind} if config.encoder.query_student.active else {}),
    }


def next_version(newest: Path | None) -> int:
    """The number after the newest version's.

    Raises:
        ExportError: there is none after it.
    """
    number = 1 if newest is None else int(newest.name) + 1
    if number > LARGEST_VERSION:
        raise ExportError(f"{newest} is the largest version there can be: move it away or rename it.")
    return number


def settings_digest(config: Config) -> str:
    """sha256 (hex) of all settings that an export depends on beside what its data and its weights do."""
    parts = [config.hash_of(*_SECTIONS), config.hash_of(*_ANSWERING), rules_digest(config)]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def export_key(config: Config, signature: str, fusion: Fusion | None) -> str:
    """sha256 (hex) of all that an export depends on."""
    parts = [
        _MADE,
        signature,
        rules_digest(config),
        config.hash_of(*_ANSWERING),
        json.dumps(retrieval_of(fusion), sort_keys=True),
    ]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _encoders(name: str) -> list[dict[str, str]]:
    """What is known of the encoders that a configuration names, for the model card."""
    found = []
    for part in [name] if "://" in name else name.split("+"):
        known = find(part) or at(Path(part).expanduser())
        facts = {} if known is None else known.facts
        source, licence = facts.get("source", part), facts.get("licence") or "not known here"
        found.append({"name": known.name if known else part, "source": source, "licence": licence})
    return found


def _images_of(model: TwoTower) -> dict[str, Any]:
    """Whether pictures are in the catalogue's vectors, and of how many items; embed_item reads text alone."""
    if model.images is None:
        return {"used": False}
    return {"used": True, "items": model.images.count, "size": model.images.size}


def _is_same(folder: Path, key: str) -> bool:
    try:
        return verify_manifest(folder).get("export_key") == key
    except ExportError:
        return False


def sample_queries(shop: ShopData, seed: int) -> list[str]:
    """A few hundred queries to compare precisions on: the shop's queries that choose, or else texts of items."""
    queries = [query for query in shop.judgments(shop.choosing_split) if query.strip()]
    if len(queries) < _QUERIES:
        rows = np.random.default_rng(seed).permutation(shop.size)[: _QUERIES - len(queries)]
        queries += [" ".join(shop.item_texts[row].split()[:8]) for row in rows]
    return queries[:_QUERIES]


def _check_answers(
    loaded: LoadedModel,
    model: TwoTower,
    catalogue: np.ndarray,
    item_ids: Sequence[str],
    queries: Sequence[str],
    tolerance: float,
    fusion: Fusion | None,
    rules: Rules | None,
) -> None:
    """Searches the written export and compares with the training process: each place must be as good as it can be."""
    found = loaded.search(queries, TOP)
    row_of = {item_id: row for row, item_id in enumerate(item_ids)}
    expected = model.query_vectors(queries) @ catalogue.T
    if fusion is not None:
        # What a rounding of cosines becomes when they are measured in their deviations over the catalogue, or in ranks.
        tolerance = max(tolerance / max(float(expected.std(axis=1).min()), 1e-3), _TOLERANCE_BF16)
        batches = answered(fusion, model, queries, None, len(catalogue))
        expected = np.concatenate([scores.numpy() for _, _, scores in batches])
    if rules is not None:
        expected = rules(tf.constant(mend(model.speller, queries).words), tf.constant(expected)).numpy()
    best = -np.sort(-expected, axis=1)[:, : found.scores.shape[1]]
    for number, query in enumerate(queries):
        rows = [row_of[item_id] for item_id in found.item_ids[number]]
        own = expected[number, rows]
        off = max(np.abs(own - found.scores[number]).max(), (best[number] - own).max())
        if not off <= tolerance or len(set(rows)) != len(rows):
            raise ExportError(
                f"The export answers the query {query!r} differently from the trained model (by {off:.4f}, at most "
                f"{tolerance} is rounding): please report this as a bug."
            )


def described(signatures: Mapping[str, Any]) -> dict[str, Any]:
    """Names, dtypes and shapes (None = any) of all signatures' inputs and outputs."""
    return {name: _described(function) for name, function in signatures.items()}


def _described(function: Any) -> dict[str, Any]:
    def told(specs: dict[str, Any]) -> dict[str, Any]:
        return {name: {"dtype": spec.dtype.name, "shape": spec.shape.as_list()} for name, spec in specs.items()}

    inputs = {spec.name: spec for spec in function.structured_input_signature[0]}
    return {"inputs": told(inputs), "outputs": told(function.structured_outputs)}
