"""What a training's weights depend on, and the finished training that a configuration means."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfrec.config import Config
from tfrec.data.places import folder_of, settings_of
from tfrec.data.shop import ShopData
from tfrec.errors import TrainingError
from tfrec.files import hold_while
from tfrec.pipeline.attributes import filled
from tfrec.pipeline.finished import changed_sources, finished_states
from tfrec.pipeline.run_folder import RunFolder

_TRAINED_SECTIONS = ("data", "synthesis", "augment", "encoder", "model", "training")


def parts_of(config: Config, shop: ShopData, encoder_fingerprint: str, synonyms: str | None = None) -> dict[str, str]:
    """Everything that a run's weights depend on, each by a hash.

    Args:
        config: the whole configuration.
        shop: the data.
        encoder_fingerprint: of the encoder before training.
        synonyms: fingerprint of the synonyms that a training used; None takes those that a training would use now.
    """
    parts = {"config": config.hash_of(*_TRAINED_SECTIONS), "data": shop.fingerprint, "encoder": encoder_fingerprint}
    if config.model.images.enabled and config.model.images.encoder is not None:
        from tfrec.encoder.hub_loading import handle_fingerprint

        parts["images"] = handle_fingerprint(config.model.images.encoder)
    from tfrec.training.few_labels import few_labels

    few = few_labels(config, shop)
    settings = config if few is None else few.config
    if settings.augment.policy != "none":
        from tfrec.training.augmentation import synonyms_fingerprint

        parts["synonyms"] = synonyms_fingerprint(settings, shop) if synonyms is None else synonyms
    return parts


def signature_of(parts: Mapping[str, str]) -> str:
    """sha256 (hex) of everything that a run's weights depend on."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Finished:
    """A training that has ended.

    Attributes:
        folder: its checkpoints.
        state: its last state; "about" holds what it was made from (see `parts_of`) and the hash of its data.
        shop: the data that it was trained on, whatever the shop's files are now.
    """

    folder: Path
    state: dict[str, Any]
    shop: ShopData

    @property
    def signature(self) -> str:
        """sha256 (hex) of everything that the weights depend on."""
        return str(self.state["signature"])


def find_finished(
    config: Config, encoder_fingerprint: str, source: Config | None = None, tell: bool = True
) -> Finished:
    """The finished training of a configuration, with the data that it was trained on; nothing is prepared or written.

    Args:
        config: what it was trained with.
        encoder_fingerprint: of the encoder before training.
        source: see `tfrec.pipeline.api.train`.
        tell: say so when the shop's files have changed since.

    Raises:
        TrainingError: there is none.
    """
    run = RunFolder(config)
    for folder, state in finished_states(run):
        shop = _trained_on(source or config, encoder_fingerprint, state)
        if shop is None:
            continue
        found = Finished(folder, state, shop)
        hold_while(found, folder / "last" / "state.json")
        parts = state["about"]["parts"]
        if parts_of(config, shop, encoder_fingerprint, parts.get("synonyms")) == parts:
            if tell and (changed := changed_sources(source or config, shop)):
                print(
                    f"{changed} since this run was trained: its own prepared data is used; `tfrec train` takes the "
                    "files as they are now.", file=sys.stderr,
                )  # fmt: skip
            return found
    raise TrainingError(
        f"{run.path} holds no finished training for this configuration: run `tfrec train` with it first."
    )


def _trained_on(config: Config, encoder_fingerprint: str, state: Mapping[str, Any]) -> ShopData | None:
    folder = folder_of(RunFolder(config).data, state["about"]["prepared"])
    if not (folder / "manifest.json").is_file():
        return None
    shop = ShopData.open(folder, verify=True)
    if shop.manifest["settings"] != settings_of(config):
        return None
    return filled(config, shop, encoder_fingerprint)
