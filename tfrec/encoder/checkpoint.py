"""Reading a BERT checkpoint folder in the Hugging Face layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.encoder.pieces import Pieces, SentencePieces, SpecialIds, WordPieces
from tfrec.encoder.sizes import BertSizes, weight_shapes
from tfrec.errors import EncoderError
from tfrec.files import read_json

SENTENCE_PIECES = "sentencepiece.bpe.model"
_LAYER_PARTS = {
    "attention/output": "attention.output.dense",
    "attention/LayerNorm": "attention.output.LayerNorm",
    "ffn/inner": "intermediate.dense",
    "ffn/output": "output.dense",
    "ffn/LayerNorm": "output.LayerNorm",
}
_TABLES = {"word": "word_embeddings", "position": "position_embeddings", "type": "token_type_embeddings"}
# RoBERTa counts positions from its padding id on.
_FIRST_POSITION = {"bert": 0, "xlm-roberta": 2}
_LEAVES = {"kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}


@dataclass(frozen=True)
class Checkpoint:
    """A BERT with its vocabulary.

    Attributes:
        sizes: the sizes.
        weights: name -> float32 array, the names of `weight_shapes`.
        pieces: the vocabulary.
        prompts: "query" and "item" -> what the encoder was trained to read before such texts; may lack both.
    """

    sizes: BertSizes
    weights: dict[str, np.ndarray]
    pieces: Pieces
    prompts: dict[str, str]


def read_checkpoint(folder: Path) -> Checkpoint:
    """Reads a BERT or XLM-R checkpoint in the Hugging Face or sentence-transformers layout.

    Args:
        folder: holds config.json, model.safetensors, and vocab.txt or sentencepiece.bpe.model.

    Raises:
        EncoderError: a file is missing or says something our BERT does not do.
    """
    sentence_pieces = (folder / SENTENCE_PIECES).is_file()
    for name in ("config.json", "model.safetensors", SENTENCE_PIECES if sentence_pieces else "vocab.txt"):
        if not (folder / name).is_file():
            if name == "model.safetensors" and (folder / "pytorch_model.bin").is_file():
                raise EncoderError(
                    f"{folder} holds its weights only as pytorch_model.bin, a pickle that can run code when read: "
                    "convert it to model.safetensors first."
                )
            raise EncoderError(f"{folder} is not a BERT checkpoint folder: {name} is missing.")
    sizes = _read_sizes(folder / "config.json")
    file = folder / (SENTENCE_PIECES if sentence_pieces else "vocab.txt")
    pieces = read_sentence_pieces(file) if sentence_pieces else _word_pieces(file)
    if len(pieces) > sizes.vocabulary:
        raise EncoderError(f"{file} has {len(pieces)} pieces, but config.json says {sizes.vocabulary}.")
    return Checkpoint(sizes, _read_weights(folder / "model.safetensors", sizes), pieces, _prompts(folder))


def _word_pieces(file: Path) -> WordPieces:
    settings = file.parent / "tokenizer_config.json"
    lower_case = read_json(settings).get("do_lower_case", True) if settings.is_file() else True
    return WordPieces(read_vocabulary(file), bool(lower_case))


def _prompts(folder: Path) -> dict[str, str]:
    """The prompts of a sentence-transformers folder, by role."""
    file = folder / "config_sentence_transformers.json"
    told = (read_json(file).get("prompts") or {}) if file.is_file() else {}
    found = {"query": told.get("query"), "item": told.get("passage", told.get("document"))}
    return {role: prompt for role, prompt in found.items() if prompt}


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


def read_sentence_pieces(path: Path) -> SentencePieces:
    """XLM-R's vocabulary out of SentencePiece's own file.

    fairseq numbers <s>, <pad>, </s>, <unk> 0 to 3, the file's pieces from its fourth on behind them, <mask> last.
    """
    try:
        from sentencepiece import sentencepiece_model_pb2

        schema: Any = sentencepiece_model_pb2
        model = schema.ModelProto.FromString(path.read_bytes())
    except ImportError:
        raise EncoderError(f"{path} needs the package sentencepiece: pip install 'sentencepiece>=0.2'.") from None
    except Exception as error:  # protobuf's DecodeError
        raise EncoderError(f"{path} is not a SentencePiece model ({error}).") from None
    own = [(piece.piece, piece.score) for piece in model.pieces][3:]
    whole = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *own, ("<mask>", 0.0)]
    special = SpecialIds(start=0, end=2, padding=1, mask=len(whole) - 1)
    return SentencePieces([piece for piece, _ in whole], np.array([score for _, score in whole]), special, unknown=3)


def _read_sizes(path: Path) -> BertSizes:
    config = read_json(path)
    expected = {"hidden_act": ("gelu",), "position_embedding_type": ("absolute",), "model_type": _FIRST_POSITION}
    for key, values in expected.items():
        if key in config and config[key] not in values:
            supported = " or ".join(map(repr, values))
            raise EncoderError(f"{path} says {key} is {config[key]!r}, but only {supported} is supported.")
    try:
        return BertSizes(
            vocabulary=config["vocab_size"],
            hidden=config["hidden_size"],
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            intermediate=config["intermediate_size"],
            positions=config["max_position_embeddings"] - _first_position(config),
            types=config.get("type_vocab_size", 2),
            epsilon=config.get("layer_norm_eps", 1e-12),
        )
    except KeyError as error:
        raise EncoderError(f"{path} does not say {error.args[0]!r}: it is not the configuration of a BERT.") from None


def _first_position(config: Mapping[str, Any]) -> int:
    return _FIRST_POSITION[config.get("model_type", "bert")]


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
        stem, dot, leaf = name.removeprefix("bert.").removeprefix("roberta.").rpartition(".")
        renamed[stem + current.get(dot + leaf, dot + leaf)] = value
    return renamed


def _converted(name: str, tensors: Mapping[str, np.ndarray], sizes: BertSizes) -> np.ndarray | None:
    """One of our weights out of the checkpoint's names; its linear layers are [outputs, inputs], ours the other way."""
    part, _, leaf = name.rpartition("/")
    if part == "embeddings":
        table = tensors.get(f"embeddings.{_TABLES[leaf]}.weight")
        return table[len(table) - sizes.positions :] if leaf == "position" and table is not None else table
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
