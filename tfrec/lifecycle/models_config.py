"""What servers are told of a standing: version policy and labels in TensorFlow Serving's models.config."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from tfrec.errors import ServingError
from tfrec.files import atomic_write
from tfrec.lifecycle.act_log import Standing
from tfrec.lifecycle.versions import version_numbers
from tfrec.serving.server.configuration.model_config import (
    ModelConfig,
    VersionPolicy,
    check_models,
    read_model_config_file,
)
from tfrec.serving.server.configuration.model_config_text import model_config_text
from tfrec.serving.server.configuration.promoted import PROMOTED

_COMMENT = ("Written by `tfrec promote` and `tfrec rollback`: what is changed by hand goes at the next one.",)


@dataclass(frozen=True)
class Servers:
    """Where and how servers are told.

    Attributes:
        export: the export folder; its own models.config is followed by `tfrec serve`.
        name: of the model, as requests give it.
        keep_ready: whether the version before the stable one stays loaded.
        file: models.config of a TensorFlow Serving besides, or None.
        base_path: the export folder as servers see it; None = as it is here. A model that `file` has already keeps its
            own.
    """

    export: Path
    name: str = "tfrec"
    keep_ready: bool = True
    file: Path | None = None
    base_path: str | None = None


def loaded_versions(servers: Servers, stands: Standing) -> tuple[int, ...]:
    """The versions that a standing asks servers to load, ascending.

    The version before is among them only below the stable one: who names no version gets the highest that is loaded.
    """
    wanted = set(stands.labels.values())
    if servers.keep_ready and stands.stable is not None and stands.before and stands.before[0] < stands.stable:
        wanted.add(stands.before[0])
    return tuple(sorted(wanted & set(version_numbers(servers.export))))


def write_models_config(servers: Servers, stands: Standing, also: Collection[int] = ()) -> None:
    """Writes policy and labels, each file aside and then renamed.

    Args:
        servers: where.
        stands: what the labels say; without a stable version servers take the newest, as before any promotion.
        also: versions to load besides, before they get a label.

    Raises:
        ServingError: the other models.config cannot be read.
        TfrecError: a file cannot be written.
    """
    model = _model(servers, stands, also)
    if servers.file is not None:
        models = _beside(_models_of(servers.file), model)
        atomic_write(servers.file, model_config_text(check_models(models), _COMMENT))
    atomic_write(servers.export / PROMOTED, model_config_text([model], _COMMENT))


def check_readable(servers: Servers) -> None:
    """Refuses another server's file that cannot be read, before anything is changed.

    Raises:
        ServingError: with the file's fault.
    """
    if servers.file is not None:
        _models_of(servers.file)


def is_told(servers: Servers, stands: Standing, whole: bool = True) -> bool:
    """Whether the files say what a standing asks for.

    Args:
        servers: where.
        stands: what they should say.
        whole: also the model's name and base path, and the file elsewhere.
    """
    file = servers.export / PROMOTED
    if not file.is_file():
        return stands == Standing()
    wanted = _model(servers, stands, ())
    try:
        found = read_model_config_file(file)
    except ServingError:  # changed by hand
        return False
    if not whole:
        return [(one.policy, one.labels) for one in found] == [(wanted.policy, wanted.labels)]
    if list(found) != [wanted]:
        return False
    others = () if servers.file is None else _models_of(servers.file)
    return servers.file is None or others == _beside(others, wanted)


def _model(servers: Servers, stands: Standing, also: Collection[int]) -> ModelConfig:
    numbers = sorted({*loaded_versions(servers, stands), *also})
    policy = VersionPolicy("specific", versions=tuple(numbers)) if stands.stable is not None else VersionPolicy()
    base = servers.base_path or os.path.abspath(servers.export)
    return ModelConfig(servers.name, base, policy, stands.labels)


def _models_of(file: Path) -> tuple[ModelConfig, ...]:
    """The models of the file elsewhere, none where it is still to be written."""
    return read_model_config_file(file) if file.exists() else ()


def _beside(models: tuple[ModelConfig, ...], model: ModelConfig) -> tuple[ModelConfig, ...]:
    """The models of the file elsewhere with this one as it is to be."""
    if all(one.name != model.name for one in models):
        return (*models, model)
    return tuple(replace(model, base_path=one.base_path) if one.name == model.name else one for one in models)
