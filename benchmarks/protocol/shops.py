"""The labelled shops: their files, everything that is known about their queries, and what all cells share."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

FILES: dict[str, dict[str, Any]] = {
    "esci": {"items": {"path": "products.jsonl.gz", "columns": {"item_id": "asin"}}, "searches": "judgments.csv"},
    "crowdflower": {"items": {"path": "items.csv.gz"}, "searches": "judgments.csv.gz"},
    "homedepot": {"items": {"path": "items.csv.gz"}, "searches": "judgments.csv.gz"},
}


class LabelledShop:
    """A shop of which many labelled queries are known, most of them hidden from tfrec in each cell.

    Args:
        name: how tables call it.
        files: its section `data` of a configuration, without root: items and searches.
        root: folder of the files.
        work: where prepared data and vectors are kept.
        overrides: of the configuration, the same in all cells.
    """

    def __init__(
        self, name: str, files: Mapping[str, Any], root: Path, work: Path, overrides: Sequence[str] = ()
    ) -> None:
        self.name, self.files, self.root, self.work = name, dict(files), root.resolve(), work.resolve() / name
        self.overrides = list(overrides)

    def tree(self, name: str, labels: Mapping[str, Any]) -> dict[str, Any]:
        """A configuration for these items with some file of labels (section of data -> path), as plain values."""
        data = {"items": self.files["items"], "root": str(self.root), **labels}
        return {"name": name, "runs_dir": str(self.work / "runs"), "data": data}

    @functools.cached_property
    def config(self) -> Any:
        """The configuration with all labels; only their truth and what needs no label are read through it."""
        import yaml

        from tfrec import load_config
        from tfrec.files import atomic_write

        path = self.work / "everything.yaml"
        atomic_write(path, yaml.safe_dump(self.tree("everything", {"searches": self.files["searches"]})))
        return load_config(path, self.overrides)

    @functools.cached_property
    def data(self) -> Any:
        """The prepared shop with all labels."""
        from tfrec import prepare

        return prepare(self.config)

    @functools.cached_property
    def truth(self) -> dict[str, dict[str, float]]:
        """query -> item id -> gain, of all queries with an item of positive gain, in the order of the alphabet."""
        found: dict[str, dict[str, float]] = {}
        for split in splits_of(self.data):  # as published; the cells draw anew
            found |= self.data.judgments(split)
        return {query: found[query] for query in sorted(found) if max(found[query].values()) > 0}

    @functools.cached_property
    def encoder(self) -> Any:
        """The pretrained encoder, never trained."""
        from tfrec.encoder.loading import load_encoder

        return load_encoder(self.config.encoder, self.config.seed)

    @functools.cached_property
    def _zero_shot(self) -> tuple[np.ndarray, Any]:
        from tfrec.pipeline.untrained import zero_shot

        return zero_shot(self.config, self.data, self.encoder)

    @property
    def untrained(self) -> np.ndarray:
        """Unit vectors of all items by the untrained encoder, float32 [N, D]; encoded once and kept."""
        return self._zero_shot[0]

    @property
    def untrained_folder(self) -> Path:
        """Where the pipeline keeps these vectors; a run that finds a copy of it does not encode again."""
        from tfrec.pipeline.run_folder import RunFolder

        return RunFolder(self.config).zero_shot

    def query_vectors(self, queries: Sequence[str]) -> np.ndarray:
        """Unit vectors of queries as they were typed by the untrained encoder, float32 [Q, D]."""
        missing = [query for query in queries if query not in self._vectors]
        if missing:
            found = self._zero_shot[1](missing)
            self._vectors.update(zip(missing, found, strict=True))
        return np.stack([self._vectors[query] for query in queries])

    @functools.cached_property
    def _vectors(self) -> dict[str, np.ndarray]:
        return {}

    @functools.cached_property
    def bm25(self) -> Any:
        """The baseline that everything is compared with: k1 1.2, b .75, stems, brand and title, no label, no tuning."""
        from tfrec.evaluation.baselines import Bm25

        columns = [self.data.items[name].to_list() for name in ("brand", "title") if name in self.data.items.columns]
        texts = [" ".join(value for value in row if value) for row in zip(*columns, strict=True)]
        return Bm25.fit(texts, k1=1.2, b=0.75)


def splits_of(data: Any) -> list[str]:
    """The splits that a prepared shop's searches have, by name."""
    return sorted(data.searches["split"].unique())


def open_shops(folder: Path, names: Sequence[str], work: Path, overrides: Sequence[str] = ()) -> list[LabelledShop]:
    """The shops of a folder; one that is not there is told and left out."""
    found = []
    for name in names:
        if not (folder / name / FILES[name]["items"]["path"]).is_file():
            print(f"{folder / name} is not there: {name} is left out.", flush=True)
            continue
        found.append(LabelledShop(name, FILES[name], folder / name, work, overrides))
    return found
