"""Writing TF Serving's `--model_config_file`: a ModelServerConfig in protobuf's text format."""

from __future__ import annotations

from collections.abc import Sequence

from tfrec.serving.server.configuration.model_config import ModelConfig, VersionPolicy

_ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def model_config_text(models: Sequence[ModelConfig], comments: Sequence[str] = ()) -> str:
    """The file's text; `read_model_config_file` gives the same models back.

    Args:
        models: what is served.
        comments: lines above it.
    """
    lines = [f"# {line}" for line in comments]
    lines.append("model_config_list {")
    for model in models:
        lines += ["  config {", f"    name: {_quoted(model.name)}", f"    base_path: {_quoted(model.base_path)}"]
        lines += ['    model_platform: "tensorflow"', f"    model_version_policy {{ {_policy(model.policy)} }}"]
        for label, number in sorted(model.labels.items()):
            lines.append(f"    version_labels {{ key: {_quoted(label)} value: {number} }}")
        lines.append("  }")
    return "\n".join([*lines, "}"]) + "\n"


def _policy(policy: VersionPolicy) -> str:
    if policy.kind == "all":
        return "all { }"
    if policy.kind == "latest":
        return f"latest {{ num_versions: {policy.count} }}"
    return f"specific {{ {' '.join(f'versions: {number}' for number in policy.versions)} }}"


def _quoted(text: str) -> str:
    return '"' + "".join(_ESCAPED.get(sign, sign) for sign in text) + '"'
