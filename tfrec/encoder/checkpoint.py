"""Reading a BERT checkpoint folder in the Hugging Face layout."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tfrec.encoder.sizes import BertSizes, weight_shapes
from tfrec.errors import EncoderError
from tfrec.files import read_json

_LAYER_PARTS = {
    "attention/output": "attention.output.dense",
    "attention/LayerNorm": "attention.output.LayerNorm",
    "ffn/inner": "intermediate.dense",
    "ffn/output": "output.dense",
    "ffn/LayerNorm": "output.LayerNorm",
}
_TABLES = {"word": "word_embeddings", "position": "position_embeddings", "type": "token_type_embeddings"}
_LEAVES = {"kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}


def read_checkpoint(folder: Path) -> tuple[BertSizes, dict[str, np.ndarray], list[str], bool]:
    """Reads sizes, weights and word pieces of a BERT checkpoint.

    Args:
        folder: holds config.json, model.safetensors and vocab.txt.

    Returns:
        (sizes, weight name -> float32 array, word pieces by id, whether text is lower-cased first).

    Raises:
        EncoderError: a file is missing or says something our BERT does not do.
    """
    for name in ("config.json", "model.safetensors", "vocab.txt"):
        if not (folder / name).is_file():
            if name == "model.safetensors" and (folder / "pytorch_model.bin").is_file():
                raise EncoderError(
                    f"{folder} holds its weights only as pytorch_model.bin, a pickle that can run code when read: "
                    "convert it to model.safetensors first."
                )
            raise EncoderError(f"{folder} is not a BERT checkpoint folder: {name} is missing.")
    sizes = _read_sizes(folder / "config.json")
    pieces = read_vocabulary(folder / "vocab.txt")
    if len(pieces) > sizes.vocabulary:
        raise EncoderError(f"{folder / 'vocab.txt'} has {len(pieces)} pieces, but config.json says {sizes.vocabulary}.")
    lower_case = True
    if (folder / "tokenizer_config.json").is_file():
        lower_case = bool(read_json(folder / "tokenizer_config.json").get("do_lower_case", True))
    return sizes, _read_weights(folder / "model.safetensors", sizes), pieces, lower_case


def read_vocabulary(path: Path) -> list[str]:
    """Word pieces of a vocab.txt, one per line, id = line number."""
    pieces = path.read_text("utf-8").split("\n")
    if pieces and pieces[-1] == "":
        pieces.pop()
    missing = [piece for piece in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]") if piece not in pieces]
    if missing:
        raise EncoderError(f"{path} has no {', '.join(missing)}: it is not the vocabulary of a BERT.")
    if len(set(pieces)) < len(pieces):
        twice = next(piece for piece in pieces if pieces.count(piece) > 1)
        raise EncoderError(f"{path} lists the piece {twice!r} twice: every line must be unique.")
    return pieces


def _read_sizes(path: Path) -> BertSizes:
    config = read_json(path)
    expected = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
    for key, value in expected.items():
        if config.get(key, value) != value:
            raise EncoderError(f"{path} says {key} is {config[key]!r}, but only {value!r} is supported.")
    try:
        return BertSizes(
            vocabulary=config["vocab_size"],
            hidden=config["hidden_size"],
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            intermediate=config["intermediate_size"],
            positions=config["max_position_embeddings"],
            types=config.get("type_vocab_size", 2),
            epsilon=config.get("layer_norm_eps", 1e-12),
        )
    except KeyError as error:
        raise EncoderError(f"{path} does not say {error.args[0]!r}: it is not the configuration of a BERT.") from None


def _read_weights(path: Path, sizes: BertSizes) -> dict[str, np.ndarray]:
    tensors = _load_tensors(path)
    weights: dict[str, np.ndarray] = {}
    for name, shape in weight_shapes(sizes).items():
        value = _converted(name, tensors, sizes)
        if value is None:
            raise EncoderError(f"{path} lacks the weights of {name}: it is not a plain BERT encoder.")
        if value.shape != shape:
            raise EncoderError(f"{path} holds {name} as {list(value.shape)}, but config.json asks for {list(shape)}.")
        weights[name] = np.ascontiguousarray(value, np.float32)
    return weights


def _load_tensors(path: Path) -> dict[str, np.ndarray]:
    import ml_dtypes  # noqa: F401  NumPy's bfloat16, which some checkpoints are stored in
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        raw = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderError(f"{path} cannot be read as safetensors ({error}).") from error
    current = {".gamma": ".weight", ".beta": ".bias"}  # the names of old checkpoints
    renamed = {}
    for name, value in raw.items():
        stem, dot, leaf = name.removeprefix("bert.").rpartition(".")
        renamed[stem + current.get(dot + leaf, dot + leaf)] = value
    return renamed


def _converted(name: str, tensors: Mapping[str, np.ndarray], sizes: BertSizes) -> np.ndarray | None:
    """One of our weights out of the checkpoint's names; its linear layers are [outputs, inputs], ours the other way."""
    part, _, leaf = name.rpartition("/")
    if part == "embeddings":
        return tensors.get(f"embeddings.{_TABLES[leaf]}.weight")
    if part == "embeddings/LayerNorm":
        return tensors.get(f"embeddings.LayerNorm.{_LEAVES[leaf]}")
    if part == "pooler":  # sentence encoders often drop it; it is only used when asked for
        absent = np.zeros([sizes.hidden] * (2 if leaf == "kernel" else 1), np.float32)
        return tensors.get(f"pooler.dense.{_LEAVES[leaf]}", absent).T
    layer, _, inner = part.partition("/")
    stem = f"encoder.layer.{layer.removeprefix('layer_')}."
    if inner == "attention/qkv":
        found = [tensors.get(f"{stem}attention.self.{which}.{_LEAVES[leaf]}") for which in ("query", "key", "value")]
        present = [value.T for value in found if value is not None]
        return np.concatenate(present, axis=-1) if len(present) == 3 else None
    value = tensors.get(f"{stem}{_LAYER_PARTS[inner]}.{_LEAVES[leaf]}")
    return None if value is None else value.T
