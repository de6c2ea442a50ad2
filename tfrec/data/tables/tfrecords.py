"""Reading a shop's own TFRecord files of tf.train.Example."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.data.ids import as_text
from tfrec.data.tables.json_rows import row_frame
from tfrec.data.tables.nested import Place
from tfrec.data.tables.opened import SAMPLED, Opened, is_packed, open_bytes, some_values
from tfrec.errors import DataError

_RECORDS = 20_000
_HEAD = 12  # length (8) and its checksum (4); after the record another checksum (4)
_LONGEST = 1 << 31
_CUT_OFF = "{}, record {}: the file is cut off or is no TFRecord: write it again."


def open_tfrecord(path: Path) -> Opened:
    """Opens records of tf.train.Example. Rows count from 1; several values of a feature are joined with a space.

    Args:
        path: the file; GZIP compression when it is packed so. Its columns are the features of the first 20,000 records.

    Raises:
        DataError: also while rows are read: the file is no TFRecord, is cut off, or holds something else than examples.
    """
    _check_ends(path)
    numbered = _records(path)
    first = list(itertools.islice(numbered, _RECORDS))
    found = list(dict.fromkeys(name for _, features in first for name in features))
    sample = {name: [as_text(features.get(name)) for _, features in first[:SAMPLED]] for name in found}

    def frames(places: Mapping[str, Place]) -> Iterator[pl.DataFrame]:
        batch = first
        while batch:
            yield row_frame(batch, places)
            batch = list(itertools.islice(numbered, _RECORDS))

    return Opened(found, found, some_values(sample), frames)


def _records(path: Path) -> Iterator[tuple[int, dict[str, list[Any]]]]:
    from tfrec.tensorflow_setup import tf

    row = 0
    records = iter(tf.data.TFRecordDataset(str(path), compression_type="GZIP" if is_packed(path) else ""))
    while True:
        try:
            raw = next(records, None)
        except tf.errors.DataLossError:
            raise DataError(_CUT_OFF.format(path, row + 1)) from None
        if raw is None:
            return
        row += 1
        yield row, _features(path, row, raw.numpy())


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
