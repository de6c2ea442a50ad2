"""Writing TF Serving's `--model_config_file`: a ModelServerConfig in protobuf's text format."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf import text_format

from tfrec.serving.server.configuration.model_config import ModelConfig


def model_config_text(models: Sequence[ModelConfig], comments: Sequence[str] = ()) -> str:
    """The file's text; `read_model_config_file` gives the same models back.

    Args:
        models: what is served.
        comments: lines above it.
    """
    # See read_model_config_file: no TensorFlow comes with it.
    from tensorflow_serving.config import model_server_config_pb2

    message = model_server_config_pb2.ModelServerConfig()
    message.model_config_list.SetInParent()
    for model in models:
        entry = message.model_config_list.config.add(
            name=model.name, base_path=model.base_path, model_platform="tensorflow", version_labels=model.labels
        )
        policy, chosen = model.policy, getattr(entry.model_version_policy, model.policy.kind)
        chosen.SetInParent()
        if policy.kind == "latest":
            chosen.num_versions = policy.count
        elif policy.kind == "specific":
            chosen.versions.extend(policy.versions)
    head = "".join(f"# {line}\n" for line in comments)
    return head + text_format.MessageToString(message, as_utf8=True)
