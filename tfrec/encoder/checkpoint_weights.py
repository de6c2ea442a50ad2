"""The weights of a checkpoint under our names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tfrec.encoder.families import Family
from tfrec.encoder.sizes import BertSizes, weight_shapes
from tfrec.errors import EncoderError

_TABLES = {"word": "word_embeddings", "position": "position_embeddings", "type": "token_type_embeddings"}
_LEAVES = {"kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}


def read_weights(path: Path, sizes: BertSizes, family: Family) -> dict[str, np.ndarray]:
    """Name -> float32 array for every name of `weight_shapes(sizes)`.

    Raises:
        EncoderError: the file is damaged, or is no plain encoder of the family.
    """
    tensors = _named(load_tensors(path), family)
    weights: dict[str, np.ndarray] = {}
    for name, shape in weight_shapes(sizes).items():
        value = _converted(name, shape, tensors, sizes, family)
        if value is None:
            raise EncoderError(f"{path} lacks the weights of {name}: it is not a plain encoder of its family.")
        if value.shape != shape:
            raise EncoderError(f"{path} holds {name} as {list(value.shape)}, but config.json asks for {list(shape)}.")
        weights[name] = np.ascontiguousarray(value, np.float32)
    return weights


def load_tensors(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a safetensors file by its own names."""
    import ml_dtypes  # noqa: F401  NumPy's bfloat16, which some checkpoints are stored in
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderError(f"{path} cannot be read as safetensors ({error}).") from error


def _named(raw: Mapping[str, np.ndarray], family: Family) -> dict[str, np.ndarray]:
    current = {".gamma": ".weight", ".beta": ".bias"}  # the names of old checkpoints
    renamed = {}
    for name, value in raw.items():
        stem, dot, leaf = name.removeprefix(family.prefix).rpartition(".")
        renamed[stem + current.get(dot + leaf, dot + leaf)] = value
    return renamed


def _converted(
    name: str, shape: tuple[int, ...], tensors: Mapping[str, np.ndarray], sizes: BertSizes, family: Family
) -> np.ndarray | None:
    """One of our weights out of the checkpoint's names; its linear layers are [outputs, inputs], ours the other way."""
    part, _, leaf = name.rpartition("/")
    if name == "embeddings/relative":
        return tensors.get(family.relative)
    if name == "embeddings/type" and not family.types:
        return np.zeros(shape, np.float32)
    if part == "embeddings":
        table = tensors.get(f"embeddings.{_TABLES[leaf]}.weight")
        return table[len(table) - sizes.positions :] if leaf == "position" and table is not None else table
    if part == "embeddings/LayerNorm":
        return tensors.get(f"embeddings.LayerNorm.{_LEAVES[leaf]}")
    if part == "embeddings/projection":
        value = tensors.get(f"embeddings_project.{_LEAVES[leaf]}")
        return None if value is None else value.T
    if part == "pooler":  # sentence encoders often drop it; it is only used when asked for
        return tensors.get(f"pooler.dense.{_LEAVES[leaf]}", np.zeros(shape, np.float32)).T
    layer, _, inner = part.partition("/")
    stem = family.layer.format(layer.removeprefix("layer_"))
    if inner == "attention/qkv":
        found = [tensors.get(f"{stem}{which}.{_LEAVES[leaf]}") for which in family.qkv]
        present = [value.T for value in found if value is not None]
        return np.concatenate(present, axis=-1) if len(present) == 3 else None
    value = tensors.get(f"{stem}{family.parts[inner]}.{_LEAVES[leaf]}")
    return None if value is None else value.T
