"""A run's folder: where each stage leaves its artefact, and whether it is still up to date."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Any

from tfrec.cluster import follows
from tfrec.config import Config, plain_yaml
from tfrec.data.places import data_folder
from tfrec.files import atomic_directory, atomic_write, read_json, write_json
from tfrec.locks import alone_at


class RunFolder:
    """The folder runs_dir/name of a configuration.

    Args:
        config: the run's configuration.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.path = Path(config.runs_dir) / config.name
        self.data = data_folder(config)
        self.checkpoints = self.path / "checkpoints"
        self.attributes = self.path / "attributes"
        self.synthetic = self.path / "synthetic"
        self.zero_shot = self.path / "zero_shot"
        self.lexical = self.path / "lexical"
        self.index = self.path / "index"
        self.export = self.path / "export"
        self.shards = self.path / "shards"
        self.engine = self.path / "engine"
        self.metrics_file = self.path / "metrics.json"
        self.report = self.path / "report.html"

    @property
    def alone(self) -> contextlib.AbstractContextManager[None]:
        """Held by the one command that trains, prepares or makes samples here; others may read meanwhile. Of several
        workers the chief holds it for all.

        Raises:
            BusyError: another command holds it.
        """
        return contextlib.nullcontext() if follows() else alone_at(self.path, "training or preparing")

    def exporting(self, wait: bool = False) -> contextlib.AbstractContextManager[None]:
        """Held while a version is added to the exports.

        Args:
            wait: for another command that holds it.

        Raises:
            BusyError: another command holds it.
        """
        return alone_at(self.path, "exporting", ".export.lock", wait)

    def retrieval(self, signature: str) -> Path:
        """Where the weights of the scorers are that were chosen for a training under this configuration.

        Args:
            signature: of the training.
        """
        settings = hashlib.sha256(self.config.hash_of("retrieval").encode()).hexdigest()
        return self.path / "retrieval" / signature[:16] / settings[:16]

    def ranking(self, signature: str) -> Path:
        """Where the ranker is that was trained beside a training under this configuration.

        Args:
            signature: of the training.
        """
        settings = hashlib.sha256(self.config.hash_of("ranking", "retrieval").encode()).hexdigest()
        return self.path / "ranking" / signature[:16] / settings[:16]

    def write_config(self) -> None:
        """Leaves the configuration beside what it made."""
        atomic_write(self.path / "config.yaml", plain_yaml(self.config))

    def metrics(self) -> dict[str, Any]:
        """What has been measured so far; empty before training."""
        return read_json(self.metrics_file) if self.metrics_file.is_file() else {}

    def evaluation(self, signature: str) -> dict[str, Any]:
        """What evaluation measured of a training as it ranks under this configuration; empty when it has not.

        Args:
            signature: of the training.
        """
        found = self.metrics().get("evaluation", {})
        same = found.get("signature") == signature and found.get("retrieval") == self.config.hash_of(
            "ranking", "retrieval"
        )
        return found if same else {}

    def add_metrics(self, signature: str, **parts: Any) -> None:
        """Adds or replaces parts of metrics.json; what was measured of another training goes.

        Args:
            signature: of the training that they are about.
            parts: by name.
        """
        with alone_at(self.path, "noting metrics", ".metrics.lock", wait=True):
            before = self.metrics()
            kept = before if before.get("signature") == signature else {}
            write_json(self.metrics_file, kept | parts | {"signature": signature})

    def add_rankings(self, found: dict[str, Any]) -> None:
        """Keeps what every system found for each query of the last evaluation, for a look: rankings/<task>.parquet.

        Args:
            found: task -> frame (see tfrec.evaluation.per_query), or None where nothing was kept.
        """
        with atomic_directory(self.path / "rankings") as aside:
            for task, frame in found.items():
                if frame is not None:
                    frame.write_parquet(aside / f"{task}.parquet")
