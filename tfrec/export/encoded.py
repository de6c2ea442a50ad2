"""Vectors of a whole table by an export, in parts that any number of processes or machines can share out.

Every 16,384 rows are a part, and part p belongs to shard p % n. A part is one Parquet file, written aside and renamed,
whose bytes depend on its rows and on the export alone: whatever the number of shards, wherever a process was killed,
the same files come out. A part that is there, of the same rows and the same export, is not encoded again.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tfrec.config.files import TableConfig
from tfrec.data.tables.read import read_table
from tfrec.errors import ConfigError, DataError
from tfrec.export.loaded import LoadedModel
from tfrec.files import atomic_write, remove_rests
from tfrec.progress import Progress

ROWS_PER_PART = 16_384
KINDS = {"item": "embed_item", "query": "embed_query"}
_LETTERS_PER_CALL, _TEXTS_PER_CALL = 1 << 14, 512
_KEY = b"tfrec"


@dataclass(frozen=True)
class Encoding:
    """What is encoded, and how.

    Attributes:
        table: CSV, TSV, JSON Lines or Parquet file, gzip or not.
        id_column, text_column: of the table.
        kind: "item" or "query".
        number, count: the shard, from 0, and of how many.
        halves: write float16 instead of float32.
        rows: of a part.
    """

    table: Path
    id_column: str
    text_column: str
    kind: str = "item"
    number: int = 0
    count: int = 1
    halves: bool = False
    rows: int = ROWS_PER_PART

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"--as must be item or query, not {self.kind!r}.")
        if not 0 <= self.number < self.count:
            raise ConfigError(f"--shard must be i/n with i from 0 to n - 1, not {self.number}/{self.count}.")


@dataclass
class Encoded:
    """What a run did: rows that it wrote, parts, and parts that it found done."""

    rows: int = 0
    parts: int = 0
    found: int = 0


def encode_table(model: LoadedModel, encoding: Encoding, folder: Path) -> Encoded:
    """Writes the parts of one shard, `part-000000.parquet` and so on: columns id (string) and vector.

    Args:
        model: the export.
        encoding: what of which table.
        folder: of the parts of all shards.

    Raises:
        DataError: the table cannot be read, or holds a row without an id.
    """
    done, last = Encoded(), -1
    remove_rests(folder)
    made_of = model.manifest.get("export_key") or model.manifest.get("files", {})
    with Progress("Encoding parts") as progress:
        for part, frame in enumerate(_parts(encoding)):
            last = part
            if part % encoding.count != encoding.number:
                continue
            ids, texts = frame["id"].to_list(), frame["text"].to_list()
            told = json.dumps([made_of, encoding.kind, encoding.halves, ids, texts], sort_keys=True)
            key = hashlib.sha256(told.encode()).hexdigest().encode()
            file = folder / f"part-{part:06}.parquet"
            done.parts += 1
            if _key_of(file) == key:
                done.found += 1
                continue
            vectors = encode_texts(model, texts, encoding.kind)
            atomic_write(file, _written(ids, vectors.astype(np.float16) if encoding.halves else vectors, key))
            done.rows += len(ids)
            progress.advance(1)
    for file in folder.glob("part-*.parquet"):  # of a table that was longer
        part = int(file.stem.removeprefix("part-"))
        if part > last and part % encoding.count == encoding.number:
            file.unlink(missing_ok=True)
    return done


def encode_texts(model: LoadedModel, texts: list[str], kind: str) -> np.ndarray:
    """Vectors float32 [N, D] of texts, encoded by similar length.

    Args:
        model: the export.
        texts: N texts.
        kind: "item" or "query".
    """
    from tfrec.tensorflow_setup import tf

    call = model.signature(KINDS[kind])
    order = sorted(range(len(texts)), key=lambda row: (-len(texts[row]), row))
    vectors: Any = None
    first = 0
    while first < len(order):
        count = min(_TEXTS_PER_CALL, max(1, _LETTERS_PER_CALL // max(1, len(texts[order[first]]))))
        chosen = order[first : first + count]
        some = tf.constant([texts[row] for row in chosen], tf.string)
        inputs = {"text": some} if kind == "item" else {"query": some, "history": tf.fill([len(chosen), 1], "")}
        found = call(**inputs)["vectors"].numpy()
        if vectors is None:
            vectors = np.empty((len(texts), found.shape[1]), np.float32)
        vectors[chosen] = found
        first += count
    return vectors


def _parts(encoding: Encoding) -> Iterator[pl.DataFrame]:
    """Columns id and text of each part."""
    table = TableConfig(path=encoding.table.name, format="auto", columns={})
    names = (encoding.id_column, encoding.text_column)
    waiting: list[pl.DataFrame] = []
    for batch in read_table(table, encoding.table.parent, names, (), "items"):
        if batch.rejected:
            row, reason = batch.rejected[0]
            raise DataError(f"{encoding.table}, row {row}: {reason}.")
        frame = batch.frame.select(
            id=pl.col(encoding.id_column).cast(pl.String),
            text=pl.col(encoding.text_column).cast(pl.String).fill_null(""),
        )
        if frame["id"].is_null().any() or (frame["id"] == "").any():
            raise DataError(f"{encoding.table}: a row has no {encoding.id_column}: give every row one.")
        waiting.append(frame)
        if sum(map(len, waiting)) >= encoding.rows:
            whole = pl.concat(waiting)
            full = len(whole) - len(whole) % encoding.rows
            for start in range(0, full, encoding.rows):
                yield whole[start : start + encoding.rows]
            waiting = [whole[full:]]
    rest = pl.concat(waiting) if waiting else pl.DataFrame()
    if len(rest):
        yield rest


def _written(ids: list[str], vectors: np.ndarray, key: bytes) -> bytes:
    flat = pa.array(vectors.reshape(-1))
    columns = [pa.array(ids, pa.string()), pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])]
    table = pa.table(columns, names=["id", "vector"]).replace_schema_metadata({_KEY: key})
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd", use_dictionary=False)
    return file.getvalue()


def _key_of(file: Path) -> bytes | None:
    """What a written part was made of; None where there is none, or it cannot be read."""
    try:
        return (pq.read_schema(file).metadata or {}).get(_KEY)
    except (OSError, pa.ArrowInvalid):
        return None
