"""Reading a shop's own TFRecord files of tf.train.Example."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.data.formats import Pick, as_texts, open_bytes
from tfrec.errors import DataError

_RECORDS = 20_000
_HEAD = 12  # length (8) and its checksum (4); after the record another checksum (4)
_LONGEST = 1 << 31
_CUT_OFF = "{}, record {}: the file is cut off or is no TFRecord: write it again."


def tfrecord_batches(path: Path, pick: Pick) -> Iterator[pl.DataFrame]:
    """Reads records of tf.train.Example. Rows count from 1; several values of a feature are joined with a space.

    Args:
        path: the file; GZIP compression when its name ends in .gz.
        pick: chooses the columns among the features of the first 20,000 records.

    Yields:
        frames of String columns and `_row` UInt32.

    Raises:
        DataError: the file is no TFRecord, is cut off, or holds something else than examples.
    """
    from tfrec.tensorflow_setup import tf

    _check_ends(path)
    kind = "GZIP" if path.name.endswith(".gz") else ""
    columns: dict[str, str] | None = None
    found: list[dict[str, list[Any]]] = []
    records = iter(tf.data.TFRecordDataset(str(path), compression_type=kind))
    row = 0
    while True:
        try:
            raw = next(records, None)
        except tf.errors.DataLossError:
            raise DataError(_CUT_OFF.format(path, row + 1)) from None
        if raw is not None:
            row += 1
            found.append(_features(path, row, raw.numpy()))
        if found and (raw is None or len(found) == _RECORDS):
            columns = columns or pick(*[list(dict.fromkeys(name for features in found for name in features))] * 2)
            rows = pl.int_range(row - len(found) + 1, row + 1, dtype=pl.UInt32, eager=True)
            yield pl.DataFrame({**as_texts(found, columns), "_row": rows})
            found = []
        if raw is None:
            return


def _check_ends(path: Path) -> None:
    """TensorFlow takes a file that is cut within the 12 bytes before a record for whole; this does not."""
    row = 0
    with open_bytes(path) as stream:
        while head := stream.read(_HEAD):
            row += 1
            rest = int.from_bytes(head[:8], "little") + 4 if len(head) == _HEAD else -1
            if rest > _LONGEST:
                return  # no TFRecord at all: its checksum will tell
            while rest > 0 and (block := stream.read(min(rest, 1 << 20))):
                rest -= len(block)
            if rest:
                raise DataError(_CUT_OFF.format(path, row))


def _features(path: Path, row: int, raw: bytes) -> dict[str, list[Any]]:
    from google.protobuf.message import DecodeError

    from tfrec.tensorflow_setup import tf

    try:
        example = tf.train.Example.FromString(raw)
    except DecodeError:
        raise DataError(f"{path}, record {row} is not a tf.train.Example.") from None
    return {name: _values(path, row, name, feature) for name, feature in example.features.feature.items()}


def _values(path: Path, row: int, name: str, feature: Any) -> list[Any]:
    kind = feature.WhichOneof("kind")
    if kind == "bytes_list":
        try:
            return [value.decode("utf-8") for value in feature.bytes_list.value]
        except UnicodeDecodeError:
            raise DataError(f"{path}, record {row}: feature {name!r} is not UTF-8.") from None
    if kind == "float_list":
        # float32: the shortest text that reads back as the same float32, so that 0.1 stays 0.1
        import numpy as np

        return [float(str(np.float32(value))) for value in feature.float_list.value]
    return list(feature.int64_list.value) if kind else []
