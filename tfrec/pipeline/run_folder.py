"""A run's folder: where each stage leaves its artefact, and whether it is still up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfrec.config import Config, plain_yaml
from tfrec.files import atomic_write, read_json, write_json


class RunFolder:
    """The folder runs_dir/name of a configuration.

    Args:
        config: the run's configuration.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.path = Path(config.runs_dir) / config.name
        self.data = self.path / "data"
        self.checkpoints = self.path / "checkpoints"
        self.synthetic = self.path / "synthetic"
        self.zero_shot = self.path / "zero_shot"
        self.lexical = self.path / "lexical"
        self.retrieval = self.path / "retrieval"
        self.index = self.path / "index"
        self.export = self.path / "export"
        self.metrics_file = self.path / "metrics.json"

    def write_config(self) -> None:
        """Leaves the configuration beside what it made."""
        atomic_write(self.path / "config.yaml", plain_yaml(self.config))

    def metrics(self) -> dict[str, Any]:
        """What has been measured so far; empty before training."""
        return read_json(self.metrics_file) if self.metrics_file.is_file() else {}

    def add_metrics(self, **parts: Any) -> None:
        """Adds or replaces parts of metrics.json."""
        write_json(self.metrics_file, self.metrics() | parts)
