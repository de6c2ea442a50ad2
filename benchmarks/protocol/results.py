"""Finished measurements: one file for each system of each cell, so that a stopped run goes on where it was."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from protocol.cells import Cell

METRICS = ("nDCG@10", "Recall@100", "MRR")


@dataclass(frozen=True)
class Result:
    """One system on the tested queries of one cell.

    Attributes:
        system: its name.
        shop, labels, draw: the cell's.
        values: metric -> tested query -> value; queries without a relevant item are missing in Recall and MRR.
        notes: what was chosen and what it cost, as plain JSON values.
    """

    system: str
    shop: str
    labels: str
    draw: int
    values: dict[str, dict[str, float]]
    notes: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, system: str, cell: Cell, rankings: Mapping[str, Sequence[Any]], notes: Mapping[str, Any]) -> Result:
        """Scores rankings of the tested queries by the shop's own judgments, which no system was given."""
        from tfrec.evaluation.metrics import evaluate_rankings

        truth = {query: cell.shop.truth[query] for query in cell.tested}
        found = evaluate_rankings(truth, rankings, cell.shop.config.evaluation.relevant_gain)
        values = {
            metric: {
                query: round(float(value), 6)
                for query, value in zip(found.query_ids, found.samples[metric], strict=True)
                if math.isfinite(value)
            }
            for metric in METRICS
        }
        return cls(system, cell.shop.name, cell.labels, cell.draw, values, dict(notes))

    @property
    def mean(self) -> float:
        """Of nDCG@10 over the tested queries."""
        values = self.values[METRICS[0]].values()
        return sum(values) / len(values)


class Results:
    """The folder of finished measurements.

    Args:
        folder: made at the first result.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, system: str, cell: Cell, key: str) -> Result | None:
        """A finished measurement of the same files and configuration, or None."""
        path = self._path(system, cell, key)
        return Result(**json.loads(path.read_text("utf-8"))) if path.is_file() else None

    def keep(self, result: Result, cell: Cell, key: str) -> None:
        """Writes a measurement, whole or not at all."""
        from tfrec.files import atomic_write

        atomic_write(self._path(result.system, cell, key), json.dumps(asdict(result), ensure_ascii=False) + "\n")

    def forget(self, systems: Sequence[str]) -> int:
        """Removes the measurements of these systems, as after a change of tfrec; gives how many."""
        gone = [path for system in systems for path in self.folder.glob(f"*/{_slug(system)}.*.json")]
        for path in gone:
            path.unlink()
        return len(gone)

    def _path(self, system: str, cell: Cell, key: str) -> Path:
        return self.folder / cell.name / f"{_slug(system)}.{key}.json"


def key_of(cell: Cell, overrides: Sequence[str], by_words_alone: bool = False) -> str:
    """Of everything that a measurement depends on beside tfrec's code: the cell's files, the encoder, the overrides.

    Args:
        cell: which queries are labelled, and which are asked.
        overrides: beside those of the shop.
        by_words_alone: whether the encoder has no say.
    """
    encoder = [] if by_words_alone else [cell.shop.config.encoder.model_dump_json()]
    catalogue = cell.shop.data.manifest["files"]["items.parquet"]
    parts = [cell.noise, cell.rows(), catalogue, *cell.shop.overrides, *overrides, *encoder]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _slug(system: str) -> str:
    return system.replace(" ", "-").replace("/", "-").replace(":", "-")
