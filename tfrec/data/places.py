"""What prepared data is made of, and so in which folder it lies: data/<hash>, one for each state of the files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfrec.config import Config, DataConfig, InteractionsConfig, ItemsConfig, SearchesConfig
from tfrec.config.search_log import SearchLogConfig
from tfrec.config.shop_tables import RelationsConfig
from tfrec.data.fingerprint import fingerprint
from tfrec.data.layouts.layout import layout_texts
from tfrec.data.layouts.resolve import every_file, resolved
from tfrec.data.privacy import forgotten_file
from tfrec.errors import DataError, TfrecError
from tfrec.files import flocked, read_json

FORMAT = 8  # raise it when the same configuration shall be prepared anew
TABLES = ("items", "searches", "interactions", "search_log", "relations")  # sections of data, in the order of reports
_LETTERS = 16  # of the hash, as the folder's name


@dataclass(frozen=True)
class Sources:
    """A shop's files as they are now.

    Attributes:
        data: section data; for the demo shop with the files that it generates.
        root: folder that its paths are relative to.
        settings: sha256 (hex) of all that decides how the files are read.
        inputs: fingerprint of each file, by table and name.
        demo: what the demo shop is generated from, and where; None for a shop with files.
    """

    data: DataConfig
    root: Path
    settings: str
    inputs: dict[str, str]
    demo: dict[str, Any] | None = None

    def hash(self, again: int = 0) -> str:
        """sha256 (hex) of everything that the prepared data depends on.

        Args:
            again: how often the pictures have changed, whose names the files hold and not what is in them.
        """
        return _digest({"settings": self.settings, "inputs": self.inputs, **({"again": again} if again else {})})

    def made(self, manifest: dict[str, Any]) -> bool:
        """Whether prepared data is of these files, by its manifest."""
        return manifest.get("settings") == self.settings and manifest.get("inputs") == self.inputs


def data_folder(config: Config) -> Path:
    """The folder of all prepared data of a run."""
    return Path(config.runs_dir) / config.name / "data"


def folder_of(base: Path, digest: str) -> Path:
    """Where the prepared data of a hash lies."""
    return base / digest[:_LETTERS]


def sources_of(config: Config) -> Sources:
    """Looks at a shop's files; those of a demo shop that has not been generated are none.

    Raises:
        DataError: a file is missing.
    """
    settings = settings_of(config)
    if config.data.demo is None:
        root = Path(config.data.root)
        data = resolved(config.data, root)
        return Sources(data, root, settings, _fingerprints(config, data, root))
    demo = config.data.demo
    wanted = {**demo.model_dump(mode="json"), "seed": config.seed, "format": FORMAT}
    for name in ("log", "taste", "relations"):  # what they say by default leaves the shop as it is without them
        if not wanted[name]:
            del wanted[name]
    root = data_folder(config).parent / "demo" / _digest(wanted)[:_LETTERS]
    data = config.data.model_copy(
        update={
            "demo": None,
            "root": str(root),
            "items": ItemsConfig.model_validate("items.csv"),
            "searches": SearchesConfig.model_validate("searches.csv"),
            "interactions": InteractionsConfig.model_validate("purchases.csv") if demo.shoppers else None,
            "search_log": _demo_log(config.data) if demo.log else None,
            "relations": RelationsConfig.model_validate("relations.csv") if demo.relations else None,
        }
    )
    inputs = _fingerprints(config, data, root) if (root / "demo.json").is_file() else {}
    return Sources(data, root, settings, inputs, wanted)


def _demo_log(data: DataConfig) -> SearchLogConfig:
    """The demo's log, read as data.search_log says where it is given."""
    given = data.search_log.model_dump(exclude_unset=True) if data.search_log is not None else {}
    return SearchLogConfig.model_validate({**given, "path": "search_log.ndjson"})


def settings_of(config: Config) -> str:
    """sha256 (hex) of all that decides how a shop's files are read, whatever is in them."""
    key = {"format": FORMAT, "config": config.hash_of("data"), "min_gain": config.training.min_gain}
    if layouts := layout_texts(config.data):
        key["layouts"] = layouts
    if config.model.images.enabled:
        key["image_size"] = config.model.images.size
    return _digest(key)


def manifests(base: Path) -> dict[Path, dict[str, Any]]:
    """The manifest of each prepared state below a run's data folder, the newest first."""
    found: dict[Path, dict[str, Any]] = {}
    files = [(file.stat().st_mtime, file) for file in base.glob("[0-9a-f]*/manifest.json")]
    for _, file in sorted(files, reverse=True):
        try:
            found[file.parent] = read_json(file)
        except TfrecError:  # damaged: as if it were not there
            continue
    return found


def forget_data(base: Path, wanted: Iterable[str]) -> None:
    """Removes the prepared data of a run that nothing refers to and no process reads.

    Args:
        base: the run's data folder.
        wanted: hashes that are referred to.
    """
    import shutil

    keep = {folder_of(base, digest).name for digest in wanted}
    for path in base.iterdir() if base.is_dir() else ():
        if path.name in keep or path.name.startswith("."):
            continue
        if not path.is_dir():
            path.unlink()  # of a version that kept one state, in data/ itself
            continue
        manifest = path / "manifest.json"
        if manifest.is_file():
            with flocked(manifest, wait=False) as free:
                if free:
                    manifest.unlink()  # first, so that what a kill leaves is not taken for whole
                    shutil.rmtree(path, ignore_errors=True)
        else:
            shutil.rmtree(path, ignore_errors=True)


def _fingerprints(config: Config, data: DataConfig, root: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for section in TABLES:
        table = getattr(data, section)
        if table is not None:
            for path in every_file(table, root):
                name = path.relative_to(root) if path.is_relative_to(root) else path
                try:
                    found[f"{section}: {name}"] = fingerprint(path)
                except OSError as error:
                    raise DataError(f"{path} cannot be read ({error.strerror}).") from error
    if found and (file := forgotten_file(config)).is_file():
        found[f"forgotten: {file.name}"] = fingerprint(file)
    return found


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
