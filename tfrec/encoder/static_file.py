"""Static encoders, one vector per piece: Model2Vec's folders, sentence-transformers' StaticEmbedding, and ours."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfrec.encoder import store
from tfrec.encoder.checkpoint_weights import load_tensors
from tfrec.encoder.families import WORD_PIECE_MARKS
from tfrec.encoder.pieces import Pieces
from tfrec.encoder.sentence_folder import SentenceFolder
from tfrec.encoder.tokenizer_files import read_tokenizer
from tfrec.errors import EncoderError
from tfrec.files import atomic_directory, read_json

_TABLE, _NAME = "table.safetensors", "table"
_LONGEST = 512  # tokens, as Model2Vec takes


@dataclass(frozen=True)
class StaticCheckpoint:
    """A table of vectors with its vocabulary.

    Attributes:
        table: float32 [pieces, size]; marks that the tokenizer lacked are zero.
        pieces: the vocabulary.
        ignored: ids whose vectors do not count: the marks, and the unknown piece where its makers leave that out.
        prompts: "query" and "item" -> what is put before such texts; may lack both.
        max_tokens: the longest text, marks included.
    """

    table: np.ndarray
    pieces: Pieces
    ignored: list[int]
    prompts: dict[str, str]
    max_tokens: int = _LONGEST


def read_static(opened: SentenceFolder) -> StaticCheckpoint:
    """Reads model.safetensors (embeddings, perhaps weights and mapping) and tokenizer.json.

    Raises:
        EncoderError: a file is missing or of another form.
    """
    for name in ("model.safetensors", "tokenizer.json"):
        if not (opened.model / name).is_file():
            raise EncoderError(f"{opened.model} is not the folder of a static encoder: {name} is missing.")
    file = opened.model / "model.safetensors"
    tensors = load_tensors(file)
    own = next((tensors[name] for name in ("embeddings", "embedding.weight") if name in tensors), None)
    if own is None or own.ndim != 2:
        raise EncoderError(f"{file} holds no table of embeddings: it is not a static encoder's.")
    pieces = read_tokenizer(opened.model / "tokenizer.json", WORD_PIECE_MARKS, opened.lower_case, add_marks=True)
    table = own.astype(np.float32)
    try:
        table = table[tensors["mapping"]] if "mapping" in tensors else table
        table = table * tensors["weights"].astype(np.float32)[:, np.newaxis] if "weights" in tensors else table
    except (IndexError, ValueError) as error:
        raise EncoderError(f"{file} holds weights or a mapping that do not fit its embeddings ({error}).") from None
    added = len(pieces) - len(table)
    special = pieces.special
    marks = [special.start, special.end, special.padding, special.mask]
    if added < 0 or added > sum(mark >= len(table) for mark in marks):
        raise EncoderError(f"{file} holds {len(table)} vectors, but tokenizer.json has {len(pieces)} pieces.")
    table = np.concatenate([table, np.zeros([added, table.shape[1]], np.float32)])
    ignored = [*marks, pieces.unknown] if "embeddings" in tensors else marks
    return StaticCheckpoint(np.ascontiguousarray(table), pieces, sorted(set(ignored)), opened.prompts)


def write_static(name: str, read: StaticCheckpoint, source: str) -> store.InstalledEncoder:
    """Installs a static encoder in one atomic step; the caller holds the install lock."""
    from tfrec.encoder.preprocessor import Preprocessor

    digest = hashlib.sha256(f"{read.pieces.sha256()} {read.pieces.lower_case} {read.ignored}".encode())
    digest.update(read.table.tobytes())
    present = store.find(name)
    if present is not None and present.fingerprint == digest.hexdigest():
        return present
    folder = store.encoder_folder(name)
    with atomic_directory(folder) as aside:
        Preprocessor(read.pieces).save(aside / "preprocessor")
        _write_table(aside, read.table)
        vocabulary, hidden = read.table.shape
        facts = {
            "name": name, "kind": "static", "pieces": read.pieces.kind, "lower_case": read.pieces.lower_case,
            "sizes": {"vocabulary": vocabulary, "hidden": hidden, "layers": 0, "heads": 0},
            "start_id": read.pieces.special.start, "end_id": read.pieces.special.end, "ignored": read.ignored,
            "prompts": read.prompts, "max_tokens": read.max_tokens, "fingerprint": digest.hexdigest(),
            "source": source, "licence": "as the checkpoint's",
        }  # fmt: skip
        store.write_facts(aside, facts)
    return store.InstalledEncoder(folder, facts)


def read_table(installed: store.InstalledEncoder) -> np.ndarray:
    """The table of an installed static encoder, float32 [pieces, size]."""
    return load_tensors(installed.folder / _TABLE)[_NAME]


def copy_with_table(source: store.InstalledEncoder, folder: Path, table: np.ndarray) -> None:
    """Writes an encoder folder like `source` with another table; an existing one is replaced."""
    digest = hashlib.sha256(source.fingerprint.encode() + np.ascontiguousarray(table).tobytes()).hexdigest()
    with atomic_directory(folder) as aside:
        shutil.copytree(source.preprocessor, aside / "preprocessor")
        _write_table(aside, table)
        facts = read_json(source.folder / "encoder.json")
        store.write_facts(aside, {**facts, "name": folder.name, "fingerprint": digest})


def _write_table(folder: Path, table: np.ndarray) -> None:
    from safetensors.numpy import save_file

    save_file({_NAME: np.ascontiguousarray(table, np.float32)}, folder / _TABLE)
