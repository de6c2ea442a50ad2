"""Installing an encoder: a published one, a local checkpoint, or one from scratch."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tfrec.encoder import store
from tfrec.encoder.checkpoint import Checkpoint, facts_of, read_checkpoint
from tfrec.encoder.pieces import WordPieces
from tfrec.encoder.published import PUBLISHED, Published, fetch
from tfrec.encoder.sentence_folder import open_folder
from tfrec.encoder.sizes import BertSizes, weight_shapes
from tfrec.encoder.static_file import read_static, write_static
from tfrec.errors import EncoderError
from tfrec.files import atomic_directory

_INITIAL_DEVIATION = 0.02  # of BERT's truncated normal


def install(name_or_path: str, name: str | None = None) -> store.InstalledEncoder:
    """Installs a published encoder or a local Hugging Face folder; one that is already installed stays.

    Args:
        name_or_path: "minilm", "multilingual", or a folder of Hugging Face's or sentence-transformers' (see
            `read_checkpoint`).
        name: the name to install it under; by default that name or the folder's.

    Returns:
        The installed encoder.

    Raises:
        EncoderError: nothing is known by that name, the download or the verification fails, or its family is unknown.
    """
    if name_or_path in PUBLISHED:
        return _install_published(PUBLISHED[name_or_path], name or name_or_path)
    folder = Path(name_or_path).expanduser()
    if not folder.is_dir():
        raise EncoderError(
            f"There is no encoder named {name_or_path!r} to install and no such folder: give "
            f"{' or '.join(PUBLISHED)}, or the folder of a checkpoint."
        )
    return install_folder(folder, name or folder.resolve().name)


def _install_published(encoder: Published, name: str) -> store.InstalledEncoder:
    with store.install_lock(name):
        present = store.find(name)
        if present is not None and present.facts.get("source") == encoder.source:
            return present
        with tempfile.TemporaryDirectory(prefix="tfrec-") as scratch:
            checkpoint = fetch(encoder, Path(scratch))
            return write_encoder(name, checkpoint, encoder.source, encoder.licence)


def install_folder(folder: Path, name: str) -> store.InstalledEncoder:
    """Installs a local checkpoint folder of Hugging Face's or sentence-transformers' under `name`."""
    source = str(folder.resolve())
    with store.install_lock(name):
        if (opened := open_folder(folder)).static:
            return write_static(name, read_static(opened), source)
        return write_encoder(name, read_checkpoint(folder), source, "as the checkpoint's")


def install_scratch(
    texts: Sequence[str],
    name: str,
    hidden: int = 128,
    layers: int = 2,
    heads: int = 4,
    vocabulary_size: int = 8000,
    seed: int = 42,
) -> store.InstalledEncoder:
    """Installs a new BERT with word pieces learned from `texts` and random weights.

    Args:
        texts: the shop's texts, any language.
        name: the name to install it under.
        hidden: width; a multiple of `heads`.
        layers: number of transformer layers.
        heads: attention heads.
        vocabulary_size: about how many word pieces to learn.
        seed: of the random weights.

    Returns:
        The installed encoder; the same arguments give the same weights.

    Raises:
        EncoderError: there is no text, or `hidden` is not a multiple of `heads`.
    """
    from tfrec.encoder.vocabulary import learn_pieces

    if hidden % heads:
        raise EncoderError(f"hidden ({hidden}) must be a multiple of heads ({heads}).")
    pieces = learn_pieces(texts, vocabulary_size)
    sizes = BertSizes(len(pieces), hidden, layers, heads, 4 * hidden)
    weights = random_weights(sizes, seed)
    source = f"scratch, {len(texts)} texts, seed {seed}"
    with store.install_lock(name):
        return write_encoder(name, Checkpoint(sizes, weights, WordPieces(pieces, True), {}), source, "your own")


def random_weights(sizes: BertSizes, seed: int) -> dict[str, np.ndarray]:
    """BERT's initial weights: normal with deviation 0.02 cut at two deviations, zero biases, unit gammas."""
    generator = np.random.default_rng(seed)
    weights = {}
    for name, shape in weight_shapes(sizes).items():
        leaf = name.rsplit("/", 1)[-1]
        if leaf in ("bias", "beta", "gamma"):
            weights[name] = np.full(shape, leaf == "gamma", np.float32)
            continue
        values = generator.standard_normal(shape, np.float32)
        while (outside := np.abs(values) > 2).any():
            values[outside] = generator.standard_normal(int(outside.sum()), np.float32)
        weights[name] = _INITIAL_DEVIATION * values
    return weights


def write_encoder(name: str, checkpoint: Checkpoint, source: str, licence: str) -> store.InstalledEncoder:
    """Writes the SavedModel pair and encoder.json in one atomic step; the caller holds the install lock."""
    sizes, weights, pieces = checkpoint.sizes, checkpoint.weights, checkpoint.pieces
    vocabulary = pieces.sha256()
    digest = hashlib.sha256(json.dumps([sizes.as_dict(), vocabulary, pieces.lower_case], sort_keys=True).encode())
    for weight in weight_shapes(sizes):
        digest.update(np.ascontiguousarray(weights[weight], np.float32).tobytes())
    fingerprint = digest.hexdigest()
    present = store.find(name)
    use = facts_of(checkpoint)
    if present is not None and present.fingerprint == fingerprint and use.items() <= present.facts.items():
        return present

    from tfrec.encoder.bert import Bert
    from tfrec.encoder.preprocessor import Preprocessor

    folder = store.encoder_folder(name)
    with atomic_directory(folder) as aside:
        Bert(sizes, weights).save(aside / "encoder")
        Preprocessor(pieces).save(aside / "preprocessor")
        facts = {
            "name": name,
            "kind": "bert",
            "sizes": sizes.as_dict(),
            **use,
            "vocabulary_sha256": vocabulary,
            "fingerprint": fingerprint,
            "source": source,
            "licence": licence,
        }
        store.write_facts(aside, facts)
    return store.InstalledEncoder(folder, facts)


def copy_with_weights(source: store.InstalledEncoder, folder: Path, weights: Mapping[str, np.ndarray]) -> None:
    """Writes an encoder folder like `source` with other weights, for instance after fine-tuning.

    Args:
        source: the encoder whose sizes, preprocessor and facts are taken over.
        folder: written atomically; an existing one is replaced.
        weights: name -> float32 array for every weight.
    """
    import shutil

    from tfrec.encoder.bert import Bert

    sizes = BertSizes(**source.facts["sizes"])
    digest = hashlib.sha256(source.fingerprint.encode())
    for name in weight_shapes(sizes):
        digest.update(np.ascontiguousarray(weights[name], np.float32).tobytes())
    with atomic_directory(folder) as aside:
        Bert(sizes, weights).save(aside / "encoder")
        shutil.copytree(source.preprocessor, aside / "preprocessor")
        store.write_facts(aside, {**source.facts, "name": folder.name, "fingerprint": digest.hexdigest()})
