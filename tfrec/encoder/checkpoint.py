"""Reading an encoder's checkpoint folder in the Hugging Face or sentence-transformers layout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.encoder.checkpoint_weights import read_weights
from tfrec.encoder.families import FAMILIES, Family
from tfrec.encoder.pieces import Pieces
from tfrec.encoder.sentence_folder import SentenceFolder, open_folder
from tfrec.encoder.sizes import BertSizes
from tfrec.encoder.tokenizer_files import read_pieces
from tfrec.errors import EncoderError
from tfrec.files import read_json


@dataclass(frozen=True)
class Checkpoint:
    """An encoder with its vocabulary.

    Attributes:
        sizes: the sizes.
        weights: name -> float32 array, the names of `weight_shapes`.
        pieces: the vocabulary.
        prompts: "query" and "item" -> what the encoder was trained to read before such texts; may lack both.
        pooling: how it was trained to make one vector of a text, "" where that is not known.
        max_tokens: the longest text it was trained on, marks included; 0 where that is not known.
    """

    sizes: BertSizes
    weights: dict[str, np.ndarray]
    pieces: Pieces
    prompts: dict[str, str]
    pooling: str = ""
    max_tokens: int = 0


def read_checkpoint(folder: Path) -> Checkpoint:
    """Reads a checkpoint of one of the families (see families.py).

    Args:
        folder: holds config.json, model.safetensors, and vocab.txt, sentencepiece.bpe.model or tokenizer.json, or the
            folders of a sentence-transformers model.

    Raises:
        EncoderError: a file is missing or says something our encoder does not do.
    """
    opened = open_folder(folder)
    family, sizes = _read_sizes(needed(opened.model, "config.json"))
    weights = needed(opened.model, "model.safetensors")
    pieces, file = read_pieces(opened.model, family, opened.lower_case)
    if len(pieces) > sizes.vocabulary:
        raise EncoderError(f"{file} has {len(pieces)} pieces, but config.json says {sizes.vocabulary}.")
    return Checkpoint(
        sizes, read_weights(weights, sizes, family), pieces, opened.prompts, opened.pooling, _longest(opened, sizes)
    )


def needed(folder: Path, name: str) -> Path:
    """The file of a folder that must have it."""
    if not (folder / name).is_file():
        if name == "model.safetensors" and (folder / "pytorch_model.bin").is_file():
            raise EncoderError(
                f"{folder} holds its weights only as pytorch_model.bin, a pickle that can run code when read: "
                "convert it to model.safetensors first."
            )
        raise EncoderError(f"{folder} is not the folder of an encoder's checkpoint: {name} is missing.")
    return folder / name


def _longest(opened: SentenceFolder, sizes: BertSizes) -> int:
    return min(opened.max_tokens or sizes.positions, sizes.positions)


def _read_sizes(path: Path) -> tuple[Family, BertSizes]:
    config = read_json(path)
    kind = config.get("model_type", "bert")
    if kind not in FAMILIES:
        raise EncoderError(f"{path} says model_type is {kind!r}, but only {', '.join(FAMILIES)} are supported.")
    family = FAMILIES[kind]
    keys = family.config
    for key, only in ((keys["act"], "gelu"), ("position_embedding_type", "absolute")):
        if config.get(key, only) != only:
            raise EncoderError(f"{path} says {key} is {config[key]!r}, but only {only!r} is supported.")
    try:
        hidden = config[keys["hidden"]]
        embedding = config.get("embedding_size", hidden)
        return family, BertSizes(
            vocabulary=config["vocab_size"],
            hidden=hidden,
            layers=config[keys["layers"]],
            heads=config[keys["heads"]],
            intermediate=config[keys["intermediate"]],
            positions=config["max_position_embeddings"] - family.first_position,
            types=config.get("type_vocab_size", 2) if family.types else 1,
            epsilon=config.get("layer_norm_eps", 1e-12),
            embedding=0 if embedding == hidden else embedding,
            relative=bool(family.relative),
        )
    except KeyError as error:
        raise EncoderError(f"{path} does not say {error.args[0]!r}: it is no configuration of a {kind}.") from None


def facts_of(checkpoint: Checkpoint) -> dict[str, Any]:
    """What encoder.json says about the use of a checkpoint's encoder."""
    special = checkpoint.pieces.special
    return {
        "pieces": checkpoint.pieces.kind,
        "lower_case": checkpoint.pieces.lower_case,
        "start_id": special.start,
        "end_id": special.end,
        "prompts": checkpoint.prompts,
        "pooling": checkpoint.pooling,
        "max_tokens": checkpoint.max_tokens,
    }
