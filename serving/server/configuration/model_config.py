"""Which models are served, from where, and which of their versions: TF Serving's ModelServerConfig.

The wording of refusals follows TF Serving's server_core.cc.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tfrec.errors import ServingError
from tfrec.serving.server.configuration.text_files import read_text_file
from tfrec.serving.server.status import StatusError, invalid_argument


@dataclass(frozen=True)
class VersionPolicy:
    """Which versions below a base path are served.

    Attributes:
        kind: "latest" (the `count` highest), "all", or "specific" (those of `versions`).
        count: how many, for "latest".
        versions: which, for "specific".
    """

    kind: Literal["latest", "all", "specific"] = "latest"
    count: int = 1
    versions: tuple[int, ...] = ()


@dataclass(frozen=True)
class ModelConfig:
    """One served model.

    Attributes:
        name: what requests call it.
        base_path: folder with one folder per version.
        policy: which versions.
        labels: version number by label.
    """

    name: str
    base_path: str
    policy: VersionPolicy = field(default_factory=VersionPolicy)
    labels: Mapping[str, int] = field(default_factory=dict)


def read_model_config_file(path: Path | str) -> tuple[ModelConfig, ...]:
    """Reads `--model_config_file`: a ModelServerConfig in text format.

    Raises:
        ServingError: the file is missing, is no such text, or asks for something that cannot be served.
    """
    # This import of the official stubs brings no TensorFlow, whose threads may not be fixed yet.
    from tensorflow_serving.config import model_server_config_pb2

    message = read_text_file(path, model_server_config_pb2.ModelServerConfig())
    if not message.HasField("model_config_list"):
        raise ServingError(f"{path} has no model_config_list: name the models to serve in one.")
    try:
        return config_from_proto(message)
    except StatusError as error:
        raise ServingError(f"{path} cannot be used: {error.message}.") from error


def config_from_proto(config: Any) -> tuple[ModelConfig, ...]:
    """The models of a `tensorflow.serving.ModelServerConfig`, as a reload request carries it.

    Raises:
        StatusError: INVALID_ARGUMENT for a config that cannot be served, with TF Serving's words.
    """
    if config.WhichOneof("config") != "model_config_list":
        raise invalid_argument(
            "ServerModelConfig type not supported by HandleReloadConfigRequest. "
            "Only ModelConfigList is currently supported"
        )
    models = []
    for entry in config.model_config_list.config:
        _check_platform(entry.name, "tensorflow" if entry.model_type == 1 else entry.model_platform)
        choice = entry.model_version_policy.WhichOneof("policy_choice")
        policy = VersionPolicy()
        if choice == "latest":
            policy = VersionPolicy(count=entry.model_version_policy.latest.num_versions or 1)
        elif choice == "all":
            policy = VersionPolicy("all")
        elif choice == "specific":
            policy = VersionPolicy("specific", versions=tuple(entry.model_version_policy.specific.versions))
        models.append(ModelConfig(entry.name, entry.base_path, policy, dict(entry.version_labels)))
    return check_models(models)


def _check_platform(name: str, platform: str) -> None:
    if not platform:
        raise invalid_argument(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor ModelServerConfig::model_platform."
        )
    if platform != "tensorflow":
        raise invalid_argument(f"Model {name} requests unsupported platform {platform}")


def check_models(models: Sequence[ModelConfig]) -> tuple[ModelConfig, ...]:
    """The models, if all of them can be served together.

    Raises:
        StatusError: INVALID_ARGUMENT for a name or policy that cannot be.
    """
    seen: set[str] = set()
    for model in models:
        if not model.name or not model.base_path:
            raise invalid_argument("Every model needs a name and a base_path")
        if "/" in model.name or ":" in model.name:
            raise invalid_argument(f"The model name {model.name} must hold neither / nor :")
        if not model.name.isprintable():
            raise invalid_argument(f"The model name {model.name!r} must hold printable characters only")
        if model.name in seen:
            raise invalid_argument(f"Illegal to list model {model.name} multiple times in config list")
        seen.add(model.name)
        if model.policy.kind == "latest" and model.policy.count < 1:
            raise invalid_argument(f"Model {model.name} asks for {model.policy.count} latest versions")
        if model.policy.kind == "specific" and not model.policy.versions:
            raise invalid_argument(f"Model {model.name} has a specific version policy without versions")
        if any(version < 0 for version in (*model.policy.versions, *model.labels.values())):
            raise invalid_argument(f"Model {model.name} names a negative version")
        if "" in model.labels:
            raise invalid_argument(f"Model {model.name} has a version label without a name")
    return tuple(models)
