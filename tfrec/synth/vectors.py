"""Vectors of many texts, encoded once in parts that outlive a kill."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from tfrec.files import atomic_write
from tfrec.progress import Progress
from tfrec.synth.source import Teacher

_PART = 8192  # texts that a kill may cost; the encoder sorts them by length
Encode = Callable[[Sequence[str]], np.ndarray]


def encode_in_parts(texts: Sequence[str], encode: Encode, key: str, folder: Path, description: str) -> np.ndarray:
    """Encodes texts, or reads back what was encoded of the same texts under the same key.

    The parts are always the same, so that a run that was killed ends with the same vectors to the last bit.

    Args:
        texts: N of them.
        encode: texts to vectors float32 [B, D].
        key: changes when the encoder's answers do.
        folder: where the parts are; what else is in it is deleted.
        description: shown with the progress.

    Returns:
        float32 [N, D]; [0, 0] for no text.
    """
    parts = [texts[start : start + _PART] for start in range(0, len(texts), _PART)]
    paths = [folder / f"{_digest(key, part)}.npy" for part in parts]
    folder.mkdir(parents=True, exist_ok=True)
    for other in set(folder.iterdir()) - set(paths):
        other.unlink()
    missing = [(part, path) for part, path in zip(parts, paths, strict=True) if not path.is_file()]
    if missing:
        with Progress(description, sum(len(part) for part, _ in missing)) as progress:
            for part, path in missing:
                buffer = io.BytesIO()
                np.save(buffer, np.asarray(encode(part), np.float32))
                atomic_write(path, buffer.getvalue())
                progress.advance(len(part))
    found = np.zeros([0, 0], np.float32)
    for start, path in zip(range(0, len(texts), _PART), paths, strict=True):  # one part at a time beside the whole
        vectors = np.load(path, allow_pickle=False)
        found = found if start else np.empty([len(texts), vectors.shape[1]], np.float32)
        found[start : start + len(vectors)] = vectors
    return found


def remembering(teacher: Teacher, queries: Iterable[str], key: str, folder: Path) -> Teacher:
    """A teacher that has encoded the queries before it is asked.

    Args:
        teacher: who encodes.
        queries: repeats cost nothing.
        key: see `encode_in_parts`.
        folder: see `encode_in_parts`.

    Returns:
        the same teacher, except that it looks these queries up; others it encodes as before.
    """
    places = {query: place for place, query in enumerate(dict.fromkeys(queries))}
    vectors = encode_in_parts(list(places), teacher.encode, key, folder, "Encoding made queries")

    def encode(part: Sequence[str]) -> np.ndarray:
        rows = [places.get(query, -1) for query in part]
        return teacher.encode(part) if -1 in rows else vectors[np.array(rows, np.int64)]

    return Teacher(teacher.items, encode, teacher.lexical)


def _digest(key: str, texts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps([key, *texts]).encode()).hexdigest()
