"""What one source makes, kept by hash, so that a killed run goes on at the source it was at."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.config import Config
from tfrec.errors import DataError
from tfrec.files import atomic_directory, read_json, sha256_file, write_json
from tfrec.synth.source import SAMPLES, SourceContext
from tfrec.synth.sources import entry_of

_FORMAT = 1


@dataclass(frozen=True)
class Candidates:
    """The samples of one source, before any check.

    Attributes:
        samples: the columns of SAMPLES.
        sha256: of the file that holds them.
        seconds: that making them took, when they were made.
    """

    samples: pl.DataFrame
    sha256: str
    seconds: float


def candidates(name: str, context: SourceContext, teacher_fingerprint: str, folder: Path) -> Candidates:
    """Lets a source make its samples, or reads them back when nothing they depend on has changed.

    Args:
        name: of the source.
        context: what it may read.
        teacher_fingerprint: changes when the teacher's answers do.
        folder: where its candidates go; the context's folder may lie beside it.

    Raises:
        DataError: the source broke its contract.
    """
    key = _key(name, context, teacher_fingerprint)
    manifest = folder / "manifest.json"
    if not manifest.is_file() or read_json(manifest).get("key") != key:
        print(f"Making samples: {name}", file=sys.stderr)
        context.folder.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        made = _checked(name, entry_of(name).make().samples(context), context.shop.size)
        seconds = time.monotonic() - started
        with atomic_directory(folder) as aside:
            made.write_parquet(aside / "samples.parquet")
            digest = sha256_file(aside / "samples.parquet")
            told = {"key": key, "seconds": round(seconds, 3), "sha256": digest, "samples": made.height}
            write_json(aside / "manifest.json", told)
    found = read_json(manifest)
    return Candidates(pl.read_parquet(folder / "samples.parquet"), found["sha256"], found["seconds"])


def _key(name: str, context: SourceContext, teacher_fingerprint: str) -> str:
    config: Config = context.config
    synthesis = config.synthesis.model_dump(mode="json")
    parts: dict[str, Any] = {
        "format": _FORMAT,
        "source": name,
        "settings": {field: synthesis[field] for field in entry_of(name).reads},
        "encoder": config.hash_of("encoder"),
        "data": [context.shop.fingerprint, config.data.history_length, config.training.min_gain],
        "teacher": teacher_fingerprint,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _checked(name: str, frame: pl.DataFrame, size: int) -> pl.DataFrame:
    if set(frame.columns) != set(SAMPLES):
        raise DataError(f"The source {name} gave the columns {sorted(frame.columns)}, not {sorted(SAMPLES)}.")
    frame = frame.select(pl.col(column).cast(kind) for column, kind in SAMPLES.items())
    wrong = frame.filter(
        ~pl.col("task").is_in(["search", "recommendation"])
        | (pl.col("source") != name)
        | ~pl.col("item").is_between(-1, size - 1)
        | ~pl.col("confidence").is_between(0, 1)
        | ((pl.col("task") == "recommendation") & (pl.col("item") < 0))
        | ((pl.col("task") == "search") & (pl.col("query").str.strip_chars() == ""))
    )
    if wrong.height or any(frame[column].null_count() for column in SAMPLES):
        raise DataError(f"The source {name} gave rows out of bounds, for example {wrong.head(1).to_dicts()}.")
    return frame
